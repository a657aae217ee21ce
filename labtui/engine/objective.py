"""What a model is trained for: the `[loss]` table, for the data that it meets.

With targets a loss compares the model's outputs with them. Three losses need more: what is to be
restored is made from the samples alone (`task`), triplets are found in the whole batch, and a
student is asked for its hidden layers too.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from labtui.data import Dataset
from labtui.engine import losses
from labtui.engine.batch import Batch
from labtui.engine.distillation import Distillation
from labtui.engine.metrics import COUNTS, Counts, Elements, Nothing
from labtui.engine.precision import single
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
    forward: Callable[[], AbstractContextManager[Any]] = nullcontext
    """What the model is run in."""
    l2: float = 0.0
    """Factor of the sum of squares of `penalised` in the loss."""
    penalised: list[nn.Parameter] = field(default_factory=list)

    def __call__(self, model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """The loss as `criterion` gives it with what the weights add, and the outputs (n, …)."""
        loss, output = self.judge(model, batch)
        if not self.l2:
            return loss, output
        penalty = self.l2 * torch.stack([weight.square().sum() for weight in self.penalised]).sum()
        return torch.cat([loss[:1] + penalty, loss[1:]]) if loss.ndim else loss + penalty, output

    def judge(self, model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """The loss of the outputs, and the outputs."""
        with self.forward():
            output = model(batch.x, batch.lengths) if self.lengths else model(batch.x)
        output = single(output)
        return self.criterion(output, batch.y), output


@dataclass
class Student(Objective):
    """The objective of a model that learns from a teacher; `criterion` is that of the labels alone."""

    teaching: Distillation | None = None

    def judge(self, model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        assert self.teaching is not None
        with self.forward():
            exposed = model.expose(batch.x, batch.lengths)  # type: ignore[operator]
        states = [single(state) for state in exposed.states]
        exposed = replace(exposed, logits=single(exposed.logits), states=states)
        return self.teaching(exposed, batch, getattr(model, "aligned", None)), exposed.logits


def build(spec: optim.Loss, dataset: Dataset, train: Tensor) -> Objective:
    """The objective that `[loss]` describes, for a data set.

    Args:
        train: (n,) places of the training split.

    Raises:
        TrainingError: the loss does not fit the data's targets.
    """
    if isinstance(spec, (optim.Reconstruction, optim.MaskedMSE)):
        return _restoring(spec, dataset)
    outputs, kind = dataset.outputs, dataset.task
    if isinstance(spec, (optim.BatchHardTriplet, optim.Distillation)) and kind != "classes":
        raise TrainingError("error", f"loss {spec.name!r} needs classes, and this data is for {kind}")
    if isinstance(spec, optim.BatchHardTriplet):
        return _embedding(spec, dataset.y[train])
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
    factors = getattr(spec, "weight", None)
    weight = losses.weights(factors, dataset, train) if factors is not None and kind == "classes" else None
    criterion = losses.build(spec, kind, weight)
    return Objective(criterion, lambda: counts(numbers, threshold), counts.names, expected)


def _restoring(spec: optim.Reconstruction | optim.MaskedMSE, dataset: Dataset) -> Objective:
    """The objective whose targets are made from the samples alone."""
    if dataset.varies:
        raise TrainingError(
            "error",
            f"loss {spec.name!r} needs samples that the model sees at one length, and these are padded to the "
            "longest of each batch: let the data cut or fill them",
        )
    criterion: losses.Criterion = nn.MSELoss()
    task: Task = _same
    if isinstance(spec, optim.MaskedMSE):
        masked = Masked(spec.share)
        criterion, task = masked.loss, masked.hide
    return Objective(criterion, Elements, Elements.names, dataset.shape, task=task, kept="reconstructions")


def _embedding(spec: optim.BatchHardTriplet, y: Tensor) -> Objective:
    """The objective that compares the samples of a batch; `y` (n,) are the training split's classes."""
    if len(torch.unique(y)) < 2:
        raise TrainingError(
            "error", f"loss {spec.name!r} keeps classes apart, and the training split has one only"
        )
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


def meet(objective: Objective, model: nn.Module, dataset: Dataset, l2: float = 0.0) -> None:
    """Let the objective know the model.

    Args:
        l2: factor of the sum of the weights' squares.

    Raises:
        TrainingError: the model cannot be trained for it.
    """
    objective.l2 = l2
    objective.penalised = [
        w for name, w in model.named_parameters() if w.requires_grad and is_weight(name, w)
    ]
    if l2 and not objective.penalised:
        raise TrainingError("error", f"loss.l2 = {l2:g}, and the model trains no matrices or kernels")
    if isinstance(objective, Student):
        assert objective.teaching is not None
        objective.teaching.align(model, dataset.example)
    else:
        takes = inspect.signature(model.forward).parameters
        objective.lengths = dataset.lengths is not None and "lengths" in takes


def is_weight(name: str, parameter: Tensor) -> bool:
    """Whether a parameter is a matrix or kernel of a layer."""
    return "weight" in name.rpartition(".")[2] and parameter.ndim > 1


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
