"""What rules look at."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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


MOST = 4096
"""Points of a curve that rules look at."""
SHARE, FEW, MANY = 0.15, 5, 100
"""Part of a training, evaluations and optimiser steps before which a model may well give everything the same answer:
trainings of four small sets of time series did after up to 3 evaluations (42 steps), and none after 6."""
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
        activations: the artifact `activations.npz`; empty where there is none.
        inputs: the artifact `inputs.json`; empty where there is none.
        reason: why the run failed, if it did.
        options: the recipe's, by dotted key.
        layers: types of the model's layers that hold no others, in the order in which a sample passes them.
        outputs: the artifact `outputs.json` (labtui.engine.outputs); empty where there is none.
        best: what `best.pt` holds, or the run says so: `metric`, `value`, `step`; empty where it is not known.
        over: whether the training came to its end.
    """

    series: Mapping[str, Series]
    monitor: str = "val.loss"
    goals: Mapping[str, str] = field(default_factory=dict)
    baseline: Mapping[str, float] = field(default_factory=dict)
    samples: Mapping[str, int] = field(default_factory=dict)
    confusion: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    activations: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    layers: Sequence[str] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    best: Mapping[str, Any] = field(default_factory=dict)
    over: bool = False

    def curve(self, name: str) -> Curve:
        """A metric's finite values; of several at one step the newest. Of more than MOST it has means of as many
        parts of the training, each at the last of its steps."""
        if name not in self._curves:
            self._curves[name] = _thinned(_curve(self.series.get(name)))
        return self._curves[name]

    def whole(self, name: str) -> Curve:
        """A metric's finite values, however many: where one epoch's is asked, a mean of several is none."""
        return _curve(self.series.get(name))

    @cached_property
    def _curves(self) -> dict[str, Curve]:
        return {}

    def evaluations(self, name: str) -> int:
        """How often a metric was recorded after the training began."""
        found = self.series.get(name)
        return 0 if found is None else int((found.steps > 0).sum())

    def constant(self, metric: str) -> float | None:
        """What the best constant answer scores in a metric of any split, by the validation split; losses that are
        sums over samples are brought to the other split's number of them."""
        split, _, name = metric.partition(".")
        found = self.baseline.get(f"val.{name}")
        if found is None or not math.isfinite(found):
            return None
        if name == "loss" and self.sums and split != "val":
            return float(found) * self.samples.get(split, 0) / max(self.samples.get("val", 0), 1) or None
        return float(found)

    @property
    def sums(self) -> bool:
        """Whether losses are sums over samples."""
        return self.options.get("loss.report") == "sum"

    @cached_property
    def progress(self) -> float:
        """How much of the training is behind, by epochs, 0 to 1; 1 where it is over, or nobody knows how long it is."""
        epochs, done = self.options.get("train.epochs"), self._epochs.values
        if self.over or self.reason or not isinstance(epochs, int) or epochs < 1 or not len(done):
            return 1.0
        return min(float(done[-1]) / epochs, 1.0)

    @cached_property
    def begun(self) -> bool:
        """Whether there was time to learn to tell samples apart: SHARE of the training is behind, and FEW evaluations
        or MANY optimiser steps. Where no metric was recorded, nothing is known of that, and there was."""
        steps = max((int(one.steps[-1]) for one in self.series.values() if len(one.steps)), default=MANY)
        return self.progress >= SHARE and (steps >= MANY or self.evaluations(self.monitor) >= FEW)

    def margin(self, metric: str) -> float:
        """How much two scores of the validation split may differ by chance: 2.5 deviations of a share at the best
        constant's, where the metric is one; else 0."""
        share, samples = self.constant(metric), self.samples.get("val", 0)
        if (metric.endswith("loss") and not metric.endswith("hamming_loss")) or not samples:
            return 0.0
        if share is None or not 0 <= share <= 1:
            return 0.0
        return by_chance(share, samples)

    def goal(self, metric: str) -> Goal | None:
        """Which way a metric is better."""
        return goal_of(metric, self.goals)

    @cached_property
    def _epochs(self) -> Curve:
        return _curve(self.series.get("epoch"))

    def place(self, step: int) -> str:
        """A step for people: the epoch that ends there or goes on, where epochs were recorded."""
        steps, epochs = self._epochs.steps, self._epochs.values
        if not len(steps):
            return f"step {step}"
        place = int(np.searchsorted(steps, step))
        if place < len(steps):
            return f"epoch {epochs[place]:g}"
        return f"epoch {epochs[-1] + 1:g}"


def _curve(found: Series | None) -> Curve:
    if found is None:
        return NONE
    finite = np.isfinite(found.values)
    whole = bool(finite.all())
    steps, values = (found.steps, found.values) if whole else (found.steps[finite], found.values[finite])
    if len(steps) > 1 and not (steps[1:] > steps[:-1]).all():
        steps, places = np.unique(steps[::-1], return_index=True)
        values = values[::-1][places]
    return Curve(steps, values)


def _thinned(curve: Curve) -> Curve:
    if len(curve) <= MOST:
        return curve
    first = int(curve.steps[0] == 0)  # the untrained model stands alone
    each = -(-(len(curve) - first) // MOST)
    begins = np.arange(first, len(curve), each)
    sizes = np.diff([*begins, len(curve)])
    means = np.add.reduceat(curve.values, begins) / sizes
    steps = curve.steps[begins + sizes - 1]
    return Curve(np.append(curve.steps[:first], steps), np.append(curve.values[:first], means))


def by_chance(share: float, samples: int) -> float:
    """By how much a share of so many samples may be off by chance: 2.5 of its standard errors."""
    return 2.5 * math.sqrt(share * (1 - share) / samples)


def figure(value: float) -> str:
    """A number with three or four digits."""
    return f"{value:.4g}"
