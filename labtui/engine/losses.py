"""Losses by name, and which targets each fits. All are means over samples."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from labtui.errors import TrainingError
from labtui.recipe.optim import Loss

Criterion = Callable[[Tensor, Tensor], Tensor]

LOSSES: dict[str, type[nn.Module]] = {
    "cross_entropy": nn.CrossEntropyLoss,
    "nll": nn.NLLLoss,
    "bce_with_logits": nn.BCEWithLogitsLoss,
    # The same mean of the same terms; torch's own module takes a dozen operations for it.
    "multilabel_soft_margin": nn.BCEWithLogitsLoss,
    "mse": nn.MSELoss,
    "l1": nn.L1Loss,
    "huber": nn.HuberLoss,
}

FITS = {
    "classes": ("cross_entropy", "nll"),
    "multilabel": ("bce_with_logits", "multilabel_soft_margin", "mse"),
    "regression": ("mse", "l1", "huber"),
}
"""Task to the losses that its targets fit."""


def build(spec: Loss, task: str) -> Criterion:
    """The loss that `[loss]` describes: (batch of outputs, batch of targets) to a scalar.

    Raises:
        TrainingError: the loss does not fit the data's targets.
    """
    options = spec.model_dump(exclude={"report", "threshold"})
    name = options.pop("name")
    if name not in FITS[task]:
        raise TrainingError(
            "error",
            f"loss {name!r} does not fit data for {task}; use one of {', '.join(FITS[task])}",
        )
    return LOSSES[name](**options)
