"""What the user writes on a run, a sweep, a recipe or the lab: tags, dated notes, to-dos, in `notes.toml`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labtui.errors import LabError, NoteChanged
from labtui.files.atomic import locked, sync_folder, write_atomic
from labtui.files.paths import Noted, RunPaths
from labtui.files.toml import dumps, read

TODO_STATES = ("open", "done", "pending", "abort")
"""How a to-do stands: `pending` waits for something, `abort` will not be done."""

_MEND = "nothing was written: check rights and room there"


@dataclass(frozen=True)
class Entry:
    """A note or a to-do as it was read.

    Args:
        of: what it is written on.
        kind: "notes" or "todos".
        number: its place in the file, from 0.
        fields: of its table.
    """

    of: Noted
    kind: str
    number: int
    fields: Mapping[str, Any]

    @property
    def text(self) -> str:
        """What the user wrote, in markdown."""
        return str(self.fields["text"])

    @property
    def time(self) -> float | None:
        """When, in unix seconds; None where nobody knows."""
        return _seconds(self.fields.get("time"))

    @property
    def state(self) -> str:
        """How a to-do stands: one of TODO_STATES."""
        return todo_state(self.fields)

    @property
    def reason(self) -> str:
        """Why it stands so, in the user's words."""
        return str(self.fields.get("reason") or "").strip()

    @property
    def marked(self) -> float | None:
        """Since when it stands so, in unix seconds; None of an open one."""
        return _seconds(self.fields.get("marked"))


def entries(paths: Noted) -> list[Entry]:
    """The notes, then the to-dos, of something, each in the order of the file."""
    found = read_notes(paths)
    return [
        Entry(paths, kind, number, fields)
        for kind in ("notes", "todos")
        for number, fields in enumerate(found[kind])
    ]


def read_notes(paths: Noted) -> dict[str, Any]:
    """What is written on something: `tags` (list of str), `notes` and `todos` (lists of tables).

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


def problem(paths: Noted) -> str:
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


def add_note(paths: Noted, text: str) -> None:
    """Add an observation, dated now."""
    _edit(paths, lambda notes: notes["notes"].append({"time": time.time(), "text": text}))


def add_todo(paths: Noted, text: str) -> None:
    """Add something to do, dated now."""
    _edit(paths, lambda notes: notes["todos"].append({"time": time.time(), "text": text}))


def write_note(paths: Noted, number: int, text: str, before: str | None = None) -> None:
    """Replace the text of note `number` (from 0); an empty text removes it.

    Args:
        before: the text that it has where nobody else has changed it; None: whatever it has.

    Raises:
        NoteChanged: it has another text, or is gone.
    """
    _write(paths, "notes", number, text, before)


def write_todo(paths: Noted, number: int, text: str, before: str | None = None) -> None:
    """Replace the text of to-do `number` (from 0); an empty text removes it. See `write_note`."""
    _write(paths, "todos", number, text, before)


def mark_todo(paths: Noted, number: int, state: str, reason: str = "", before: str | None = None) -> None:
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


def _write(paths: Noted, kind: str, number: int, text: str, before: str | None) -> None:
    def change(notes: dict[str, Any]) -> None:
        entry = _entry(paths, notes[kind], number, before)
        if text:
            entry["text"] = text
        else:
            del notes[kind][number]

    _edit(paths, change)


def _entry(paths: Noted, entries: list[dict[str, Any]], number: int, before: str | None) -> dict[str, Any]:
    """An entry that nobody else has changed."""
    if before is None and not 0 <= number < len(entries):
        raise LabError(f"{paths.kind} {paths.id}: there is no such entry ({number + 1})")
    if before is not None and (number >= len(entries) or entries[number]["text"] != before):
        raise NoteChanged(
            f"{paths.kind} {paths.id}: somebody else changed this meanwhile; nothing was written"
        )
    return entries[number]


def tag(paths: Noted, add: list[str], remove: list[str]) -> None:
    """Add and remove tags."""

    def change(notes: dict[str, Any]) -> None:
        kept = [t for t in dict.fromkeys([*notes["tags"], *add]) if t not in remove]
        notes["tags"] = kept

    _edit(paths, change)


def _edit(paths: Noted, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the notes under the lock of their folder.

    Raises:
        LabError: the file is broken, or holds entries of another kind (it is left as it is), or cannot be
            written.
    """
    folder = paths.notes.parent
    if not isinstance(paths, RunPaths):  # whose folder is the run
        _make(folder)
    with locked(folder):
        try:
            tables = read(paths.notes) if paths.notes.exists() else {}
        except (OSError, ValueError, RecursionError) as error:
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
            raise LabError(f"{paths.notes}: cannot be written ({error.strerror}); {_MEND}") from None


def _make(folder: Path) -> None:
    """A folder that will be there after a power cut, too."""
    try:
        for missing in [one for one in (folder, *folder.parents) if not one.is_dir()][::-1]:
            missing.mkdir(mode=0o700, exist_ok=True)
            sync_folder(missing.parent)
    except OSError as error:
        raise LabError(f"{folder}: cannot be made ({error.strerror}); {_MEND}") from None


def _seconds(value: Any) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e11
    return float(value) if known else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
