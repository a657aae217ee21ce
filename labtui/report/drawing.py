"""Analyses as pictures: PNG or SVG, the same input gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from labtui.analysed import basis
from labtui.cells import clean, fit
from labtui.files.goals import arrowed
from labtui.plots.parts import LESS, LEVEL, MORE, RAMP, figures, positions, short_names, standing, ticks
from labtui.query.analysis import Analysis, metrics_of, parallel
from labtui.query.correlation import correlations
from labtui.query.parameters import FEW, MISSING
from labtui.query.slices import heat, slices
from labtui.report.figure import saved
from labtui.report.fonts import Fonts
from labtui.report.picture import COLOURS, HUGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINES = 1000
"""Cells whose lines are drawn; more hide each other."""
POINTS = 5000
WIDE = 9.0
"""Inches."""

Draw = Callable[["Figure", Analysis, Sequence[str], Fonts], None]


def picture(analysis: Analysis, kind: str, keys: Sequence[str] = (), format: str = "png") -> bytes:
    """A picture of an analysis.

    Args:
        kind: importance, parallel, slice, heat or correlation.
        keys: of a heat map its two, x and y; of slices those that are drawn, absent: all.
        format: png or svg.
    """
    fonts = fonts_of(analysis)

    def draw(figure: Figure) -> None:
        DRAWINGS[kind](figure, analysis, keys, fonts)
        for text in _all_texts(figure):
            text.set_parse_math(False)  # names are no formulas: a dollar is a dollar

    return saved(draw, fonts.families, format=format)


def fonts_of(analysis: Analysis) -> Fonts:
    """The letters that an analysis's pictures need; `replaced` names what no font can show."""
    return Fonts(dict.fromkeys(_texts(analysis)), "name")


def _texts(analysis: Analysis) -> Iterable[str]:
    """All names that may be in a picture, as they are and as `ticks` and `short_names` clean them."""
    for one in [analysis.measured, *analysis.parameters, *metrics_of(analysis)]:
        for text in (one.name, *one.labels):
            yield text
            yield clean(text)
    yield from short_names([one.name for one in analysis.parameters])


def _all_texts(figure: Figure) -> list[Any]:
    from matplotlib.text import Text

    return list(figure.findobj(Text))


def _begin(
    figure: Figure, analysis: Analysis, fonts: Fonts, high: float, title: str, wide: float = WIDE
) -> None:
    figure.set_size_inches(wide, min(high, 40.0))
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    figure.supxlabel(basis(analysis, fonts.show(analysis.metric)), x=0.01, ha="left", fontsize=7, color="0.4")


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)


def _named(analysis: Analysis, fonts: Fonts) -> str:
    return arrowed(fonts.show(analysis.metric), analysis.goal)


def _importance(figure: Figure, analysis: Analysis, keys: Sequence[str], fonts: Fonts) -> None:
    from labtui.query.importance import importance

    found = importance(analysis)
    names = list(found.shares)[::-1]
    method = f" ({found.method})" if found.method else ""
    _begin(
        figure,
        analysis,
        fonts,
        1.4 + 0.32 * max(len(names), 2),
        f"Importance for {_named(analysis, fonts)}{method}",
    )
    axes = figure.add_subplot()
    places = range(len(names))
    bars = axes.barh(places, [found.shares[name] for name in names], color=COLOURS[0], height=0.7)
    axes.bar_label(bars, [f"{found.shares[name]:.2f}" for name in names], padding=3, fontsize=8)
    axes.set_yticks(places, [fonts.show(name) for name in names])
    axes.set_xlim(0, max(found.shares.values(), default=1.0) * 1.1 or 1.0)
    _plain(axes)
    if found.remark:
        axes.set_title(found.remark, fontsize=8, color=COLOURS[1], loc="left", wrap=True)


def _parallel(figure: Figure, analysis: Analysis, keys: Sequence[str], fonts: Fonts) -> None:
    from matplotlib.collections import LineCollection

    found = parallel(analysis, LINES)
    count = len(found.axes)
    _begin(
        figure,
        analysis,
        fonts,
        4.6,
        f"Parallel coordinates: {_named(analysis, fonts)}; light lines: the best",
        max(WIDE, 1.5 * count),
    )
    axes = figure.add_subplot()
    y = np.stack([positions(axis, found.lines[:, i]) for i, axis in enumerate(found.axes)], axis=1)
    lines = [np.column_stack([np.arange(count), row]) for row in y]
    colours = _ramp()(found.standing)
    axes.add_collection(LineCollection(lines, colors=colours, linewidths=1.4 if len(lines) < 100 else 0.8))
    names = [*short_names([axis.name for axis in found.axes[:-1]]), found.axes[-1].name]
    for place, axis in enumerate(found.axes):
        axes.axvline(place, color="0.3", linewidth=0.8)
        for at, text in ticks(axis, 9):
            shown = _short(fonts, text, 24) if axis.labels else text
            box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.6}
            axes.annotate(
                shown, (place, at), (4, 0), textcoords="offset points", va="center", fontsize=8, bbox=box
            )
    axes.set_xticks(range(count), [fonts.show(name) for name in names], fontsize=9)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_yticks([])
    axes.set(xlim=(-0.05, count - 1 + 0.35), ylim=(-0.04, 1.04))
    axes.spines[:].set_visible(False)


