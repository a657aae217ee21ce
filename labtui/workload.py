"""What runs, what waits and for what, and what the devices of this machine do. `labtui queue`, `labtui gpus` and
the screens show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labtui.files.paths import LabPaths, RunPaths
from labtui.files.process import owner_and_name
from labtui.files.rundir import together
from labtui.gpus import Gpu, inventory, owners
from labtui.launch import machine
from labtui.launch.outlook import outlook
from labtui.launch.slots import Machine, Running
from labtui.query.progress import TO_COME, Progress
from labtui.run import derive

Fields = dict[str, Any]


@dataclass(frozen=True)
class Work:
    """One run that runs or waits."""

    id: str
    state: str
    """`running` or `queued`."""
    place: int | None = None
    """Of a waiting one: from 1 on in the order of starting."""
    priority: int | None = None
    on: str = ""
    """Of a running one: its devices, or the machine that it is on."""
    why: str = ""
    """Of a waiting one: what it waits for; empty: it starts now."""
    held: bool = False


def work(lab: LabPaths, runs: Iterable[Mapping[str, Any]]) -> list[Work]:
    """The runs that run, oldest first, then those that wait, in the order of starting.

    Args:
        runs: rows of the index; those that neither run nor wait are left out.

    Raises:
        LabError: the settings are wrong.
    """
    rows = sorted(
        (row["created"], row["id"], row["state"]) for row in runs if row["state"] in ("running", "queued")
    )
    found: list[Work] = []
    taken: list[Running] = []
    for paths in (lab.run(key) for _, key, state in rows if state == "running"):
        status = derive(paths)
        if status.state != "running":
            continue  # it has ended since the runs were listed
        here = machine.running(paths, status)
        where = str(here.place) if here else "another machine"
        if members := len(together(paths, status.attempt)):
            where += f", {members} together"
        if job := status.process.get("job"):
            where = f"{status.process.get('host')}, job {job}"
        found.append(Work(paths.id, "running", on=where))
        taken += [here] if here else []
    waiting = [lab.run(key) for _, key, state in rows if state == "queued"]
    for number, (paths, request, why) in enumerate(outlook(lab, waiting, taken), 1):
        priority, held = (request.priority, request.held) if request else (None, False)
        found.append(Work(paths.id, "queued", number, priority, why=why, held=held))
    return found


def to_come(progress: Progress) -> str:
    """What is still to be queued of a sweep that goes on, in words; empty: nothing, or nobody knows."""
    if count := progress.counts.get(TO_COME, 0):
        return f"{count:,} more to come"
    if progress.hours and not progress.runs:
        return f"more to come until {progress.hours:g} hours are spent"
    return ""


def devices(root: LabPaths, running: Sequence[RunPaths]) -> tuple[list[Fields], str]:
    """This machine's GPUs, then its cores: who uses them. And why there is no GPU, or one is missing; empty: none is.

    Args:
        running: the runs of the lab that run.

    Raises:
        LabError: `[slots]` is wrong.
    """
    found = inventory()
    taken = {paths.id: here for paths in running if (here := machine.running(paths, derive(paths)))}
    may = machine.look(root.root, taken.values(), found)
    rows = [_gpu(gpu, may, taken) for gpu in found.gpus] + [_cpu(may, taken)]
    if found.gpus:
        return rows, may.problem or found.problem
    why = may.problem or f"runs train on the CPU ({found.problem or 'none that may be used'})"
    return rows, f"no GPU: {why}"


def _gpu(gpu: Gpu, may: Machine, taken: Mapping[str, Running]) -> Fields:
    owner = owners([gpu], {run.pid for run in taken.values() if run.pid})
    ours = set(owner.values()) - {None}
    runs = [i for i, run in taken.items() if gpu.index in run.place.gpus or run.pid in ours]
    others = [
        _other(pid, memory)
        for pid, memory in gpu.processes
        # What cannot be seen here may be ours, where one of ours is.
        if (owner[pid] is None if pid in owner else not runs)
    ]
    note = may.occupied().get(gpu.index, "") if gpu in may.gpus else "not for labtui: [slots] gpus"
    if note and others and not gpu.barred:
        note = "left alone"
    return {
        "device": gpu.index,
        "name": gpu.name,
        "memory_used": gpu.memory_used if gpu.memory_total else None,
        "memory_total": gpu.memory_total or None,
        "utilization": gpu.utilization,
        "temperature": gpu.temperature,
        "cores": None,
        "cores_taken": None,
        "runs": runs,
        "others": others,
        "note": note,
    }


def _cpu(may: Machine, taken: Mapping[str, Running]) -> Fields:
    here = [run_id for run_id, run in taken.items() if not run.place.gpus]
    nothing = dict.fromkeys(("name", "memory_used", "memory_total", "utilization", "temperature"))
    taken_cores = sum(run.place.cores for run in may.taken if not run.place.gpus)
    cores = {"cores": may.cores, "cores_taken": taken_cores}
    return {"device": "cpu", **nothing, **cores, "runs": here, "others": [], "note": ""}


def _other(pid: int, memory: int | None) -> Fields:
    """A process that belongs to no run of this lab."""
    user, command = owner_and_name(pid) or (None, None)
    return {"pid": pid, "user": user, "command": command, "memory": memory}


def other_text(other: Fields) -> str:
    """Such a process as people read it."""
    from labtui.table import size

    used = "" if other["memory"] is None else f", {size(other['memory'])}"
    return f"{other['command'] or 'process'} ({other['user'] or 'unseen'} {other['pid']}{used})"
