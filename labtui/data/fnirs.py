"""Functional near-infrared spectroscopy of cognitive tasks.

A recording is a MATLAB v5 file with a struct `nirs_data`, whose fields `oxyData` and `dxyData` hold 52
channels of relative concentration, and a CSV file of its conditions: a column for each task (Task1,
Task2, …), and rows onset, duration (both in samples, the first being 0) and stim (which task).

The channels lie on a grid of five rows, of 10, 11, 10, 11 and 10 (a 3x11 probe).
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from labtui.data import Dataset, mat
from labtui.data.skip import OnError, each
from labtui.errors import DataError

CHANNELS, ROWS, COLUMNS = 52, 5, 11
ROW = np.repeat(np.arange(ROWS), [10, 11, 10, 11, 10])
"""(52,) row of each channel on the grid."""
COLUMN = np.concatenate([np.arange(11 - n, 11) for n in (10, 11, 10, 11, 10)])
"""(52,) column of each channel; the rows of 10 leave the first column empty."""

LEVELS = ("off", "low", "high")
CONSTRUCTS = {
    "default3": ("working memory", "visual", "auditory"),
    "default4": ("verbal wm", "spatial wm", "visual", "auditory"),
}
LOADS: dict[str, dict[str, tuple[str, ...]]] = {
    "default3": {
        "cr": ("off", "off", "off"),
        "rt": ("off", "low", "off"),
        "nb": ("high", "low", "off"),
        "anb": ("high", "off", "low"),
        "ewm": ("low", "high", "off"),
    },
    "default4": {
        "cr": ("off", "off", "off", "off"),
        "rt": ("off", "off", "low", "off"),
        "nb": ("high", "off", "low", "off"),
        "anb": ("high", "off", "off", "low"),
        "ewm": ("low", "off", "high", "off"),
    },
}
"""Label set to task to the load of each construct: rest, reaction time, n-back, auditory n-back,
emotional working memory."""
DROPPED = ("gng", "es")
"""Tasks without labels."""
STIMS = (*LOADS["default3"], *DROPPED)
"""All tasks."""


@dataclass
class Task:
    """One stretch of a recording."""

    column: str
    """Its name in the conditions: Task1, …"""
    stim: str
    """Which task: cr, rt, nb, anb, ewm, or one of those dropped."""
    onset: int
    """Its first sample."""
    duration: int
    """Its samples."""


@dataclass
class Recording:
    """One recording and what was done in it."""

    path: Path
    maps: NDArray[np.float32]
    """(samples, 5, 22): oxyhaemoglobin's grid, and deoxyhaemoglobin's to the right of it."""
    tasks: list[Task]
    simulated: bool
    """Written by `labtui data make`."""


def fnirs(
    root: Path,
    path: str,
    recordings: str,
    conditions: str,
    timesteps: int,
    labels: Literal["default3", "default4"],
    coding: Literal["one_hot", "level"],
    split: Literal["recording", "random"],
    on_error: OnError,
) -> Dataset:
    """The first samples of each task; the options are those of `recipe.data.FNIRS`.

    `x` is (tasks, timesteps, 5, 22, 1), as recorded. `y` is (tasks, 3·constructs) of 0 and 1, or
    (tasks, constructs) of 0, 1 and 2.

    Raises:
        DataError: a folder or file is missing, is not what it should be, or holds no task that can be
            used.
    """
    found, left_out = read(root / path, recordings, conditions, on_error)
    rows = [(owner, task) for owner, one in enumerate(found) for task in one.tasks]
    labelled = [(owner, task) for owner, task in rows if task.stim not in DROPPED]
    windows = [(*row, w) for row in labelled if (w := _window(found[row[0]], row[1], timesteps)) is not None]
    if not windows:
        raise DataError(
            f"{root / path}: none of {len(labelled)} tasks with labels lasts {timesteps} samples: lower "
            "data.timesteps"
        )
    targets = [[LEVELS.index(level) for level in LOADS[labels][task.stim]] for _, task, _ in windows]
    y = np.array(targets)
    names = list(CONSTRUCTS[labels])
    if coding == "one_hot":
        y = np.eye(len(LEVELS))[y].reshape(len(y), -1)
        names = [f"{construct} {level}" for construct in names for level in LEVELS]
    owners = torch.tensor([owner for owner, _, _ in windows])
    return Dataset(
        x=torch.from_numpy(np.stack([window for _, _, window in windows])[..., None]),
        y=torch.from_numpy(y.astype(np.float32)),
        task="multilabel" if coding == "one_hot" else "regression",
        classes=names,
        groups=owners if split == "recording" else None,
        facts={
            "source": "simulated (Glover 1999)" if any(one.simulated for one in found) else "fNIRS files",
            "recordings": len(found),
            "recordings left out": left_out,
            "tasks": _counted(task for _, task, _ in windows),
            "tasks without labels": _counted(task for _, task in rows if task.stim in DROPPED),
            "tasks too short": len(labelled) - len(windows),
            "task durations (samples)": " to ".join(
                str(f(t.duration for _, t in labelled)) for f in (min, max)
            ),
            "time steps": timesteps,
            "label set": labels,
            "normalisation": "none",
            "split": _SPLITS[split],
        },
    )


_SPLITS = {
    "random": "random tasks of the same recordings on both sides: optimistic",
    "recording": "by recording: no recording on both sides",
}


def _counted(tasks: Iterable[Task]) -> str:
    """How many of each task there are, in the order of their labels."""
    counts = Counter(task.stim for task in tasks)
    return ", ".join(f"{counts[stim]} {stim}" for stim in STIMS if stim in counts) or "none"


def _window(recording: Recording, task: Task, timesteps: int) -> NDArray[np.float32] | None:
    """The first samples of a task, (timesteps, 5, 22); None when it is shorter."""
    window = recording.maps[task.onset : task.onset + min(task.duration, timesteps)]
    return window if len(window) == timesteps else None


def read(folder: Path, recordings: str, conditions: str, on_error: OnError) -> tuple[list[Recording], int]:
    """The recordings of a folder in order of their names, and how many were left out.

    Raises:
        DataError: no such folder, no recording, or one that cannot be used, which is named.
    """
    if not folder.is_dir():
        raise DataError(
            f"{folder}: no such folder. Put recordings there (NAME.mat with {conditions}), or write "
            f"simulated ones: labtui data make fnirs --out {folder}"
        )
    try:
        paths = sorted(folder.glob(recordings))
    except (ValueError, NotImplementedError) as error:
        raise DataError(f"data.recordings = {recordings!r} is no pattern of files: {error}") from None

    def recording(path: Path) -> Recording:
        beside = path.parent / conditions.replace("{recording}", path.stem)
        maps, simulated = read_maps(path)
        tasks = read_tasks(beside)
        if late := next((task for task in tasks if task.onset > len(maps)), None):
            raise DataError(
                f"{beside}: {late.column} begins at sample {late.onset}, but {path.name} has "
                f"{len(maps)} samples: is it the file of another recording?"
            )
        return Recording(path, maps, tasks, simulated)

    found, left_out = each(paths, recording, on_error)
    if not found:
        raise DataError(
            f"{folder}: no recording that can be used among {len(paths)} files {recordings}: look at "
            "data.path and data.recordings"
        )
    return found, left_out


def read_maps(path: Path) -> tuple[NDArray[np.float32], bool]:
    """A recording's maps (samples, 5, 22) and whether they were simulated.

    Raises:
        DataError: the file cannot be read, lacks a field, or its signals are not 52 finite channels.
    """
    table = mat.load(path)
    data = table.get("nirs_data")
    if not isinstance(data, dict):
        raise DataError(f"{path}: no struct nirs_data in it; it holds {mat.held(table)}")
    oxy, dxy = (_signal(path, data, field) for field in ("oxyData", "dxyData"))
    if oxy.shape != dxy.shape:
        raise DataError(f"{path}: oxyData has {len(oxy)} samples, dxyData {len(dxy)}: one of them is cut")
    maps = np.zeros((len(oxy), ROWS, 2 * COLUMNS), np.float32)
    maps[:, ROW, COLUMN] = oxy
    maps[:, ROW, COLUMNS + COLUMN] = dxy
    return maps, "simulator" in table


def _signal(path: Path, data: dict[str, Any], field: str) -> NDArray[np.float32]:
    """One field of a recording: (samples, 52) finite numbers."""
    if field not in data:
        raise DataError(f"{path}: nirs_data has no field {field}; it has {', '.join(data) or 'none'}")
    signal = np.asarray(data[field])
    if signal.ndim != 2 or signal.shape[1] != CHANNELS or not np.issubdtype(signal.dtype, np.floating):
        raise DataError(
            f"{path}: {field} is {signal.dtype} of shape {signal.shape}, expected floating-point numbers of "
            f"shape (samples, {CHANNELS})"
        )
    with np.errstate(over="ignore"):  # what is too large is infinite, and named as that
        signal = signal.astype(np.float32)
    bad = ~np.isfinite(signal)
    if bad.any():
        sample, channel = (int(place[0]) for place in bad.nonzero())
        raise DataError(
            f"{path}: {field} holds {bad.sum()} NaN or infinite values, the first in sample {sample} of "
            f'channel {channel + 1}: leave the recording out, or set data.on_error = "skip"'
        )
    return signal


def read_tasks(path: Path) -> list[Task]:
    """The tasks of a recording, in the order of its conditions file; empty columns are no tasks.

    Raises:
        DataError: the file is missing or empty, a row is missing, or a cell is not what it should be.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = [[cell.strip() for cell in row] for row in csv.reader(file)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"{path}: the conditions cannot be read ({reason}); data.conditions says what the file is called"
        ) from None
    table = {row[0].lower(): row[1:] for row in rows[1:] if any(row)}
    columns = rows[0][1:] if rows else []
    lacking = [name for name in ("onset", "duration", "stim") if name not in table]
    if lacking or not any(columns):
        what = "is empty" if not any(map(any, rows)) else f"lacks {', '.join(lacking) or 'its Task columns'}"
        raise DataError(
            f"{path}: {what}; expected columns Task1, Task2, … and rows onset, duration (in samples) and stim"
        )
    return [task for place, column in enumerate(columns) if (task := _task(path, column, place, table))]


def _task(path: Path, column: str, place: int, table: dict[str, list[str]]) -> Task | None:
    """One column of a conditions file; None when it is empty."""
    cells = {name: (row[place] if place < len(row) else "") for name, row in table.items()}
    onset, duration, stim = (cells[name] for name in ("onset", "duration", "stim"))
    if not (onset or duration or stim):
        return None
    if stim.lower() not in STIMS:
        raise DataError(f"{path}: {column} has stim {stim!r}; known are {', '.join(STIMS)}")
    numbers: list[int] = []
    for name in ("onset", "duration"):
        try:
            value = float(cells[name])
        except ValueError:
            value = -1.0
        if value < 0 or not value.is_integer():
            raise DataError(f"{path}: {column} has {name} {cells[name]!r}, expected a number of samples")
        numbers.append(int(value))
    return Task(column, stim.lower(), numbers[0], numbers[1])
