"""What looking at a training costs it: the same training with it and without, in turn, in CPU seconds of one process.

Each is trained from its beginning to its end by the engine, checkpoints, records, looks and rules included, scored on
the validation split with what is kept of that, and the rules are asked at last. Two trainings of
two seconds differ by more than what is measured: `of it` is what the training itself counted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import torch
from harness import CHILDREN, Row, fresh, quantile
from threadpoolctl import threadpool_limits

from labtui.engine import setup
from labtui.engine.checkpoint import Checkpoints
from labtui.engine.loop import Loop
from labtui.engine.train import predictions
from labtui.files import rundir
from labtui.files.paths import LabPaths
from labtui.recipe.core import Recipe
from labtui.writer import Run

DIGITS = {
    "name": "digits",
    "data": {"name": "digits", "shift": 1},
    "model": {"name": "digits_cnn"},
    "train": {"batch_size": 64, "epochs": 40},
}
"""The example, complete: 40 epochs of some seconds."""
SHORT = DIGITS | {"name": "digits, short", "train": {"batch_size": 64, "epochs": 4}}
GENRE = {
    "name": "genre",
    "data": {"factory": "random_data:genre"},
    "model": {"name": "cnn2d"},
    "train": {"batch_size": 4, "epochs": 40},
}
"""The genre notebook's CNN2D, 1.25 million parameters, on a handful of spectrograms: an epoch is a few steps."""
MOST = 1.03


def loop_of(tables: dict[str, Any], looks: int) -> Loop:
    """A training that may begin."""
    lab = fresh()
    (lab / "random_data.py").write_text((CHILDREN / "random_data.py").read_text())
    train = tables["train"] | {"statistics": looks}
    recipe = Recipe.model_validate(tables | {"train": train, "resources": {"gpus": 0, "threads": 1}})
    paths = rundir.create(LabPaths(lab), recipe.name, recipe.tables(), queued=True)
    rundir.claim(paths, 1)
    parts = setup.parts(recipe, setup.material(recipe, lab), setup.choose_device(recipe.resources))
    checkpoints = Checkpoints(paths.checkpoints, recipe.checkpoints.interval)
    return Loop(recipe, parts, Run(paths, 1), checkpoints, lambda: None)


def seconds(tables: dict[str, Any], looks: int) -> tuple[float, float]:
    """Of the training, and what it counted as spent on looking at it."""
    loop = loop_of(tables, looks)
    begun = time.process_time()
    loop.fit()
    predictions(loop, ["val"], loop.train.shelf.dataset.classes, {"step": loop.step, "epoch": loop.epoch})
    loop.watch.conclude(None)
    trained = time.process_time() - begun
    loop.run.finish("stopped")
    return trained, loop.watch.budget.spent


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    threadpool_limits(1)  # as a worker has it
    torch.set_num_threads(1)
    few = GENRE | {"train": {"batch_size": 4, "epochs": 4}}
    seconds(SHORT | {"train": {"epochs": 1}}, 32)  # what is loaded at first use, is loaded now
    for tables in (SHORT, few) if quick else (SHORT, DIGITS, GENRE):
        with_it, without, spent = [], [], []
        for _ in range(3 if quick else 5):
            one, looked = seconds(tables, 32)
            with_it.append(one)
            spent.append(looked)
            without.append(seconds(tables, 0)[0])
        pair = quantile(with_it, 0.5), quantile(without, 0.5)
        what = f"training {tables['name']} with statistics; bare: without"
        yield Row(what, pair[0], "s", pair[1], MOST, of_ratio=True)
        yield Row("  of it spent on looking", quantile(spent, 0.5), "s", pair[1], MOST - 1, of_ratio=True)
