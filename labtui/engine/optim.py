"""Optimisers by name: torch.optim's own, with the recipe's options."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from labtui.errors import TrainingError
from labtui.recipe.optim import Optimizer

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


def build(spec: Optimizer, params: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimiser that `[optimizer]` describes, over those parameters that are trained.

    Raises:
        TrainingError: no parameter is trained.
    """
    options = spec.model_dump()
    name = options.pop("name")
    trained = [p for p in params if p.requires_grad]
    if not trained:
        raise TrainingError("error", "the model has no parameter to train: all are frozen, or none")
    if name in FUSED and all(p.is_floating_point() for p in trained):  # not complex
        options["fused"] = True
    return OPTIMIZERS[name](trained, **options)
