"""Windows of vibration recordings, and the data set that they make: what all bearing data have in common."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

import numpy as np
import torch
from numpy.typing import NDArray

from labtui.data import Dataset
from labtui.data.skip import OnError
from labtui.data.vibration import Augment, Features, Sight
from labtui.errors import DataError


@dataclass
class Recording:
    """One file's signal."""

    path: Path
    label: int
    """Index into the classes."""
    bearing: str
    """Which bearing it is of."""
    signal: NDArray[np.float32]
    """(samples,) acceleration, in the file's unit."""
    simulated: bool
    """Written by `labtui data make`."""


class Options(TypedDict):
    """How recordings are cut and seen: the options of `recipe.data.vibration.Windows`, and `split`."""

    window: int
    per_class: int
    features: Literal["fourier", "decimate", "raw"]
    modes: int
    norm: Literal["backward", "ortho"]
    split: str
    blocks: int
    augment: dict[str, Any] | None
    on_error: OnError


def dataset(
    folder: Path,
    recordings: list[Recording],
    classes: list[str],
    rate: int,
    facts: dict[str, str | int | float],
    **options: Unpack[Options],
) -> Dataset:
    """Windows of recordings: `x` is (len(classes) · per_class, window); features follow augmentation on
    the device.

    Args:
        folder: where the recordings are from, for messages.
        rate: samples a second.
        facts: to stand first in the data table.

    Raises:
        DataError: a class has no recording.
    """
    window, modes, split = options["window"], options["modes"], options["split"]
    blocks = options["blocks"] if split == "time" else 1
    labels = np.array([recording.label for recording in recordings])
    for label, name in enumerate(classes):
        if label not in labels:
            raise DataError(f"{folder}: class {name!r} has no recording that can be used")
    starts, owners, places = _windows(recordings, len(classes), window, options["per_class"], blocks)
    signals = [recordings[owner].signal for owner in owners]
    x = torch.from_numpy(
        np.stack([signal[s : s + window] for signal, s in zip(signals, starts, strict=True)])
    )
    features = Features(options["features"], window, modes, options["norm"])
    augment = options["augment"]
    return Dataset(
        x=x,
        y=torch.from_numpy(labels[owners]),
        task="classes",
        classes=classes,
        groups=_groups(recordings, split, owners, owners * blocks + places),
        transform=Sight(features, None if augment is None else Augment(**augment)),
        facts=facts
        | {
            "recordings": len(recordings),
            "sampling rate (Hz)": rate,
            "window (samples)": window,
            "features": _FEATURES[features.kind].format(modes=modes, norm=features.norm),
            **({LOST: round(features.lost(x), 4)} if features.kind == "fourier" else {}),
            "normalisation": "none",
            "split": _SPLITS[split],
            "augmentation": _in_words(augment),
        },
    )


LOST = "left out by the modes (relative RMS)"
"""The fact that says how far from the windows their largest Fourier modes are."""
_FEATURES = {
    "fourier": "{modes} largest Fourier modes, norm {norm}",
    "decimate": "every fourth sample",
    "raw": "all samples",
}
_SPLITS = {
    "random": "random windows of the same recordings on both sides: optimistic",
    "time": "by blocks of time: no stretch of signal on both sides",
    "recording": "by recording: no recording on both sides",
    "bearing": "by bearing: no bearing on both sides",
}


def _in_words(augment: dict[str, Any] | None) -> str:
    """The augmentation for the data table."""
    if augment is None:
        return "none"
    return ", ".join(f"{name} {value}" for name, value in augment.items())


def long_enough(recording: Recording, options: Options) -> Recording:
    """The recording, if each stretch of it that windows are cut from holds one.

    Raises:
        DataError: it does not.
    """
    window, blocks = options["window"], options["blocks"] if options["split"] == "time" else 1
    if (least := len(recording.signal) // blocks) < window:
        what = "the recording" if blocks == 1 else f"one of its {blocks} blocks"
        raise DataError(
            f"{recording.path}: {what} has {least} samples, fewer than a window of {window}: lower data.window or "
            'data.blocks, or leave it out with data.on_error = "skip"'
        )
    return recording


def _groups(
    recordings: list[Recording], split: str, owners: NDArray[np.int64], blocks: NDArray[np.int64]
) -> torch.Tensor | None:
    """Number of what each window must stay together with."""
    if split == "random":
        return None
    if split == "time":
        return torch.from_numpy(blocks)
    if split == "recording":
        return torch.from_numpy(owners)
    _, bearing = np.unique([recording.bearing for recording in recordings], return_inverse=True)
    return torch.from_numpy(bearing[owners])


def _windows(
    recordings: list[Recording], classes: int, window: int, per_class: int, blocks: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Start, recording and block of each window: `per_class` of each class, evenly spread.

    A window lies inside one of its recording's equal blocks.
    """
    rows = []
    for label in range(classes):
        own = [i for i, recording in enumerate(recordings) if recording.label == label]
        stretches = []
        for i in own:
            edges = np.linspace(0, len(recordings[i].signal), blocks + 1).astype(int)
            stretches += [(i, b, edges[b], edges[b + 1]) for b in range(blocks)]
        counts = np.diff(np.linspace(0, per_class, len(stretches) + 1).astype(int))
        for (i, block, begin, end), count in zip(stretches, counts, strict=True):
            starts = np.linspace(begin, end - window, count).astype(int)
            rows += [(start, i, block) for start in starts]
    starts, owners, places = np.array(rows, dtype=np.int64).T
    return starts, owners, places
