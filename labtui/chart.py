"""Line charts as text: arrays in, rows of exactly so many cells out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labtui.axis import Range, Ticks, nice_limits, number_ticks, short
from labtui.canvas import BRAILLE, MARKERS, Layer, canvas
from labtui.cells import ELLIPSIS, clean
from labtui.frame import Frame, drawable, log10
from labtui.legend import Entry, legend_rows
from labtui.points import Floats, decimate, ordered
from labtui.rows import COLORS, FAINT, PALETTE, PLAIN, Color, Row, painted

__all__ = [
    "PALETTE", "Color", "Limits", "Line", "Plot", "Row",
    "decimate", "draw", "limits_of", "nice_limits", "plot", "rows", "spark",
]  # fmt: skip

Limits = tuple[Range, Range]
"""((x from, x to), (y from, y to)) in the data's own units."""


@dataclass(frozen=True, eq=False)
class Line:
    """One line: x and y of equal length; NaN and infinite points are marked, not drawn.

    Args:
        color: a style; absent: one of COLORS by position.
        raw: y before it was smoothed, drawn fainter behind it; absent: nothing is.
        mark: the character that draws it where colours do not tell lines apart; absent: by position.
    """

    name: str
    x: ArrayLike
    y: ArrayLike
    color: str = ""
    raw: ArrayLike | None = None
    mark: str = ""


class Plot(NamedTuple):
    """A chart as it was drawn."""

    rows: list[Row]
    left: int
    """Cells before the first column of points."""
    columns: int
    """Columns of points."""


def limits_of(lines: Sequence[Line], ylog: bool = False, previous: Limits | None = None) -> Limits:
    """Round limits around all points (the previous ones where they still serve)."""
    xs, ys = [], []
    for line in lines:
        x = np.asarray(line.x, np.float64)
        xs.append(_kept(x, np.isfinite(x)))  # also where y is not finite: the mark has to show
        for values in (line.y, line.raw):
            if values is not None:
                y = np.asarray(values, np.float64)
                ys.append(_kept(y, drawable(x, y, ylog)))
    x_range, y_range = _extent(xs, (0.0, 1.0)), _extent(ys, (1.0, 10.0) if ylog else (0.0, 1.0))
    before_x, before_y = previous or (None, None)
    if not ylog:
        return nice_limits(*x_range, before_x), nice_limits(*y_range, before_y)
    exponents = nice_limits(*log10(y_range), log10(before_y) if before_y else None)
    low, high = max(-307.0, min(exponents[0], 306.0)), max(-306.0, min(exponents[1], 307.0))
    return nice_limits(*x_range, before_x), (10.0**low, 10.0**high)


def _kept(values: Floats, good: NDArray[np.bool_]) -> Floats:
    """Some of the values, without a copy where it is all of them."""
    return values if good.all() else values[good]


def _extent(parts: list[Floats], default: Range) -> Range:
    """Lowest and highest value of all parts."""
    parts = [part for part in parts if part.size]
    if not parts:
        return default
    return float(min(part.min() for part in parts)), float(max(part.max() for part in parts))


