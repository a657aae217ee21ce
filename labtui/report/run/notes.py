"""What the user wrote: observations and to-dos."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labtui.notes import todo_state
from labtui.report.blocks import Block, Heading
from labtui.report.run.document import Document
from labtui.report.text import moment, prose


def observations(doc: Document) -> Iterator[Block]:
    """The notes in their order, dated."""
    yield Heading(2, "Observations")
    lines = [
        f"{number}. {prose(text)}{_date(note)}"
        for number, (note, text) in enumerate(_entries(doc, "notes"), 1)
    ]
    yield "\n".join(lines) or _none(doc)


def todos(doc: Document) -> Iterator[Block]:
    """Boxes, ticked where it is done; what waits or was given up says so, and why."""
    yield Heading(2, "To do")
    lines = [
        f"- [{'x' if todo_state(todo) == 'done' else ' '}] {_stands(todo)}{prose(text)}{_date(todo)}"
        for todo, text in _entries(doc, "todos")
    ]
    yield "\n".join(lines) or _none(doc)


def _entries(doc: Document, key: str) -> Iterator[tuple[dict[str, Any], str]]:
    for entry in doc.run.notes()[key]:
        if text := str(entry.get("text", "")).strip():
            yield entry, text


def _stands(todo: dict[str, Any]) -> str:
    """What a box does not say."""
    state, reason = todo_state(todo), str(todo.get("reason", "")).strip()
    word = f"**{state.upper()}**" if state in ("pending", "abort") else ""
    said = [*([word] if word else []), *([f"({prose(reason)})"] if reason else [])]
    return " ".join(said) + (": " if said else "")


def _date(entry: dict[str, Any]) -> str:
    when = moment(entry.get("time"))
    return f" *({when})*" if when else ""


def _none(doc: Document) -> str:
    notes = doc.run.paths.notes
    if notes.exists() and not any(doc.run.notes().values()):
        return "*Not recorded: `notes.toml` is empty or cannot be read.*"
    return "*None.*"
