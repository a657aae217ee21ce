"""Embedded samples as a scatter plot. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtui.canvas import BRAILLE, Layer, canvas
from labtui.cells import clean
from labtui.rows import COLORS, Row

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""What classes are drawn as where there is no colour."""
WRONG = "×"
REST = "#606060"
"""Colour of samples of other classes than the one that is singled out."""
SEEN = 400
"""Points up to which each is drawn as a character; more are dots, eight a cell."""


@dataclass(frozen=True)
class View:
    """One picture of samples.

    Args:
        title: what it is.
        xy: (n, 2) places.
        y: (n,) classes.
        prediction: (n,) what the model takes them for, or None.
    """

    title: str
    xy: NDArray[np.float64]
    y: NDArray[np.int64]
    prediction: NDArray[np.int64] | None

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """(n,) those that the model takes for another class."""
        return np.zeros(len(self.y), bool) if self.prediction is None else self.prediction != self.y

    def counts(self) -> list[tuple[int, int, int]]:
        """Classes with their samples and how many of those are wrong."""
        wrong = self.wrong
        classes, sizes = np.unique(self.y, return_counts=True)
        return [
            (int(one), int(size), int(wrong[self.y == one].sum()))
            for one, size in zip(classes, sizes, strict=True)
        ]


def views(found: Mapping[str, Mapping[str, Any]]) -> list[View]:
    """All pictures that a run keeps, the best first; what has another form is left out."""
    kept = [
        ("embedding", "tsne", "t-SNE of what the last layer sees"),
        ("embedding", "pca", "principal components of what the last layer sees"),
        ("embeddings", "tsne", "t-SNE of the outputs"),
        ("embeddings", "pca", "principal components of the outputs"),
        ("embeddings_untrained", "tsne", "t-SNE of the outputs before the training"),
        ("embeddings_untrained", "seen_tsne", "t-SNE of the inputs"),
    ]
    made = (_view(found.get(name, {}), key, title) for name, key, title in kept)
    return [view for view in made if view is not None]


def _view(arrays: Mapping[str, Any], key: str, title: str) -> View | None:
    try:
        xy = np.asarray(arrays[key], np.float64)
        with np.errstate(invalid="ignore"):
            y = np.asarray(arrays["y"]).astype(np.int64)
            prediction = np.asarray(arrays["prediction"]).astype(np.int64) if "prediction" in arrays else None
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    fits = xy.ndim == 2 and xy.shape[1] == 2 and y.shape == (len(xy),) and len(xy)
    if not fits or (prediction is not None and prediction.shape != y.shape) or not np.isfinite(xy).all():
        return None
    return View(title, xy, y, prediction)


def color_of(one: int) -> str:
    """The colour of a class."""
    return COLORS[one % len(COLORS)]


def letter_of(one: int) -> str:
    """The letter of a class."""
    return LETTERS[one % len(LETTERS)]


def name_of(one: int, names: Sequence[str]) -> str:
    """What a class is called."""
    return clean(names[one]) if 0 <= one < len(names) else f"class {one}"


def scatter(view: View, width: int, height: int, single: int | None, colored: bool) -> list[Row]:
    """The samples in so many cells; those that the model takes for another class stand out.

    Args:
        single: the class that is singled out, if one is.
        colored: whether there are colours; letters tell classes apart where there are none.
    """
    if width < 4 or height < 2:
        return []
    low, high = view.xy.min(axis=0), view.xy.max(axis=0)
    places = 0.02 + 0.96 * (view.xy - low) / np.where(high > low, high - low, 1.0)
    wrong = view.wrong
    layers: list[Layer] = []

    def add(chosen: NDArray[np.bool_], mark: str, color: str) -> None:
        if chosen.any():
            x, y = places[chosen].T.tolist()
            layers.append(Layer(x, y, mark, color, joined=False))

    for one, _, _ in view.counts():
        if colored and single in (None, one):
            add((view.y == one) & wrong, WRONG, color_of(one))
    for one, _, _ in view.counts():
        mine, shown = (view.y == one) & ~(wrong & colored), single in (None, one)
        dots = BRAILLE if len(view.y) > SEEN else "•"
        if shown:
            add(mine, dots if colored else letter_of(one), color_of(one) if colored else "")
    if single is not None:
        add(view.y != single, BRAILLE if colored else "·", REST if colored else "dim")
    return canvas(layers, width, height)
