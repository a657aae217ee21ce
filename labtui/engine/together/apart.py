"""Why trainings cannot be done together: what their recipes say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labtui.engine.losses import LOSSES
from labtui.errors import LabtuiError
from labtui.files.layout import layout
from labtui.recipe.core import Recipe

FREE: dict[str, tuple[str, ...] | None] = {
    "optimizer": (
        *("lr", "lr_head", "weight_decay", "momentum", "dampening", "betas", "eps", "momentum_decay"),
        *("lr_decay", "initial_accumulator_value", "rho", "alpha"),
    ),
    "train": ("epochs", "seed", "clip_norm", "clip_value", "log_every"),
    "loss": ("report", "threshold"),
    **dict.fromkeys(("schedule", "validate", "checkpoints", "goals", "origin", "resources", "name", "tags")),
    "description": None,
}
"""What may differ: these keys of a table, or (None) all of it. Of the model: numbers with a fraction."""


class Apart(LabtuiError):
    """These trainings cannot be done together; the message is a clause that says why."""


def why_not(recipes: Sequence[Recipe]) -> str | None:
    """Why these cannot be trained together, in a sentence's clause; None: their recipes say nothing
    against it."""
    return next(filter(None, map(unfit, recipes)), None) or unlike(recipes)


def unfit(recipe: Recipe) -> str | None:
    """Why a recipe's training cannot be done together with others."""
    if recipe.command is not None or recipe.data is None:
        return "a program of your own trains itself"
    table, loss = recipe.train, recipe.loss.name  # type: ignore[attr-defined]
    if layout(recipe.tables()) != (1, 1):
        return "each of them is trained by several processes"
    if loss not in LOSSES:
        return f"loss {loss!r} is more than a comparison of outputs with targets"
    if table.precision != "float32":
        return f"train.precision = {table.precision!r} is for one training alone"
    if table.accumulate > 1 or table.on_oom == "halve":
        return "batches are cut into pieces (train.accumulate, train.on_oom)"
    if recipe.checkpoints.teacher:
        return "each of them is a teacher"
    return None


def unlike(recipes: Sequence[Recipe]) -> str | None:
    """In what recipes differ besides numbers."""
    first, *others = (fixed(recipe.tables()) for recipe in recipes)
    for other in others:
        for key in dict.fromkeys((*first, *other)):
            if first.get(key) != other.get(key):
                return f"they differ in {key}"
    if len({recipe.resources.on_gpus for recipe in recipes}) > 1:
        return "some are for a GPU, and some are not"
    if len({recipe.optimizer.lr_head is None for recipe in recipes}) > 1:
        return "some have a learning rate of their own for the head, and some have not"
    return None


def fixed(tables: Mapping[str, Any]) -> dict[str, Any]:
    """What has to be the same for all, by dotted key."""
    found: dict[str, Any] = {}
    for name, table in tables.items():
        free = FREE.get(name, ())
        if free is None:
            continue
        for key, value in table.items() if isinstance(table, dict) else [("", table)]:
            if key not in free and not (name == "model" and isinstance(value, float)):
                found[f"{name}.{key}".rstrip(".")] = value
    return found
