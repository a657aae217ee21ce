"""A sweep's report: its cells with means over folds and repeats, beside the baseline, then each run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from labtui.grouped import caption, column_name, in_words, members, names
from labtui.query.aggregate import Aggregate, Group
from labtui.query.rows import look_up
from labtui.report import analysis
from labtui.report.document import Beside, Section
from labtui.report.text import code, heading, prose, table
from labtui.table import number

PROTOCOLS = (
    "Mean ± deviation of the sample (number of runs). A metric alone is its value at the epoch at which the "
    "monitored metric was best (early stopping); `.last` is its value after the last epoch."
)


@dataclass(frozen=True)
class Document:
    """A sweep, or any runs, as their report sees them.

    Args:
        found: the groups, by both protocols.
        beside, log: as for `analysis.section`.
    """

    found: Aggregate
    beside: Beside | None = None
    log: Collection[str] = ()

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        """The rows of all runs."""
        return [row for group in self.found.groups for row in group.rows]

    @property
    def sweep(self) -> str:
        """Its id; empty: the runs are of none."""
        return next((str(row["sweep"]) for row in self.rows), "")


def _cells(document: Document) -> Iterator[str]:
    """Means over folds and repeats."""
    found = document.found
    yield heading(2, "Cells")
    if not found.columns:
        yield "*Not recorded: no run monitors a metric that was logged.*"
    else:
        yield PROTOCOLS
    yield table(*in_words(_figures_only(found)))
    yield from (prose(sentence) for sentence in caption(_figures_only(found)))


def _matters(document: Document) -> Iterator[str]:
    """Which keys matter, and how."""
    return analysis.section(document.rows, document.beside, document.log)


def _head(document: Document) -> Iterator[str]:
    """Name, how many cells and runs, where it came from."""
    found, rows = document.found, document.rows
    yield heading(1, "Sweep", ", ".join(dict.fromkeys(str(row["name"]) for row in rows)))
    cells = f"{len(found.groups)} cell{'s' if len(found.groups) != 1 else ''}"
    said = members(Group({}, rows))
    yield f"{cells}, runs finished: {said}."
    sources = list(dict.fromkeys(str(row["recipe"]) for row in rows if row["recipe"]))
    yield f"Sweep {code(str(rows[0]['sweep']))}" + "".join(f", from {code(one)}" for one in sources) + "."


def _figures_only(found: Aggregate) -> Aggregate:
    """The same table without differences, which get one of their own."""
    plain = [Group(group.values, group.rows, group.spreads) for group in found.groups]
    return Aggregate(found.keys, found.columns, plain, found.trouble)


def _differences(document: Document) -> Iterator[str]:
    """One row a cell and figure; nothing without a baseline."""
    found = document.found
    if not found.baseline:
        return
    yield heading(2, "Difference to the baseline")
    yield from (prose(sentence) for sentence in caption(found) if sentence != found.trouble)
    columns, lines = names(found, short=True)
    rows = []
    for line, group in zip(lines, found.groups, strict=True):
        for column in () if group.baseline else found.columns:
            one = group.differences[column.key]
            p = [None if value is None else number(value, 2) for value in (one.p, one.adjusted)]
            delta = None if one.difference is None else f"{one.difference:+.3g}"
            rows.append([*line, column_name(column), delta, *p, one.test or None, one.n, one.word])
    yield table([*columns, "figure", "difference", "p", "p adjusted", "test", "n", "in a word"], rows)


def _runs(document: Document) -> Iterator[str]:
    """Every run, cell by cell."""
    found = document.found
    yield heading(2, "Runs")
    columns, lines = names(found, short=True)
    rows = [
        [*line, row["repeat"], row["fold"], row["state"], *(look_up(row, c.key) for c in found.columns), row["id"]]
        for line, group in zip(lines, found.groups, strict=True)
        for row in group.rows
    ]  # fmt: skip
    yield table([*columns, "repeat", "fold", "state", *map(column_name, found.columns), "run"], rows)


SECTIONS: dict[str, Section[Document]] = {
    "overview": Section("How many cells and runs, and from where", _head),
    "cells": Section("Cells", _cells),
    "differences": Section("Difference to the baseline", _differences),
    "analysis": Section("What matters", _matters),
    "runs": Section("Runs", _runs),
}
"""By the names that `--section` takes, in their order."""
