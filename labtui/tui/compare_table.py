"""Runs beside each other as texts for the screen: options in which they differ, figures with differences. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from labtui.cells import clean, width
from labtui.errors import LabtuiError
from labtui.files.goals import arrowed
from labtui.query.compare import Figure, best_and_worst, better, figures_of, logged, options
from labtui.table import NOTHING, cell, duration, number
from labtui.tui.pictures import line_style
from labtui.tui.tables import SIGNS
from labtui.tui.want import Eyes, Want
from labtui.tui.widgets.table import Cells, Column

NARROWEST, WIDEST = 10, 26
"""Cells of a run's column."""
NAME = 16
"""Cells of a run's name where there is little room."""
KEYS = 30
"""Cells of the column of keys, at most."""


@dataclass(frozen=True, eq=False)
class Compared:
    """Runs that are compared. Rows are replaced when they change, never changed."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    problem: str = ""
    """Why there are none."""
    metrics: tuple[str, ...] = ()
    """What all runs among which they were chosen have logged."""

    def same(self, other: Compared) -> bool:
        """Whether nothing has changed."""
        return (self.problem, len(self.rows)) == (other.problem, len(other.rows)) and all(
            a is b or a == b for a, b in zip(self.rows, other.rows, strict=True)
        )


@dataclass(frozen=True)
class WantCompared(Want):
    """Some runs: found is `Compared`.

    Args:
        runs: their ids, in order; those that are gone are left out.
        ends: only the best and the worst of them.
        metric: by which; empty: what most of them monitor.
    """

    runs: tuple[str, ...]
    ends: bool = False
    metric: str = ""

    def stamp(self, eyes: Eyes) -> object:
        """Any change of a run."""
        return eyes.changes

    def look(self, eyes: Eyes, before: Compared | None) -> Compared:
        """Find them."""
        index = eyes.lab.index
        rows = [row for key in self.runs if (row := index.row(key))]
        problem, known = "", tuple(logged(rows))
        if self.ends:
            try:
                found = best_and_worst(rows, self.metric)
                rows = [row for one in found for row in rows if row is one]
            except LabtuiError as error:
                rows, problem = [], str(error).removeprefix("compare: ")
        new = Compared(rows, problem, known)
        return before if before and before.same(new) else new


@dataclass(frozen=True)
class CompareTable:
    """Lines of a table with a column a run."""

    keys: list[str]
    """Of the lines; a head begins with a space."""
    labels: dict[str, str]
    cells: dict[str, Cells]
    """Key of a line to the cells of all runs."""
    wide: int
    """Cells of the column of keys."""
    widths: list[int]
    """Cells of each run's column."""

    def fitting(self, room: int, first: int) -> int:
        """How many runs have room from one on, at least one."""
        used, count = self.wide + 1, 0
        for wide in self.widths[first:]:
            used += wide + 1
            if used > room + 1:
                break
            count += 1
        return max(count, 1)


def compare_table(
    rows: Sequence[dict[str, Any]],
    colors: Mapping[str, int],
    base: int,
    every: bool = False,
    name: int = WIDEST,
) -> CompareTable:
    """The runs beside each other.

    Args:
        rows: of the index.
        colors: ids to the numbers of their lines' colours.
        base: number of the run with which the others' figures are compared.
        every: also the options in which they do not differ.
        name: cells of a run's name, at most.
    """
    lines: dict[str, tuple[str, Cells]] = {
        "id": ("id", [_mark(row, colors) for row in rows]),
        "state": ("state", [_state(row) for row in rows]),
        "duration": ("duration", [_took(row) for row in rows]),
    }
    blank: Cells = [("", "")] * len(rows)
    found = options(rows, every)
    same = "no options" if every else "the same in all options"
    lines[" recipe"] = "recipe" if found else same, blank
    for key, values in found:
        texts = [NOTHING if value is None else cell(value) for value in values]
        lines[f"recipe.{key}"] = clean(key), [(t, "" if t == texts[base] else "accent") for t in texts]
    measured = sorted(figures_of(rows), key=partial(_rank, rows[base]))
    lines[" figures"] = "figures" if measured else "nothing was logged", blank
    for figure in measured:
        head = arrowed(clean(figure.key), figure.goal)
        lines[f"figure.{figure.key}"] = head, _figure(figure, rows, base)
    widths: list[int] = []
    for place, row in enumerate(rows):
        wide = max(width(own[place][0]) for _, own in lines.values())
        named = min(width(clean(row["name"])) + 2, name)
        widths.append(min(max(NARROWEST, named, wide), WIDEST))
    return CompareTable(
        keys=list(lines),
        labels={key: label for key, (label, _) in lines.items()},
        cells={key: own for key, (_, own) in lines.items()},
        wide=min(max(width(label) for label, _ in lines.values()), KEYS),
        widths=widths,
    )


def _mark(row: dict[str, Any], colors: Mapping[str, int]) -> tuple[str, str]:
    """The end of the run's id in the colour of its lines."""
    return f"● {clean(row['id'][-4:])}", line_style(colors.get(row["id"], 0))


def _took(row: dict[str, Any]) -> tuple[str, str]:
    return "" if row["duration"] is None else duration(row["duration"]), "dim"


def _state(row: dict[str, Any]) -> tuple[str, str]:
    sign, style = SIGNS.get(row["state"], ("·", "dim"))
    said = row["reason"] if row["state"] == "failed" and row["reason"] else row["state"]
    return clean(f"{sign} {said}"), style


def _rank(base: dict[str, Any], figure: Figure) -> int:
    """What the base monitors comes first, how long it took last."""
    name = figure.key.removesuffix(".last")
    return 0 if name == base["params"].get("validate.monitor") else 2 if name == "epoch" else 1


def _figure(figure: Figure, rows: Sequence[dict[str, Any]], base: int) -> Cells:
    """Values; beside the others' how far they are from the base's, and in which direction."""
    cells: Cells = []
    theirs = figure.values[base]
    for place, (value, row) in enumerate(zip(figure.values, rows, strict=True)):
        if value is None:
            entry = (
                row["metrics"].get(figure.key) or row["metrics"].get(figure.key.removesuffix(".last")) or {}
            )
            cells.append(("NaN", "bad") if entry.get("nonfinite") else (NOTHING, "dim"))
            continue
        text, style = number(value), ""
        if place != base and theirs is not None:
            difference = value - theirs
            text += f" {'↑' if difference > 0 else '↓'}{number(abs(difference), 2)}" if difference else " ="
            style = {True: "good", False: "bad", None: ""}[better(figure, value, theirs)]
        cells.append((text, style))
    return cells


def columns(
    table: CompareTable, rows: Sequence[dict[str, Any]], first: int, count: int, at: int, base: int
) -> tuple[Column, ...]:
    """Heads of the columns in sight: the run under the cursor has an arrow, the base a diamond."""
    found = [Column("", table.wide)]
    for place in range(first, min(first + count, len(rows))):
        sign = ("▸" if place == at else "") + ("◆" if place == base else "")
        found.append(Column(sign + clean(rows[place]["name"]), table.widths[place]))
    found.append(Column("", 0))
    return tuple(found)
