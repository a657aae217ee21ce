"""Data sets as tensors, built by the factory that a recipe names.

A factory is `f(root, **options) -> Dataset`: `root` is the lab folder, the options are the recipe's
`[data]` table without `name` and `factory`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from labtui.data.ragged import Ragged
from labtui.errors import DataError
from labtui.files import factory
from labtui.recipe.spec import Part, UserPart

Stored = Tensor | Ragged
"""Samples as they are kept: equally large, or of different lengths."""

Transform = Callable[[Tensor, torch.Generator | None], Tensor]
"""A batch of `x` to what the model sees, on x's device. With a generator: training, with random
augmentation; with None: evaluation, without."""


@dataclass(frozen=True)
class Chosen:
    """Some of the samples, which may be more than memory holds: what is asked for is read."""

    x: Stored
    at: Tensor
    """(n,) int64 places."""

    def __len__(self) -> int:
        return len(self.at)

    def __getitem__(self, part: slice) -> Tensor:
        """Those of them, as stored."""
        return self.x.index_select(0, self.at[part])


@dataclass
class Dataset:
    """Samples, targets, and how they may be split and seen."""

    x: Stored
    """(N, *shape) float32, samples as stored; or a smaller type, which may be a file mapped into memory,
    if the model is to see something else."""
    y: Tensor
    """(N,) int64 class index; (N, K) float32 of 0 and 1; (N,) or (N, K) float32."""
    task: Literal["classes", "multilabel", "regression"]
    """Which of the three `y` is."""
    classes: list[str]
    """Names of classes, labels or targets."""
    lengths: Tensor | None = None
    """(N,) int64: samples along time that are a sample's own, the rest of `x` being zeros; None: all. A model
    whose `forward` takes `lengths` is given them."""
    frames: Callable[[Tensor], Tensor] | None = None
    """Lengths as stored to lengths as the model sees them; absent: the same."""
    groups: Tensor | None = None
    """(N,) int64: samples with the same number stay on one side of a split."""
    split: dict[str, Tensor] | None = None
    """The split that comes with the data: "train", "val", "test" to (n,) int64 indices."""
    transform: Transform | None = None
    """What the model sees of a batch; absent: `x` itself."""
    fit: Callable[[Any, Tensor], Transform] | None = None
    """Instead of `transform`, what has to be learnt for it from data: from `x` and `y` of the training split,
    which is all that it is ever given; of a smaller type `x` is `Chosen`, which is read by slices. What it
    returns serves all splits."""
    extras: dict[str, Tensor] = field(default_factory=dict)
    """(N, …) each: further targets of the samples, for a loss that asks for them by name."""
    names: list[str] | None = None
    """What each sample is called, for files that say something of samples."""
    facts: dict[str, str | int | float] = field(default_factory=dict)
    """For the data table: source, window, rate, features, …"""

    def __post_init__(self) -> None:
        if isinstance(self.x, Ragged) and self.lengths is None:
            self.lengths = self.x.lengths

    def __len__(self) -> int:
        return len(self.x)

    def learn(self, train: Tensor) -> None:
        """Fit what is to be fitted, once, on the training split's places (n,) int64."""
        if self.fit is not None:
            smaller = isinstance(self.x, Tensor) and not self.x.is_floating_point()
            x = Chosen(self.x, train) if smaller else self.x[train]
            self.transform, self.fit = self.fit(x, self.y[train]), None

    def see(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """What the model sees of a batch `x`; augmented if a generator is given."""
        return x if self.transform is None else self.transform(x, generator)

    @property
    def example(self) -> Tensor:
        """(1, *shape) a sample as the model sees it; the longest one, where lengths differ."""
        at = torch.tensor([0]) if self.lengths is None else self.lengths.argmax()[None]
        return self.see(self.x.index_select(0, at))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample as the model sees it."""
        return tuple(self.example.shape[1:])

    @property
    def varies(self) -> bool:
        """Whether the model sees some samples longer than others."""
        if not isinstance(self.x, Ragged):
            return False
        shortest = self.see(self.x.index_select(0, self.x.lengths.argmin()[None]))
        return tuple(shortest.shape[1:]) != self.shape

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
    try:
        dataset = factory.call(name, lab, folder=folder, **spec.options())
    except OSError as error:
        if isinstance(spec, UserPart):  # its own traceback says more
            raise
        raise DataError(f"the data cannot be read ({error}): see to data.path and to permissions") from error
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
    if dataset.transform and dataset.fit:
        return "there are both a transform and one to be fitted"
    if x.dtype != torch.float32 and (x.dtype.is_floating_point or not (dataset.transform or dataset.fit)):
        return f"x is {x.dtype}, expected float32"
    if len(y) != n:
        return f"x has {n} samples but y has {len(y)}"
    if dataset.groups is not None and dataset.groups.shape != (n,):
        return f"groups has shape {tuple(dataset.groups.shape)}, expected ({n},)"
    if dataset.lengths is not None and (dataset.lengths.shape != (n,) or dataset.lengths.min() < 1):
        return f"lengths must be ({n},) numbers of 1 or more"
    if dataset.names is not None and len(dataset.names) != n:
        return f"x has {n} samples but there are {len(dataset.names)} names"
    if broken := [name for name in dataset.classes if any("\ud800" <= letter <= "\udfff" for letter in name)]:
        return f"the name of class {broken[0]!r} is no UTF-8: rename its folder or files"
    for name, extra in dataset.extras.items():
        if len(extra) != n:
            return f"x has {n} samples but {name} has {len(extra)}"
        if not extra.isfinite().all():
            return f"{name} holds NaN or infinite values"
    values = x.values if isinstance(x, Ragged) else x
    if values.is_floating_point() and not values.isfinite().all():
        return "x holds NaN or infinite values"
    if not y.isfinite().all():
        return "y holds NaN or infinite values"
    if dataset.task != "classes":
        return None if y.dtype == torch.float32 else f"y is {y.dtype}, expected float32"
    if y.dtype != torch.int64 or y.ndim != 1:
        return f"y is {y.dtype} of shape {tuple(y.shape)}, expected int64 of shape ({n},)"
    if y.min() < 0 or y.max() >= len(dataset.classes):
        return f"y goes from {y.min()} to {y.max()}, but there are {len(dataset.classes)} classes"
    return None
