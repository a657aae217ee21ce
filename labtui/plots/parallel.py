"""Parallel coordinates: one upright axis a key, the metric's last, one line a cell; the best on top."""

from __future__ import annotations

import numpy as np

from labtui.cells import clean, fit
from labtui.cells import width as width_of
from labtui.plots.canvas import BRAILLE, Layer, canvas
from labtui.plots.parts import RAMP, Look, positions, short_names, ticks
from labtui.query.analysis import TOP, Analysis, Parallel, parallel
from labtui.query.parameters import Floats
from labtui.rows import Row, merged

LEAST = 12
"""Cells between two axes."""


def parallel_rows(analysis: Analysis, look: Look, height: int) -> list[Row]:
    """The axes as tall as `height` allows (>= 5 rows); keys that have no room are counted below."""
    # More lines than columns hide each other.
    found = parallel(analysis, max(look.width, 2))
    last = max((width_of(text) for _, text in ticks(found.axes[-1], 9)), default=0)
    inner = max(look.width - min(last + 1, look.width // 3), 2)
    room = max((inner - 1) // LEAST, 1)
    kept = [*range(len(found.axes) - 1)][:room]
    kept.append(len(found.axes) - 1)
    lines = max(height - 2, 1)
    at = np.linspace(0, inner - 1, len(kept)).round().astype(int).tolist() if len(kept) > 1 else [inner - 1]
    places = np.stack([positions(found.axes[i], found.lines[:, i]) for i in kept], axis=1)
    drawn = canvas(_layers(places, at, found, inner, lines, look), inner, lines)
    grid = [_cells(row) + [(" ", "")] * (look.width - inner) for row in drawn]
    for column, number in zip(at, kept, strict=True):
        _axis(grid, column, ticks(found.axes[number], max(2, lines // 2)), look)
    names = short_names([found.axes[i].name for i in kept[:-1]])
    out = [_names([*names, clean(analysis.metric)], at, look)]
    out += [look.line(merged(row)) for row in grid]
    return [*out, look.line([(_note(analysis, found, len(found.axes) - len(kept), look), "dim")])]


def _note(analysis: Analysis, found: Parallel, left: int, look: Look) -> str:
    best = "best" if analysis.goal else "highest"
    words = "light lines: " if look.colored else "stars: "
    words += best if look.colored else f"the {best} quarter"
    if len(found.lines) < len(analysis.groups):
        words += f"; {len(found.lines)} of {len(analysis.groups)} cells"
    if left:
        words += f"; {left} more key{'s' if left > 1 else ''}: {look.keys}"
    return words


def _layers(
    places: Floats, at: list[int], found: Parallel, columns: int, lines: int, look: Look
) -> list[Layer]:
    """The best first, since the first layer is on top."""
    if look.colored:
        step = np.minimum((found.standing * len(RAMP)).astype(int), len(RAMP) - 1)
        groups = [(step == i, "*" if look.ascii else BRAILLE, RAMP[i]) for i in range(len(RAMP) - 1, -1, -1)]
    else:
        top = found.standing >= 1 - TOP
        groups = [(top, "*", ""), (~top, "." if look.ascii else BRAILLE, "")]
    layers = []
    for chosen, mark, color in groups:
        x, y = _dots(places[chosen], at, columns, lines, 2 if mark == BRAILLE else 1)
        layers.append(Layer(x, y, mark, color, joined=False))
    return layers


def _dots(
    places: Floats, at: list[int], columns: int, lines: int, fine: int
) -> tuple[list[float], list[float]]:
    """Every dot of some lines, each once: plotext would join the end of one line to the next one's beginning."""
    wide, high = columns * fine, lines * fine * (2 if fine > 1 else 1)
    found: set[tuple[int, int]] = set()
    for i in range(len(at) - 1):
        count = 2 * max((at[i + 1] - at[i]) * fine, high) + 1
        part = np.linspace(0, 1, count)
        x = (at[i] + part * (at[i + 1] - at[i])) / max(columns - 1, 1) * (wide - 1)
        y = places[:, i, None] + part * (places[:, i + 1] - places[:, i])[:, None]
        rows = (y * (high - 1)).round().astype(int)
        found |= set(
            zip(np.tile(x.round().astype(int), len(rows)).tolist(), rows.ravel().tolist(), strict=True)
        )
    ordered = sorted(found)
    return [x / max(wide - 1, 1) for x, _ in ordered], [y / max(high - 1, 1) for _, y in ordered]


def _cells(row: Row) -> list[tuple[str, str]]:
    """A row of one-cell characters, cell by cell."""
    return [(char, style) for text, style in row for char in text]


def _axis(grid: list[list[tuple[str, str]]], column: int, scale: list[tuple[float, str]], look: Look) -> None:
    """Draw an axis over the lines, with its values right of it."""
    bar, tick = ("|", "+") if look.ascii else ("│", "├")
    for row in grid:
        row[column] = (bar, "dim")
    for place, text in scale:
        row = grid[len(grid) - 1 - round(place * (len(grid) - 1))]
        row[column] = (tick, "dim")
        room = min(LEAST - 2, len(row) - column - 1)
        cut = fit(text, room, look.ellipsis)
        cut += " " * (width_of(cut) < room)
        for i, char in enumerate(_wide(cut)):
            row[column + 1 + i] = (char, "")


def _wide(text: str) -> list[str]:
    """A text by cells: what a wide character covers is empty."""
    from wcwidth import iter_graphemes

    if text.isascii():
        return list(text)
    out: list[str] = []
    for grapheme in iter_graphemes(text):
        out += [grapheme, *[""] * (width_of(grapheme) - 1)]
    return out


def _names(names: list[str], at: list[int], look: Look) -> Row:
    """The keys above their axes."""
    words = ""
    for number, (name, column) in enumerate(zip(names, at, strict=True)):
        final = number == len(names) - 1
        end = look.width if final else at[number + 1] - 1
        text = fit(name, max(end - column, LEAST - 1) if not final else look.width // 3, look.ellipsis)
        start = min(column, look.width - width_of(text)) if final else column
        if start > width_of(words) or not words:
            words += " " * (start - width_of(words)) + text
    return look.line([(words, "bold")])
