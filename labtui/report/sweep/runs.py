"""Every run, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator

from labtui.grouped import column_name, names
from labtui.query.rows import look_up
from labtui.report.blocks import Block, Heading, Table
from labtui.report.sweep.document import Document


def section(document: Document) -> Iterator[Block]:
    """Every run, cell by cell."""
    found = document.found
    yield Heading(2, "Runs")
    columns, lines = names(found, short=True)
    rows = [
        [*line, row["repeat"], row["fold"], row["state"], *(look_up(row, c.key) for c in found.columns), row["id"]]
        for line, group in zip(lines, found.groups, strict=True)
        for row in group.rows
    ]  # fmt: skip
    yield Table([*columns, "repeat", "fold", "state", *map(column_name, found.columns), "run"], rows)
