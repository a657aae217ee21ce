"""What the user wrote on a run, a sweep, a recipe or the lab, in a report's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labtui.notes import todo_state
from labtui.report.text import moment, prose


def observations(notes: Sequence[Mapping[str, Any]]) -> str:
    """Notes as a journal: numbered, each under its date; empty where there is none."""
    lines = []
    for note in notes:
        if text := str(note.get("text", "")).strip():
            when = moment(note.get("time"))
            lines.append((f"**{when}:** " if when else "") + prose(text))
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))


def todos(entries: Sequence[Mapping[str, Any]]) -> str:
    """To-dos as boxes, each marked [DONE], [ABORT] or [PENDING] unless it is open, with the reason; empty where
    there is none."""
    return "\n".join(_todo(entry) for entry in entries if str(entry.get("text", "")).strip())


def _todo(entry: Mapping[str, Any]) -> str:
    state = todo_state(entry)
    mark = "" if state == "open" else f"**\\[{state.upper()}\\]** "
    dates = [moment(entry.get("time")), moment(entry.get("marked"))]
    when = " – ".join(filter(None, dates))
    reason = str(entry.get("reason", "")).strip()
    return (
        f"- [{'x' if state == 'done' else ' '}] {mark}{prose(str(entry['text']))}"
        + (f" — {prose(reason)}" if reason else "")
        + (f" *({when})*" if when else "")
    )
