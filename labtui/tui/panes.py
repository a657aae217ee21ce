"""The texts of a run's screen as rows: title and summary. Pure."""

from __future__ import annotations

from typing import Any

from labtui.cells import clean, pad, wrap
from labtui.logfile import shown
from labtui.notes import todo_state
from labtui.rows import Row
from labtui.table import age, cell, duration
from labtui.tui.detail import Detail
from labtui.tui.outcome import best_row, score_rows
from labtui.tui.tables import SIGNS

LAST_LINES = 12
"""Lines of the log that tell of an end which nothing else explains."""


def title_row(detail: Detail, now: float, badge: Row) -> Row:
    """State, what is wrong, name, id and age in one line."""
    row = detail.row
    sign, style = SIGNS.get(row["state"], ("·", "dim"))
    return [
        (f" {sign} {row['state']} ", style),
        *badge,
        (f" {clean(row['name'])}  ", "bold"),
        (f"{clean(detail.id)}  ", "dim"),
        (f"{age(max(now - row['created'], 0))} old", "dim"),
    ]


def overview_rows(detail: Detail, now: float, most: int = 10, room: int = 1000) -> list[Row]:
    """How the run stands and what came of it: state, time, the best figure, scores, the error.

    Args:
        most: scores at most.
        room: cells of a row.
    """
    row, facts = detail.row, detail.row["facts"]
    sign, style = SIGNS.get(row["state"], ("·", "dim"))
    said = " ".join(filter(None, (sign, row["state"], row["reason"])))
    out: list[Row] = [[(clean(said), style), (_times(row, now), "dim")]]
    for line in detail.message.splitlines():
        style = "bad" if row["state"] in ("failed", "lost") else ""
        out += [[(part, style)] for part in wrap(clean(line), room)]
    if best := best_row(row, detail.result):
        out.append(best)
    out += [[], *table] if (table := score_rows(row, detail.result, most)) else []
    out.append([])
    for key in ("parameters", "device"):
        if key in facts:
            value = facts[key]
            out.append(_pair(key, f"{value:,}" if isinstance(value, int) else cell(value)))
    references = facts.get("references")
    for key, run_id in references.items() if isinstance(references, dict) else ():
        out.append(_pair(clean(f"{key} was"), cell(run_id)))
    if row["attempt"] > 1:
        out.append(_pair("attempt", str(row["attempt"])))
    if row["tags"]:
        out.append(_pair("tags", cell(row["tags"])))
    for key in ("recipe", "sweep"):
        if row[key]:
            out.append(_pair(key, clean(row[key])))
    open_ones = [todo for todo in detail.notes.get("todos", ()) if todo_state(todo) in ("open", "pending")]
    if open_ones:
        out.append(_pair("to do", ", ".join(clean(todo["text"].partition("\n")[0]) for todo in open_ones)))
    trace = detail.result.get("traceback")
    if isinstance(trace, str) and trace.strip():
        out += [[], [("traceback", "head")], *([(clean(line), "")] for line in trace.splitlines())]
    elif detail.words.strip():
        out += [[], [("end of the log", "head")], *_last_words(detail.words)]
    return out


def _times(row: dict[str, Any], now: float) -> str:
    """How long it took, and how far it came."""
    said = ""
    if row["started"] is not None:
        said = f" in {duration((row['ended'] or now) - row['started'])}"
    epoch, epochs = row["metrics"].get("epoch", {}).get("last"), row["params"].get("train.epochs")
    if epoch is not None:
        said += f", epoch {epoch:.0f}" + (f" of {epochs}" if epochs else "")
    return said


def _last_words(log: str) -> list[Row]:
    """The end of a log."""
    lines = log.rstrip("\n").split("\n")[-LAST_LINES:]
    return [[(shown(line.encode("utf-8", "replace")), "")] for line in lines]


def _pair(key: str, value: str) -> Row:
    return [(pad(key, 12), "dim"), (value, "")]
