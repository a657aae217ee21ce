"""The queue: requests to start, their order, and what keeps each from starting.

There is no queue file: the queue is what the run directories ask for (`queue.json`). Only the pause
of the whole queue is written down, in `runs/.labtui/pause.json`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from labtui import run
from labtui.errors import LabError, LabtuiError, LaunchError
from labtui.files import process, rundir
from labtui.files.atomic import locked, read_json, write_json
from labtui.files.paths import RUN_ID, LabPaths, RunPaths
from labtui.files.toml import read
from labtui.launch import verdict
from labtui.launch.machine import slots
from labtui.launch.slots import Need
from labtui.launch.start import short_of_disk


@dataclass(frozen=True)
class Request:
    """One queued attempt: what its `queue.json` asks for, and what of its recipe matters for that."""

    paths: RunPaths
    attempt: int
    priority: int
    order: float
    after: tuple[str, ...]
    held: bool
    retry: int
    python: str
    need: Need
    """What of the machine."""
    tables: Mapping[str, Any]
    """The resolved recipe."""

    @property
    def place(self) -> tuple[int, float, str]:
        """Sorts requests: higher priority first, then first come, first served."""
        return (-self.priority, self.order, self.paths.id)

    @property
    def resources(self) -> Mapping[str, Any]:
        """The recipe's `[resources]`."""
        found: Mapping[str, Any] = self.tables.get("resources") or {}
        return found

    @property
    def sweep(self) -> str:
        """The sweep that it belongs to; empty: none."""
        return sweep_of(self.tables)

    @property
    def on_slurm(self) -> bool:
        """Whether it becomes a job of a cluster, and takes no place here."""
        return self.resources.get("launcher") == "slurm"


def sweep_of(tables: Mapping[str, Any]) -> str:
    """The sweep that a resolved recipe, which other hands may have written, is of; empty: none."""
    origin = tables.get("origin")
    return str(origin.get("sweep", "")) if isinstance(origin, dict) else ""


