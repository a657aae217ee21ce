"""Which trainings may be done together, as far as recipes say: alike in all but numbers.

A *stack* is the trainings of a sweep that one process may train as one model of stacked weights. What
the models themselves have against it, the worker finds out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labtui.files.layout import layout

APART = 3
"""Exit status of a worker of several runs that says: nothing has begun, each is to be started alone."""

FREE: dict[str, tuple[str, ...] | None] = {
    "optimizer": (
        *("lr", "lr_head", "weight_decay", "momentum", "dampening", "betas", "eps", "momentum_decay"),
        *("lr_decay", "initial_accumulator_value", "rho", "alpha"),
    ),
    "train": ("epochs", "seed", "clip_norm", "clip_value", "log_every", "statistics"),
    "loss": ("report", "threshold"),
    "resources": ("priority", "after", "retries", "hang_timeout", "min_free", "slurm", "unused_parameters"),
    **dict.fromkeys(("schedule", "validate", "checkpoints", "goals", "origin", "sweep")),
    **dict.fromkeys(("format", "name", "description", "tags")),
}
"""What may differ: these keys of a table, or (None) all of it. Of the model: dropout."""


def fixed(tables: Mapping[str, Any]) -> dict[str, Any]:
    """What has to be the same for all trainings of a stack, by dotted key.

    Args:
        tables: a resolved recipe.
    """
    found: dict[str, Any] = {}
    for name, table in tables.items():
        free = FREE.get(name, ())
        if free is None:
            continue
        for key, value in table.items() if isinstance(table, dict) else [("", table)]:
            if key not in free and not (name == "model" and "drop" in key and isinstance(value, float)):
                found[f"{name}.{key}".rstrip(".")] = value
    if "lr_head" in (tables.get("optimizer") or {}):
        found["optimizer.lr_head"] = "its own"
    return found


def unfit(tables: Mapping[str, Any]) -> str:
    """Why a recipe's training cannot be done together with others, in a sentence's clause; empty: its recipe
    says nothing against it.

    Args:
        tables: a resolved recipe.
    """
    train, resources = tables.get("train") or {}, tables.get("resources") or {}
    if "command" in tables:
        return "a program of your own trains itself"
    if resources.get("launcher") == "slurm":
        return "a job of Slurm trains one run"
    if layout(tables) != (1, 1):
        return "each of them is trained by several processes"
    if (precision := train.get("precision", "float32")) != "float32":
        return f"train.precision = {precision!r} is for one training alone"
    if train.get("accumulate", 1) > 1 or train.get("on_oom") == "halve":
        return "batches are cut into pieces (train.accumulate, train.on_oom)"
    if (tables.get("checkpoints") or {}).get("teacher"):
        return "each of them is a teacher"
    return ""
