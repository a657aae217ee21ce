"""Weights and gradients over a training, drawn with cells. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtui.cells import clean, pad
from labtui.plots.parts import RAMP, Look
from labtui.rows import Row, merged
from labtui.table import number

Array = NDArray[Any]
VIEWS = {"grad_norm": "gradient norm", "update_ratio": "update ratio", "weight_norm": "weight norm"}
"""What a layer's line shows over time; the first two on one logarithmic scale for all layers."""
BARS = "▁▂▃▄▅▆▇█"
_SIDE = 9
"""Cells of a step."""


@dataclass(frozen=True)
class Inside:
    """`weights.npz` of a run, checked."""

    steps: Array
    layers: tuple[str, ...]
    arrays: Mapping[str, Array]

    def last(self, name: str, layer: int) -> str:
        """The newest figure of a layer."""
        known = self.arrays[name][:, layer]
        known = known[np.isfinite(known)]
        return f"{float(known[-1]):.3g}" if len(known) else "–"


def checked(arrays: Mapping[str, Any]) -> Inside | None:
    """The arrays, if they are what labtui writes; other programs may keep others of the name."""
    try:
        steps, layers = (
            arrays["steps"].astype(np.int64),
            tuple(clean(str(name)) for name in arrays["layers"].tolist()),
        )
        shape = (len(steps), len(layers))
        wide = {
            f"{of}_{what}": arrays[f"{of}_{what}"].astype(np.float64)
            for of in ("weight", "grad")
            for what in ("range", "counts")
        }
        flat = {name: arrays[name].astype(np.float64) for name in VIEWS}
        if any(one.shape != shape for one in flat.values()) or not all(shape):
            return None
        if any(one.ndim != 3 or one.shape[:2] != shape or one.shape[2] < 2 for one in wide.values()):
            return None
        return Inside(steps, layers, flat | wide)
    except (KeyError, ValueError, TypeError, AttributeError):
        return None


def strip(of: Inside, view: str, layer: int, width: int, look: Look) -> Row:
    """One of VIEWS of a layer over time, in so many cells."""
    values = of.arrays[view]
    # Each cell shows one look; where there are more looks than cells, some are left out.
    at = np.minimum(np.arange(width) * len(values) // max(width, 1), len(values) - 1)
    if view == "weight_norm":
        mine = values[:, layer]
        known = mine[np.isfinite(mine)]
        low, high = (known.min(), known.max()) if len(known) else (0.0, 0.0)
        part = (mine - low) / (high - low) if high > low else np.full(len(mine), 0.5)
        place = np.nan_to_num(part * len(BARS)).clip(0, len(BARS) - 1).astype(int)
        cells = [BARS[place[i]] if np.isfinite(mine[i]) else " " for i in at.tolist()]
        return [("".join(cells), "accent")]
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(values)
    known = logs[np.isfinite(logs)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    pieces: Row = []
    for value in logs[at, layer].tolist():
        if np.isfinite(value):
            pieces.append(look.shade((value - low) / (high - low) if high > low else 1.0))
        else:
            pieces.append(("·" if value == -np.inf else " ", "dim"))
    return merged(pieces)


def legend(of: Inside, view: str, look: Look) -> Row:
    """What the lines of the layers show."""
    values = of.arrays[view]
    span = f"step {of.steps[0]} to {of.steps[-1]}"
    if view == "weight_norm":
        return [(f" {VIEWS[view]}, each layer by itself, {span}", "dim")]
    known = values[np.isfinite(values) & (values > 0)]
    if not len(known):
        return [(f" {VIEWS[view]}: none yet, {span}", "dim")]
    row: Row = [(f" {VIEWS[view]}, {span}: {number(float(known.min()))} ", "dim")]
    row += [look.shade((n + 0.5) / len(RAMP)) for n in range(len(RAMP))]
    return [*row, (f" {number(float(known.max()))} (log)", "dim")]


def histogram(of: Inside, which: str, layer: int, width: int, height: int, look: Look) -> list[Row]:
    """A layer's values over the training: time downwards, values across, as brighter cells where more are.

    Args:
        which: "weight" or "grad".
    """
    ranges, counts = of.arrays[f"{which}_range"][:, layer], of.arrays[f"{which}_counts"][:, layer]
    known = np.flatnonzero(np.isfinite(ranges).all(axis=1) & (counts.sum(axis=1) > 0))
    word = "weights" if which == "weight" else "gradient"
    title: Row = [(f" {word} of {of.layers[layer]}", "bold")]
    across = width - _SIDE - 1
    if not len(known) or across < 8 or height < 4:
        return [title, [("   none yet", "dim")]]
    title.append((f"  {len(known)} looks downwards, values across", "dim"))
    low, high = _ends(ranges[known])
    lines = height - 2
    shown = known[np.linspace(0, len(known) - 1, min(len(known), lines)).round().astype(int)]
    rows = [title]
    for at in shown.tolist():
        share = _rebinned(ranges[at], counts[at], np.linspace(low, high, across + 1))
        part = np.sqrt(share / share.max()) if share.max() > 0 else share
        cells = [look.shade(p) if p > 0.02 else (" ", "") for p in part.tolist()]
        rows.append(merged([(f"{int(of.steps[at]):>{_SIDE - 1}} ", "dim"), *cells]))
    return [*rows, _axis(low, high, across)]


def _ends(ranges: Array) -> tuple[float, float]:
    """What is drawn across: all but the farthest tenth of the looks' ends."""
    low, high = float(np.quantile(ranges[:, 0], 0.1)), float(np.quantile(ranges[:, 1], 0.9))
    pad_by = (high - low) * 0.02 or max(abs(high), 1.0) * 0.01
    return low - pad_by, high + pad_by


def _rebinned(ends: Array, counts: Array, edges: Array) -> Array:
    """How much of a histogram lies between each two edges."""
    low, high = float(ends[0]), float(ends[1])
    if not high > low:  # all values are one
        low, high = low - 1e-12 - abs(low) * 1e-6, high + 1e-12 + abs(high) * 1e-6
    total = np.concatenate([[0.0], counts.cumsum()])
    found: Array = np.diff(np.interp(edges, np.linspace(low, high, len(total)), total))
    return found


def _axis(low: float, high: float, width: int) -> Row:
    left, right = number(low), number(high)
    zero = round(-low / (high - low) * (width - 1)) if low < 0 < high else -1
    room = width - len(left) - len(right)
    middle = " " * max(room, 0)
    at = zero - len(left)
    if 1 <= at < room - 1:
        middle = middle[:at] + "0" + middle[at + 1 :]
    return [(pad("", _SIDE), ""), (left + middle + right, "dim")]
