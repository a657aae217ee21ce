"""Heat maps and correlations: a table of numbers, each beside a sign that shows it at a glance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labtui.cells import clean, fit, pad
from labtui.cells import width as width_of
from labtui.plots.parts import LESS, LEVEL, MORE, Look, figures, short_names, standing
from labtui.query.correlation import Correlation
from labtui.query.parameters import MISSING
from labtui.query.slices import Heat
from labtui.rows import Row

_LEAST = 7
"""Cells of a column."""

Cell = list[tuple[str, str]]


def heat_rows(found: Heat, metric: str, goal: str | None, look: Look) -> list[Row]:
    """The means, y downwards and x across, and a legend; columns that have no room are named as left out."""
    texts = np.array(figures(found.mean.ravel())).reshape(found.mean.shape)
    parts = standing(found.mean, goal)
    cells = [
        [_heat_cell(str(text), part, look) for text, part in zip(*row, strict=True)]
        for row in zip(texts, parts.tolist(), strict=True)
    ]
    x, y = short_names([found.x, found.y])
    rows = _grid(f"{y} \\ {x}", found.rows, found.columns, cells, look)
    known = found.mean[np.isfinite(found.mean)]
    low, high = (figures(known)[i] for i in (int(known.argmin()), int(known.argmax())))
    legend: Row = [(f"{clean(metric)}  ", ""), (f"{high if goal == 'min' else low} ", "")]
    legend += [look.shade(part) for part in np.linspace(0, 1, 7).tolist()]
    legend += [(f" {low if goal == 'min' else high}{' (better)' if goal else ''}", "")]
    counts = found.n[found.n > 0]
    each = f"{counts.min()}" if counts.min() == counts.max() else f"{counts.min()} to {counts.max()}"
    legend += [(f"   mean of {each} cell{'s' if each != '1' else ''}", "dim")]
    return [*rows, look.line(legend)]


def _heat_cell(text: str, part: float, look: Look) -> Cell:
    sign, color = look.shade(part)
    return [(sign * 2 + " ", color), (text, "")]


def correlation_rows(found: Sequence[Correlation], look: Look) -> list[Row]:
    """Spearman's correlation, keys downwards and metrics across."""
    keys = list(dict.fromkeys(one.key for one in found))
    metrics = list(dict.fromkeys(one.metric for one in found))
    by = {(one.key, one.metric): one for one in found}
    cells = [[_correlation_cell(by[key, metric], look) for metric in metrics] for key in keys]
    if not keys or not metrics:
        return []
    rows = _grid("Spearman's ρ" if not look.ascii else "Spearman's rho", keys, metrics, cells, look)
    note = "negative orange, positive blue; " if look.colored else ""
    return [
        *rows,
        look.line(
            [(f"{note}dots: p ≥ {LEVEL} or not to be said".replace("≥", ">=" if look.ascii else "≥"), "dim")]
        ),
    ]


def _correlation_cell(one: Correlation, look: Look) -> Cell:
    if one.spearman is None or one.p is None:
        return [("   ", ""), (MISSING, "dim")]
    text = f"{one.spearman:+.2f}"
    signs = ":+%#" if look.ascii else "░▒▓█"
    sign = signs[min(int(abs(one.spearman) * len(signs)), len(signs) - 1)]
    if one.p >= LEVEL:
        return [(("." if look.ascii else "·") * 2 + " ", "dim"), (text, "dim")]
    return [(sign * 2 + " ", MORE if one.spearman > 0 else LESS), (text, "")]


def _grid(
    corner: str, names: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[Cell]], look: Look
) -> list[Row]:
    """Cells under and beside their names; the last columns are left out where there is no room for them."""
    heads, sides = [clean(name) for name in columns], [clean(name) for name in names]
    left = min(max(map(width_of, [corner, *sides])), max(look.width // 3, 1))
    inner = max(sum(width_of(text) for text, _ in cell) for row in cells for cell in row)
    room = look.width - left
    wish = max(inner, *(min(width_of(head), 16) for head in heads)) + 2
    wide = max(min(wish, room // max(len(heads), 1)), min(max(inner + 2, _LEAST), room), 1)
    kept = min(len(heads), max(room // wide, 1))

    def line(first: str, pieces: Sequence[Cell], style: str = "") -> Row:
        row: Row = [(pad(first, left, ellipsis=look.ellipsis), style)]
        for piece in pieces[:kept]:
            used = sum(width_of(text) for text, _ in piece)
            row += [("  ", ""), *piece, (" " * max(wide - 2 - used, 0), "")]
        return look.line(row)

    top = [[(fit(head, wide - 2, look.ellipsis), "bold")] for head in heads]
    rows = [line(corner, top, "dim"), *(line(name, row) for name, row in zip(sides, cells, strict=True))]
    if kept < len(heads):
        more = f"{look.ellipsis} and {len(heads) - kept} more columns; {look.whole} shows all"
        rows.append(look.line([(more, "dim")]))
    return rows
