"""Line charts as text: arrays in, rows of exactly so many cells out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labtui import axis
from labtui.axis import Range, nice_limits
from labtui.canvas import BRAILLE, MARKERS, Layer, canvas
from labtui.cells import ELLIPSIS, clean, fit, pad
from labtui.cells import width as width_of
from labtui.points import Floats, decimate, part_of, window
from labtui.rows import PALETTE, PLAIN, Color, Row, merged, painted

__all__ = [
    "PALETTE", "Color", "Limits", "Line", "Row", "decimate", "draw", "limits_of", "nice_limits", "rows", "spark",
]  # fmt: skip

Limits = tuple[Range, Range]
"""((x from, x to), (y from, y to)) in the data's own units."""
Points = tuple[list[float], list[float], list[int]]
"""x and y as parts of the canvas; columns with a point that is not finite."""


@dataclass(frozen=True, eq=False)
class Line:
    """One line: x and y of equal length; NaN and infinite points are marked, not drawn."""

    name: str
    x: ArrayLike
    y: ArrayLike
    color: str = ""


def limits_of(lines: Sequence[Line], ylog: bool = False, previous: Limits | None = None) -> Limits:
    """Round limits around all points (the previous ones where they still serve)."""
    xs, ys = [], []
    for line in lines:
        x, y = np.asarray(line.x, np.float64), np.asarray(line.y, np.float64)
        xs.append(x[np.isfinite(x)])  # also where y is not finite: the mark has to show
        ys.append(y[_drawable(x, y, ylog)])
    x_range, y_range = _extent(xs, (0.0, 1.0)), _extent(ys, (1.0, 10.0) if ylog else (0.0, 1.0))
    before_x, before_y = previous or (None, None)
    if not ylog:
        return nice_limits(*x_range, before_x), nice_limits(*y_range, before_y)
    exponents = nice_limits(*_log10(y_range), _log10(before_y) if before_y else None)
    low, high = max(-307.0, min(exponents[0], 306.0)), max(-306.0, min(exponents[1], 307.0))
    return nice_limits(*x_range, before_x), (10.0**low, 10.0**high)


def _extent(parts: list[Floats], default: Range) -> Range:
    """Lowest and highest value of all parts."""
    parts = [part for part in parts if part.size]
    if not parts:
        return default
    return float(min(part.min() for part in parts)), float(max(part.max() for part in parts))


def _log10(values: Range) -> Range:
    return math.log10(values[0]), math.log10(values[1])


def _drawable(x: Floats, y: Floats, ylog: bool) -> NDArray[np.bool_]:
    finite = np.isfinite(x) & np.isfinite(y)
    return finite & (y > 0) if ylog else finite


def rows(
    lines: Sequence[Line], width: int, height: int, *, title: str = "", xlabel: str = "",
    ylog: bool = False, colored: bool = True, ascii: bool = False, limits: Limits | None = None,
) -> list[Row]:  # fmt: skip
    """A line chart as rows of (text, style), each exactly `width` cells; `height` rows.

    Args:
        lines: at most 255; those without a colour take one of PALETTE by position.
        xlabel: named at the right end of the x axis.
        ylog: logarithmic y; values of 0 and below are marked like NaN.
        colored: False tells several lines apart by their marker.
        ascii: no character beyond ASCII is used for drawing.
        limits: part of the plane that is shown; absent: `limits_of(lines)`.

    A point that is not finite is marked by an x on the x axis, at its place.
    """
    if width < 1 or height < 1:
        return []
    lines = [
        Line(clean(line.name), line.x, line.y, line.color or PALETTE[i % len(PALETTE)])
        for i, line in enumerate(lines)
    ]
    header = height >= 4 and bool(title or any(line.name for line in lines))
    frame = _Frame.of(limits or limits_of(lines, ylog), width, height - header, ylog)
    letters = ascii or (not colored and len(lines) > 1)
    marks = [MARKERS[i % len(MARKERS)] if letters else BRAILLE for i in range(len(lines))]
    points = [frame.points(line, 1 if letters else 2) for line in lines]
    layers = [Layer(x, y, m, line.color) for (x, y, _), m, line in zip(points, marks, lines, strict=True)]
    out = frame.left(canvas(layers, frame.columns, frame.lines), ascii)
    if header:
        keys = marks if letters else ["━"] * len(lines)
        out.insert(0, _header(clean(title), lines, keys, width, "~" if ascii else ELLIPSIS))
    out += frame.below(lines, [p[2] for p in points], clean(xlabel), ascii)[: height - len(out)]
    return [[(t, s if colored or s in PLAIN else "") for t, s in row if t] for row in out]


