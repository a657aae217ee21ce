"""The frame of a chart: which part of the plane is shown, its axes, and the cells that are left for points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labtui import axis
from labtui.axis import Range, Ticks
from labtui.cells import pad
from labtui.cells import width as width_of
from labtui.points import Floats, decimate, part_of, window
from labtui.rows import Row, merged


def log10(values: Range) -> Range:
    """Both ends of a range as exponents."""
    return math.log10(values[0]), math.log10(values[1])


def drawable(x: Floats, y: Floats, ylog: bool) -> NDArray[np.bool_]:
    """Which points have a place."""
    finite = np.isfinite(x) & np.isfinite(y)
    return finite & (y > 0) if ylog else finite


@dataclass(frozen=True)
class Frame:
    """Which part of the plane is shown, and the cells that are left for it."""

    x: Range
    y: Range
    ylog: bool
    columns: int
    lines: int
    gutter: int
    ticks: dict[int, str]

    @classmethod
    def of(cls, limits: tuple[Range, Range], width: int, height: int, ylog: bool) -> Frame:
        """The frame of a chart; where rows are short, first the numbers below go, then the axis."""
        x, y = limits
        lines = height - (height >= 3) - (height >= 2)
        most = max(2, min(6, lines // 2)) if lines > 1 else 1
        if ylog:
            y = log10(y)
            values = axis.log_ticks(*y, most)
            texts = [axis.short_exponent(f"{10.0**v:.1g}") for v in values]
        else:
            values, texts = axis.number_ticks(*y, most)
        gutter = max(map(len, texts), default=0) + 1
        if gutter > width // 2:
            gutter, texts = 0, []
        row = [lines - 1 - _dot(v, y, 4 * lines) // 4 for v in values]
        ticks = dict(zip(row, texts, strict=False))
        return cls(x, y, ylog, width - gutter, lines, gutter, ticks)

    def at(self, x: float) -> float | None:
        """The place of an x as a part of the columns; None outside."""
        part = float(part_of(np.array([x]), self.x)[0])
        return part if -1e-9 <= part <= 1 + 1e-9 else None

    def points(self, x: ArrayLike, y: ArrayLike, dots: int) -> tuple[Floats, Floats, list[int]]:
        """A line as parts of the canvas, and the columns of points that cannot be drawn.

        Args:
            dots: of a cell, from left to right.
        """
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        good = drawable(x, y, self.ylog)
        missing: list[int] = []
        if not good.all():
            lost = part_of(x[~good & np.isfinite(x)], self.x)
            lost = np.unique(lost[(lost >= 0) & (lost <= 1)] * (self.columns - 1) + 0.5)
            missing = lost.astype(int).tolist()
            x, y = x[good], y[good]
        if x.size and (x.min() < self.x[0] or x.max() > self.x[1]):
            x, y = window(x, y, self.x)
        x, y = decimate(x, y, dots * self.columns, self.x)
        px, py = part_of(x, self.x), part_of(np.log10(y) if self.ylog else y, self.y)
        return px, np.clip(py, -0.01, 1.01), missing

    def left(self, canvas: list[Row], ascii: bool) -> list[Row]:
        """The canvas with the y axis at its left."""
        if not self.gutter:
            return canvas
        tick, bar = ("+", "|") if ascii else ("┤", "│")
        marks = [self.ticks.get(r, "") for r in range(self.lines)]
        edges = [f"{m:>{self.gutter - 1}}{tick if m else bar}" for m in marks]
        return [[(edge, "dim"), *row] for edge, row in zip(edges, canvas, strict=True)]

    def below(
        self, ticks: Ticks, lost: Sequence[tuple[str, list[int]]], xlabel: str, ascii: bool
    ) -> list[Row]:
        """The x axis, with an x where a point was not finite, and the row of numbers below it."""
        flat, tick, corner = ("-", "+", "+") if ascii else ("─", "┬", "└")
        bar: Row = [(flat, "dim") for _ in range(self.columns)]
        end = self.gutter + self.columns
        label = "  " + xlabel if xlabel and width_of(xlabel) < self.columns // 3 else ""
        numbers = ""
        for value, text in zip(*ticks(*self.x, max(2, self.columns // 10)), strict=True):
            at = _dot(value, self.x, self.columns)
            start = max(0, min(self.gutter + at - len(text) // 2, end - len(text)))
            if start >= len(numbers) + bool(numbers) and start + len(text) <= end - width_of(label):
                numbers = numbers.ljust(start) + text
                bar[at] = (tick, "dim")
        for color, columns in lost:
            for column in columns:
                bar[column] = ("x", color)
        left: Row = [(" " * (self.gutter - 1) + corner, "dim")] if self.gutter else []
        return [merged(left + bar), [(pad(numbers, end - width_of(label)) + label, "dim")]]


def _dot(value: float, limits: Range, dots: int) -> int:
    """Where the canvas puts a value on an axis of so many dots."""
    part = float(part_of(np.array([value]), limits)[0])
    return int(0.5 + (dots - 1) * min(max(part, 0.0), 1.0))
