"""What the screen of the queue knows, line by line, and what it does."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from labtui.files.paths import LabPaths
from labtui.tui.want import Eyes, Want, file_stamp

if TYPE_CHECKING:
    from labtui.workload import Fields, Work

SLOW, QUICK = 5.0, 2.0
"""Seconds between two looks at what runs wait for, and at the devices."""
LIVE = ("running", "queued")


@dataclass(frozen=True)
class Queue:
    """What runs and what waits at one moment."""

    work: Sequence[Work] = ()
    sweeps: Mapping[str, str] = field(default_factory=dict)
    """Run id to its sweep, where it has one."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Id of a run or a sweep to its name."""
    progress: Mapping[str, str] = field(default_factory=dict)
    """Id of a run that runs to how far it is."""
    coming: Mapping[str, str] = field(default_factory=dict)
    """Sweep to what of it is still to be queued, in words."""
    paused: str = ""
    """Why nothing is started; empty: it is."""
    served: bool = True
    """Whether a supervisor is at work."""


@dataclass(frozen=True)
class WantQueue(Want):
    """The queue."""

    def stamp(self, eyes: Eyes) -> object:
        """The requests, the pause, and the time: what others do on the GPUs is not written anywhere."""
        lab = eyes.lab.paths
        waiting = [row["id"] for row in eyes.lab.index.rows if row["state"] == "queued"]
        requests = [file_stamp(lab.run(key).queue) for key in waiting]
        return eyes.changes, requests, file_stamp(lab.pause), time.monotonic() // SLOW

    def look(self, eyes: Eyes, before: Any) -> Queue:
        """The runs and the sweeps."""
        from labtui import launch, workload
        from labtui.launch.queue import paused
        from labtui.query.sweeps import known_sweeps

        lab, index = eyes.lab.paths, eyes.lab.index
        live = [row for row in index.rows if row["state"] in LIVE]
        going = known_sweeps(eyes.lab, going=True)
        coming = {one.sweep: text for one in going if (text := workload.to_come(one))}
        names = {row["id"]: str(row["name"]) for row in live}
        names |= {str(row["sweep"]): str(row["name"]) for row in live if row["sweep"]}
        return Queue(
            work=tuple(workload.work(lab, live)),
            sweeps={row["id"]: str(row["sweep"]) for row in live if row["sweep"]},
            names={one.sweep: one.name for one in going} | names,
            progress={row["id"]: _progress(row) for row in live if row["state"] == "running"},
            coming=coming,
            paused=paused(lab),
            served=bool(launch.at_work(lab)),
        )


def _progress(row: Mapping[str, Any]) -> str:
    """Epochs done."""
    epoch, epochs = row["metrics"].get("epoch", {}).get("last"), row["params"].get("train.epochs")
    return "begins" if epoch is None else f"epoch {epoch:.0f}" + (f" of {epochs}" if epochs else "")


@dataclass(frozen=True)
class Devices:
    """What `labtui.workload.devices` found."""

    rows: Sequence[Fields] = ()
    problem: str = ""


@dataclass(frozen=True)
class WantDevices(Want):
    """The devices."""

    def stamp(self, eyes: Eyes) -> object:
        """The runs that run, and the time."""
        return self._running(eyes), time.monotonic() // QUICK

    def look(self, eyes: Eyes, before: Any) -> Devices:
        """GPUs and cores."""
        from labtui.workload import devices

        lab = eyes.lab.paths
        return Devices(*devices(lab, [lab.run(key) for key in self._running(eyes)]))

    def _running(self, eyes: Eyes) -> list[str]:
        return [row["id"] for row in eyes.lab.index.rows if row["state"] == "running"]


@dataclass(frozen=True)
class Line:
    """A line of the queue: a run, or a sweep with those of its runs that run or wait."""

    key: str
    work: tuple[Work, ...]
    sweep: str = ""
    """Of a sweep's own line, and of its runs."""
    whole: bool = False
    """Whether it is a sweep's."""
    open: bool = False
    """Whether its runs stand below it."""

    @property
    def running(self) -> list[Work]:
        """Those that run."""
        return [one for one in self.work if one.state == "running"]

    @property
    def waiting(self) -> list[Work]:
        """Those that wait."""
        return [one for one in self.work if one.state == "queued"]


def lines(queue: Queue, opened: frozenset[str]) -> list[Line]:
    """The queue with each sweep as one line, where its first run stands; the runs of opened ones below theirs.
    Sweeps of which all is still to come stand last."""
    members: dict[str, list[Work]] = {}
    for one in queue.work:
        members.setdefault(queue.sweeps.get(one.id) or one.id, []).append(one)
    found: list[Line] = []
    for key, mine in members.items():
        if key not in queue.sweeps.values():
            found.append(Line(key, tuple(mine)))
            continue
        found.append(Line(key, tuple(mine), key, True, key in opened))
        if key in opened:
            found += [Line(one.id, (one,), key) for one in mine]
    found += [Line(key, (), key, True) for key in queue.coming if key not in members]
    return found


def change(lab: LabPaths, line: Line, said: str, **fields: Any) -> str:
    """Have what waits of a line, and what is to come of a sweep's, ask for something else."""
    from labtui import launch, sweeper
    from labtui.launch import queue

    more = line.whole and sweeper.change(lab, line.sweep, **fields)
    for one in line.waiting:
        queue.change(lab.run(one.id), **fields)
    launch.wake(lab)
    return f"{said} {runs(len(line.waiting))}" + (" and what is to come of the sweep" if more else "")


def put(lab: LabPaths, line: Line, before: Line | None, all: Sequence[Work]) -> str:
    """Put what waits of a line before that of another, or behind all."""
    from labtui import launch
    from labtui.launch import queue

    waiting = [lab.run(one.id) for one in all if one.state == "queued"]
    other = lab.run(before.waiting[0].id) if before else None
    queue.insert([lab.run(one.id) for one in line.waiting], other, waiting)
    launch.wake(lab)
    return ""


def stop(lab: LabPaths, line: Line) -> str:
    """Stop a run; or a sweep, of which no more is made."""
    from labtui import launch, sweeper

    more = line.whole and sweeper.stop(lab, line.sweep)
    # Those that wait would begin in the place of the others.
    launch.stop_all([lab.run(one.id) for one in (*line.waiting, *line.running)])
    said = f"asked {runs(len(line.work))} to stop" if line.work else "stopped"
    return said + ("; nothing more is made of the sweep" if more else "")


def pause(lab: LabPaths, paused: bool) -> str:
    """Start nothing more, or go on."""
    from labtui import launch
    from labtui.launch import queue

    if paused:
        queue.pause(lab, "by hand")
        return "the queue is paused: nothing more is started, what runs goes on"
    queue.unpause(lab)
    launch.wake(lab)
    return "the queue goes on"


def runs(number: int) -> str:
    """So many runs, in words."""
    return "1 run" if number == 1 else f"{number:,} runs"