def plot(
    lines: Sequence[Line], width: int, height: int, *, title: str = "", xlabel: str = "",
    ylog: bool = False, colored: bool = True, ascii: bool = False, limits: Limits | None = None,
    ticks: Ticks = number_ticks, cursor: float | None = None, values: bool = False, legend: int = 1,
    focus: bool = False,
) -> Plot:  # fmt: skip
    """A line chart as rows of (text, style), each exactly `width` cells; `height` rows.

    Args:
        lines: at most 255; those without a colour take one of COLORS by position.
        xlabel: named at the right end of the x axis.
        ylog: logarithmic y; values of 0 and below are marked like NaN.
        colored: False tells several lines apart by their marker.
        ascii: no character beyond ASCII is used for drawing.
        limits: part of the plane that is shown; absent: `limits_of(lines)`.
        ticks: of the x axis.
        cursor: x of a vertical line.
        values: the legend reads the lines at the cursor, or without one at their ends.
        legend: rows that the legend may take.
        focus: the title is marked.

    A point that is not finite is marked by an x on the x axis, at its place.
    """
    if width < 1 or height < 1:
        return Plot([], 0, 0)
    lines = [
        replace(line, name=clean(line.name), color=line.color or COLORS[i % len(COLORS)])
        for i, line in enumerate(lines)
    ]
    letters = ascii or (not colored and len(lines) > 1)
    marks = [(line.mark or MARKERS[i % len(MARKERS)]) if letters else BRAILLE for i, line in enumerate(lines)]
    out: list[Row] = []
    if height >= 4 and (title or any(line.name for line in lines)):
        keys = marks if letters else ["━"] * len(lines)
        entries = [
            Entry(line.name, key, line.color, _read(line, cursor) if values else "")
            for line, key in zip(lines, keys, strict=True)
            if line.name or values
        ]
        style = "title" if focus else "bold"
        ellipsis = "~" if ascii else ELLIPSIS
        out = legend_rows(clean(title), style, entries, width, min(legend, height - 3), ellipsis)
    frame = Frame.of(limits or limits_of(lines, ylog), width, height - len(out), ylog)
    layers, lost = _layers(lines, marks, frame)
    if cursor is not None and (at := frame.at(cursor)) is not None:
        layers.append(Layer([at, at], [0, 1], "|" if ascii else "│", "dim", behind=True))
    out += frame.left(canvas(layers, frame.columns, frame.lines), ascii)
    out += frame.below(ticks, lost, clean(xlabel), ascii)[: height - len(out)]
    shown = [[(t, s if colored or s in PLAIN else "") for t, s in row if t] for row in out]
    return Plot(shown, frame.gutter, frame.columns)


def _layers(
    lines: Sequence[Line], marks: Sequence[str], frame: Frame
) -> tuple[list[Layer], list[tuple[str, list[int]]]]:
    """What is drawn, and the colour and columns of points that cannot be."""
    layers, lost = [], []
    for line, mark in zip(lines, marks, strict=True):
        x, y, missing = frame.points(line.x, line.y, 2 if mark == BRAILLE else 1)
        layers.append(Layer(x, y, mark, line.color))
        lost.append((line.color, missing))
    for line in lines:
        if line.raw is not None:
            dots = BRAILLE if BRAILLE in marks or not marks else "."
            x, y, _ = frame.points(line.x, line.raw, 2 if dots == BRAILLE else 1)
            layers.append(Layer(x, y, dots, line.color + FAINT, behind=True))
    return layers, lost


def _read(line: Line, cursor: float | None) -> str:
    """The value of a line at x or, where it has no point there, of the last one before."""
    values = [line.y] if line.raw is None else [line.y, line.raw]
    x, *found = ordered(line.x, *values)
    at = x.size - 1 if cursor is None else int(np.searchsorted(x, cursor, "right")) - 1
    if at < 0:
        return "-"
    texts = [short(float(one[at])) for one in found]
    return texts[0] if len(texts) == 1 else f"{texts[0]} ({texts[1]})"


def rows(lines: Sequence[Line], width: int, height: int, **look: Any) -> list[Row]:
    """The rows of a `plot`."""
    return plot(lines, width, height, **look).rows


def draw(lines: Sequence[Line], width: int, height: int, *, color: Color = "none", **look: Any) -> list[str]:
    """A `plot` as text for a terminal, with the escape codes of so many colours."""
    return painted(rows(lines, width, height, colored=color != "none", **look), color)


def spark(values: ArrayLike, width: int, ascii: bool = False) -> str:
    """A row of small bars, exactly `width` cells: means of equal parts, x where none is finite."""
    found = np.asarray(values, np.float64).ravel() / 4  # sums and spans must not overflow
    if width < 1 or not found.size:
        return " " * max(width, 0)
    bars = "_.-=^#" if ascii else "▁▂▃▄▅▆▇█"
    means = []
    for part in np.array_split(found, min(width, found.size)):
        good = part[np.isfinite(part)]
        means.append(float(np.sum(good / good.size)) if good.size else math.nan)
    low, high = np.nanmin([*means, np.inf]), np.nanmax([*means, -np.inf])
    text = ""
    for mean in means:
        height = (mean - low) / (high - low) if high > low else 0.0
        text += "x" if math.isnan(mean) else bars[int(height * (len(bars) - 1) + 0.5)]
    return text.ljust(width)
