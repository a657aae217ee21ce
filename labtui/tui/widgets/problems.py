"""What is wrong with a text, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from labtui.cells import clean
from labtui.tui.widgets.table import Cells, Column, Table

if TYPE_CHECKING:
    from labtui.recipe.read import Problem

COLUMNS = (Column("line", 5, "right"), Column("what is wrong", 0))
SHOWN = 4
"""At a time; others are scrolled to."""


class Problems(Table):
    """A row for each problem; not there while there is none."""

    def __init__(self) -> None:
        super().__init__(COLUMNS, self._cells, id="problems")
        self.problems: Sequence[Problem] = ()

    def put(self, problems: Sequence[Problem]) -> None:
        """Show these instead."""
        self.problems = problems
        self.display = bool(problems)
        self.styles.height = min(len(problems), SHOWN) + 1
        self.show([str(number) for number in range(len(problems))])

    @property
    def problem(self) -> Problem | None:
        """The one under the cursor."""
        return self.problems[int(self.key)] if self.key else None

    @property
    def lines(self) -> list[int]:
        """The lines that are wrong, from 1."""
        return sorted({one.line for one in self.problems if one.line})

    def of(self, line: int) -> str:
        """What is wrong with a line; empty: nothing."""
        return next((one.text for one in self.problems if one.line == line), "")

    def _cells(self, key: str) -> Cells:
        problem = self.problems[int(key)]
        return [(str(problem.line or ""), "dim"), (clean(problem.text), "bad")]
