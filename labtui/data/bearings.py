"""Rolling-bearing vibration in the form of the Case Western Reserve University recordings.

MATLAB v5 files of one recording each, at 12 kHz; the file's number says which of ten conditions it
is. Windows are cut from the drive-end channel.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.io import loadmat

from labtui.data import Dataset
from labtui.data.vibration import Augment, Features, Sight
from labtui.errors import DataError

RATE = 12_000
"""Samples a second."""

CLASSES = {
    "normal": 97,
    "inner .007": 105,
    "inner .014": 169,
    "inner .021": 209,
    "ball .007": 118,
    "ball .014": 185,
    "ball .021": 222,
    "outer .007": 130,
    "outer .014": 197,
    "outer .021": 234,
}
"""Condition (fault's place and diameter in inch) to the number of its recording at 0 hp; those at
1, 2 and 3 hp follow it."""

_FILE = re.compile(r"(\d+)(@6)?(_Normal)?(_[0-3])?\.mat", re.IGNORECASE)
_KEY = re.compile(r"X(\d+)_DE_time")


@dataclass
class Recording:
    """One file's drive-end signal."""

    path: Path
    label: int
    """Index into CLASSES."""
    signal: NDArray[np.float64]
    """(samples,) acceleration in g."""
    simulated: bool
    """Written by `labtui data make`."""


def bearings(
    root: Path,
    path: str,
    loads: list[int],
    window: int,
    per_class: int,
    features: Literal["fourier", "decimate", "raw"],
    modes: int,
    norm: Literal["backward", "ortho"],
    split: Literal["random", "time", "recording"],
    blocks: int,
    augment: dict[str, Any] | None,
) -> Dataset:
    """Windows of bearing vibration, 10 classes; the options are those of `recipe.data.Bearings`.

    `x` is (10 · per_class, window): raw windows; features follow augmentation on the device.

    Raises:
        DataError: a folder, file or class is missing, or a file is not what it should be.
    """
    recordings = read(root / path, loads)
    stretches = blocks if split == "time" else 1
    starts, owners, places = _windows(recordings, window, per_class, stretches)
    signals = [recordings[owner].signal for owner in owners]
    x = np.stack([signal[s : s + window] for signal, s in zip(signals, starts, strict=True)])
    groups = None if split == "random" else torch.from_numpy(owners * blocks + places)
    changes = None if augment is None else Augment(**augment)
    simulated = any(recording.simulated for recording in recordings)
    return Dataset(
        x=torch.from_numpy(x).to(torch.float32),
        y=torch.tensor([recordings[r].label for r in owners]),
        task="classes",
        classes=list(CLASSES),
        groups=groups,
        transform=Sight(Features(features, window, modes, norm), changes),
        facts={
            "source": "simulated (McFadden and Smith 1984)" if simulated else "CWRU, drive end",
            "recordings": len(recordings),
            "sampling rate (Hz)": RATE,
            "window (samples)": window,
            "features": _FEATURES[features].format(modes=modes, norm=norm),
            "normalisation": "none",
            "split": _SPLITS[split],
            "augmentation": _in_words(augment),
        },
    )


_FEATURES = {
    "fourier": "{modes} largest Fourier modes, norm {norm}",
    "decimate": "every fourth sample",
    "raw": "all samples",
}
_SPLITS = {
    "random": "random windows of the same recordings on both sides: optimistic",
    "time": "by blocks of time: no stretch of signal on both sides",
    "recording": "by recording: no recording on both sides",
}


def _in_words(augment: dict[str, Any] | None) -> str:
    """The augmentation for the data table."""
    if augment is None:
        return "none"
    return ", ".join(f"{name} {value}" for name, value in augment.items())


def read(folder: Path, loads: list[int]) -> list[Recording]:
    """The recordings in a folder under the given loads (hp), ordered by class and number.

    Raises:
        DataError: no such folder, a class without a file, or a file that cannot be used.
    """
    try:
        files = sorted(folder.iterdir())
    except OSError as error:
        raise DataError(
            f"{folder}: {error.strerror}. Put CWRU recordings there (97_Normal_0.mat, 105_0.mat, "
            f"…), or write simulated ones: labtui data make bearings --out {folder}"
        ) from error
    numbered = {int(m[1]): file for file in files if (m := _FILE.fullmatch(file.name))}
    found = []
    for label, (name, first) in enumerate(CLASSES.items()):
        paths = {first + load: numbered.get(first + load) for load in sorted(loads)}
        for number, path in paths.items():
            if path is None:
                raise DataError(f"{folder}: class {name!r} lacks its recording {number}.mat")
            signal, simulated = _signal(path, number)
            found.append(Recording(path, label, signal, simulated))
    return found


def _signal(path: Path, number: int) -> tuple[NDArray[np.float64], bool]:
    """The drive-end signal of a file, and whether it was simulated."""
    try:
        table = loadmat(path)
    except Exception as error:  # a broken file raises almost anything, by where it is broken
        raise DataError(
            f"{path}: not a readable MATLAB v5 file ({type(error).__name__}: {error}): "
            "fetch it again, or check that it was copied whole"
        ) from error
    # some files carry a neighbour's signal too, so the number counts
    key = next((key for key in table if (m := _KEY.fullmatch(key)) and int(m[1]) == number), None)
    if key is None:
        names = ", ".join(k for k in table if not k.startswith("__")) or "nothing"
        raise DataError(f"{path}: no X{number:03d}_DE_time in it; it holds {names}")
    signal = np.asarray(table[key]).ravel()
    if not np.issubdtype(signal.dtype, np.floating):
        raise DataError(f"{path}: {key} holds {signal.dtype}, expected floating-point numbers")
    if bad := np.count_nonzero(~np.isfinite(signal)):
        raise DataError(
            f"{path}: {key} holds {bad} NaN or infinite samples: leave this recording out or fetch it again"
        )
    return signal.astype(np.float64), "simulator" in table


def _windows(
    recordings: list[Recording], window: int, per_class: int, blocks: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Start, recording and block of each window: `per_class` of each class, evenly spread.

    A window lies inside one of its recording's equal blocks.
    """
    rows = []
    for label in range(len(CLASSES)):
        own = [i for i, recording in enumerate(recordings) if recording.label == label]
        stretches = []
        for i in own:
            edges = np.linspace(0, len(recordings[i].signal), blocks + 1).astype(int)
            stretches += [(i, b, edges[b], edges[b + 1]) for b in range(blocks)]
        counts = np.diff(np.linspace(0, per_class, len(stretches) + 1).astype(int))
        for (i, block, begin, end), count in zip(stretches, counts, strict=True):
            if end - begin < window:
                what = "recording" if blocks == 1 else f"one of its {blocks} blocks"
                raise DataError(
                    f"{recordings[i].path}: {what} has {end - begin} samples, fewer than a window "
                    f"of {window}: lower data.window or data.blocks, or leave the recording out"
                )
            starts = np.linspace(begin, end - window, count).astype(int)
            rows += [(start, i, block) for start in starts]
    starts, owners, places = np.array(rows, dtype=np.int64).T
    return starts, owners, places
