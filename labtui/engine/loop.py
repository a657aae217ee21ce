"""The training loop: evaluate → save → break → step.

The untrained model is evaluated too (epoch 0), so that curves begin where the training did, and it
counts as every other epoch does: where training never helps, step 0 is best. `step` counts
optimiser steps done; `train.*` of an epoch and `val.*` after it are recorded at the same step.

A training can be left after any optimiser step and goes on there as if nothing had happened: the
state holds the place in the epoch, and what the epoch has counted so far.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from labtui.engine import optim
from labtui.engine.batch import Batch
from labtui.engine.checkpoint import Checkpoints
from labtui.engine.features import Features
from labtui.engine.objective import Objective
from labtui.engine.patience import Best, Patience
from labtui.engine.pieces import Pieces
from labtui.engine.precision import Precision
from labtui.engine.rng import rng_state, set_rng_state
from labtui.engine.samples import Samples
from labtui.engine.schedule import Schedule
from labtui.engine.tally import NotFinite, Tally
from labtui.engine.watch import Watch
from labtui.engine.world import ALONE, WRITE, Part, World
from labtui.errors import TrainingError
from labtui.recipe import naming
from labtui.recipe.core import Recipe
from labtui.writer import Run


@dataclass
class Parts:
    """What is trained and how it is judged, built from a recipe, on one device."""

    model: nn.Module
    objective: Objective
    optimizer: torch.optim.Optimizer
    precision: Precision
    schedule: Schedule
    samples: dict[str, Samples]
    """"train", "val", and "test" if there is one."""
    steps: int
    """Optimiser steps of one epoch."""
    tally: Callable[..., Tally]
    """Makes an empty tally."""
    best: list[Best]
    """Of the monitored metric, then of those in `checkpoints.also_best`."""
    patience: Patience | None
    world: World = ALONE
    """The processes that train together."""
    given: dict[str, Any] = field(default_factory=dict)
    """What the first layers take, as `layers.given` says."""


class Loop:
    """One training, from its first step or a checkpoint to its end.

    Args:
        run: takes the metrics.
        checkpoints: take the states.
        asked: "stop" or "kill" when somebody wants the training to end; called at each step.
    """

    def __init__(
        self,
        recipe: Recipe,
        parts: Parts,
        run: Run,
        checkpoints: Checkpoints,
        asked: Callable[[], str | None],
    ) -> None:
        self.recipe, self.parts, self.run, self.asked = recipe, parts, run, asked
        self.checkpoints, self.world = checkpoints, parts.world
        self.train = parts.samples["train"]
        self.device = self.train.device
        self.step = self.epoch = self.place = 0
        self.lr = math.nan
        self.spent = 0.0
        """Seconds of optimiser steps in this attempt."""
        self.fetching = 0.0
        """Those of them in which this process made batches, and the model waited for them."""
        self.resumed = self.out_of_patience = False
        self.tally = parts.tally(finite=True)
        self.scores: dict[str, float] = {}
        self.order = torch.Generator().manual_seed(recipe.train.seed)
        self.augment = torch.Generator(self.device).manual_seed(recipe.train.seed)
        self.order_before = self.order.get_state()
        self.pieces = Pieces(
            recipe.train,
            len(self.train),
            parts.model,
            parts.objective,
            self.device,
            {"augment": self.augment},
            parts.precision,
            self.world,
        )
        self.watch = Watch(recipe, parts, run, self.world.rank == 0)
        self.weights = [weight for weight in parts.model.parameters() if weight.requires_grad]

    def fit(self) -> str | None:
        """Train to the end, and return None; or until asked, and return "stop" or "kill".

        Raises:
            TrainingError: a loss is no number (`nan`), the disk is full (`disk-full`).
        """
        try:
            while not self.arrive():
                if asked := self.train_epoch():
                    if asked != "kill":
                        self.write()
                    return asked
            return None
        except NotFinite as error:
            raise self.lost(error) from None

    def arrive(self) -> bool:
        """Do what is due between two epochs; whether the training ends here.

        Raises:
            NotFinite: a loss or a weight is no number.
            TrainingError: the disk is full.
        """
        if not self.resumed:
            self.evaluate()
            self.save()
        self.resumed = False
        over = self.out_of_patience or self.epoch == self.recipe.train.epochs
        self.watch.arrive(self.step, self.epoch, over)
        if over:
            self.write()
        return over

    def lost(self, error: NotFinite) -> TrainingError:
        """Keep what was good, and the error that the training ends with."""
        # The best epoch was good, and may still wait in memory.
        self.checkpoints.flush()
        self.watch.lost(self.parts.best[0].facts())
        self.world.wait()  # all are here, and the first has something to write
        return self.diverged(error)

    def evaluate(self) -> None:
        """Score the validation split when it is due, and see whether the epoch is the best."""
        if not self.evaluates():
            return
        self.check()
        found = self.score("val")
        self.run.log(found if self.epoch else found | {"epoch": 0.0}, self.step)
        if not math.isfinite(found["val.loss"]):
            raise NotFinite(found["val.loss"])
        scores = self.scores | found
        monitored = scores.get(self.recipe.validate_.monitor)
        if self.parts.patience and monitored is not None:
            self.out_of_patience = self.parts.patience.lost(monitored)
        self.parts.schedule.observe(scores, self.step)
        for number, best in enumerate(self.parts.best):
            value = scores.get(best.metric)
            if value is not None and best.offer(value, self.step, self.epoch):
                name = f"best-{best.metric}" if number else "best"
                self.checkpoints.keep(name, self.parts.model, best.facts() or {})
                if number == 0 and (pattern := self.recipe.checkpoints.name) and self.epoch:
                    name = naming.filled(pattern, scores, self.epoch, self.step)
                    self.checkpoints.put(name, self.parts.model, best.facts() or {})

    def evaluates(self) -> bool:
        """Whether the validation split is due at the end of this epoch."""
        return self.epoch % self.recipe.validate_.every == 0 or self.epoch == self.recipe.train.epochs

    def score(self, split: str) -> dict[str, float]:
        """Scores of the model on a split, named `split.metric`."""
        tally, _ = self.predict(split)
        return {f"{split}.{name}": value for name, value in tally.scores().items()}

    def predict(
        self, split: str, keep: bool = False, features: Features | None = None
    ) -> tuple[Tally, list[Tensor]]:
        """The model's tally on a split, and its outputs in order of its samples if they are to be kept.

        Args:
            features: takes what the last layer sees.
        """
        return self.pieces.within_memory(lambda: self._predict(split, keep, features))

    def _predict(self, split: str, keep: bool, features: Features | None) -> tuple[Tally, list[Tensor]]:
        tally, outputs = self.parts.tally(), []
        model = self.parts.model.eval()
        self.world.align(model)
        with torch.no_grad(), features.noting() if features else nullcontext():
            for batch in self.parts.samples[split].batches(self.pieces.without_gradient(), self.world):
                loss, output = self.parts.objective(model, batch)
                tally.add(loss, output, batch.y)
                if features:
                    features.take(output)
                if keep:
                    outputs.append(output)
        if keep:
            outputs = [output for part in self.world.gather(outputs) for output in part]
        return tally.whole(), outputs

    def save(self) -> None:
        """Write the checkpoints that are due at the end of an epoch."""
        every = self.recipe.checkpoints.every
        if every and self.epoch and self.epoch % every == 0:
            self.check()
            where = {"step": self.step, "epoch": self.epoch}
            self.checkpoints.put_epoch(self.parts.model, where, self.recipe.checkpoints.keep)
        if self.world.first(self.checkpoints.due()):
            self.write()

    def train_epoch(self) -> str | None:
        """Train on each sample once, or on those that are left; what was asked, if anything was."""
        batches = self.begin_epoch()
        begun, left, fetching = time.perf_counter(), sum(map(len, batches[self.place :])), self.fetching
        self.parts.model.train()
        for at in batches[self.place :]:
            self.train_step(at)
            self.place += 1
            word = self.world.agree(self.asked() or (WRITE if self.checkpoints.due_within_epoch() else None))
            if word == WRITE:
                self.write()
            elif word:
                return word
        spent = time.perf_counter() - begun
        self.spent += spent
        self.end_epoch(left, begun, {"train.data_share": (self.fetching - fetching) / spent})
        return None

    def begin_epoch(self) -> list[Tensor]:
        """The epoch's batches, as places of their samples; it may be under way."""
        if self.place == 0:
            self.tally = self.parts.tally(finite=True)
            self.order_before = self.order.get_state()
        return self.train.cut(self.recipe.train.batch_size, self.order)

    def end_epoch(self, samples: int, begun: float, paces: dict[str, float] | None = None) -> None:
        """Count what the epoch has gathered, and record it.

        Args:
            samples: those trained on since `begun` (seconds, `time.perf_counter`).
            paces: what else is known of the epoch's time.
        """
        self.epoch += 1
        self.place = 0
        self.scores = {f"train.{name}": value for name, value in self.tally.whole().scores().items()}
        speed = samples / (time.perf_counter() - begun)
        progress = {"epoch": float(self.epoch), "train.samples_per_s": speed, **(paces or {})}
        progress |= optim.rates(self.parts.optimizer, self.lr) | self.parts.precision.facts()
        self.run.log(self.scores | progress, self.step)

    def train_step(self, at: Tensor) -> None:
        """One optimiser step on the samples `at`. Nothing in it waits for the device."""
        parts = self.parts
        self.set_lr(parts.schedule(self.step))
        part = self.pieces.part(len(at))
        watched = self.watch.due(self.step + 1)
        with self.watch.watched(watched):
            loss, output, batch = self.pieces.within_memory(lambda: self.gradient(at, part))
        if watched:
            self.watch.statistics.gradient(parts.precision.scale)
        norm = self.clip()
        parts.precision.step(parts.optimizer)
        self.step += 1
        if watched:
            self.watch.statistics.look(self.step, len(output))
        if self.step % self.recipe.train.log_every == 0:
            first = loss[0] if loss.ndim else loss
            # Nothing waits for a CPU, and the log takes numbers at once.
            found = {"train.step_loss": first.item() if first.is_cpu else first}
            self.run.log(found if norm is None else found | {"train.grad_norm": norm}, self.step)
        if part.size:
            self.tally.add(loss, output, batch.y, part.of)
        else:  # it was fed others' samples
            self.tally.add(loss, output[:0], batch.y[:0], part.of)

    def gradient(self, at: Tensor, part: Part) -> tuple[Tensor, Tensor, Batch]:
        """Give the parameters the gradient of the samples `at`; the batch's mean loss with its terms, and the
        outputs of this process's part, and that part."""
        begun = time.perf_counter()
        batch = self.train.batch(at, self.augment, part.fed)
        self.fetching += time.perf_counter() - begun
        for weight in self.weights:  # the optimiser's own method takes 20 µs for six of them
            weight.grad = None
        return *self.pieces.gradient(batch, part), batch

    def set_lr(self, lr: float) -> None:
        """Give the optimiser its learning rate, if that has changed."""
        if lr != self.lr:
            self.lr = lr
            optim.set_lr(self.parts.optimizer, lr)

    def clip(self) -> Tensor | None:
        """Cut the gradient as the recipe says; its norm before, where that was needed."""
        table = self.recipe.train
        if table.clip_value is None and table.clip_norm is None:
            return None
        self.parts.precision.unscale(self.parts.optimizer)
        if table.clip_value is not None:
            nn.utils.clip_grad_value_(self.weights, table.clip_value)
        return None if table.clip_norm is None else nn.utils.clip_grad_norm_(self.weights, table.clip_norm)

    def write(self) -> None:
        """Write best and last checkpoint; all records up to here are on disk before."""
        self.check()
        self.run.flush()
        self.watch.save()
        self.checkpoints.write(self.state_dict())

    def check(self) -> None:
        """Raise NotFinite when a loss that was not yet counted, or a weight, is no number: a gradient
        may be lost while the loss of its step was still sound."""
        self.tally.check()
        if not nn.utils.get_total_norm(self.weights, math.inf).isfinite():
            raise NotFinite(math.nan, what="a weight")

    def diverged(self, error: NotFinite) -> TrainingError:
        """The error that says where the loss was lost and what helps."""
        step = self.step - error.ago
        epoch = self.epoch + (self.place > 0)
        wider = 'train.precision = "bfloat16", ' if self.recipe.train.precision == "float16" else ""
        if not self.step:
            return TrainingError(
                "nan",
                f"{error.what} of the untrained model is {error.value}: try {wider}smaller numbers in the data, or "
                "another start of the weights",
            )
        return TrainingError(
            "nan",
            f"{error.what} became {error.value} in step {step} (epoch {epoch}) at learning rate "
            f"{self.lr:.3g}: try {wider}a lower optimizer.lr, train.clip_norm = 1.0 "
            "or a warm-up, and look at the range of the data. The checkpoints are from before",
        )

    def state_dict(self) -> dict[str, Any]:
        """All that a resume needs."""
        parts, patience = self.parts, self.parts.patience
        rng, *others = self.world.gather(self.rng_state())
        return {
            "step": self.step,
            "epoch": self.epoch,
            "place": self.place,
            "model": parts.model.state_dict(),
            "optimizer": parts.optimizer.state_dict(),
            "lr": self.lr,
            "precision": parts.precision.state_dict(),
            "schedule": parts.schedule.state_dict(),
            "patience": patience and [patience.best, patience.waited, self.out_of_patience],
            "best": [best.facts() for best in parts.best],
            "tally": self.tally.state_dict() if self.place else None,
            "order": self.order_before if self.place else self.order.get_state(),
            "accumulate": self.pieces.count,
            "rng": rng,
            "others": others,
            "told": sorted(self.watch.findings.told),
        }

    def rng_state(self) -> dict[str, Any]:
        """States of the random generators."""
        return rng_state(self.device, {"augment": self.augment})

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there; records of later steps become void."""
        parts, patience = self.parts, self.parts.patience
        self.step, self.epoch, self.place = state["step"], state["epoch"], state["place"]
        parts.model.load_state_dict(state["model"])
        parts.optimizer.load_state_dict(state["optimizer"])
        parts.precision.load_state_dict(state.get("precision", {}))  # not in a checkpoint of an early labtui
        self.lr = state.get("lr", parts.optimizer.param_groups[0]["lr"])
        parts.schedule.load_state_dict(state["schedule"])
        if patience:
            patience.best, patience.waited, self.out_of_patience = state["patience"]
        for best, facts in zip(parts.best, state["best"], strict=True):
            if facts:
                best.offer(facts["value"], facts["step"], facts["epoch"])
        if self.place:
            self.tally.load_state_dict(state["tally"])
        self.order.set_state(state["order"])
        self.order_before = state["order"]
        self.pieces.count = max(self.pieces.count, state.get("accumulate", 1))
        generators = [state["rng"], *state.get("others", [])]
        if self.world.rank < len(generators):
            set_rng_state(generators[self.world.rank], self.device, {"augment": self.augment})
        else:  # there were fewer processes
            set_rng_state(generators[0], self.device, {"augment": self.augment})
            self.world.disperse(self.recipe.train.seed + self.step)
        self.watch.restore(self.step)
        self.watch.findings.told.update(state.get("told", ()))
        self.resumed = True
        self.run.void_after(self.step)
