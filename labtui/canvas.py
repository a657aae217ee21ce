"""Lines and points in a rectangle of terminal cells: dots only.

Frames, ticks, titles and legends are placed by those who draw with this. Every given point is a lit cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labtui.rows import Row

BRAILLE = "braille"
MARKERS = "*+ox#@%=&$ABCDEFGHIJ"
"""What tells layers apart where there is no colour."""
MOST = 255
"""Layers of one canvas."""

_BITS = np.array([0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80], np.int32)
"""Bits of a braille cell (U+2800 and on): four rows of two dots, from above."""


class Layer(NamedTuple):
    """What is drawn with one mark in one colour."""

    x: ArrayLike
    """Places from 0 (left) to 1."""
    y: ArrayLike
    """As many places from 0 (below) to 1; what lies outside is not seen."""
    mark: str = BRAILLE
    """BRAILLE, eight dots a cell, or one character."""
    color: str = ""
    joined: bool = True
    """Whether lines go from point to point."""
    behind: bool = False
    """Whether it is seen only where no other layer is."""


def canvas(layers: Sequence[Layer], columns: int, height: int) -> list[Row]:
    """`height` rows of `columns` cells; the first layer is on top, and there are at most MOST.

    Where layers in dots meet in a cell, it has the dots of all and the colour of the first.
    """
    if columns < 1 or height < 1:
        return [[] for _ in range(height)]
    owner = np.full((height, columns), -1, np.int16)
    dots = np.zeros((height, columns), np.int32)
    below = [number for number, layer in enumerate(layers) if layer.behind]
    above = [number for number, layer in enumerate(layers) if not layer.behind]
    for number in below[::-1] + above[::-1]:
        layer = layers[number]
        if layer.mark == BRAILLE:
            lit = _lit(layer, 2 * columns, 4 * height).reshape(height, 4, columns, 2)
            mine = lit.transpose(0, 2, 1, 3).reshape(height, columns, 8) @ _BITS
            hit = mine > 0
            if not layer.behind and below:
                dots[hit & np.isin(owner, below)] = 0
            dots |= mine
        else:
            hit = _lit(layer, columns, height)
            dots[hit] = 0
        owner[hit] = number
    # The last of each belongs to cells without an owner, -1.
    signs = np.array([0x2800 if one.mark == BRAILLE else ord(one.mark) for one in layers] + [ord(" ")])
    colors = [layer.color for layer in layers] + [""]
    codes = (signs[owner] + np.where(owner >= 0, dots, 0)).astype("<u4")
    return [_row(codes[line], owner[line], colors) for line in range(height)]


def _lit(layer: Layer, wide: int, tall: int) -> NDArray[np.bool_]:
    """Which of so many dots a layer covers; shape (tall, wide), the highest first."""
    x = np.clip(np.floor(0.5 + (wide - 1) * np.asarray(layer.x, np.float64)), -1, wide).astype(np.int64)
    y = np.clip(np.floor(0.5 + (tall - 1) * np.asarray(layer.y, np.float64)), -1, tall).astype(np.int64)
    if layer.joined and x.size > 1:
        x, y = _joined(x, y)
    inside = (x >= 0) & (x < wide) & (y >= 0) & (y < tall)
    lit = np.zeros((tall, wide), np.bool_)
    lit[tall - 1 - y[inside], x[inside]] = True
    return lit


def _joined(x: NDArray[np.int64], y: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The dots of the lines from point to point, all points among them."""
    dx, dy = np.diff(x), np.diff(y)
    counts = np.maximum(np.abs(dx), np.abs(dy))
    part = np.repeat(np.arange(counts.size), counts)
    step = np.arange(part.size) - np.repeat(np.cumsum(counts) - counts, counts)
    along = step / counts[part]
    xs = x[part] + np.floor(0.5 + dx[part] * along).astype(np.int64)
    ys = y[part] + np.floor(0.5 + dy[part] * along).astype(np.int64)
    return np.r_[xs, x[-1]], np.r_[ys, y[-1]]


def _row(codes: NDArray[np.uint32], owner: NDArray[np.int16], colors: Sequence[str]) -> Row:
    """One row as pieces of one colour."""
    text = codes.tobytes().decode("utf-32-le")
    row: Row = []
    start = 0
    for end in [*(np.flatnonzero(owner[1:] != owner[:-1]) + 1).tolist(), owner.size]:
        color = colors[owner[start]]
        if row and row[-1][1] == color:
            row[-1] = (row[-1][0] + text[start:end], color)
        else:
            row.append((text[start:end], color))
        start = end
    return row
