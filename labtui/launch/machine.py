"""What labtui may use of this machine (`[slots]` of labtui.toml), and what its runs have of it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from labtui import gpus, run
from labtui.errors import LabError, LaunchError
from labtui.files import process, rundir
from labtui.files.paths import RunPaths
from labtui.files.settings import settings, wrong
from labtui.launch.slots import Machine, Need, Place, Running


@dataclass(frozen=True)
class Slots:
    """The table `[slots]` of labtui.toml."""

    gpus: tuple[int, ...] | None = None
    """GPUs that labtui may use; None: all."""
    cores: int = 0
    """CPU cores for runs without GPUs; absent: those that this process may use."""
    threads: int = 0
    """Threads of such a run that does not say; absent: $OMP_NUM_THREADS, else up to 4."""


def slots(root: Path) -> Slots:
    """The settings of a lab, completed by what this process may use.

    Raises:
        LabError: a setting is wrong; the message names file, key, what is expected.
    """
    if found := next(wrong(root, "slots"), None):
        raise LabError(found[1])
    given = settings(root).get("slots", {})
    allowed = tuple(given["gpus"]) if "gpus" in given else None
    cores = given.get("cores") or usable_cores()
    return Slots(allowed, cores, given.get("threads") or _threads(cores))


def _threads(cores: int) -> int:
    # Nested levels ("4,2") are OpenMP's own; the first is what a process uses.
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(asked) if asked.isdecimal() and int(asked) else min(4, cores)


def usable_cores(root: Path = Path("/")) -> int:
    """CPU cores that this process may use: its affinity, and the quota of its control groups
    (cgroups(7), versions 1 and 2), rounded down.

    Args:
        root: where proc and sys are mounted.
    """
    cores = float(len(os.sched_getaffinity(0)))
    groups = ""
    with suppress(OSError):
        groups = (root / "proc/self/cgroup").read_text()
    for line in groups.splitlines():
        _, controllers, name = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        base = root / "sys/fs/cgroup" / controllers
        group = base / name.lstrip("/")
        # A container sees its own group as the root, whatever its name is outside.
        for folder in (group, *group.parents):
            cores = min(cores, _quota(folder))
            if folder == base:
                break
    return max(1, int(cores))


def _quota(folder: Path) -> float:
    """CPUs that one control group may use; infinite without a limit."""
    with suppress(OSError, ValueError):
        quota, period = (folder / "cpu.max").read_text().split()
        return int(quota) / int(period)
    with suppress(OSError, ValueError):
        limit = int((folder / "cpu.cfs_quota_us").read_text())
        if limit > 0:
            return limit / int((folder / "cpu.cfs_period_us").read_text())
    return float("inf")


def look(root: Path, taken: Iterable[Running] = (), found: gpus.Inventory | None = None) -> Machine:
    """This machine now, for `labtui.launch.slots`.

    Args:
        root: the lab.
        taken: its runs that have their places.
        found: the GPUs, where they were looked at already.

    Raises:
        LabError: `[slots]` is wrong.
    """
    may, found = slots(root), found or gpus.inventory()
    # Runs that one process trains together have one place.
    taken = tuple({run.pid or -number: run for number, run in enumerate(taken, 1)}.values())
    usable = tuple(gpu for gpu in found.gpus if may.gpus is None or gpu.index in may.gpus)
    problem = found.problem if found.passing and may.gpus != () else ""
    if found.gpus and may.gpus and not usable:
        problem = f"[slots] gpus = {list(may.gpus)} names none of the GPUs here; see `labtui gpus`"
    workers = {run.pid for run in taken if run.pid}
    return Machine(usable, may.cores, may.threads, taken, gpus.owners(usable, workers), problem)


def running(paths: RunPaths, status: run.Status) -> Running | None:
    """What a run has of this machine; None if it does not run here.

    Args:
        status: as `run.derive` has it.
    """
    if status.state != "running" or status.process.get("host", process.host()) != process.host():
        return None
    claim = rundir.claimed(paths, status.attempt)
    given = claim[0] | dict(status.process)
    of_all = {key: claim[0][key] for key in ("gpu_memory",) if key in claim[0]}
    try:
        need = Need.of((run.recipe_of(paths).get("resources") or {}) | of_all)
    except (LaunchError, AttributeError):
        need = Need()
    indices, cores = given.get("gpus"), claim[0].get("cores")
    place = Place(
        tuple(n for n in indices if isinstance(n, int)) if isinstance(indices, list) else (),
        cores if isinstance(cores, int) else 0,
    )
    pid = status.process.get("pid") or (claim[-1].get("pid") if len(claim) > 1 else None)
    return Running(place, replace(need, gpus=len(place.gpus)), pid if isinstance(pid, int) else None)
