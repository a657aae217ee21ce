"""Sound files as samples: whatever libsndfile decodes (WAV, FLAC, Ogg, AIFF, MP3, …)."""

from __future__ import annotations

import io
import os
from math import gcd
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from labtui.errors import DataError

AGAIN = "fetch it again, or check that it was copied whole"
RATES = range(100, 1_000_001)
"""Samples a second that a recording may have; others are of a broken head, and resampling them takes all memory
there is."""


def read(path: Path, rate: int | None = None) -> NDArray[np.float32]:
    """The samples of a sound file, as one channel.

    Args:
        path: the file; of several channels the mean is taken.
        rate: samples a second that are wanted; absent: as many as the file has. Others are `resampled`.

    Returns:
        (T,), at least one sample; integer formats are scaled to -1..1.

    Raises:
        DataError: the file is missing, is no sound, is cut off, holds no samples, or NaN.
    """
    wave, own = _decoded(path)
    if not len(wave):
        raise DataError(f"{path}: it holds no samples: leave it out or fetch it again")
    if bad := np.count_nonzero(~np.isfinite(wave)):
        raise DataError(f"{path}: {bad} samples are NaN or infinite: leave it out or fetch it again")
    mono = wave.mean(axis=1) if wave.shape[1] > 1 else wave[:, 0]
    return mono if rate is None else resampled(mono, own, rate)


def write(path: Path, wave: NDArray[np.floating], rate: int) -> None:
    """Write one channel (T,) in the format of the file's ending, with 16 bits a sample where it has a choice.

    Raises:
        OSError: it cannot be written; libsndfile itself would not say why.
    """
    held = io.BytesIO()
    soundfile.write(held, wave, rate, format=path.suffix[1:])
    path.write_bytes(held.getvalue())


def resampled(wave: NDArray[np.float32], own: int, rate: int) -> NDArray[np.float32]:
    """(T,) of `own` samples a second -> (⌈T · rate / own⌉,) of `rate`, by `scipy.signal.resample_poly`,
    whose low-pass filter removes what the new rate cannot hold."""
    if rate == own:
        return wave
    shared = gcd(rate, own)
    found: NDArray[np.float32] = resample_poly(wave, rate // shared, own // shared)
    return found


def rate_of(path: Path) -> int:
    """Samples a second of a sound file.

    Raises:
        DataError: the file is missing or is no sound.
    """
    return about(path)[1]


def about(path: Path) -> tuple[int, int]:
    """Samples that a sound file announces, and how many of them there are a second.

    Raises:
        DataError: the file is missing or is no sound.
    """
    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:
            samples, rate = file.frames, file.samplerate
    except (OSError, soundfile.SoundFileError) as error:
        raise _unreadable(path, error) from error
    return samples, rate


def _decoded(path: Path) -> tuple[NDArray[np.float32], int]:
    """(T, channels) and samples a second."""
    try:
        with open(path, "rb") as raw:
            lacking = _lacking(raw)
        if lacking:
            raise DataError(
                f"{path}: cut off: the last {lacking} bytes that it announces are not there: {AGAIN}"
            )
        with soundfile.SoundFile(os.fsencode(path)) as file:
            wave: NDArray[np.float32] = file.read(dtype="float32", always_2d=True)
            announced, rate = file.frames, file.samplerate
    except (
        OSError,
        MemoryError,
        soundfile.SoundFileError,
    ) as error:  # MemoryError: a head may announce anything
        raise _unreadable(path, error) from error
    if rate not in RATES:
        raise DataError(
            f"{path}: announces {rate} samples a second, expected {RATES[0]} to {RATES[-1]}: {AGAIN}"
        )
    if len(wave) < announced:
        raise DataError(f"{path}: cut off: {len(wave)} of {announced} samples could be decoded: {AGAIN}")
    return wave, rate


def _lacking(file: BinaryIO) -> int:
    """Bytes that a WAV file's data chunk announces and does not have: libsndfile is silent about them.

    Programs that stream announce 0 or the largest number there is, and mean "to the end".
    """
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return 0
    end = file.seek(0, 2)
    file.seek(12)
    while len(chunk := file.read(8)) == 8:
        size = int.from_bytes(chunk[4:], "little")
        if chunk[:4] == b"data":
            return 0 if size >= 0xFFFF_FF00 else max(0, file.tell() + size - end)
        file.seek(size + size % 2, 1)
    return 0


def _unreadable(path: Path, error: Any) -> DataError:
    """What is wrong with a file that cannot be opened or decoded."""
    if isinstance(error, FileNotFoundError) or not os.path.exists(
        path
    ):  # unlike Path.exists, also for names that are too long
        return DataError(f"there is no {path}: fetch it, or take it out of what names it")
    reason = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
    return DataError(f"{path}: no sound can be read from it ({reason}): {AGAIN}")
