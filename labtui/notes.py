"""What the user writes on a run: tags, dated notes, to-dos, in `notes.toml`."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from labtui.errors import LabError
from labtui.files.atomic import locked, write_atomic
from labtui.files.paths import RunPaths
from labtui.files.toml import dumps, read


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


def add_note(paths: RunPaths, text: str) -> None:
    """Add an observation, dated now."""
    _edit(paths, lambda notes: notes["notes"].append({"time": time.time(), "text": text}))


def write_note(paths: RunPaths, number: int, text: str) -> None:
    """Replace the text of note `number` (from 0); an empty text removes it."""

    def change(notes: dict[str, Any]) -> None:
        if not 0 <= number < len(notes["notes"]):
            raise LabError(f"{paths.id}: there is no note {number}")
        if text:
            notes["notes"][number]["text"] = text
        else:
            del notes["notes"][number]

    _edit(paths, change)


def tag(paths: RunPaths, add: list[str], remove: list[str]) -> None:
    """Add and remove tags."""

    def change(notes: dict[str, Any]) -> None:
        kept = [t for t in dict.fromkeys([*notes["tags"], *add]) if t not in remove]
        notes["tags"] = kept

    _edit(paths, change)


def _edit(paths: RunPaths, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the notes under the run's lock.

    Raises:
        LabError: the file is broken (it is left as it is) or cannot be written.
    """
    with locked(paths.root):
        try:
            if paths.notes.exists():
                read(paths.notes)
        except (OSError, ValueError) as error:
            raise LabError(f"{paths.notes}: cannot be read ({error}); mend or remove it first") from None
        notes = read_notes(paths)
        change(notes)
        try:
            write_atomic(paths.notes, dumps({key: value for key, value in notes.items() if value}))
        except OSError as error:
            raise LabError(f"{paths.notes}: cannot be written ({error.strerror})") from None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
