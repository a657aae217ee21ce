"""What went on inside a model while it was trained, layer by layer, as `weights.npz` keeps it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labtui.cells import clean, fit, pad, width
from labtui.chart import spark
from labtui.report.figure import saved
from labtui.report.fonts import Fonts
from labtui.table import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
WIDE = 48
"""Characters of a layer's line."""


@dataclass(frozen=True, eq=False)
class Inside:
    """Norms of s looks at l layers; NaN where there is none."""

    steps: Floats
    """(s,) optimiser steps done."""
    layers: Sequence[str]
    weight: Floats
    """(s, l) norm of the weights."""
    grad: Floats
    """(s, l) norm of the gradient, before clipping."""
    update: Floats
    """(s, l) norm of the step's change by that of the weights before."""

    @property
    def relative(self) -> Floats:
        """(l,) norm of the gradient by that of the weights, the median over all looks."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return middle(self.grad / self.weight)

    @property
    def telling(self) -> Sequence[int]:
        """Places of the layers whose `relative` says how they learn: matrices, kernels and scales. The gradient of a
        bias before a normalisation is nothing, and that is no fault."""
        known = np.flatnonzero(np.isfinite(self.relative)).tolist()
        return [at for at in known if "weight" in self.layers[at].rpartition(".")[2]] or known


def inside(arrays: Mapping[str, Any]) -> Inside | None:
    """The arrays of the artifact; None where they are not of the form that labtui writes."""
    try:
        layers = [clean(str(name)) for name in arrays["layers"].tolist()]
        steps, *flat = (
            arrays[name].astype(np.float64, casting="same_kind")
            for name in ("steps", "weight_norm", "grad_norm", "update_ratio")
        )
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
    if steps.ndim != 1 or not len(steps) or not layers:
        return None
    if any(one.shape != (len(steps), len(layers)) for one in flat):
        return None
    for one in flat:
        one[~np.isfinite(one)] = np.nan
    return Inside(steps, layers, *flat)


def middle(rows: Floats) -> Floats:
    """(l,) median of each column's finite values; NaN where there are none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found: Floats = np.nanmedian(np.where(np.isfinite(rows), rows, np.nan), axis=0)
    return found


def ends(rows: Floats) -> tuple[list[float | None], list[float | None]]:
    """(l,) the first and the last finite value of each column of (s, l)."""
    found: tuple[list[float | None], list[float | None]] = ([], [])
    for column in rows.T:
        known = column[np.isfinite(column)].tolist()
        for side, place in zip(found, (0, -1), strict=True):
            side.append(known[place] if known else None)
    return found


def text(of: Inside) -> str:
    """A line a layer: its gradient over the training, on the same logarithmic scale for all."""
    left = min(max(width(name) for name in of.layers), 40)
    logs = _log(of.grad)
    known = logs[np.isfinite(logs)]
    if not len(known):
        return ""
    low, high = float(known.min()), float(known.max())
    head = f"gradient norm, {number(10**low, 2)} to {number(10**high, 2)}, from step {of.steps[0]:g} to {of.steps[-1]:g}"
    lines = [head]
    for place, name in enumerate(of.layers):
        column = logs[:, place]
        # The ends make the scale that of all layers, and are cut off again.
        drawn = "".join(
            spark([low, value, high], 3)[1] if math.isfinite(value) else " "
            for value in column.tolist()[:WIDE]
        )
        lines.append(f"{pad(fit(name, left), left)}  {drawn}".rstrip())
    return "\n".join(lines)


def picture(of: Inside, format: str = "png") -> bytes:
    """Three maps of layers (down) by looks (across): gradients, update ratios and weights; PNG or SVG."""
    fonts = Fonts(dict.fromkeys(of.layers), "layer")

    def draw(figure: Figure) -> None:
        maps = (("gradient norm", of.grad), ("update ratio", of.update), ("weight norm", of.weight))
        for number_, (title, values) in enumerate(maps):
            axes = figure.add_subplot(1, len(maps), number_ + 1)
            shown = axes.imshow(
                np.ma.masked_invalid(_log(values).T), aspect="auto", interpolation="nearest", cmap="viridis"
            )
            axes.set_title(f"{title} (powers of ten)", loc="left", fontsize=10)
            names = [fonts.show(name) for name in of.layers] if not number_ else []
            axes.set_yticks(range(len(of.layers)) if not number_ else [], names, fontsize=7)
            for label in axes.get_yticklabels():
                label.set_parse_math(False)  # names are no formulas: a dollar is a dollar
            places = np.unique(np.linspace(0, len(of.steps) - 1, min(4, len(of.steps))).round().astype(int))
            axes.set_xticks(places, [f"{of.steps[at]:g}" for at in places], fontsize=7)
            axes.set_xlabel("step", fontsize=8)
            axes.spines[:].set_visible(False)
            figure.colorbar(shown, ax=axes, shrink=0.9).ax.tick_params(labelsize=7)

    return saved(draw, fonts.families, (11.0, min(1.5 + 0.22 * len(of.layers), 30.0)), format)


def _log(values: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.log10(values)
    found[~np.isfinite(found)] = np.nan
    return found
