"""What `labtui data show` draws: a data set in numbers and a few of its samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from labtui.data import Dataset
from labtui.data.split import split
from labtui.recipe.core import Validate

CLASSES, EXAMPLES, POINTS = 4, 3, 120


def describe(dataset: Dataset, validate: Validate | None = None) -> dict[str, Any]:
    """Sizes, classes, facts and examples, ready for JSON.

    Args:
        dataset: what is described.
        validate: a recipe's `[validate]` table; with it, the sizes of its splits are given too.

    Raises:
        DataError: the data cannot be split as `validate` asks.
    """
    parts = {} if validate is None else split(dataset, validate)
    dataset.learn(parts["train"] if parts else torch.arange(len(dataset)))
    return {
        "task": dataset.task,
        "samples": len(dataset),
        "stored": list(dataset.x.shape[1:]),
        "seen": list(dataset.shape),
        "dtype": str(dataset.x.dtype).removeprefix("torch."),
        "outputs": dataset.outputs,
        "groups": None if dataset.groups is None else len(set(dataset.groups.tolist())),
        "splits": {name: len(part) for name, part in parts.items()},
        "classes": [
            {
                "name": name,
                "samples": members,
                **{part: _members(dataset.y[indices], k) for part, indices in parts.items()},
            }
            for k, name in enumerate(dataset.classes)
            if dataset.task != "regression"
            for members in [_members(dataset.y, k)]
        ],
        "facts": dict(dataset.facts),
        "examples": _examples(dataset),
    }


def _members(y: Tensor, label: int) -> int:
    """How many of the targets are of a class, or have a label."""
    return int((y == label).sum() if y.ndim == 1 else (y[:, label] > 0).sum())


def _examples(dataset: Dataset) -> list[dict[str, Any]]:
    """The first samples of the first classes, each as at most 120 values of its first channel."""
    y, found = dataset.y, []
    for k, name in enumerate(dataset.classes[:CLASSES]):
        if dataset.task == "regression":
            own = list(range(EXAMPLES)) if k == 0 else []
        else:
            own = (y == k if y.ndim == 1 else y[:, k] > 0).nonzero()[:EXAMPLES, 0].tolist()
        found += [{"class": name, "sample": i, "values": _thin(dataset.x[i])} for i in own]
    return found


def _thin(sample: Tensor) -> list[float]:
    """The first channel of a sample, with its peaks kept: of two axes the longer one is time; of four
    the first is, and the others are averaged."""
    if sample.ndim > 3:
        values = sample.flatten(1).mean(1)
    elif sample.ndim == 2:
        values = sample.select(int(sample.shape[0] > sample.shape[1]), 0)
    else:
        values = (sample[0] if sample.ndim > 2 else sample).flatten()
    row = values.numpy()
    if len(row) > POINTS:
        row = np.array([f(b) for b in np.array_split(row, POINTS // 2) for f in (np.min, np.max)])
    return [float(f"{value:.4g}") for value in row]
