"""Every configuration beside the baseline."""

from __future__ import annotations

from collections.abc import Iterator

from labtui.grouped import caption, column_name
from labtui.report.blocks import Block, Heading, Table
from labtui.report.sweep.cells import figures_only
from labtui.report.sweep.document import Document, named
from labtui.report.text import prose


def section(document: Document) -> Iterator[Block]:
    """One row a configuration and figure; nothing without a baseline."""
    found = document.found
    if not found.baseline:
        return
    yield Heading(2, "Difference to the baseline")
    if not document.pinned:
        yield (
            "No baseline is pinned: the first configuration of several runs stands for it."
            + (f" `labtui baseline {document.sweep} RUN` pins another." if len(document.sweeps) == 1 else "")
        )
    said = caption(figures_only(found))
    yield from (prose(sentence) for sentence in caption(found) if sentence not in said)
    columns, lines = named(document)
    rows = []
    for line, group in zip(lines, found.groups, strict=True):
        known = [one for one in found.columns if not group.baseline and group.differences[one.key].n]
        if not known and not group.baseline:
            rows.append([*line, None, None, None, None, None, 0, "no run"])
        for column in known:
            one = group.differences[column.key]
            rows.append(
                [
                    *line,
                    column_name(column),
                    one.difference,
                    one.p,
                    one.adjusted,
                    one.test or None,
                    one.n,
                    one.word,
                ]
            )
    yield Table([*columns, "figure", "difference", "p", "p adjusted", "test", "n", "in a word"], rows)
