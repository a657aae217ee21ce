"""The cells of a sweep with means over folds and repeats. Pure, but for the file of the pinned baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labtui.cells import clean, width
from labtui.files.paths import LabPaths
from labtui.grouped import caption, in_words, members, names
from labtui.query.aggregate import Aggregate, Fields, Group, protocols
from labtui.query.baseline import beside_pinned
from labtui.tui.widgets.table import Cells, Column

LEAST = 16, 34
"""Cells of a cell's name, if it is as long, before its difference and before a second figure are shown."""
STYLES = {"better": "good", "worse": "bad", "one run": "dim", "no run": "dim", "within the spread": "dim"}


@dataclass(frozen=True, eq=False)
class MeanTable:
    """The cells of a sweep with their means, for the screen."""

    about: str = ""
    """How many cells and runs there are, and how they stand."""
    columns: tuple[Column, ...] = ()
    lines: Mapping[str, Cells] = field(default_factory=dict)
    """Id of a cell's first run to its texts."""
    runs: Mapping[str, Sequence[Fields]] = field(default_factory=dict)
    """The same id to the cell's runs."""
    baseline: str = ""
    """The same id of the cell that the others are compared with."""
    caption: tuple[str, ...] = ()
    """Sentences below the table."""
    figures: int = 0
    """By how many figures the cells can be sorted."""
    sorted_by: tuple[int, bool] | None = None
    """Number of the column, and whether the largest come first; None: as they were made."""


def mean_table(
    paths: LabPaths, rows: Sequence[dict[str, Any]], metric: str = "", order: int = 0, reverse: bool = False
) -> MeanTable:
    """The cells of a sweep beside its pinned baseline.

    Args:
        rows: the sweep's.
        metric: a figure of the query language; empty: the monitored ones, by both protocols.
        order: by the figure of that number, from 1, the best first; 0: as they were made.
        reverse: the other way round.

    Raises:
        FilterError: no run has such a figure.
    """
    table = beside_pinned(paths, rows, rows, metrics=[metric] if metric else protocols(rows))
    order = order if order <= len(table.columns) else 0
    descending = False
    if order:
        column = table.columns[order - 1]
        descending = (column.goal != "min") is not reverse
        table.sort(f"{'-' if descending else ''}{column.key}")
    elif reverse:
        table.groups.reverse()
    heads, texts = in_words(table)
    skipped = len(names(table)[0])
    lines = {
        group.rows[0]["id"]: _cells(table, group, line[skipped:])
        for group, line in zip(table.groups, texts, strict=True)
    }
    base = table.baseline
    return MeanTable(
        about=f"{len(table.groups)} cells, runs finished: {members(Group({}, list(rows)))}",
        columns=_columns(heads[skipped:], list(lines.values()), 3 if base else 2),
        lines=lines,
        runs={group.rows[0]["id"]: group.rows for group in table.groups},
        baseline=base.rows[0]["id"] if base else "",
        caption=tuple(caption(table)),
        figures=len(table.columns),
        sorted_by=(2 + (order - 1) * (2 if base else 1), descending) if order else None,
    )


def _cells(table: Aggregate, group: Group, texts: Sequence[str]) -> Cells:
    """Name, runs, then each figure and its difference."""
    styles = [""]
    for column in table.columns:
        found = group.differences.get(column.key)
        styles += ["", STYLES.get(found.word, "") if found else "accent"] if table.baseline else [""]
    done, total = group.states.get("finished", 0), len(group.rows)
    runs = (str(total), "dim") if done == total else (f"{done} of {total}", "warn")
    figures = [(clean(text), style) for text, style in zip(texts[1:], styles[1:], strict=True)]
    return [(clean(group.label) or "all runs", ""), runs, *figures]


def _columns(heads: Sequence[str], lines: Sequence[Cells], first: int) -> tuple[Column, ...]:
    """As wide as their texts; each from the width on at which those before it leave room.

    Args:
        first: number of the last column that is of the first figure.
    """
    columns, used = [Column("cell", 0)], 0
    longest = max((width(line[0][0]) for line in lines), default=0)
    for number, head in enumerate(heads, 1):
        wide = max([width(head) + 1, *(width(line[number][0]) for line in lines)])
        used += wide + 1
        least = min(longest, LEAST[number > first]) + used
        columns.append(Column(clean(head), wide, least=least if number > 2 else 0))
    return tuple(columns)
