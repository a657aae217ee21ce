"""One of the trainings that are done together: a loop whose steps are done for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from labtui.engine.checkpoint import Checkpoints
from labtui.engine.features import Features
from labtui.engine.loop import Loop, Parts
from labtui.engine.tally import MOST_VALUES, Tally
from labtui.recipe.core import Recipe
from labtui.writer import Run

Scored = tuple[Tensor, Tensor, Tensor]
"""Of a batch: mean loss, outputs (n, …), targets (n, …)."""


class Member(Loop):
    """A training that takes part; all of it but the steps is as it is alone.

    Args:
        rng: states of the global generators as they would be alone; steps draw from `noise` instead.
    """

    def __init__(
        self,
        recipe: Recipe,
        parts: Parts,
        run: Run,
        checkpoints: Checkpoints,
        asked: Callable[[], str | None],
        rng: dict[str, Any],
    ) -> None:
        super().__init__(recipe, parts, run, checkpoints, asked)
        self.rng = rng
        self.noise = noise(rng, self.device)
        self.bring: Callable[[], None] = lambda: None
        """Brings weights and the optimiser's state here; set while others do the steps."""
        self.seen: list[Scored] = []
        """What the model, as it is, makes of the validation split; empty: not known."""
        self.places = torch.empty(0, dtype=torch.int64)
        """(n,): the epoch's samples in order."""
        self.sizes: list[int] = []
        """Samples of each of the epoch's steps."""
        self.done = 0
        """Samples of the epoch that are behind."""
        self._other = 0
        """The first step whose size is not that of the epoch's first; only the last may differ."""
        self._begun, self._left = 0.0, 0
        self._pending: list[tuple[Tensor, list[int], Tensor, Tensor]] = []
        self._values = 0

    def begin(self) -> None:
        """Draw the epoch's batches, or those of the epoch that is under way."""
        batches = self.begin_epoch()
        self.places, self.sizes = torch.cat(batches), [len(batch) for batch in batches]
        self._other = len(self.sizes) - (self.sizes[-1] != self.sizes[0])
        self.done = sum(self.sizes[: self.place])
        self._begun, self._left = time.perf_counter(), len(self.places) - self.done

    def end(self) -> None:
        """Count and record the epoch."""
        self.settle()
        self.end_epoch(self._left, self._begun)

    def alike(self) -> int:
        """How many of the steps to come, up to the epoch's end, have as many samples as the next."""
        ends = self._other if self.place < self._other else len(self.sizes)
        return ends - self.place

    def count(self, losses: Tensor, sound: bool, outputs: Tensor, targets: Tensor) -> None:
        """Take notice of steps that were done.

        Args:
            losses: (steps,).
            sound: all of them are numbers.
            outputs, targets: (steps, n, …).

        Raises:
            NotFinite: a loss is no number.
        """
        sizes = self.sizes[self.place : self.place + len(losses)]
        self.step += len(losses)
        self.place += len(losses)
        self.done += sum(sizes)
        self._pending.append((losses, sizes, outputs, targets))
        self._values += outputs.numel()
        if not sound or self._values > MOST_VALUES:
            self.settle()

    def settle(self) -> None:
        """Count what waits to be counted: once an epoch, if that is not much.

        Raises:
            NotFinite: a loss is no number.
        """
        if not self._pending:
            return
        losses, sizes, outputs, targets = zip(*self._pending, strict=True)
        self._pending, self._values = [], 0
        flat = [torch.cat([part.flatten(0, 1) for part in parts]) for parts in (outputs, targets)]
        self.tally.extend(torch.cat(losses), [size for part in sizes for size in part], *flat)

    def check(self) -> None:
        """Raise NotFinite when a loss that was not yet counted, or a weight, is no number."""
        self.settle()
        super().check()

    def record(self, losses: Sequence[float], norms: Sequence[float] | None) -> None:
        """Record the next steps."""
        log, every, step = self.run.log, self.recipe.train.log_every, self.step
        if norms is None or self.recipe.train.clip_norm is None:
            for loss in losses:
                step += 1
                if step % every == 0:
                    log({"train.step_loss": loss}, step)
            return
        for loss, norm in zip(losses, norms, strict=True):
            step += 1
            if step % every == 0:
                log({"train.step_loss": loss, "train.grad_norm": norm}, step)

    def predict(
        self, split: str, keep: bool = False, features: Features | None = None
    ) -> tuple[Tally, list[Tensor]]:
        """The model's tally on a split, from what is known already if anything is."""
        if split != "val" or not self.seen or keep or features:
            return super().predict(split, keep, features)
        tally = self.parts.tally()
        for batch in self.seen:
            tally.add(*batch)
        return tally, []

    def write(self) -> None:
        """Write best and last checkpoint; all records up to here are on disk before."""
        self.bring()
        super().write()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there; records of later steps become void."""
        super().load_state_dict(state)
        self.rng = self.rng | {name: value for name, value in state["rng"].items() if name != "augment"}
        self.noise = noise(self.rng, self.device)

    def rng_state(self) -> dict[str, Any]:
        """States of the random generators, those of `noise` being the global ones when it is alone."""
        kind = "torch" if self.device.type == "cpu" else "cuda"
        return self.rng | {"augment": self.augment.get_state(), kind: self.noise.get_state()}


def noise(rng: dict[str, Any], device: torch.device) -> torch.Generator:
    """A generator that draws what the device's global one would."""
    found = torch.Generator(device)
    found.set_state(rng["torch" if device.type == "cpu" else "cuda"])
    return found
