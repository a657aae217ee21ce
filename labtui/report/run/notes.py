"""What the user wrote: observations and to-dos."""

from __future__ import annotations

from collections.abc import Iterator

from labtui.report import journal
from labtui.report.blocks import Block, Heading
from labtui.report.run.document import Document


def observations(doc: Document) -> Iterator[Block]:
    """The notes as a dated journal."""
    yield Heading(2, "Observations")
    yield journal.observations(doc.run.notes()["notes"]) or _none(doc)


def todos(doc: Document) -> Iterator[Block]:
    """Boxes with how each stands, and why."""
    yield Heading(2, "To do")
    yield journal.todos(doc.run.notes()["todos"]) or _none(doc)


def _none(doc: Document) -> str:
    notes = doc.run.paths.notes
    if notes.exists() and not any(doc.run.notes().values()):
        return "*Not recorded: `notes.toml` is empty or cannot be read.*"
    return "*None.*"