@dataclass(frozen=True)
class _Frame:
    """Which part of the plane is shown, and the cells that are left for it."""

    x: Range
    y: Range
    ylog: bool
    columns: int
    lines: int
    gutter: int
    ticks: dict[int, str]

    @classmethod
    def of(cls, limits: Limits, width: int, height: int, ylog: bool) -> _Frame:
        """The frame of a chart; where rows are short, first the numbers below go, then the axis."""
        x, y = limits
        lines = height - (height >= 3) - (height >= 2)
        most = max(2, min(6, lines // 2)) if lines > 1 else 1
        if ylog:
            y = _log10(y)
            values = axis.log_ticks(*y, most)
            texts = [axis.short_exponent(f"{10.0**v:.1g}") for v in values]
        else:
            values = axis.ticks(*y, most)
            texts = axis.labels(values)
        gutter = max(map(len, texts), default=0) + 1
        if gutter > width // 2:
            gutter, texts = 0, []
        row = [lines - 1 - _dot(v, y, 4 * lines) // 4 for v in values]
        ticks = dict(zip(row, texts, strict=False))
        return cls(x, y, ylog, width - gutter, lines, gutter, ticks)

    def points(self, line: Line, dots: int) -> Points:
        """The line as parts of the canvas, and the columns of points that cannot be drawn."""
        x, y = np.asarray(line.x, np.float64), np.asarray(line.y, np.float64)
        good = _drawable(x, y, self.ylog)
        lost = part_of(x[~good & np.isfinite(x)], self.x)
        lost = np.unique(lost[(lost >= 0) & (lost <= 1)] * (self.columns - 1) + 0.5)
        x, y = x[good], y[good]
        if self.ylog:
            y = np.log10(y)
        if x.size and (x.min() < self.x[0] or x.max() > self.x[1]):
            x, y = window(x, y, self.x)
        px, py = decimate(part_of(x, self.x), part_of(y, self.y), dots * self.columns, (0, 1))
        return px.tolist(), np.clip(py, -0.01, 1.01).tolist(), lost.astype(int).tolist()

    def left(self, canvas: list[Row], ascii: bool) -> list[Row]:
        """The canvas with the y axis at its left."""
        if not self.gutter:
            return canvas
        tick, bar = ("+", "|") if ascii else ("┤", "│")
        marks = [self.ticks.get(r, "") for r in range(self.lines)]
        edges = [f"{m:>{self.gutter - 1}}{tick if m else bar}" for m in marks]
        return [[(edge, "dim"), *row] for edge, row in zip(edges, canvas, strict=True)]

    def below(self, lines: list[Line], lost: list[list[int]], xlabel: str, ascii: bool) -> list[Row]:
        """The x axis, with an x where a point was not finite, and the row of numbers below it."""
        flat, tick, corner = ("-", "+", "+") if ascii else ("─", "┬", "└")
        bar: Row = [(flat, "dim") for _ in range(self.columns)]
        end = self.gutter + self.columns
        label = "  " + xlabel if xlabel and width_of(xlabel) < self.columns // 3 else ""
        numbers = ""
        values = axis.ticks(*self.x, max(2, self.columns // 10))
        for value, text in zip(values, axis.labels(values), strict=True):
            at = _dot(value, self.x, self.columns)
            start = max(0, min(self.gutter + at - len(text) // 2, end - len(text)))
            if start >= len(numbers) + bool(numbers) and start + len(text) <= end - width_of(label):
                numbers = numbers.ljust(start) + text
                bar[at] = (tick, "dim")
        for line, columns in zip(lines, lost, strict=True):
            for column in columns:
                bar[column] = ("x", line.color)
        left: Row = [(" " * (self.gutter - 1) + corner, "dim")] if self.gutter else []
        return [merged(left + bar), [(pad(numbers, end - width_of(label)) + label, "dim")]]


def _dot(value: float, limits: Range, dots: int) -> int:
    """Where plotext puts a value on an axis of so many dots."""
    part = float(part_of(np.array([value]), limits)[0])
    return int(0.5 + (dots - 1) * min(max(part, 0.0), 1.0))


def _header(title: str, lines: list[Line], keys: list[str], total: int, ellipsis: str) -> Row:
    """Title and legend in one row, cut at its end."""
    pieces: Row = [(title, "bold")] if title else []
    for line, key in zip(lines, keys, strict=True):
        if line.name:
            pieces += [(("  " if pieces else "") + key + " ", line.color), (line.name, "")]
    row: Row = []
    left = total
    for text, style in pieces:
        cut = fit(text, left, ellipsis)
        row.append((cut, style))
        left -= width_of(cut)
        if cut != text or left <= 0:
            break
    return [*row, (" " * left, "")]


def draw(
    lines: Sequence[Line], width: int, height: int, *, title: str = "", xlabel: str = "",
    ylog: bool = False, color: Color = "none", ascii: bool = False, limits: Limits | None = None,
) -> list[str]:  # fmt: skip
    """`rows` as text for a terminal, with the escape codes of so many colours."""
    found = rows(
        lines, width, height, title=title, xlabel=xlabel, ylog=ylog,
        colored=color != "none", ascii=ascii, limits=limits,
    )  # fmt: skip
    return painted(found, color)


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
