"""From a recipe's tables to the parts of a training."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from labtui import data, zoo
from labtui.data import Dataset
from labtui.data.split import split
from labtui.engine import layers, objective, optim, samples, schedule, teaching
from labtui.engine.known import Known
from labtui.engine.loop import Parts
from labtui.engine.objective import Objective
from labtui.engine.patience import Best, Patience
from labtui.engine.precision import Precision
from labtui.engine.rng import seed_all
from labtui.engine.tally import Tally
from labtui.engine.world import ALONE, World
from labtui.errors import TrainingError
from labtui.files.goals import Goal, goal_of
from labtui.files.layout import layout
from labtui.recipe import naming
from labtui.recipe.core import Recipe
from labtui.recipe.resources import Resources


@dataclass
class Material:
    """Data, its split, what is to be learnt, and the untrained model with its layer table; all on the CPU."""

    dataset: Dataset
    split: dict[str, Tensor]
    objective: Objective
    model: nn.Module
    layers: dict[str, Any]

    def describe(self, recipe: Recipe) -> dict[str, Any]:
        """The data table: facts, shapes, and the samples of each class in each split."""
        dataset = self.dataset
        sizes = {}
        for name, index in self.split.items():
            y = dataset.y[index]
            per_class = None
            if dataset.task == "classes":
                per_class = torch.bincount(y, minlength=dataset.outputs).tolist()
            elif dataset.task == "multilabel":
                per_class = y.sum(0).long().tolist()
            sizes[name] = {"samples": len(index), "per_class": per_class}
        return {
            "facts": dataset.facts,
            "task": dataset.task,
            "classes": dataset.classes,
            "samples": len(dataset),
            "stored_shape": list(dataset.x.shape[1:]),
            "shape": list(dataset.shape),
            "outputs": dataset.outputs,
            "splits": sizes,
            "validate": recipe.validate_.model_dump(exclude_none=True),
        }


def material(recipe: Recipe, lab: Path, code: Path | None = None, known: Known | None = None) -> Material:
    """Build data and model, seeded by `train.seed`, and look at the model's layers.

    Args:
        lab: relative paths are looked up from here.
        code: factories are imported from here; absent: the lab.
        known: keeps what other recipes may need too.

    Raises:
        LabtuiError: the recipe is for a command, a part cannot be built, or they do not fit.
    """
    if recipe.data is None or recipe.model is None:
        raise TrainingError("error", "a recipe with a command has no data and model to build")
    seed_all(recipe.train.seed)
    spec, known = recipe.data, known or Known()
    dataset = known.dataset(recipe, lambda: data.build(spec, lab, code))
    parts = known.split(dataset, recipe.validate_, lambda: split(dataset, recipe.validate_))
    seen = known.learned(dataset, parts["train"])
    loss: Any = recipe.loss
    aim = objective.build(loss, seen, parts["train"])
    seed_all(recipe.train.seed)
    model = zoo.build(recipe.model, seen.shape, seen.outputs, lab, code)
    objective.meet(aim, model, seen, loss.l2)
    shape = (seen.shape, aim.expected)
    table = known.layers(recipe, shape, lambda: layers.table(model, seen.example, aim.expected))
    return Material(seen, parts, aim, model, table)


def load_weights(recipe: Recipe, model: nn.Module, lab: Path, code: Path | None = None) -> None:
    """Give a new model the weights that `model.path` names, if it names any.

    Raises:
        RecipeError: there are no such weights, or they are not this model's.
    """
    assert recipe.model is not None
    zoo.load_weights(recipe.model, model, lab, code)


def parts(
    recipe: Recipe, of: Material, device: torch.device, world: World = ALONE, known: Known | None = None
) -> Parts:
    """All that the loop needs, on the device.

    Args:
        world: the processes that train together.
        known: keeps what other recipes may need too.

    Raises:
        TrainingError: a part does not fit the data, or a metric is not known.
    """
    aim = of.objective
    together(aim, recipe, world)
    if recipe.checkpoints.teacher:
        teaching.check(of.dataset, aim)
    metrics = [f"{s}.{n}" for s in ("val", "train") for n in ("loss", *aim.terms, *aim.scores)]
    best, patience = followed(recipe, metrics)
    at = mixed(of.split) if aim.whole else of.split
    shelf = (known or Known()).shelf(of.dataset, device, lambda: samples.shelve(of.dataset, device, aim.task))
    placed = samples.place(shelf, at)
    if recipe.train.sampler == "balanced":
        _balance(placed["train"], of.dataset.task)
    steps = len(placed["train"].cut(recipe.train.batch_size))
    watched = getattr(recipe.schedule, "monitor", recipe.validate_.monitor)
    model = of.model.to(device)
    optimizer: Any = recipe.optimizer
    precise = Precision(recipe.train.precision, device)
    aim.forward = precise.forward
    if isinstance(aim.criterion, nn.Module):
        aim.criterion.to(device)
    return Parts(
        model=model,
        objective=aim,
        optimizer=optim.build(optimizer, model),
        precision=precise,
        schedule=schedule.build(
            recipe.schedule,
            optimizer.lr,
            steps,
            recipe.train.epochs,
            direction(watched, "schedule.monitor", metrics, recipe.goals),
            getattr(recipe.model, "d_model", None) or getattr(model, "d_model", None),
        ),
        samples=placed,
        steps=steps,
        tally=lambda **options: Tally(
            aim.counts().to(device),
            total=recipe.loss.report == "sum",
            world=world,
            terms=aim.terms,
            **options,
        ),
        best=best,
        patience=patience,
        world=world,
        given=of.layers["given"],
    )


def _balance(train: samples.Samples, task: str) -> None:
    """Draw classes equally often."""
    if task != "classes":
        raise TrainingError("error", f'train.sampler = "balanced" needs classes, and this data is for {task}')
    train.balance()


def mixed(split: dict[str, Tensor]) -> dict[str, Tensor]:
    """The splits with what is held out in a drawn order, always the same: data often come class by class, and
    then a batch of them would hold no two classes to compare."""
    drawn = torch.Generator().manual_seed(0)
    return {
        name: at if name == "train" else at[torch.randperm(len(at), generator=drawn)]
        for name, at in split.items()
    }


def followed(recipe: Recipe, known: list[str]) -> tuple[list[Best], Patience | None]:
    """The metrics whose best epochs are kept, the monitored one first, and what ends the training early.

    Args:
        known: the metrics that there are.

    Raises:
        TrainingError: a metric is not known.
    """
    validate, checkpoints, goals = recipe.validate_, recipe.checkpoints, recipe.goals
    goal = direction(validate.monitor, "validate.monitor", known, goals)
    best = [Best(validate.monitor, goal)]
    for metric in checkpoints.also_best:
        best.append(Best(metric, direction(metric, "checkpoints.also_best", known, goals)))
    for metric in naming.metrics(checkpoints.name):
        direction(metric, "checkpoints.name", known, goals)
    if validate.patience is None:
        return best, None
    return best, Patience(goal, validate.patience, validate.min_delta)


def together(aim: Objective, recipe: Recipe, world: World) -> None:
    """See to it that what has to be judged together is not taken apart.

    Raises:
        TrainingError: it would be.
    """
    table, name = recipe.train, recipe.loss.name  # type: ignore[attr-defined]
    if aim.whole and (table.accumulate > 1 or table.on_oom == "halve"):
        raise TrainingError(
            "error",
            f"loss {name!r} compares the samples of a batch with each other, and pieces of it hold fewer: "
            'leave train.accumulate and on_oom = "halve" out, and set train.batch_size to what fits',
        )
    if aim.whole and table.batch_size < 3:
        raise TrainingError(
            "error",
            f"loss {name!r} compares a sample with a fellow and a stranger in its batch: set train.batch_size "
            "to 3 or more",
        )
    if aim.l2 and recipe.resources.unused_parameters:
        raise TrainingError(
            "error", "loss.l2 uses all weights: resources.unused_parameters = true cannot leave any out"
        )
    if aim.alone and max(world.size, prod(layout(recipe.tables()))) > 1:
        raise TrainingError(
            "error", f"loss {name!r} works in one process: set resources.gpus and processes to 1"
        )


def direction(metric: str, key: str, known: list[str], goals: dict[str, Goal]) -> Goal:
    """Which way one of the known metrics is better.

    Args:
        goals: the directions that the recipe gives.

    Raises:
        TrainingError: it is not one of them, and the message names the nearest and all others; or no
            direction of it is known.
    """
    if metric in known:
        if goal := goal_of(metric, goals):
            return goal
        raise TrainingError(
            "error",
            f"{key} = {metric!r}: whether less or more of it is better is for you to say: "
            f'set goals."{metric}" to "min" or "max"',
        )
    near = get_close_matches(metric, known, 1, 0.0)[0]
    raise TrainingError(
        "error",
        f"{key} = {metric!r}: this training has no such metric; nearest: {near}. "
        f"There are {', '.join(known)}",
    )


def choose_device(resources: Resources) -> torch.device:
    """The device that `[resources]` asks for; sets the number of CPU threads too.

    Raises:
        TrainingError: a GPU is needed, and torch sees none.
    """
    if resources.threads:
        torch.set_num_threads(resources.threads)
    there = resources.on_gpus and torch.cuda.is_available()
    if resources.gpus and not there:
        raise TrainingError(
            "launch",
            f"resources.gpus = {resources.gpus}, but torch finds no CUDA device on this machine: "
            "leave the key out to train on the CPU",
        )
    return torch.device("cuda", torch.cuda.current_device()) if there else torch.device("cpu")
