"""What the user writes on a run: tags, dated notes, to-dos, in `notes.toml`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from labtui.errors import LabError, NoteChanged
from labtui.files.atomic import locked, write_atomic
from labtui.files.paths import RunPaths
from labtui.files.toml import dumps, read

TODO_STATES = ("open", "done", "pending", "abort")
"""How a to-do stands: `pending` waits for something, `abort` will not be done."""


def read_notes(paths: RunPaths) -> dict[str, Any]:
    """The notes of a run: `tags` (list of str), `notes` and `todos` (lists of tables).

    A missing or broken file reads as empty, so that it never breaks a listing.
    """
    tables: dict[str, Any] = {}
    with suppress(OSError, ValueError, RecursionError):
        tables = read(paths.notes)
    tags = [tag for tag in _list(tables.get("tags")) if isinstance(tag, str)]
    entries = {
        key: [{**e, "text": str(e.get("text", ""))} for e in _list(tables.get(key)) if isinstance(e, dict)]
        for key in ("notes", "todos")
    }
    return {"tags": tags, **entries}


def problem(paths: RunPaths) -> str:
    """Why the notes cannot be read; empty where they can, or where there are none."""
    try:
        read(paths.notes)
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, RecursionError) as error:
        return f"{paths.notes.name} cannot be read ({error}); mend or remove it"
    return ""


def todo_state(todo: Mapping[str, Any]) -> str:
    """One of TODO_STATES; what is in no other is open."""
    if todo.get("done") is True:
        return "done"
    state = todo.get("state")
    return state if state in TODO_STATES else "open"


def add_note(paths: RunPaths, text: str) -> None:
    """Add an observation, dated now."""
    _edit(paths, lambda notes: notes["notes"].append({"time": time.time(), "text": text}))


def add_todo(paths: RunPaths, text: str) -> None:
    """Add something to do, dated now."""
    _edit(paths, lambda notes: notes["todos"].append({"time": time.time(), "text": text}))


def write_note(paths: RunPaths, number: int, text: str, before: str | None = None) -> None:
    """Replace the text of note `number` (from 0); an empty text removes it.

    Args:
        before: the text that it has where nobody else has changed it; None: whatever it has.

    Raises:
        NoteChanged: it has another text, or is gone.
    """
    _write(paths, "notes", number, text, before)


def write_todo(paths: RunPaths, number: int, text: str, before: str | None = None) -> None:
    """Replace the text of to-do `number` (from 0); an empty text removes it. See `write_note`."""
    _write(paths, "todos", number, text, before)


def mark_todo(paths: RunPaths, number: int, state: str, reason: str = "", before: str | None = None) -> None:
    """Say how to-do `number` (from 0) stands.

    Args:
        state: one of TODO_STATES.
        reason: why, in the user's words.
        before: as in `write_note`.

    Raises:
        NoteChanged: it has another text, or is gone.
    """
    if state not in TODO_STATES:
        raise LabError(f"to-do: state {state!r} is not known; expected one of {', '.join(TODO_STATES)}")

    def change(notes: dict[str, Any]) -> None:
        entry = _entry(paths, notes["todos"], number, before)
        for key in ("done", "state", "reason", "marked"):
            entry.pop(key, None)
        if state != "open":
            entry |= {"done": True} if state == "done" else {"state": state}
            entry |= {"marked": time.time()} | ({"reason": reason} if reason else {})

    _edit(paths, change)


def _write(paths: RunPaths, kind: str, number: int, text: str, before: str | None) -> None:
    def change(notes: dict[str, Any]) -> None:
        entry = _entry(paths, notes[kind], number, before)
        if text:
            entry["text"] = text
        else:
            del notes[kind][number]

    _edit(paths, change)


def _entry(paths: RunPaths, entries: list[dict[str, Any]], number: int, before: str | None) -> dict[str, Any]:
    """An entry that nobody else has changed."""
    if before is None and not 0 <= number < len(entries):
        raise LabError(f"{paths.id}: there is no entry {number}")
    if before is not None and (number >= len(entries) or entries[number]["text"] != before):
        raise NoteChanged(f"{paths.id}: somebody else changed this meanwhile; nothing was written")
    return entries[number]


def tag(paths: RunPaths, add: list[str], remove: list[str]) -> None:
    """Add and remove tags."""

    def change(notes: dict[str, Any]) -> None:
        kept = [t for t in dict.fromkeys([*notes["tags"], *add]) if t not in remove]
        notes["tags"] = kept

    _edit(paths, change)


def _edit(paths: RunPaths, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the notes under the run's lock.

    Raises:
        LabError: the file is broken, or holds entries of another kind (it is left as it is), or cannot be
            written.
    """
    with locked(paths.root):
        try:
            tables = read(paths.notes) if paths.notes.exists() else {}
        except (OSError, ValueError) as error:
            raise LabError(f"{paths.notes}: cannot be read ({error}); mend or remove it first") from None
        notes = read_notes(paths)
        for key, entries in notes.items():
            given = tables.pop(key, [])
            if not isinstance(given, list) or len(given) != len(entries):  # would be lost
                raise LabError(f"{paths.notes}: {key} holds what labtui does not write; mend it first")
        change(notes)
        try:
            # What somebody else has written beside them stays.
            write_atomic(paths.notes, dumps(tables | {key: value for key, value in notes.items() if value}))
        except OSError as error:
            raise LabError(f"{paths.notes}: cannot be written ({error.strerror})") from None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
