"""A sweep's report: its cells with means over folds and repeats, beside the baseline, then each run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from labtui.grouped import caption, column_name, in_words, members, names
from labtui.query.aggregate import Aggregate, Group
from labtui.query.rows import look_up
from labtui.report import analysis
from labtui.report.text import code, heading, prose, table
from labtui.table import number

PROTOCOLS = (
    "Mean ± deviation of the sample (number of runs). A metric alone is its value at the epoch at which the "
    "monitored metric was best (early stopping); `.last` is its value after the last epoch."
)


def sections(
    found: Aggregate, attach: Callable[[str, bytes], str] | None = None, log: Collection[str] = ()
) -> Iterator[str]:
    """Head, cells, differences, what matters, runs.

    Args:
        attach, log: as for `analysis.section`.
    """
    yield from _head(found)
    yield heading(2, "Cells")
    if not found.columns:
        yield "*Not recorded: no run monitors a metric that was logged.*"
    else:
        yield PROTOCOLS
    yield table(*in_words(_figures_only(found)))
    yield from (prose(sentence) for sentence in caption(_figures_only(found)))
    if found.baseline:
        yield from _differences(found)
    yield from analysis.section([row for group in found.groups for row in group.rows], attach, log)
    yield heading(2, "Runs")
    yield table(*_runs(found))


def _head(found: Aggregate) -> Iterator[str]:
    rows = [row for group in found.groups for row in group.rows]
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


def _differences(found: Aggregate) -> Iterator[str]:
    """One row a cell and figure."""
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


def _runs(found: Aggregate) -> tuple[list[str], list[list[Any]]]:
    """Every run, cell by cell."""
    columns, lines = names(found, short=True)
    rows = [
        [*line, row["repeat"], row["fold"], row["state"], *(look_up(row, c.key) for c in found.columns), row["id"]]
        for line, group in zip(lines, found.groups, strict=True)
        for row in group.rows
    ]  # fmt: skip
    return [*columns, "repeat", "fold", "state", *map(column_name, found.columns), "run"], rows
