"""What the rules of `labtui.diagnose` see in a training while it goes on: a line in its log for each, once."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from labtui.engine.budget import WHILE, Budget
from labtui.engine.looks import load
from labtui.files.atomic import read_json
from labtui.files.tell import tell
from labtui.writer import Run

if TYPE_CHECKING:
    from labtui.diagnose import Finding

FIRST = 4
"""Epochs before the rules are asked first."""
APART = 1.5
"""How many times as many epochs have gone by when they are asked again."""
COST, LOADING = 0.015, 0.06
"""Seconds that asking takes before it is known, and loading the rules before they are asked first."""


class Findings:
    """The rules' answers of one training.

    Args:
        tables: the recipe's.
        run: has metrics and artifacts.
        budget: of the time that asking takes.
    """

    def __init__(self, tables: dict[str, Any], run: Run, budget: Budget) -> None:
        self.tables, self.run, self.budget = tables, run, budget
        self.facts: dict[str, Any] = {}
        """What the run says of model and data."""
        self.told: set[str] = set()
        """Names of the rules whose findings are in the log; a checkpoint has them."""
        self._next = FIRST
        self._cost = COST if "labtui.diagnose" in sys.modules else COST + LOADING

    def due(self, epoch: int) -> bool:
        """Whether to ask at the end of an epoch."""
        if epoch < self._next or self.budget.left(WHILE) < self._cost:
            return False
        self._next = max(epoch + 1, math.ceil(APART * epoch))
        return True

    def pays(self) -> bool:
        """Whether there is time left to ask at the end."""
        return self.budget.left() >= self._cost

    def tell(self, best: dict[str, Any] | None, over: bool = False) -> None:
        """Ask, and say what was not yet said.

        Args:
            best: what is known of the best weights.
            over: the training came to its end.
        """
        before = self.budget.spent
        with self.budget.spending():
            for one in self._ask(best, over):
                if one.rule not in self.told:
                    self.told.add(one.rule)
                    tell(self._line(one))
        self._cost = self.budget.spent - before

    def _ask(self, best: dict[str, Any] | None, over: bool) -> tuple[Finding, ...]:
        from labtui import diagnose, series

        self.run.flush()
        # A rule that fails says nothing, and ends no training; a reader that asks it shows the error.
        with np.errstate(all="ignore"):
            try:
                known = series.read_all(self.run.paths)
                case = diagnose.read(self.tables, self.facts, known, self._artifact, best=best, over=over)
                return diagnose.diagnose(case).findings
            except Exception as error:
                tell(f"labtui: the rules cannot be asked: {type(error).__name__}: {error}")
                return ()

    def _artifact(self, name: str) -> Any:
        path = self.run.paths.artifacts / f"{name}.json"
        return read_json(path) if path.exists() else load(path.with_suffix(".npz"))

    def _line(self, one: Finding) -> str:
        text = f"{one.text} ({one.evidence[0]})" if one.evidence else one.text
        of = f"{self.run.id}: " if self.budget.among > 1 else ""
        return " ".join(f"labtui: {of}{text}".split())
