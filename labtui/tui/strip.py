"""The machine in one line: GPUs or cores and their use, the queue, the disk. Looking takes some time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from labtui.cells import width
from labtui.files.paths import LabPaths
from labtui.gpus import Gpu
from labtui.rows import Row

_SCARCE = 5 * 10**9
"""Bytes of the disk below which it is coloured."""
_FULL = 90
"""Per cent of a GPU's use from which it is coloured as busy."""


@dataclass(frozen=True)
class Strip:
    """The machine at one moment.

    Args:
        gpus: those that labtui may use.
        cores, taken: for runs without GPUs, and how many of them are in use.
        free: bytes of the lab's disk; None where that is not known.
        paused: whether the queue is.
        problem: why GPUs are missing that may come back.
    """

    gpus: tuple[Gpu, ...] = ()
    cores: int = 0
    taken: int = 0
    free: int | None = None
    paused: bool = False
    problem: str = ""


def look(lab: LabPaths, running: Sequence[str]) -> Strip:
    """The machine now; the first time in a process NVML may take seconds.

    Args:
        running: ids of the runs that are.

    Raises:
        LabError: `[slots]` of the settings is wrong.
    """
    from labtui.launch import machine
    from labtui.run import derive

    own = [machine.running(paths, derive(paths)) for paths in map(lab.run, running)]
    found = machine.look(lab.root, [one for one in own if one])
    taken = sum(one.place.cores for one in found.taken if not one.place.gpus)
    free = None
    with suppress(OSError):
        disk = os.statvfs(lab.root)
        free = disk.f_bavail * disk.f_frsize
    return Strip(found.gpus, found.cores, taken, free, lab.pause.exists(), found.problem)


def strip_row(strip: Strip, running: int, waiting: int, room: int) -> Row:
    """The line: what computes on the left, the disk at the right end.

    Args:
        running, waiting: numbers of runs.
        room: cells.
    """
    queue: Row = [("queue ", "dim")]
    queue += [(f"{running} running", "accent" if running else "dim"), (" · ", "dim")]
    queue += [(f"{waiting} waiting", "warn" if waiting else "dim")]
    if strip.paused:
        queue += [(" · ", "dim"), ("paused", "warn")]
    disk: Row = []
    if strip.free is not None:
        amount = (
            f"{strip.free / 1e9:,.0f} GB free" if strip.free >= 1e9 else f"{strip.free / 1e6:.0f} MB free"
        )
        disk = [(amount + " ", "bad" if strip.free < _SCARCE else "dim")]
    room -= _cells(queue) + _cells(disk) + 6
    computes = _cores(strip) if not strip.gpus else _each(strip.gpus)
    if _cells(computes) > room:
        computes = _all(strip.gpus)
    row: Row = [(" ", ""), *computes, ("   ", ""), *queue]
    gap = room + 2 - _cells(computes)
    return [*row, (" " * max(gap, 1), ""), *disk]


def _cells(row: Row) -> int:
    return sum(width(text) for text, _ in row)


def _cores(strip: Strip) -> Row:
    busy = strip.taken >= strip.cores
    row: Row = [("CPU ", "dim"), (f"{strip.taken} of {strip.cores} cores", "accent" if busy else "dim")]
    return [*row, (" · GPUs are missing", "warn")] if strip.problem else row


def _each(gpus: Sequence[Gpu]) -> Row:
    """Use and memory of each."""
    row: Row = []
    for gpu in gpus:
        row += [(("  " if row else "") + f"GPU {gpu.index} ", "dim"), *_use(gpu.utilization)]
        row.append((_memory(gpu.memory_used, gpu.memory_total), "dim"))
    return row


def _all(gpus: Sequence[Gpu]) -> Row:
    """Use and memory of all of them together, where each has no room."""
    if not gpus:
        return []
    uses = [gpu.utilization for gpu in gpus if gpu.utilization is not None]
    mean = round(sum(uses) / len(uses)) if uses else None
    memory = sum(gpu.memory_used for gpu in gpus), sum(gpu.memory_total for gpu in gpus)
    return [(f"{len(gpus)} GPUs ", "dim"), *_use(mean), (_memory(*memory), "dim")]


def _use(percent: int | None) -> Row:
    return [] if percent is None else [(f"{percent}% ", "good" if percent >= _FULL else "")]


def _memory(used: int, total: int) -> str:
    return f"{used / 2**30:.0f}/{total / 2**30:.0f}G" if total else ""
