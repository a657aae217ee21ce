"""Which epoch is best, and when to lose patience."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from labtui.files.goals import Goal


def improves(value: float, best: float | None, goal: Goal, least: float = 0.0) -> bool:
    """Whether a value is better than the best by more than `least`; NaN never is."""
    if best is None:
        return not math.isnan(value)
    return value > best + least if goal == "max" else value < best - least


@dataclass
class Best:
    """The best value of one metric so far. Of equal values the first stays."""

    metric: str
    goal: Goal
    value: float | None = None
    step: int = 0
    epoch: int = 0

    def offer(self, value: float, step: int, epoch: int) -> bool:
        """Take a value if it is the best so far, and say whether it was."""
        if not improves(value, self.value, self.goal):
            return False
        self.value, self.step, self.epoch = value, step, epoch
        return True

    def facts(self) -> dict[str, Any] | None:
        """Metric, goal, value, step and epoch; None before the first value."""
        return None if self.value is None else asdict(self)


@dataclass
class Patience:
    """Counts values without improvement (as Keras' EarlyStopping and ReduceLROnPlateau do)."""

    goal: Goal
    limit: int
    min_delta: float
    best: float | None = None
    waited: int = 0

    def lost(self, value: float) -> bool:
        """Take the next value; True when `limit` in a row (at least one) were no improvement."""
        if improves(value, self.best, self.goal, self.min_delta):
            self.best, self.waited = value, 0
        else:
            self.waited += 1
        return 0 < self.waited >= self.limit
