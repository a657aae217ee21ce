"""What the user wrote on the sweep, its recipe and its runs: a dated journal, and to-dos."""

from __future__ import annotations

from collections.abc import Iterator

from labtui.files.paths import Noted
from labtui.query.notebook import around, places
from labtui.report import notes
from labtui.report.blocks import Block, Heading
from labtui.report.sweep.document import Document


def observations(doc: Document) -> Iterator[Block]:
    """The notes as a dated journal, each with what it was written on."""
    yield Heading(2, "Observations")
    yield from [*notes.journal(around(doc.lab.paths, doc.rows), _of(doc))] or ["*None.*"]


def todos(doc: Document) -> Iterator[Block]:
    """Boxes, marked with how each stands, and why."""
    yield Heading(2, "To do")
    yield from [*notes.todos(around(doc.lab.paths, doc.rows), _of(doc))] or ["*None.*"]


def _of(doc: Document) -> Noted | None:
    """What the report is about: the reader need not be told of each entry that it was written on that."""
    kind = "recipe" if doc.recipe else "sweep"
    found = {one for row in doc.rows for one in places(doc.lab.paths, row) if one.kind == kind}
    return found.pop() if len(found) == 1 else None
