"""Losses by name, and which targets each fits. All are means over samples."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from labtui.data import Dataset
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


class Weighted(nn.CrossEntropyLoss):
    """Cross-entropy with a factor for each class, as a mean over samples: PyTorch's own divides by the sum of
    the factors in the batch, and then means of pieces would not make up that of the whole."""

    def __init__(self, weight: Tensor, label_smoothing: float) -> None:
        super().__init__(weight, reduction="none", label_smoothing=label_smoothing)

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """(n, K) logits and (n,) classes to a scalar."""
        return super().forward(output, target).mean()


def weights(given: list[float] | str, dataset: Dataset, train: Tensor) -> Tensor:
    """(K,): the factor of each class.

    Args:
        given: the factors, or "balanced".
        train: (n,) places of the training split.

    Raises:
        TrainingError: there are more or fewer than classes, or a class has no sample to balance with.
    """
    if isinstance(given, str):
        counts = torch.bincount(dataset.y[train], minlength=dataset.outputs)
        if not counts.all():
            missing = dataset.classes[int(counts.argmin())]
            raise TrainingError(
                "error",
                f'loss.weight = "balanced": the training split has no sample of class {missing!r}; give the '
                "weights as a list, or leave that class out of the data",
            )
        return len(train) / (dataset.outputs * counts.float())
    if len(given) != dataset.outputs:
        raise TrainingError(
            "error", f"loss.weight has {len(given)} numbers, and the data has {dataset.outputs} classes"
        )
    return torch.tensor(given)


def build(spec: Loss, task: str, weight: Tensor | None = None) -> Criterion:
    """The loss that `[loss]` describes: (batch of outputs, batch of targets) to a scalar.

    Args:
        weight: (K,) factors of the classes.

    Raises:
        TrainingError: the loss does not fit the data's targets.
    """
    options = spec.model_dump(exclude={"report", "threshold", "l2", "weight"})
    name = options.pop("name")
    if name not in FITS[task]:
        raise TrainingError(
            "error",
            f"loss {name!r} does not fit data for {task}; use one of {', '.join(FITS[task])}",
        )
    return LOSSES[name](**options) if weight is None else Weighted(weight, **options)
