"""Means over folds and repeats."""

from __future__ import annotations

from collections.abc import Iterator

from labtui.grouped import caption, in_words
from labtui.query.aggregate import Aggregate, Group
from labtui.report.blocks import Block, Heading, Table
from labtui.report.sweep.document import Document
from labtui.report.text import prose

PROTOCOLS = (
    "Mean ± deviation of the sample (number of runs). A metric alone is its value at the epoch at which the "
    "monitored metric was best (early stopping); `.last` is its value after the last epoch."
)


def section(document: Document) -> Iterator[Block]:
    """Means over folds and repeats."""
    found = document.found
    yield Heading(2, "Cells")
    if not found.columns:
        yield "*Not recorded: no run monitors a metric that was logged.*"
    else:
        yield PROTOCOLS
    yield Table(*in_words(_figures_only(found)))
    yield from (prose(sentence) for sentence in caption(_figures_only(found)))


def _figures_only(found: Aggregate) -> Aggregate:
    """The same table without differences, which get one of their own."""
    plain = [Group(group.values, group.rows, group.spreads) for group in found.groups]
    return Aggregate(found.keys, found.columns, plain, found.trouble)
