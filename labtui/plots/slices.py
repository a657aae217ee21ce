"""The metric by the values of single keys: every cell as a dot, and the mean of each value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labtui.cells import clean, fit, pad
from labtui.cells import width as width_of
from labtui.plots.canvas import BRAILLE, Layer, canvas
from labtui.plots.parts import Look, positions, short_names, ticks
from labtui.query.analysis import Analysis
from labtui.query.slices import slices
from labtui.rows import PALETTE, Row, merged

LEAST = 36
"""Cells of a panel; of panels that have more, two stand side by side."""
HEIGHT = 12
MARGIN = 0.08
"""Part of a panel at either side of the values."""


def slices_rows(analysis: Analysis, look: Look, height: int = HEIGHT, keys: Sequence[str] = ()) -> list[Row]:
    """One panel a key, side by side where there is room; `height` rows each."""
    names = list(keys) or [one.name for one in analysis.parameters]
    beside = max(1, min(len(names), look.width // LEAST, 3))
    wide = look.width // beside
    shown = dict(zip(names, short_names(names), strict=True))
    rows: list[Row] = []
    for start in range(0, len(names), beside):
        group = names[start : start + beside]
        panels = [
            _panel(analysis, name, shown[name], Look(wide, look.colored, look.ascii), height)
            for name in group
        ]
        rows += [look.line([piece for row in line for piece in row]) for line in zip(*panels, strict=True)]
    if names:
        note = (
            f"{clean(analysis.metric)}; a dot: a cell; {'o' if look.ascii else '●'}: mean of a value's cells"
        )
        rows.append(look.line([(note, "dim")]))
    return rows


def _panel(analysis: Analysis, name: str, shown: str, look: Look, height: int) -> list[Row]:
    one, metric = analysis.parameter(name), analysis.measured
    lines = max(height - 3, 1)
    scale = ticks(metric, max(2, lines // 2))
    gutter = min(max((width_of(text) for _, text in scale), default=0), max(look.width // 3, 1)) + 1
    columns = max(look.width - gutter - 2, 1)
    drawn = canvas(_layers(analysis, name, look), columns, lines)
    texts = {lines - 1 - round(place * (lines - 1)): text for place, text in scale}
    edge = ("+", "|") if look.ascii else ("┤", "│")
    out = [look.line([(" " * gutter, ""), (shown, "bold")])]
    for number, row in enumerate(drawn):
        text = texts.get(number, "")
        left = pad(fit(text, gutter - 1, look.ellipsis), gutter - 1, "right") + edge[not text]
        out.append(look.line([(left, "dim"), *row]))
    return out + _below(look, gutter, columns, ticks(one, max(2, columns // 6)))


def _layers(analysis: Analysis, name: str, look: Look) -> list[Layer]:
    one, metric = analysis.parameter(name), analysis.measured
    x = _inside(positions(one, one.place(one.scaled)))
    y = metric.place(metric.scaled)
    if one.kind == "category" or one.distinct.size <= 10:
        # Cells of one value side by side, so that they can be counted.
        x = x + (np.arange(x.size) * 7 % 5 - 2) * 0.006
    found = [part for part in slices(analysis, name) if not np.isnan(part.place) or part.label == "–"]
    at = _inside(positions(one, np.array([part.place for part in found])))
    # The least figures round to zero in a mean, of which there is no logarithm.
    means = np.array([part.mean for part in found]).clip(*metric.distinct[[0, -1]])
    level = metric.place(np.log10(means) if metric.log else means)
    mark = "o" if look.ascii else "●"
    return [
        Layer(at.tolist(), level.tolist(), mark, PALETTE[1], joined=False),
        Layer(x.tolist(), y.tolist(), "." if look.ascii else BRAILLE, PALETTE[0], joined=False),
    ]


def _inside(places: np.ndarray) -> np.ndarray:
    return np.asarray(MARGIN + (1 - 2 * MARGIN) * places)


def _below(look: Look, gutter: int, columns: int, scale: list[tuple[float, str]]) -> list[Row]:
    """The x axis, and its values where they have room."""
    flat, tick, corner = ("-", "+", "+") if look.ascii else ("─", "┬", "└")
    bar = [flat] * columns
    words = ""
    end = gutter + columns
    for place, text in scale:
        at = round(float(_inside(np.array(place))) * (columns - 1))
        text = fit(text, max(columns // max(len(scale), 1) - 1, 4), look.ellipsis)
        start = max(0, min(gutter + at - width_of(text) // 2, end - width_of(text)))
        if start > width_of(words) or not words:
            words += " " * (start - width_of(words)) + text
            bar[at] = tick
    left = " " * (gutter - 1) + corner
    return [look.line(merged([(left + "".join(bar), "dim")])), look.line([(clean(words), "dim")])]
