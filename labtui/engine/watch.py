"""All that looks at a training while it goes on, within a share of its time; it changes nothing in it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING

import torch

from labtui.engine.budget import Budget
from labtui.engine.findings import Findings
from labtui.engine.inputs import Inputs
from labtui.engine.statistics import Statistics
from labtui.errors import LabError
from labtui.recipe.core import Recipe
from labtui.writer import Run

if TYPE_CHECKING:
    from labtui.engine.loop import Parts


class Watch:
    """Statistics, inputs and findings of one training; nothing at all where `train.statistics` is 0.

    Args:
        run: keeps them.
        first: this is the only process that trains, or the first of several.
    """

    def __init__(self, recipe: Recipe, parts: Parts, run: Run, first: bool) -> None:
        self.on = bool(recipe.train.statistics) and first
        self.budget, self.parts = Budget(), parts
        planned = recipe.train.statistics, parts.steps, recipe.train.epochs
        self.statistics = Statistics(parts.model, run, *planned, self.budget)
        self.inputs = Inputs(parts, run, self.budget)
        self.findings = Findings(recipe.tables(), run, self.budget)
        self.stacked = False
        """Others do the steps, in which nothing of this model can be seen."""
        self._batch = recipe.train.batch_size

    def due(self, step: int) -> bool:
        """Whether to look when so many steps are done."""
        return self.on and self.statistics.due(step)

    def watched(self, due: bool) -> AbstractContextManager[None]:
        """What the step is done in that is looked at, if it is `due`."""
        return self.statistics.activations.watched() if due else nullcontext()

    def arrive(self, step: int, epoch: int, over: bool) -> None:
        """Look between two epochs, or where the training is `over`; validation is done."""
        if not self.on:
            return
        if self.statistics.due(step):  # unless it was at the step itself
            self.statistics.look(step, self._passed() if epoch and self.stacked else 0)
        if epoch or over:
            self.inputs.look(over)
        if not over and self.findings.due(epoch):
            self.statistics.save()
            self.findings.tell(self.parts.best[0].facts())

    def _passed(self) -> int:
        """Put some training samples through the model as it is evaluated, forwards and backwards; how many."""
        with self.budget.spending():
            samples, model = self.parts.samples["train"], self.parts.model.eval()
            batch = samples.batch(samples.index[: self._batch])
            with self.statistics.activations.watched(), torch.enable_grad():
                loss, _ = self.parts.objective(model, batch)
                (loss[0] if loss.ndim else loss).backward()  # type: ignore[no-untyped-call]
            self.statistics.gradient(1.0)
            for weight in model.parameters():
                weight.grad = None
        return len(batch)

    def lost(self, best: dict[str, object] | None) -> None:
        """Keep what was seen of a training that is lost, and say what is wrong, whatever that takes: nothing waits
        for it any more."""
        if self.on:
            self.statistics.save()
            with suppress(LabError, OSError):  # that the training is lost is what is to be said
                self.findings.tell(best)

    def conclude(self, best: dict[str, object] | None) -> None:
        """Say at last what is wrong; everything is kept, and known."""
        if self.on and self.findings.pays():
            self.findings.tell(best, over=True)

    def save(self) -> None:
        """Keep what was seen."""
        if self.on:
            self.statistics.save()

    def restore(self, step: int) -> None:
        """Go on from what was kept up to a step."""
        if self.on:
            self.statistics.restore(step)
