"""Reading the metric log: series of one metric, and summaries that continue where they stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labtui.files.goals import goal_of
from labtui.files.metriclog import RECORD, VOID
from labtui.files.paths import RunPaths

DTYPE = np.dtype([("key", "<i8"), ("step", "<i8"), ("time", "<f8"), ("value", "<f8")])
Records = NDArray[np.void]


class Series(NamedTuple):
    """One metric over a run, in the order of recording."""

    steps: NDArray[np.int64]
    """(n,) optimiser steps done."""
    times: NDArray[np.float64]
    """(n,) unix seconds."""
    values: NDArray[np.float64]
    """(n,) values; NaN and infinities included."""


def names(paths: RunPaths) -> list[str]:
    """Names of the recorded metrics, in the order of their first record; a torn last line is none."""
    try:
        lines = paths.keys.read_bytes().split(b"\n")[:-1]
    except OSError:
        return []
    return [line.decode("utf-8", "replace") for line in lines]


def records(paths: RunPaths, offset: int = 0) -> Records:
    """The whole records from a byte offset on; a torn last one is left out."""
    try:
        return np.fromfile(paths.metrics, dtype=DTYPE, offset=offset)
    except OSError:
        return np.empty(0, DTYPE)


def valid(found: Records, known: list[str]) -> NDArray[np.bool_] | None:
    """Which records no later resume made void; None for all."""
    voids = found["key"] == VOID
    if not voids.any():
        return None
    bounds = np.where(voids, found["step"], np.iinfo(np.int64).max)
    # The smallest step that a void record at or after each place allows.
    bounds = np.minimum.accumulate(bounds[::-1])[::-1]
    machine = [key for key, name in enumerate(known) if name.startswith("sys.")]
    kept: NDArray[np.bool_] = (found["step"] <= bounds) | np.isin(found["key"], machine)
    kept &= ~voids
    return kept


def read(paths: RunPaths, name: str) -> Series:
    """One metric of a run; empty if it has none of that name."""
    found = records(paths)
    known = names(paths)
    if name not in known:
        return Series(np.empty(0, np.int64), np.empty(0), np.empty(0))
    mine = found["key"] == known.index(name)
    kept = valid(found, known)
    if kept is not None:
        mine &= kept
    # A run with one metric needs no copy; compress is five times as fast as indexing records.
    chosen = found if mine.all() else found.compress(mine)
    return Series(chosen["step"], chosen["time"], chosen["value"])


def read_all(paths: RunPaths) -> dict[str, Series]:
    """All metrics of a run by name."""
    found = records(paths)
    known = names(paths)
    kept = valid(found, known)
    return {
        known[key]: Series(part["step"], part["time"], part["value"])
        for key, part in by_key(found if kept is None else found.compress(kept))
        if 0 <= key < len(known)
    }


def by_key(found: Records) -> list[tuple[int, Records]]:
    """The records of each key, in their order."""
    if not len(found):
        return []
    order = np.argsort(found["key"], kind="stable")
    ordered = found.take(order)
    starts = np.flatnonzero(np.diff(ordered["key"])) + 1
    return [(int(part["key"][0]), part) for part in np.split(ordered, starts)]


class Summary(NamedTuple):
    """What a listing shows of a run's metrics, and where to go on reading."""

    metrics: dict[str, dict[str, Any]]
    """Name to at_best, last, best, best_step, min, max, goal (and nonfinite, a count, if any)."""
    offset: int
    """Bytes of the log that are in it."""
    step: int
    """Highest step seen."""


EMPTY = Summary({}, 0, -1)


def summarise(
    paths: RunPaths,
    monitor: str = "",
    goals: Mapping[str, str] | None = None,
    known: Summary = EMPTY,
) -> Summary:
    """Summarise a run's metrics, going on from an earlier summary of the same run.

    `at_best` is a metric's newest value at the step at which `monitor` was best (without a monitored
    value: its last). Values that are NaN or infinite are never best, and None when they are last.
    The result does not depend on how often it was called in between.
    """
    if known.offset and _size(paths) < known.offset:
        known = EMPTY
    found = records(paths, known.offset)
    if not len(found):
        return known
    offset = known.offset + len(found) * RECORD
    labels = names(paths)
    machine = [key for key, name in enumerate(labels) if name.startswith("sys.")]
    if machine:
        found = found.compress(~np.isin(found["key"], machine))
    if known.offset and len(found) and (found["step"].min() < known.step or (found["key"] == VOID).any()):
        # A resume or steps that go back change what was summarised: once more from the start.
        return summarise(paths, monitor, goals)
    kept = valid(found, labels)
    if kept is not None:
        found = found.compress(kept)
    parts = {labels[key]: part for key, part in by_key(found) if 0 <= key < len(labels)}
    metrics = {name: dict(entry) for name, entry in known.metrics.items()}
    for name, part in parts.items():
        _extend(metrics.setdefault(name, _new(name, goals)), part)
    _at_best(metrics, parts, known.metrics, monitor)
    step = max([known.step, *(int(part["step"].max()) for part in parts.values())])
    return Summary(metrics, offset, step)


def _size(paths: RunPaths) -> int:
    try:
        return paths.metrics.stat().st_size
    except OSError:
        return 0


def _new(name: str, goals: Mapping[str, str] | None) -> dict[str, Any]:
    empty = dict.fromkeys(("at_best", "last", "best", "best_step", "min", "max"))
    return {**empty, "goal": goal_of(name, goals or {})}


def _extend(entry: dict[str, Any], part: Records) -> None:
    values = part["value"]
    finite = np.isfinite(values)
    entry["last"] = float(values[-1]) if finite[-1] else None
    if not finite.all():
        entry["nonfinite"] = entry.get("nonfinite", 0) + int((~finite).sum())
        values, part = values[finite], part[finite]
    if not len(values):
        return
    low, high = int(values.argmin()), int(values.argmax())
    entry["min"] = min(v for v in (entry["min"], float(values[low])) if v is not None)
    entry["max"] = max(v for v in (entry["max"], float(values[high])) if v is not None)
    if entry["goal"] is not None:
        place = low if entry["goal"] == "min" else high
        best, known = float(values[place]), entry["best"]
        if known is None or (best < known if entry["goal"] == "min" else best > known):
            entry["best"], entry["best_step"] = best, int(part["step"][place])


def _at_best(
    metrics: dict[str, dict[str, Any]],
    parts: Mapping[str, Records],
    before: Mapping[str, dict[str, Any]],
    monitor: str,
) -> None:
    best_step = metrics.get(monitor, {}).get("best_step")
    moved = best_step != before.get(monitor, {}).get("best_step")
    for name, entry in metrics.items():
        if best_step is None:
            entry["at_best"] = entry["last"]
            continue
        part = parts.get(name)
        upto = np.flatnonzero(part["step"] <= best_step) if part is not None else np.empty(0, np.intp)
        if part is not None and len(upto):
            value = float(part["value"][upto[-1]])
            entry["at_best"] = value if np.isfinite(value) else None
        elif moved:
            entry["at_best"] = before.get(name, {}).get("last")
