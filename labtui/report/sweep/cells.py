"""Configurations: mean and deviation of each over its folds and repeats, beside the baseline; then each repeat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from labtui.files.goals import Goal
from labtui.grouped import beside, caption, column_name, members
from labtui.query.aggregate import Aggregate, Column, Group
from labtui.query.repeats import Repeat, repeats
from labtui.query.rows import look_up
from labtui.query.spread import counted
from labtui.report.blocks import Block, Heading, Table
from labtui.report.sweep.document import Document, figures, named, over
from labtui.report.text import prose
from labtui.table import markdown

PROTOCOLS = (
    "Mean ± deviation of the sample (number of runs). A metric alone is its value at the epoch at which the "
    "monitored metric was best (early stopping); `.last` is its value after the last epoch."
)
MOST = 200
"""Repeats that are listed one by one."""


def section(doc: Document) -> Iterator[Block]:
    """One row a configuration, then one a repeat; folds of a single one have a section of their own."""
    found = doc.found
    if doc.folds or (not found.baseline and all(len(group.rows) == 1 for group in found.groups)):
        return  # the table of all runs says the same
    yield Heading(2, "Configurations")
    if not found.columns:
        yield "*Not recorded: no run monitors a metric that was logged.*"
    else:
        yield PROTOCOLS
    yield _configurations(doc)
    yield from (prose(sentence) for sentence in caption(figures_only(found)))
    if doc.found.baseline and doc.metric:
        yield f"The last column is the difference in {markdown(doc.metric)} to the baseline, and what it is worth."
    yield from _each(doc)


def _configurations(doc: Document) -> Table:
    """One row a group."""
    found = doc.found
    columns, lines = named(doc)
    sizes = [{row["facts"].get("parameters") for row in group.rows} - {None} for group in found.groups]
    sized = len({repr(own) for own in sizes}) > 1
    rows = []
    for line, group, size in zip(lines, found.groups, sizes, strict=True):
        parameters = [next(iter(size)) if len(size) == 1 else None] if sized else []
        compared = [beside(group, doc.metric)] if found.baseline and doc.metric else []
        rows.append([*line, *parameters, members(group), *figures(group, found.columns), *compared])
    heads = [*columns, *(["parameters"] if sized else []), "runs", *map(column_name, found.columns)]
    heads += ["beside the baseline"] if found.baseline and doc.metric else []
    return Table(heads, rows, goals(found.columns))


def goals(columns: Sequence[Column]) -> list[tuple[str, Goal]]:
    """Which way each is better, by its name in a table."""
    known: dict[str | None, Goal] = {"min": "min", "max": "max"}
    return [(column_name(one), known[one.goal]) for one in columns if one.goal in known]


def _each(doc: Document) -> Iterator[Block]:
    """Repeat by repeat, where a configuration has several."""
    columns, lines = named(doc)
    known = [repeats(group.rows) for group in doc.found.groups]
    if not doc.found.columns or all(len(own) < 2 for own in known):
        return
    yield Heading(3, "Each repeat")
    if (count := sum(map(len, known))) > MOST:
        yield f"{count:,} repeats: too many to list here; each is among the runs below."
        return
    folds = any(len(one.rows) > 1 for own in known for one in own)
    launches = len(doc.sweeps) > 1
    rows = [
        [*line, *([one.rows[0]["sweep"] or None] if launches else []), one.number, *_figures(one, doc)]
        for line, own in zip(lines, known, strict=True)
        for one in own
    ]
    if folds:
        yield "Mean ± deviation over the folds of the repeat (their number)."
    heads = [*columns, *(["sweep"] if launches else []), "repeat", "best epoch"]
    yield Table([*heads, *map(column_name, doc.found.columns)], rows)


def _figures(one: Repeat, doc: Document) -> list[Any]:
    """Best epoch and figures of a repeat: numbers of one training, means of several folds."""
    keys = ["epoch", *(column.key for column in doc.found.columns)]
    if len(one.rows) > 1:
        return [over(one.rows, key) for key in keys]
    (row,) = one.rows
    if not counted(row):
        return [row["state"]] + [None] * (len(keys) - 1)
    return [look_up(row, key) for key in keys]


def figures_only(found: Aggregate) -> Aggregate:
    """The same table without differences, which get one of their own."""
    plain = [Group(group.values, group.rows, group.spreads) for group in found.groups]
    return Aggregate(found.keys, found.columns, plain, found.trouble)
