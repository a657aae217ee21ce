"""What the user wrote on the run, on its recipe and its sweep: observations and to-dos."""

from __future__ import annotations

from collections.abc import Iterator

from labtui.notes import Entry
from labtui.query.notebook import around
from labtui.report import notes
from labtui.report.blocks import Block, Heading
from labtui.report.run.document import Document


def observations(doc: Document) -> Iterator[Block]:
    """The notes as a dated journal."""
    yield Heading(2, "Observations")
    yield from [*notes.journal(_written(doc), doc.run.paths)] or [_none(doc)]


def todos(doc: Document) -> Iterator[Block]:
    """Boxes with how each stands, and why."""
    yield Heading(2, "To do")
    yield from [*notes.todos(_written(doc), doc.run.paths)] or [_none(doc)]


def _written(doc: Document) -> list[Entry]:
    # The row may be older than what is written on the run.
    return around(doc.run.paths.lab, [{**doc.run.row.fields, "note": True}])


def _none(doc: Document) -> str:
    file = doc.run.paths.notes
    if file.exists() and not any(doc.run.notes().values()):
        return "*Not recorded: `notes.toml` is empty or cannot be read.*"
    return "*None.*"
