"""Lines and points of a drawing that is made once. The one user of plotext.

plotext draws the dots only; frames, ticks, titles and legends are placed by those who draw with this,
because its own count characters instead of cells. It takes 10 ms a line: charts that are drawn anew with each
key and each record draw with `labtui.canvas`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import NamedTuple

from labtui.rows import Row, merged

BRAILLE = "braille"
MOST = 255
"""Layers of one canvas."""

_ESCAPE = re.compile(r"\x1b\[([\d;]*)m")
_plotext_state = threading.Lock()


class Layer(NamedTuple):
    """What is drawn with one mark in one colour."""

    x: list[float]
    """Places from 0 (left) to 1."""
    y: list[float]
    """As many places from 0 (below) to 1."""
    mark: str = BRAILLE
    """BRAILLE, eight dots a cell, or one character."""
    color: str = ""
    joined: bool = True
    """Whether lines go from point to point."""


def canvas(layers: Sequence[Layer], columns: int, height: int) -> list[Row]:
    """`height` rows of `columns` cells; the first layer is on top, and there are at most MOST.

    plotext keeps one global figure: one caller at a time.
    """
    import plotext

    with _plotext_state:
        plotext.clear_figure()
        plotext.limit_size(False, False)
        plotext.plot_size(columns, height)
        plotext.theme("clear")
        plotext.frame(False)
        plotext.xticks([])
        plotext.yticks([])
        plotext.xlim(0, 1)
        plotext.ylim(0, 1)
        # Colours go in as numbers and come out as the layers' own: plotext has 16 names and rgb only.
        for number in range(len(layers), 0, -1):
            layer = layers[number - 1]
            if layer.x:
                draw = plotext.plot if layer.joined else plotext.scatter
                draw(layer.x, layer.y, marker=layer.mark, color=number)
        drawn: str = plotext.build()
        plotext.clear_figure()
    return [_parsed(text, layers, columns) for text in drawn.split("\n")[:height]]


def _parsed(text: str, layers: Sequence[Layer], columns: int) -> Row:
    """A row of plotext's output, its colour numbers turned back into the layers' colours."""
    row: Row = []
    style = ""
    for number, part in enumerate(_ESCAPE.split(text)):
        if number % 2 == 0:
            row.append((part, style))
        else:
            style = layers[int(part.rpartition(";")[2]) - 1].color if "38;5;" in part else ""
    missing = columns - sum(len(part) for part, _ in row)
    return merged([*row, (" " * missing, "")])
