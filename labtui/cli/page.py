"""`labtui show`: one run on a page of plain text."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from labtui.notes import Entry, entries
from labtui.table import age, clean, duration, moment, render

if TYPE_CHECKING:
    from labtui.chart import Color
    from labtui.query.lab import Run

_BEHIND = "\nThe above exception was the direct cause of the following exception:\n"


def page(run: Run, width: int, color: Color) -> str:
    """The page of a run, with its curves as wide as the terminal."""
    row, status = run.row.fields, run.status()
    parts = [_head(run, status)]
    if row["metrics"]:
        parts += [_figures(row), *_curves(run, width, color)]
    if status.state in ("failed", "lost"):
        parts += _cause(run, status)
    facts = [[key, value] for key, value in row["facts"].items() if not isinstance(value, dict)]
    facts += [[f"{key} was", run_id] for key, run_id in row["facts"].get("references", {}).items()]
    if facts:
        parts.append(render(["fact", "value"], facts))
    parts.append(render(["option", "value"], [[key, value] for key, value in row["params"].items()]))
    for kind, title in (("notes", "notes"), ("todos", "to do")):
        if lines := [line for one in entries(run.paths) if one.kind == kind for line in _written(one)]:
            parts.append(_block(title, lines))
    parts.append(_block("files", [str(run.paths.root), *_code(run)]))
    return "\n".join(parts)


def _head(run: Run, status: Any) -> str:
    row = run.row.fields
    state = f"{row['state']} ({row['reason']})" if row["reason"] else row["state"]
    lines = [row["id"], f"{clean(row['name'])} · {state} · attempt {row['attempt']}"]
    lines[1] += f" · {duration(row['duration'])} · {age(time.time() - row['created'])} ago"
    lines += [clean(line) for line in status.message.splitlines()]
    if job := status.process.get("job"):
        lines.append(clean(f"Slurm's job {job} on {status.process.get('host')}"))
    if row["state"] == "queued":
        from labtui.launch import why_waiting

        lines += [clean(why_waiting(run.paths.lab, run.paths))]
    if row["state"] == "lost":
        script = status.process.get("launcher") == "script"
        then = "run its script again" if script else f"`labtui resume {row['id']}` goes on"
        if status.process.get("job"):
            then = "as soon as Slurm says that the job is gone, the run does too"
        lines.append(f"its process ended without a word; {then}")
    if row["tags"]:
        lines.append("tags: " + ", ".join(map(clean, row["tags"])))
    return "\n".join(filter(None, lines)) + "\n"


def _cause(run: Run, status: Any) -> list[str]:
    """The end of the traceback, without labtui's own part; where there is none, the end of the log."""
    behind, _, last = str(status.result.get("traceback", "")).rpartition(_BEHIND)
    told = any(line.startswith("labtui.errors.") for line in last.splitlines())
    trace = (behind if told else last).splitlines()
    if trace:
        return [_block("error", trace[-12:])]
    log = run.log_tail(4096).splitlines()[-12:]
    return [_block("end of the log", log)] if log else []


def _figures(row: dict[str, Any]) -> str:
    """Every metric at the best epoch, beside what the best constant predictor scores."""
    baseline = row["facts"].get("baseline") or {}
    lines = []
    for name, entry in row["metrics"].items():
        arrow = {"min": "↓", "max": "↑"}.get(entry["goal"] or "", "")
        figures = [entry["at_best"], entry["last"], entry["best"], entry["best_step"]]
        lines.append([f"{name} {arrow}".rstrip(), *figures, *([baseline.get(name)] if baseline else [])])
    columns = ["metric", "at best", "last", "best", "best step", *(["constant"] if baseline else [])]
    return render(columns, lines)


def _curves(run: Run, width: int, color: Color) -> list[str]:
    """Loss and monitored metric over the steps, side by side where there is room."""
    from labtui.chart import Line, draw

    series = run.all_series()
    monitor = run.row.params.get("validate.monitor", "")
    names = dict.fromkeys(["loss", str(monitor).rpartition(".")[2] or "loss"])
    ascii = os.environ.get("TERM") in ("dumb", "linux")
    parts = []
    for name in names:
        lines = [
            Line(key, series[key].steps, series[key].values)
            for key in (f"val.{name}", f"train.{name}", *([monitor] if name in str(monitor) else []))
            if key in series
        ]
        lines = list({line.name: line for line in lines}.values())
        if any(len(series[line.name].steps) > 1 for line in lines):
            size = min(width, 100)
            parts.append("\n".join(draw(lines, size, 12, xlabel="step", color=color, ascii=ascii)) + "\n")
    return parts


def _block(title: str, lines: list[str]) -> str:
    return "\n".join([title, *(f"  {clean(line)}" for line in lines)]) + "\n"


def _written(entry: Entry) -> list[str]:
    """A note or a to-do: when it was written or how it stands, and all its lines."""
    head = moment(entry.time) if entry.kind == "notes" else f"[{entry.state}]"
    first, *rest = entry.text.strip().splitlines() or [""]
    reason = [f"({entry.reason})"] if entry.reason else []
    return [f"{head}  {first}", *(" " * (len(head) + 2) + line for line in [*rest, *reason])]


def _code(run: Run) -> list[str]:
    """Where the code lies that the run was queued with, and what it was made from."""
    found = run.code()
    if not found:
        return []
    commit = f", git {found['commit'][:12]}" if found.get("commit") else ""
    changed = " with changes" if commit and found.get("dirty") else ""
    return [f"{run.paths.code} (code as it was{commit}{changed})"]
