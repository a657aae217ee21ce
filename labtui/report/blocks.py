"""What a report is made of; each format writes the blocks in its own way.

A block is a heading, a table, a picture, or a piece of markdown (`str`, made with `labtui.report.text`: what
people wrote is escaped there). Tables and pictures keep what they were made of, so that LaTeX can set the best
figure in bold, CSV has every digit, and a report without pictures draws its charts as text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from labtui.files.goals import Goal
from labtui.grouped import counted
from labtui.report import text


@dataclass(frozen=True)
class Mean:
    """A cell with the mean of several runs' figures.

    Args:
        mean: None: no run has one.
        std: deviation of the sample; None for fewer than two.
        n: runs that are in it.
        of: runs of the group.
        nan: of them, those whose figure is no number.
    """

    mean: float | None
    std: float | None = None
    n: int = 1
    of: int = 1
    nan: int = 0

    def __str__(self) -> str:
        """`0.912 ± 0.014 (5)`, or `(3 of 5, 1 NaN)` where runs are not in it."""
        return counted(self.mean, self.std, self.n, self.of, self.nan)


@dataclass(frozen=True)
class Heading:
    """A title of ours, and perhaps somebody's name.

    Args:
        level: 1 is the report's own.
    """

    level: int
    title: str
    name: str = ""

    def markdown(self) -> str:
        """One line."""
        return text.heading(self.level, self.title, self.name)


@dataclass(frozen=True)
class Table:
    """Rows under named columns.

    Args:
        columns: their names.
        rows: values of any kind; numbers as they are, means as `Mean`.
        goals: by the name of a column, which way its figures are better: the best is set in bold.
        printed: the same as lines that a program would print, each aligned: they stand in markdown then.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    goals: Sequence[tuple[str, Goal]] = ()
    printed: str = ""

    def markdown(self) -> str:
        """A GitHub table, or the lines as they are."""
        if self.printed:
            return text.fence(self.printed)
        return text.table(self.columns, self.rows, self.best())

    def best(self) -> frozenset[tuple[int, int]]:
        """Places (row, column) of the best figures, where there are at least two to choose from."""
        found = set()
        goals = dict(self.goals)
        for place, name in enumerate(self.columns):
            figures = {at: figure(row[place]) for at, row in enumerate(self.rows)}
            known = {at: value for at, value in figures.items() if value is not None and value == value}
            if name in goals and len(known) > 1:
                best = (max if goals[name] == "max" else min)(known.values())
                if set(known.values()) != {best}:
                    found |= {(at, place) for at, value in known.items() if value == best}
        return frozenset(found)


def figure(cell: Any) -> float | None:
    """The number of a cell; None where it has none."""
    value = cell.mean if isinstance(cell, Mean) else cell
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


@dataclass(frozen=True)
class Picture:
    """A picture beside the report, or in it.

    Args:
        file: its name as a PNG file.
        said: what it shows, in words; markdown.
        draw: makes the file, given "png" or "svg".
        drawn: the same as lines of text, for a report without pictures; empty: words do.
        remark: what must be said below it once it is drawn, as markdown; empty: nothing.
    """

    file: str
    said: str
    draw: Callable[[str], bytes]
    drawn: Callable[[], str] = lambda: ""
    remark: Callable[[], str] = lambda: ""


Block: TypeAlias = str | Heading | Table | Picture
