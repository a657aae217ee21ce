"""The cells of a sweep as texts for the screen. Pure, but for the file of the pinned baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from labtui.cells import clean, width
from labtui.errors import LabtuiError
from labtui.files.paths import LabPaths
from labtui.grouped import caption, in_words, members, names
from labtui.query.aggregate import Aggregate, Group, protocols
from labtui.query.baseline import beside_pinned
from labtui.tui.want import Eyes, Want, file_stamp
from labtui.tui.widgets.table import Cells, Column

LEAST = 16
"""Cells of a cell's name before a further column is shown."""
STYLES = {"better": "good", "worse": "bad", "one run": "dim", "no run": "dim", "within the spread": "dim"}


@dataclass(frozen=True)
class CellTable:
    """What the screen shows of a sweep."""

    run: str
    """The run that was asked for."""
    sweep: str = ""
    """Empty: the run is of none."""
    about: str = ""
    """How many cells and runs there are, and how they stand."""
    columns: tuple[Column, ...] = ()
    lines: Mapping[str, Cells] | None = None
    """Id of a cell's first run to its texts."""
    baseline: str = ""
    """The same id of the cell that the others are compared with."""
    caption: tuple[str, ...] = ()
    """Sentences below the table."""
    figures: int = 0
    """By how many figures the cells can be sorted."""
    sorted_by: int = 0
    """Number of the column; 0: as they were made."""


@dataclass(frozen=True)
class WantCells(Want):
    """The cells of the sweep of a run: found is a `CellTable`.

    Args:
        run: its id.
        order: by the figure of that number, from 1; 0: as they were made.
    """

    run: str
    order: int = 0

    def stamp(self, eyes: Eyes) -> object:
        """Any change of a run, and the file of the pinned baseline."""
        run, pin = eyes.run(self.run), (-1, -1)
        with suppress(LabtuiError):  # of no sweep, or of one with the name of a path
            pin = file_stamp(eyes.lab.paths.sweep(run.row["sweep"] if run else "").baseline)
        return eyes.changes, pin

    def look(self, eyes: Eyes, before: CellTable | None) -> CellTable | None:
        """Group them."""
        run = eyes.run(self.run)
        return cell_table(eyes.lab.paths, eyes.lab.index.rows, run.row, self.order) if run else None


def cell_table(
    paths: LabPaths, rows: Sequence[dict[str, Any]], run: Mapping[str, Any], order: int
) -> CellTable:
    """The cells of a run's sweep.

    Args:
        rows: all of the lab.
        order: by the figure of that number, from 1; 0: as they were made.
    """
    sweep = run["sweep"]
    if not sweep:
        return CellTable(run["id"])
    own = [row for row in rows if row["sweep"] == sweep]
    table = beside_pinned(paths, rows, own, metrics=protocols(own))
    order = order if order <= len(table.columns) else 0
    if order:
        column = table.columns[order - 1]
        table.sort(f"{'' if column.goal == 'min' else '-'}{column.key}")
    heads, texts = in_words(table)
    skipped = len(names(table)[0])
    lines = {
        group.rows[0]["id"]: _cells(table, group, line[skipped:])
        for group, line in zip(table.groups, texts, strict=True)
    }
    base = table.baseline
    return CellTable(
        run=run["id"],
        sweep=sweep,
        about=f"{len(table.groups)} cells, runs finished: {members(Group({}, list(own)))}",
        columns=_columns(heads[skipped:], list(lines.values())),
        lines=lines,
        baseline=base.rows[0]["id"] if base else "",
        caption=tuple(caption(table)),
        figures=len(table.columns),
        sorted_by=2 + (order - 1) * (2 if base else 1) if order else 0,
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


def _columns(heads: Sequence[str], lines: Sequence[Cells]) -> tuple[Column, ...]:
    """As wide as their texts; each from the width on at which those before it leave room."""
    columns, used = [Column("cell", 0)], LEAST
    for number, head in enumerate(heads, 1):
        wide = max([width(head) + 1, *(width(line[number][0]) for line in lines)])
        used += wide + 1
        columns.append(Column(clean(head), wide, least=used if number > 1 else 0))
    return tuple(columns)
