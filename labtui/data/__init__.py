"""Data sets as tensors, built by the factory that a recipe names.

A factory is `f(root, **options) -> Dataset`: `root` is the lab folder, the options are the recipe's
`[data]` table without `name` and `factory`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from labtui.errors import DataError
from labtui.files import factory
from labtui.recipe.spec import Part, UserPart

Transform = Callable[[Tensor, torch.Generator | None], Tensor]
"""A batch of `x` to what the model sees, on x's device. With a generator: training, with random
augmentation; with None: evaluation, without."""


@dataclass
class Dataset:
    """Samples, targets, and how they may be split and seen."""

    x: Tensor
    """(N, *shape) float32: samples as stored, before `transform`."""
    y: Tensor
    """(N,) int64 class index; (N, K) float32 of 0 and 1; (N,) or (N, K) float32."""
    task: Literal["classes", "multilabel", "regression"]
    """Which of the three `y` is."""
    classes: list[str]
    """Names of classes, labels or targets."""
    lengths: Tensor | None = None
    """(N,) int64: samples along time that are a sample's own, the rest of `x` being zeros; None: all."""
    groups: Tensor | None = None
    """(N,) int64: samples with the same number stay on one side of a split."""
    split: dict[str, Tensor] | None = None
    """The split that comes with the data: "train", "val", "test" to (n,) int64 indices."""
    transform: Transform | None = None
    """What the model sees of a batch; absent: `x` itself."""
    facts: dict[str, str | int | float] = field(default_factory=dict)
    """For the data table: source, window, rate, features, …"""

    def __len__(self) -> int:
        return len(self.x)

    def see(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """What the model sees of a batch `x`; augmented if a generator is given."""
        return x if self.transform is None else self.transform(x, generator)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample as the model sees it."""
        return tuple(self.see(self.x[:1]).shape[1:])

    @property
    def outputs(self) -> int:
        """How many outputs a model needs."""
        if self.task == "classes":
            return len(self.classes)
        return 1 if self.y.ndim == 1 else self.y.shape[1]


def build(spec: Part, lab: Path, code: Path | None = None) -> Dataset:
    """The data set that a recipe's `[data]` table describes.

    Args:
        spec: the table.
        lab: the lab folder, from which relative paths are looked up.
        code: from which a `UserPart` is imported; absent: the lab.

    Raises:
        RecipeError: the factory cannot be found or does not take the options.
        DataError: it did not return a sound `Dataset`, or a file is not what it should be.
    """
    if isinstance(spec, UserPart):
        name, folder = spec.factory, code or lab
    else:
        name, folder = spec.factory_path, None
    dataset = factory.call(name, lab, folder=folder, **spec.options())
    if not isinstance(dataset, Dataset):
        kind = type(dataset).__name__
        raise DataError(f"factory {name!r} returned a {kind}, expected a labtui.data.Dataset")
    problem = _problem(dataset)
    if problem:
        raise DataError(f"factory {name!r} returned a data set in which {problem}")
    return dataset


def _problem(dataset: Dataset) -> str | None:
    """What is wrong with a data set, or None."""
    x, y, n = dataset.x, dataset.y, len(dataset.x)
    if n == 0:
        return "there are no samples"
    if x.dtype != torch.float32:
        return f"x is {x.dtype}, expected float32"
    if len(y) != n:
        return f"x has {n} samples but y has {len(y)}"
    if dataset.groups is not None and dataset.groups.shape != (n,):
        return f"groups has shape {tuple(dataset.groups.shape)}, expected ({n},)"
    if dataset.lengths is not None and (dataset.lengths.shape != (n,) or dataset.lengths.min() < 1):
        return f"lengths must be ({n},) numbers of 1 or more"
    if not x.isfinite().all():
        return "x holds NaN or infinite values"
    if dataset.task != "classes":
        return None if y.dtype == torch.float32 else f"y is {y.dtype}, expected float32"
    if y.dtype != torch.int64 or y.ndim != 1:
        return f"y is {y.dtype} of shape {tuple(y.shape)}, expected int64 of shape ({n},)"
    if y.min() < 0 or y.max() >= len(dataset.classes):
        return f"y goes from {y.min()} to {y.max()}, but there are {len(dataset.classes)} classes"
    return None