def request_of(paths: RunPaths) -> Request | None:
    """The request of a queued run on this machine; None if there is none that can be read.

    Raises:
        LaunchError: the run is asked for, and its recipe or the request cannot be read.
    """
    asked = read_json(paths.queue) or {}
    if asked.get("host") != process.host():
        return None
    file = paths.recipe
    try:
        tables = read(file)
        resources = tables.get("resources") or {}
        need = Need.of(resources)
        for key in ("min_free", "hang_timeout"):
            if not isinstance(resources.get(key, 0), int | float):
                raise ValueError(f"resources.{key} is no number")
        file = paths.queue
        return Request(
            paths,
            int(asked["attempt"]),
            int(asked.get("priority", 0)),
            float(asked.get("order", asked.get("time", 0.0))),
            tuple(map(str, asked.get("after", []))),
            bool(asked.get("held", False)),
            int(asked.get("retry", 0)),
            str(asked.get("python", "")),
            need,
            tables,
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise LaunchError(f"{file}: cannot be read ({error}); the run cannot be started") from None


def refuse(request: Request, message: str) -> str:
    """End a request that can never be fulfilled; what there is to say of that."""
    verdict.write(request.paths, request.attempt, "launch", message)
    return f"{request.paths.id}: {message}"


def change(paths: RunPaths, **fields: Any) -> None:
    """Change what a queued run asks for: `priority`, `order`, `held`, `after`.

    Raises:
        LaunchError: it is not queued, or in Slurm already.
    """
    with locked(paths.root):
        state = run.derive(paths).state
        if state != "queued":
            raise LaunchError(f"{paths.id}: is {state}, not queued")
        if why := in_slurm(paths):
            raise LaunchError(f"{paths.id}: {why}; what waits there is held and released with scontrol")
        asked = read_json(paths.queue) or {}
        try:
            write_json(paths.queue, asked | fields)
        except OSError as error:
            raise LaunchError(f"{paths.queue}: cannot be written ({error.strerror})") from error


def move(runs: Sequence[RunPaths], waiting: Sequence[RunPaths], *, last: bool = False) -> None:
    """Put queued runs, as they are given here, before (or behind) all others that wait, whatever their
    priority was.

    Args:
        waiting: all that wait.

    Raises:
        LaunchError: one of them is not queued.
    """
    others = set(waiting) - set(runs)
    ranks = [rank for one in others or runs if (rank := _rank(one))]
    priority, order = (min if last else max)(ranks, key=lambda rank: (rank[0], -rank[1]), default=(0, 0.0))
    for place, paths in enumerate(runs, 1 if last else -len(runs)):
        change(paths, priority=priority, order=order + place)


def insert(runs: Sequence[RunPaths], before: RunPaths | None, waiting: Sequence[RunPaths]) -> None:
    """Put queued runs, as they are given here, right before another one, with its priority; or behind all.

    Args:
        waiting: all that wait, in the order of starting.

    Raises:
        LaunchError: one of them is not queued.
    """
    rest = [(paths, rank) for paths in waiting if paths not in runs and (rank := _rank(paths))]
    at = next((i for i, (paths, _) in enumerate(rest) if paths == before), len(rest))
    if at == len(rest):
        move(runs, [paths for paths, _ in rest], last=True)
        return
    (priority, upper), previous = rest[at][1], rest[at - 1][1] if at else None
    lower = previous[1] if previous and previous[0] == priority else upper - len(runs) - 1
    width = (upper - lower) / (len(runs) + 1)
    if not lower < lower + width < upper:  # as old as each other: all of this priority are numbered anew
        mine = [paths for paths, rank in rest if rank[0] == priority]
        whole = [*mine[: mine.index(rest[at][0])], *runs, *mine[mine.index(rest[at][0]) :]]
        for place, paths in enumerate(whole):
            change(paths, priority=priority, order=upper + place / 1024)
        return
    for place, paths in enumerate(runs, 1):
        change(paths, priority=priority, order=lower + place * width)


def _rank(paths: RunPaths) -> tuple[int, float] | None:
    """Priority and order of a queued run."""
    with suppress(OSError):
        if run.derive(paths).state == "queued":
            asked = read_json(paths.queue) or {}
            return int(asked.get("priority", 0)), float(asked.get("order", 0.0))
    return None


def pause(lab: LabPaths, why: str) -> None:
    """Start nothing more until `unpause`; what runs goes on.

    Raises:
        LabError: the lab cannot be written.
    """
    try:
        lab.own.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_json(lab.pause, {"why": why, "time": time.time()})
    except OSError as error:
        raise LabError(f"{lab.pause}: cannot be written ({error.strerror})") from error


def unpause(lab: LabPaths) -> bool:
    """Let the queue go on; whether it was paused.

    Raises:
        LabError: the lab cannot be written.
    """
    try:
        lab.pause.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise LabError(f"{lab.pause}: cannot be removed ({error.strerror})") from error
    return True


def paused(lab: LabPaths) -> str:
    """Why the queue is paused; empty when it is not."""
    if not lab.pause.exists():
        return ""
    return str((read_json(lab.pause) or {}).get("why") or "paused")


def state_of(lab: LabPaths, run_id: str) -> str:
    """The state of a run that another one names; "gone" when it is not there."""
    with suppress(OSError):
        if RUN_ID.fullmatch(run_id):
            return run.derive(lab.run(run_id)).state
    return "gone"


def waits_for(lab: LabPaths, requests: Iterable[Request]) -> list[str]:
    """What keeps each run from being started that no free slot would change; empty: nothing."""

    @cache  # many may wait for one
    def state(run_id: str) -> str:
        return state_of(lab, run_id)

    def why(request: Request) -> str:
        if request.held:
            return f"held; `labtui queue release {request.paths.id}` lets it start"
        for other in request.after:
            if state(other) != "finished":
                return f"waits for {other}, which is {state(other)}{_advice(request, other, state(other))}"
        return short_of_disk(lab, request.resources)

    return [why(request) for request in requests]


def _advice(request: Request, other: str, state: str) -> str:
    """What to do when the run that another one waits for does not finish by itself."""
    if state in ("running", "queued"):
        return ""
    if state in ("gone", "idle"):
        return f": `labtui rm {request.paths.id}`, and queue it anew"
    return f"; `labtui resume {other}` goes on with it"


def why_waiting(lab: LabPaths, paths: RunPaths) -> str:
    """Why a queued run is not started yet."""
    if why := in_slurm(paths):
        return why
    if why := paused(lab):
        return f"the queue is paused: {why}"
    try:
        slots(lab.root)
        request = request_of(paths)
    except LabtuiError as error:
        return str(error)
    if request is None:
        return elsewhere(paths)
    if paths.claim(request.attempt).exists():
        return "is being started"
    return waits_for(lab, [request])[0] or "waits for its turn (`labtui queue`)"


def elsewhere(paths: RunPaths) -> str:
    """Where a run is queued that is not queued on this machine, and how to have it here."""
    host = (read_json(paths.queue) or {}).get("host")
    return f"queued on {host}; `labtui resume {paths.id}` has it start here"


def in_slurm(paths: RunPaths) -> str:
    """Where Slurm has a queued run; empty when it is not in its hands."""
    attempt = (read_json(paths.queue) or {}).get("attempt", 0)
    if "submission" not in rundir.claimed(paths, attempt)[0]:
        return ""
    job = rundir.job_of(paths, attempt)
    return f"waits in Slurm as job {job}; `squeue -j {job}` says why" if job else "is submitted to Slurm"
