"""What `labtui data show` draws: a data set in numbers and a few of its samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from labtui.data import Dataset
from labtui.data.split import split
from labtui.recipe.core import Validate

CLASSES, EXAMPLES, POINTS = 5, 3, 120
"""Classes of which samples are shown, samples of each, and values of each that is a signal."""
COLOURS, SMALLEST, SMALL = (1, 3), 4, 16
"""Channels of images; pixels of the smallest ones, and of those that are shown as they are."""
FRAMES, COLUMNS = 4, 17
"""Images of a video that are shown, and columns of each."""


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
        "lengths": None if dataset.lengths is None else _spread(dataset.lengths),
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


def _spread(lengths: Tensor) -> list[int]:
    """Shortest, median and longest."""
    return [int(value) for value in (lengths.min(), lengths.median(), lengths.max())]


def _members(y: Tensor, label: int) -> int:
    """How many of the targets are of a class, or have a label."""
    return int((y == label).sum() if y.ndim == 1 else (y[:, label] > 0).sum())


def _examples(dataset: Dataset) -> list[dict[str, Any]]:
    """The first samples of the first classes: as `pictures` where the model sees images or videos, else as
    `values`, at most 120 of them."""
    y, found = dataset.y, []
    for k, name in enumerate(dataset.classes[:CLASSES]):
        if dataset.task == "regression":
            own = list(range(EXAMPLES)) if k == 0 else []
        else:
            own = (y == k if y.ndim == 1 else y[:, k] > 0).nonzero()[:EXAMPLES, 0].tolist()
        for place in own:
            pictures = _pictures(dataset.see(dataset.x.index_select(0, torch.tensor([place])))[0])
            drawn = {"pictures": pictures} if pictures else {"values": _thin(dataset.x[place])}
            found.append({"class": name, "sample": place, **drawn})
            if len(pictures) > 1:
                break  # one video takes as much room as many images
    return found


def _pictures(seen: Tensor) -> list[list[list[float]]]:
    """A sample that is an image (colours, height, width) or a video (colours, frames, height, width), as
    pictures in lines of a terminal's cells, from 0 (darkest) to 1; none for other samples."""
    if seen.ndim not in (3, 4) or seen.shape[0] not in COLOURS or min(seen.shape[-2:]) < SMALLEST:
        return []
    grey = seen.mean(0).reshape(-1, 1, *seen.shape[-2:]).to(torch.float32)
    if len(grey) > FRAMES:
        grey = grey[torch.linspace(0, len(grey) - 1, FRAMES).round().long()]
    height, width = grey.shape[-2:]
    # A cell is twice as high as wide: small pixels become one cell of two, or two beside one another.
    columns = min(2 * width, COLUMNS if len(grey) > 1 else 2 * SMALL)
    rows = min(height, SMALL, max(SMALLEST, round(columns * height / width / 2)))
    cells = adaptive_avg_pool2d(grey, (rows, columns))[:, 0]
    scaled = (cells - cells.min()) / (cells.max() - cells.min()).clamp(min=1e-12)
    return [[[round(cell, 2) for cell in line] for line in picture] for picture in scaled.tolist()]


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
