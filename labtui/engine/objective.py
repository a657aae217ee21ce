"""What a model is trained for: the `[loss]` table, for the data that it meets.

With targets a loss compares the model's outputs with them. Three losses need more: what is to be
restored is made from the samples alone (`task`), triplets are found in the whole batch, and a
student is asked for its hidden layers too.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from labtui.data import Dataset
from labtui.engine import losses
from labtui.engine.batch import Batch
from labtui.engine.distillation import Distillation
from labtui.engine.metrics import COUNTS, Counts, Elements, Nothing
from labtui.engine.samples import Task
from labtui.errors import TrainingError
from labtui.recipe import optim
from labtui.zoo.pretext import batch_hard, mask


@dataclass
class Objective:
    """How a batch is judged."""

    criterion: losses.Criterion
    """(outputs, targets) to the mean loss, a scalar; or to a vector: that, then a value for each of `terms`."""
    counts: Callable[[], Counts]
    """Makes empty counts of the scores."""
    scores: tuple[str, ...]
    """Names of those scores."""
    expected: tuple[int, ...] | None
    """Shape of the output for one sample; None: any."""
    terms: tuple[str, ...] = ()
    """What the loss is made of, or says beside itself."""
    task: Task | None = None
    """What makes the targets from what the model would see; absent: the data's own."""
    whole: bool = False
    """Samples of a batch are compared with each other, so that it cannot be cut into pieces."""
    alone: bool = False
    """Works in one process only."""
    kept: str = "predictions"
    """What a trained model's outputs are: `predictions`, `embeddings` or `reconstructions`."""
    lengths: bool = False
    """The model is told how long padded samples are."""

    def __call__(self, model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """The loss as `criterion` gives it, and the outputs (n, …)."""
        output = model(batch.x, batch.lengths) if self.lengths else model(batch.x)
        return self.criterion(output, batch.y), output


@dataclass
class Student(Objective):
    """The objective of a model that learns from a teacher; `criterion` is that of the labels alone."""

    teaching: Distillation | None = None

    def __call__(self, model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        assert self.teaching is not None
        exposed = model.expose(batch.x, batch.lengths)  # type: ignore[operator]
        return self.teaching(exposed, batch, getattr(model, "aligned", None)), exposed.logits


def build(spec: optim.Loss, dataset: Dataset) -> Objective:
    """The objective that `[loss]` describes, for a data set.

    Raises:
        TrainingError: the loss does not fit the data's targets.
    """
    if isinstance(spec, optim.Reconstruction):
        return Objective(
            nn.MSELoss(), Elements, Elements.names, dataset.shape, task=_same, kept="reconstructions"
        )
    if isinstance(spec, optim.MaskedMSE):
        masked = Masked(spec.share)
        return Objective(
            masked.loss, Elements, Elements.names, dataset.shape, task=masked.hide, kept="reconstructions"
        )
    outputs, kind = dataset.outputs, dataset.task
    if isinstance(spec, (optim.BatchHardTriplet, optim.Distillation)) and kind != "classes":
        raise TrainingError("error", f"loss {spec.name!r} needs classes, and this data is for {kind}")
    if isinstance(spec, optim.BatchHardTriplet):
        margin = spec.margin
        return Objective(
            lambda output, y: torch.stack(batch_hard(output, y, margin)),
            Nothing,
            (),
            None,
            ("active",),
            whole=True,
            alone=True,
            kept="embeddings",
        )
    threshold = getattr(spec, "threshold", 0.0)
    counts = COUNTS[kind]
    # As many outputs as targets have values; only classes have one value for many outputs.
    expected = tuple(dataset.y.shape[1:]) or (outputs,)
    if isinstance(spec, optim.Distillation):
        teaching = Distillation(spec, dataset)
        return Student(
            nn.CrossEntropyLoss(),
            lambda: counts(outputs),
            counts.names,
            expected,
            teaching.terms,
            alone=True,
            teaching=teaching,
        )
    numbers = torch.Size(expected).numel()
    return Objective(losses.build(spec, kind), lambda: counts(numbers, threshold), counts.names, expected)


def meet(objective: Objective, model: nn.Module, dataset: Dataset) -> None:
    """Let the objective know the model.

    Raises:
        TrainingError: the model cannot be trained for it.
    """
    if isinstance(objective, Student):
        assert objective.teaching is not None
        objective.teaching.align(model, dataset.example)
    else:
        takes = inspect.signature(model.forward).parameters
        objective.lengths = dataset.lengths is not None and "lengths" in takes


def _same(x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    return x, x


class Masked:
    """Elements that are hidden, and restored.

    Args:
        share: of the elements.
    """

    def __init__(self, share: float) -> None:
        self.share = share

    def hide(self, x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """What is left of x, and what is to be restored of it, the rest being NaN."""
        left, masked = mask(x, self.share, generator)
        return left, x.masked_fill(~masked, torch.nan)

    def loss(self, output: Tensor, y: Tensor) -> Tensor:
        """Mean squared error on the hidden elements: by how many they are on average, so that the mean over
        samples is the same in whatever pieces it is taken."""
        error = torch.where(y.isnan(), 0.0, output - y)
        return error.square().mean() / self.share
