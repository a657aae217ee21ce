"""Optimisers by name: torch.optim's own, with the recipe's options."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from labtui.errors import TrainingError
from labtui.recipe.optim import Optimizer
from labtui.zoo.weights import of_head

OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "nadam": torch.optim.NAdam,
    "adagrad": torch.optim.Adagrad,
    "adadelta": torch.optim.Adadelta,
    "rmsprop": torch.optim.RMSprop,
}

FUSED = frozenset({"sgd", "adam", "adamw"})
"""Those that torch also does in one kernel for all parameters, on CPUs and GPUs: twice to five times as
fast, and the same but for the last digits."""


FACTOR = "factor"
"""Of a group of parameters: its learning rate by that of the schedule."""


def build(spec: Optimizer, model: nn.Module) -> torch.optim.Optimizer:
    """The optimiser that `[optimizer]` describes, over those parameters that are trained.

    Raises:
        TrainingError: no parameter is trained, or none of the layers that `lr_head` is for.
    """
    options = spec.model_dump(exclude={"lr_head"})
    name = options.pop("name")
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if not trained:
        raise TrainingError("error", "the model has no parameter to train: all are frozen, or none")
    groups: list[dict[str, Any]] = [{"params": list(trained.values())}]
    if spec.lr_head is not None:
        head = [p for name, p in trained.items() if of_head(name)]
        if not head:
            raise TrainingError(
                "error", "optimizer.lr_head is set, and the model trains no layer called head"
            )
        rest = [p for name, p in trained.items() if not of_head(name)]
        groups = [{"params": rest}] if rest else []
        groups.append({"params": head, FACTOR: spec.lr_head / spec.lr})
    if name in FUSED and all(p.is_floating_point() for p in trained.values()):  # not complex
        options["fused"] = True
    return OPTIMIZERS[name](groups, **options)


def set_lr(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Give each group of parameters its learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group.get(FACTOR, 1.0)


def rates(optimizer: torch.optim.Optimizer, lr: float) -> dict[str, float]:
    """Metrics: the learning rate, and that of the head if it has its own."""
    last = optimizer.param_groups[-1]
    return {"train.lr": lr, **({"train.lr_head": last["lr"]} if FACTOR in last else {})}
