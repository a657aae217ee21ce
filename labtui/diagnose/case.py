"""What rules look at."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtui.files.goals import Goal, goal_of
from labtui.series import Series

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """The finite values of a metric, one a step, steps ascending."""

    steps: NDArray[np.int64]
    values: Floats

    def __len__(self) -> int:
        return len(self.steps)

    def trained(self) -> Curve:
        """Without what the untrained model scored."""
        return Curve(self.steps[self.steps > 0], self.values[self.steps > 0])

    def at(self, step: int) -> float:
        """The newest value at a step or before; NaN: there is none."""
        place = int(np.searchsorted(self.steps, step, "right")) - 1
        return float(self.values[place]) if place >= 0 else math.nan


NONE = Curve(np.zeros(0, np.int64), np.zeros(0))


@dataclass(frozen=True)
class Case:
    """One training, over or not.

    Args:
        series: metrics by name, as `labtui.series.read_all` gives them.
        monitor: the metric that says which epoch is best.
        goals: directions of metrics that labtui does not know.
        baseline: what the best constant answer scores, by metric.
        samples: of each split.
        confusion: the artifact; empty where there is none.
        weights: the artifact `weights.npz`; empty where there is none.
        reason: why the run failed, if it did.
    """

    series: Mapping[str, Series]
    monitor: str = "val.loss"
    goals: Mapping[str, str] = field(default_factory=dict)
    baseline: Mapping[str, float] = field(default_factory=dict)
    samples: Mapping[str, int] = field(default_factory=dict)
    confusion: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    reason: str = ""

    def curve(self, name: str) -> Curve:
        """A metric's finite values; of several at one step the newest."""
        found = self.series.get(name)
        if found is None:
            return NONE
        finite = np.isfinite(found.values)
        steps, values = found.steps[finite][::-1], found.values[finite][::-1]
        steps, places = np.unique(steps, return_index=True)
        return Curve(steps, values[places])

    def evaluations(self, name: str) -> int:
        """How often a metric was recorded after the training began."""
        found = self.series.get(name)
        return 0 if found is None else int((found.steps > 0).sum())

    def goal(self, metric: str) -> Goal | None:
        """Which way a metric is better."""
        return goal_of(metric, self.goals)

    @cached_property
    def _epochs(self) -> Curve:
        return self.curve("epoch")

    def place(self, step: int) -> str:
        """A step for people: the epoch that ends there or goes on, where epochs were recorded."""
        steps, epochs = self._epochs.steps, self._epochs.values
        if not len(steps):
            return f"step {step}"
        place = int(np.searchsorted(steps, step))
        if place < len(steps):
            return f"epoch {epochs[place]:g}"
        return f"epoch {epochs[-1] + 1:g}"


def figure(value: float) -> str:
    """A number with three or four digits."""
    return f"{value:.4g}"
