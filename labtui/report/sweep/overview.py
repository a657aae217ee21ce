"""The head of a sweep's report."""

from __future__ import annotations

from collections.abc import Iterator

from labtui.grouped import members
from labtui.query.aggregate import Group
from labtui.report.blocks import Block, Heading
from labtui.report.sweep.document import Document
from labtui.report.text import code


def section(document: Document) -> Iterator[Block]:
    """Name, how many cells and runs, where it came from."""
    found, rows = document.found, document.rows
    yield Heading(1, "Sweep", ", ".join(dict.fromkeys(str(row["name"]) for row in rows)))
    cells = f"{len(found.groups)} cell{'s' if len(found.groups) != 1 else ''}"
    said = members(Group({}, rows))
    yield f"{cells}, runs finished: {said}."
    sources = list(dict.fromkeys(str(row["recipe"]) for row in rows if row["recipe"]))
    yield f"Sweep {code(str(rows[0]['sweep']))}" + "".join(f", from {code(one)}" for one in sources) + "."
