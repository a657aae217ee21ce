"""Training: the engine's epochs beside those of a loop written by hand, in turn.

Both have the same model, data, targets, optimiser and batch sizes, and draw an order. The loop by hand does
what nobody can do without, and adds the losses up; the engine also records each step's loss, counts
scores, listens for requests to stop and keeps what a resume needs. What an epoch begins and ends with
(checkpoints, records) is beside it. Besides the median the quickest twentieth of the steps is shown: on a
machine that others use too, those that nobody was in the way of.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from harness import CHILDREN, Row, fresh, quantile

from labtui.engine import setup
from labtui.engine.checkpoint import Checkpoints
from labtui.engine.loop import Loop
from labtui.files import rundir
from labtui.files.paths import LabPaths
from labtui.recipe.core import Recipe
from labtui.writer import Run

LABELS = {"name": "multilabel_soft_margin", "threshold": 0.5, "report": "sum"}
FNIRS = {
    "name": "fnirs",
    "data": {"factory": "random_data:fnirs"},
    "model": {"name": "cnn3d", "output_activation": "sigmoid"},
    "loss": LABELS,
    "train": {"batch_size": 1, "epochs": 1000},
}
"""The fNIRS notebook's experiment 006: 308 parameters, one sample a step."""
FAULT = {
    "name": "fault",
    "data": {"factory": "random_data:fault"},
    "model": {"name": "transformer_cls", "d_model": 160, "d_hid": 320},
    "train": {"batch_size": 16, "clip_norm": 0.5, "epochs": 1000},
}
"""The fault notebook's Transformer, a little wider: 1.25 million parameters."""
SPECTROGRAM = {
    "name": "genre",
    "data": {"factory": "random_data:genre"},
    "model": {"name": "cnn2d"},
    "train": {"batch_size": 4, "epochs": 1000},
}
"""The genre notebook's CNN2D: 1,252,162 parameters."""
PARTS = {"median": 0.5, "quickest twentieth": 0.05}


class Pair:
    """A model that the engine trains, and its twin that a loop by hand trains."""

    def __init__(self, tables: dict[str, Any]) -> None:
        lab = fresh()
        (lab / "random_data.py").write_text((CHILDREN / "random_data.py").read_text())
        limits = {"resources": {"gpus": 0, "threads": 1}}
        self.recipe = Recipe.model_validate(tables | limits)
        self.by_engine, self.by_hand = self._engine(lab), self._hand(lab)
        self.parameters = sum(p.numel() for p in self.loop.parts.model.parameters())

    def _parts(self, lab: Path) -> Any:
        material = setup.material(self.recipe, lab)
        return setup.parts(self.recipe, material, setup.choose_device(self.recipe.resources))

    def _engine(self, lab: Path) -> Callable[[], list[float]]:
        paths = rundir.create(LabPaths(lab), self.recipe.name, self.recipe.tables(), queued=True)
        rundir.claim(paths, 1)
        self.run = Run(paths, 1)
        times: list[float] = []

        def asked() -> str | None:  # once a step
            times.append(time.perf_counter())
            return self.run.asked()

        checkpoints = Checkpoints(paths.checkpoints, self.recipe.checkpoints.interval)
        self.loop = Loop(self.recipe, self._parts(lab), self.run, checkpoints, asked)

        def epoch() -> list[float]:
            times.clear()
            self.loop.train_epoch()
            return steps(times)

        return epoch

    def _hand(self, lab: Path) -> Callable[[], list[float]]:
        parts = self._parts(lab)
        model, criterion, optimizer = parts.model, parts.objective.criterion, parts.optimizer
        shelf, index = parts.samples["train"].shelf, parts.samples["train"].index
        table = self.recipe.train

        def epoch() -> list[float]:
            times, total = [], 0.0
            model.train()
            for at in index[torch.randperm(len(index))].split(table.batch_size):
                x, y = shelf.x[at], shelf.y[at]
                optimizer.zero_grad()
                loss = criterion(model(x), y)
                loss.backward()
                if table.clip_norm:
                    torch.nn.utils.clip_grad_norm_(model.parameters(), table.clip_norm)
                optimizer.step()
                total += loss.item() * len(at)
                times.append(time.perf_counter())
            return steps(times)

        return epoch

    def measure(self, epochs: int) -> tuple[list[float], list[float]]:
        """Seconds of each step, by the engine and by hand; both warm up first."""
        engine: list[float] = []
        hand: list[float] = []
        for number in range(epochs + 1):
            one, other = self.by_engine(), self.by_hand()
            if number:
                engine += one
                hand += other
        self.run.finish("stopped")
        return engine, hand


def steps(times: list[float]) -> list[float]:
    """From the end of each step to the end of the next."""
    return [after - before for before, after in pairwise(times)]


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    pair = Pair(FNIRS)
    engine, hand = pair.measure(3 if quick else 15)
    work = f"training step, {pair.parameters:,} parameters, batch 1; bare: a loop by hand"
    yield Row(work, quantile(engine, 0.5), "s", quantile(hand, 0.5))
    for name, part in PARTS.items():
        more = quantile(engine, part) - quantile(hand, part)
        yield Row(f"  what the engine adds, {name}", more, "s", None, 25e-6)
    for tables, epochs in ((FAULT, 6), (SPECTROGRAM, 4)):
        pair = Pair(tables)
        engine, hand = pair.measure(2 if quick else epochs)
        size = tables["train"]["batch_size"]
        work = f"training step, {pair.parameters:,} parameters, batch {size}"
        for name, part in PARTS.items():
            yield Row(
                f"{work}, {name}", quantile(engine, part), "s", quantile(hand, part), 1.05, of_ratio=True
            )