def _slice(figure: Figure, analysis: Analysis, keys: Sequence[str], fonts: Fonts) -> None:
    names = list(keys) or [one.name for one in analysis.parameters]
    beside = min(max(len(names), 1), 3)
    down = max(-(-len(names) // beside), 1)
    _begin(
        figure, analysis, fonts, 0.8 + 2.4 * down, f"Slices: {_named(analysis, fonts)}", 3.2 * max(beside, 2)
    )
    metric = analysis.measured
    for number, name in enumerate(names, 1):
        one = analysis.parameter(name)
        axes = figure.add_subplot(down, beside, number)
        x = positions(one, one.place(one.scaled))
        if one.kind == "category" or one.distinct.size <= FEW:
            x = x + (np.arange(x.size) * 7 % 11 - 5) * 0.005  # side by side, to be counted
        step = max(x.size // POINTS, 1)
        values = np.clip(analysis.values[::step], -HUGE, HUGE)
        axes.scatter(x[::step], values, s=9, color=COLOURS[0], alpha=0.5, linewidths=0)
        means = [part for part in slices(analysis, name) if not np.isnan(part.place) or part.label == MISSING]
        at = positions(one, np.array([part.place for part in means]))
        level = np.clip([part.mean for part in means], -HUGE, HUGE)
        axes.plot(at, level, "_", color=COLOURS[1], markersize=16, markeredgewidth=2.2)
        marks = ticks(one, 7)
        axes.set_xticks([mark for mark, _ in marks], [_short(fonts, text) for _, text in marks], fontsize=8)
        axes.set_xlim(-0.08, 1.08)
        axes.set_xlabel(fonts.show(name), fontsize=9)
        axes.tick_params(axis="y", labelsize=8)
        if metric.log and values.min() > 1 / HUGE:
            axes.set_yscale("log")
        axes.grid(True, axis="y", color="0.9")
        _plain(axes)


def _short(fonts: Fonts, text: str, longest: int = 14) -> str:
    """A category's label, or what else stands on an axis: numbers, bins, and others."""
    return fit(fonts.show(text) if fonts.knows(text) else text, longest)


def _heat(figure: Figure, analysis: Analysis, keys: Sequence[str], fonts: Fonts) -> None:
    found = heat(analysis, keys[0], keys[1])
    high, wide = found.mean.shape
    _begin(
        figure,
        analysis,
        fonts,
        1.8 + 0.45 * high,
        f"Mean {_named(analysis, fonts)}",
        max(WIDE * 0.7, 2.2 + 0.8 * wide),
    )
    axes = figure.add_subplot()
    part = standing(found.mean, analysis.goal)
    axes.imshow(np.ma.masked_invalid(part), cmap=_ramp(), vmin=0, vmax=1, aspect="auto")
    texts = figures(found.mean.ravel())
    for place, text in enumerate(texts):
        row, column = divmod(place, wide)
        if text:
            dark = part[row, column] < 0.5
            words = f"{text}\nn={found.n[row, column]}" if found.n.max() > 1 else text
            axes.text(
                column, row, words, ha="center", va="center", fontsize=7, color="white" if dark else "black"
            )
    axes.set_xticks(
        range(wide), [_short(fonts, label) for label in found.columns], fontsize=8, rotation=30, ha="right"
    )
    axes.set_yticks(range(high), [_short(fonts, label, 24) for label in found.rows], fontsize=8)
    axes.set_xlabel(fonts.show(found.x), fontsize=9)
    axes.set_ylabel(fonts.show(found.y), fontsize=9)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def _correlation(figure: Figure, analysis: Analysis, keys: Sequence[str], fonts: Fonts) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    metrics = metrics_of(analysis)
    found = correlations(analysis.parameters, metrics)
    rho = np.array([np.nan if one.spearman is None else one.spearman for one in found])
    grid = rho.reshape(len(analysis.parameters), len(metrics))
    wide = max(WIDE * 0.7, 2.8 + 0.9 * len(metrics))
    _begin(figure, analysis, fonts, 1.9 + 0.35 * len(grid), f"Spearman's ρ (grey: p ≥ {LEVEL})", wide)
    axes = figure.add_subplot()
    colours = LinearSegmentedColormap.from_list("correlation", [LESS, "white", MORE])
    axes.imshow(np.ma.masked_invalid(grid), cmap=colours, vmin=-1, vmax=1, aspect="auto")
    for place, one in enumerate(found):
        row, column = divmod(place, len(metrics))
        words = MISSING if one.spearman is None else f"{one.spearman:+.2f}"
        colour = "0.5" if one.p is None or one.p >= LEVEL else "black"
        axes.text(column, row, words, ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(
        range(len(metrics)), [fonts.show(m.name) for m in metrics], fontsize=8, rotation=30, ha="right"
    )
    axes.set_yticks(range(len(grid)), [fonts.show(p.name) for p in analysis.parameters], fontsize=8)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def _ramp() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("standing", list(RAMP))


DRAWINGS: dict[str, Draw] = {
    "importance": _importance,
    "parallel": _parallel,
    "slice": _slice,
    "heat": _heat,
    "correlation": _correlation,
}
