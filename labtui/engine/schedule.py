"""Learning-rate schedules: a function of the optimiser step, and for plateau of what was seen.

Steps count from 0: `schedule(step)` is the learning rate that the step is done with. Units of the
recipe are epochs; they become steps here, so that cosine and linear fall at each step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from labtui.engine.patience import Patience
from labtui.errors import TrainingError
from labtui.files.goals import Goal
from labtui.recipe import optim as spec


class Schedule:
    """The learning rate `lr` throughout, after the warm-up. The base of the others.

    Args:
        lr: the optimiser's learning rate.
        steps: optimiser steps of one epoch.
        epochs: epochs of the whole training, the warm-up included.
    """

    def __init__(self, table: Any, lr: float, steps: int, epochs: int) -> None:
        self.table, self.full = table, lr
        self.steps = steps
        self.warmup = table.warmup_epochs * steps
        self.total = max(1, epochs * steps - self.warmup)

    def __call__(self, step: int) -> float:
        """Learning rate of this step."""
        if step < self.warmup:
            return float(self.table.warmup_lr)
        return self.after(step - self.warmup)

    def after(self, step: int) -> float:
        """Learning rate of this step after the warm-up."""
        return self.full

    def observe(self, scores: Mapping[str, float], step: int) -> None:
        """Take notice of a validation's scores."""

    def state_dict(self) -> dict[str, Any]:
        """What a resume needs."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the state over."""


class Step(Schedule):
    """Times `factor` every `every` epochs."""

    def after(self, step: int) -> float:
        """Learning rate of this step after the warm-up."""
        return float(self.full * self.table.factor ** (step // self.steps // self.table.every))


class Cosine(Schedule):
    """Half a cosine from `lr` to `min_lr` (Loshchilov and Hutter 2017, equation 5)."""

    def after(self, step: int) -> float:
        """Learning rate of this step after the warm-up."""
        low = float(self.table.min_lr)
        return low + (self.full - low) * (1 + math.cos(math.pi * min(1, step / self.total))) / 2


class Linear(Schedule):
    """Constant, then linearly to 0."""

    def after(self, step: int) -> float:
        """Learning rate of this step after the warm-up."""
        constant = int(self.table.constant_epochs * self.steps)
        decay = int((self.table.decay_epochs or 0) * self.steps or max(1, self.total - constant))
        return self.full * min(1.0, max(0.0, 1 - (step - constant) / decay))


class Plateau(Schedule):
    """Times `factor` when the monitored metric stalls (Keras ReduceLROnPlateau)."""

    def __init__(self, table: spec.Plateau, lr: float, steps: int, epochs: int, goal: Goal) -> None:
        super().__init__(table, lr, steps, epochs)
        self.current = lr
        self.patience = Patience(goal, table.patience, table.min_delta)

    def after(self, step: int) -> float:
        """Learning rate of this step after the warm-up."""
        return self.current

    def observe(self, scores: Mapping[str, float], step: int) -> None:
        """Reduce the learning rate when patience is lost. The warm-up does not count."""
        value = scores.get(self.table.monitor)
        if value is None or step < self.warmup or not self.patience.lost(value):
            return
        self.current = min(self.current, max(self.current * self.table.factor, self.table.min_lr))
        self.patience.waited = 0

    def state_dict(self) -> dict[str, Any]:
        """What a resume needs."""
        return {
            "current": self.current,
            "best": self.patience.best,
            "waited": self.patience.waited,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the state over."""
        self.current = state["current"]
        self.patience.best, self.patience.waited = state["best"], state["waited"]


class Noam(Schedule):
    """Linear growth, then the inverse square root of the step (Vaswani et al. 2017, 5.3)."""

    def __init__(self, table: spec.Noam, lr: float, steps: int, epochs: int, width: int) -> None:
        super().__init__(table, lr, steps, epochs)
        self.factor = table.factor * width**-0.5

    def after(self, step: int) -> float:
        """Learning rate of this step after the warm-up."""
        step += 1
        return float(self.factor * min(step**-0.5, step * self.table.warmup**-1.5))


SIMPLE: dict[type[spec.Schedule], type[Schedule]] = {
    spec.Constant: Schedule,
    spec.Step: Step,
    spec.Cosine: Cosine,
    spec.Linear: Linear,
}


def build(
    table: spec.Schedule, lr: float, steps: int, epochs: int, goal: Goal, width: int | None
) -> Schedule:
    """The schedule that `[schedule]` describes.

    Args:
        lr: the optimiser's learning rate.
        steps: optimiser steps of one epoch.
        epochs: epochs of the training.
        goal: direction of the metric that a plateau watches.
        width: the model's `d_model`, if it has one.

    Raises:
        TrainingError: a noam schedule knows no width.
    """
    if isinstance(table, spec.Plateau):
        return Plateau(table, lr, steps, epochs, goal)
    if isinstance(table, spec.Noam):
        width = table.d_model or width
        if width is None:
            message = "schedule.d_model is missing, and the model has no d_model of its own: set it"
            raise TrainingError("error", message)
        return Noam(table, lr, steps, epochs, width)
    return SIMPLE[type(table)](table, lr, steps, epochs)
