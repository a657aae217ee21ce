"""Tracks decoded once, into a file that all runs map into memory.

Each track is a row of 16-bit samples, so that whatever the archive's size, only the pages of the batches
at hand take memory. The file's name says what is in it: options, and the names, sizes and times of all
tracks. It is whole or absent; the first run that needs it writes it, others wait for that one.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from labtui.data import sound
from labtui.errors import DataError
from labtui.files.atomic import DISK_FULL, locked, read_json, replacing, write_json
from labtui.files.tell import tell

FORMAT = 1
"""Counted up when the same options come to mean other values."""
SCALE = 32767
"""Of 16-bit samples: -1..1 is stored as -SCALE..SCALE."""
TOGETHER = 64
"""Tracks that are decoded before they are written: what they take in memory is all that is taken."""


@dataclass(frozen=True)
class Decoding:
    """What is kept of tracks."""

    samples: int
    """The middle so many samples, or as many as the longest track has; shorter tracks are repeated."""
    least: int
    """Tracks of fewer samples cannot be used."""
    rate: int | None
    """Samples a second; None: each track's own."""
    on_error: Literal["fail", "skip"]
    """What becomes of tracks that cannot be used."""


@dataclass(frozen=True)
class Tracks:
    """Decoded tracks."""

    values: Tensor
    """(N, samples) int16, mapped into memory: writing to it changes nothing on disk."""
    index: list[int]
    """N places in the list of files: those that could be used."""
    rates: Counter[int]
    """How many tracks have which number of samples a second, as decoded."""


def decode(files: Sequence[Path], how: Decoding, cache: Path) -> Tracks:
    """The tracks of `files`, from the cache if they are there.

    Raises:
        DataError: a track cannot be used and is not to be skipped, none can, or the cache's folder cannot be
            written or is too full.
    """
    asked = json.dumps([FORMAT, astuple(how), [[str(file), *_stamp(file)] for file in files]])
    path = cache / f"tracks-{hashlib.blake2b(asked.encode(), digest_size=8).hexdigest()}.int16"
    told = path.with_suffix(".json")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with locked(cache):
            # the list of tracks comes last: without it the file counts as absent
            if not path.exists() or not (about := read_json(told)):
                about = _write(path, files, how)
                write_json(told, about)
        values = np.memmap(path, np.int16, "c", shape=(len(about["index"]), about["samples"]))
    except OSError as error:
        full = ": the disk is full" if error.errno in DISK_FULL else f" ({error.strerror})"
        raise DataError(
            f"{cache}: decoded tracks cannot be kept there{full}: name another data.cache"
        ) from error
    rates = Counter({int(rate): count for rate, count in about["rates"].items()})
    return Tracks(torch.from_numpy(values), about["index"], rates)


def _stamp(file: Path) -> tuple[int, int]:
    """Size and time of a file, by which a change shows; of a missing one nothing."""
    try:
        found = file.stat()
    except OSError:
        return -1, -1
    return found.st_size, found.st_mtime_ns


def _write(path: Path, files: Sequence[Path], how: Decoding) -> dict[str, Any]:
    """Decode all files into `path`; which of them could be used, and their rates."""
    index: list[int] = []
    rates: Counter[int] = Counter()
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool, replacing(path) as out:
        longest = max(pool.map(lambda file: _announced(file, how.rate), files), default=0)
        samples = max(how.least, min(how.samples, longest))
        _room(path.parent, len(files) * samples * 2)
        for place, found in enumerate(_decoded(files, samples, how, pool)):
            if isinstance(found, DataError):
                if how.on_error == "fail":
                    raise found
                tell(f"labtui: left out: {found}")
                continue
            row, rate = found
            out.write(row.tobytes())
            index.append(place)
            rates[rate] += 1
        if not index:
            raise DataError(f"none of {len(files)} tracks can be used, the first of them {files[0]}")
    return {"samples": samples, "index": index, "rates": rates, "files": [str(file) for file in files]}


def _room(cache: Path, needed: int) -> None:
    """See to it that the disk has room for so many bytes."""
    if (free := shutil.disk_usage(cache).free) < needed:
        raise DataError(
            f"{cache}: decoded tracks need {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free: name a "
            "data.cache on another disk, or lower data.kept or data.rate"
        )


def _announced(file: Path, rate: int | None) -> int:
    """Samples that a file says it has, at the rate at which it is kept; 0 if it cannot be read."""
    try:
        samples, own = sound.about(file)
    except DataError:
        return 0
    return samples if rate is None else samples * rate // own


Row = tuple[NDArray[np.int16], int]
"""What is kept of a track, and its samples a second."""


def _decoded(
    files: Sequence[Path], samples: int, how: Decoding, pool: ThreadPoolExecutor
) -> Iterator[Row | DataError]:
    """Each file in turn, or what is wrong with it, decoded by all cores at once."""

    def one(file: Path) -> Row | DataError:
        try:
            return _row(file, samples, how), how.rate or sound.rate_of(file)
        except DataError as error:
            return error

    for start in range(0, len(files), TOGETHER):
        yield from pool.map(one, files[start : start + TOGETHER])


def _row(file: Path, samples: int, how: Decoding) -> NDArray[np.int16]:
    """What is kept of a track: (samples,)."""
    wave = sound.read(file, how.rate)
    if len(wave) < how.least:
        raise DataError(
            f"{file}: {len(wave)} samples, fewer than a clip of {how.least}: lower data.clip, leave the track "
            'out, or set data.on_error = "skip"'
        )
    begin = max(0, len(wave) - samples) // 2
    scaled = (wave[begin : begin + samples].clip(-1, 1) * SCALE).round().astype(np.int16)
    return np.resize(scaled, samples)
