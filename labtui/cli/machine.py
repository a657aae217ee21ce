"""`labtui gpus`: what this machine has to compute with, and who uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labtui.cli.app import Format, FormatOption, app, open_lab, say, show, terminal_width

if TYPE_CHECKING:
    from labtui.gpus import Gpu
    from labtui.launch.slots import Machine, Running
    from labtui.query import Lab

Fields = dict[str, Any]
_WIDE = 110
"""Cells of a terminal that has room for whole ids."""


@app.command()
def gpus(format: FormatOption = Format.table) -> None:
    """Show this machine's GPUs and cores, and who uses them."""
    from labtui.gpus import inventory
    from labtui.launch.machine import look

    lab, found = open_lab(), inventory()
    taken = _taken(lab)
    may = look(lab.paths.root, taken.values(), found)
    rows = [_gpu(gpu, may, taken) for gpu in found.gpus] + [_cpu(may, taken)]
    if format in (Format.json, Format.csv):
        show(list(rows[0]), [list(row.values()) for row in rows], format)
        return
    narrow = format is Format.table and (terminal_width() or _WIDE) < _WIDE
    columns = ["device", "name", "memory", "use", "°C", "runs", "others", "note"]
    show(columns, [_texts(row, narrow) for row in rows], format, spare=("name", "°C"))
    if not found.gpus:
        why = may.problem or f"runs train on the CPU ({found.problem or 'none that may be used'})"
        say(f"no GPU: {why}")
    elif may.problem or found.problem:
        say(may.problem or found.problem)


def _taken(lab: Lab) -> dict[str, Running]:
    """The runs of this lab that run on this machine."""
    from labtui.launch.machine import running
    from labtui.run import derive

    paths = [lab.paths.run(row.id) for row in lab.runs("state=running", sort="created")]
    found = {one.id: running(one, derive(one)) for one in paths}
    return {run_id: taken for run_id, taken in found.items() if taken}


def _gpu(gpu: Gpu, may: Machine, taken: dict[str, Running]) -> Fields:
    from labtui.gpus import owners

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


def _cpu(may: Machine, taken: dict[str, Running]) -> Fields:
    here = [run_id for run_id, run in taken.items() if not run.place.gpus]
    nothing = dict.fromkeys(("name", "memory_used", "memory_total", "utilization", "temperature"))
    taken_cores = sum(run.place.cores for run in may.taken if not run.place.gpus)
    cores = {"cores": may.cores, "cores_taken": taken_cores}
    return {"device": "cpu", **nothing, **cores, "runs": here, "others": [], "note": ""}


def _other(pid: int, memory: int | None) -> Fields:
    """A process that belongs to no run of this lab."""
    from labtui.files.process import owner_and_name

    user, command = owner_and_name(pid) or (None, None)
    return {"pid": pid, "user": user, "command": command, "memory": memory}


def _texts(row: Fields, narrow: bool) -> list[Any]:
    """A row as people read it."""
    from labtui.table import size

    use = None if row["utilization"] is None else f"{row['utilization']} %"
    if row["cores"]:
        use = f"{row['cores_taken']} of {row['cores']} cores"
    memory = f"{size(row['memory_used'])} of {size(row['memory_total'])}" if row["memory_total"] else None
    runs = [run_id[-4:] if narrow else run_id for run_id in row["runs"]]
    others = [_text(one) for one in row["others"]]
    device = str(row["device"])  # a column of text: the last one is no number
    return [device, row["name"], memory, use, row["temperature"], runs, others, row["note"]]


def _text(other: Fields) -> str:
    from labtui.table import size

    used = "" if other["memory"] is None else f", {size(other['memory'])}"
    return f"{other['command'] or 'process'} ({other['user'] or 'unseen'} {other['pid']}{used})"
