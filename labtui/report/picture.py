"""Curves as PNG or SVG files: the same input gives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labtui import chart
from labtui.canvas import MARKERS
from labtui.points import decimate
from labtui.report.figure import saved
from labtui.report.fonts import Fonts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 600
"""Parts of a curve of which the lowest and highest point are drawn: fewer than there are pixels."""
HUGE = 1e250
"""Values beyond are drawn here: nothing is left of the floats for the margins around larger ones."""
WIDE, HIGH, LOW, LEGEND = 88, 20, 12, 3
"""Cells of a panel as text, alone and among others, and the rows of them that its names may take."""
MARKED = 40
"""Points up to which each is marked."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Told apart by the colour-blind too (Okabe and Ito 2008)."""
Floats = NDArray[np.float64]


@dataclass
class Curve:
    """One line of a panel."""

    name: str
    x: Floats
    """(n,) ascending."""
    y: Floats
    """(n,); what is not finite is a gap."""
    colour: int = 0
    """Place in COLOURS."""
    faint: bool = False
    """Drawn behind the others: single steps."""


@dataclass
class Panel:
    """One pair of axes."""

    title: str
    curves: list[Curve]
    xlabel: str
    best: float | None = None
    """x of the best epoch."""
    constant: tuple[str, float] | None = None
    """A split, and what the best constant predictor scores on it."""


@dataclass
class Sheet:
    """One picture of some panels, side by side in rows of two."""

    panels: list[Panel]

    @cached_property
    def fonts(self) -> Fonts:
        """The letters of its names."""
        names = [text for panel in self.panels for text in (panel.title, *_names(panel))]
        return Fonts(dict.fromkeys(names))

    def picture(self, format: str = "png") -> bytes:
        """The picture, as PNG or SVG."""
        rows = -(-len(self.panels) // 2)
        size = (8.0, 3.8) if len(self.panels) == 1 else (10.0, 2.7 * rows)
        return saved(self._fill, self.fonts.families, size, format)

    def _fill(self, figure: Figure) -> None:
        wide = min(len(self.panels), 2)
        rows = -(-len(self.panels) // 2)
        for number, panel in enumerate(self.panels, 1):
            self._draw(figure.add_subplot(rows, wide, number), panel)

    def drawn(self) -> str:
        """The same as text, ASCII but for names: one panel below the other."""
        high = HIGH if len(self.panels) == 1 else LOW
        return "\n\n".join("\n".join(_lines(panel, high)) for panel in self.panels)

    def _draw(self, axes: Axes, panel: Panel) -> None:
        handles = []
        for curve in sorted(panel.curves, key=lambda curve: not curve.faint):
            handles.append((_line(axes, curve), self.fonts.show(curve.name)))
        limits = axes.get_ylim()
        if _wants_log(panel):
            axes.set_yscale("log")
            # A constant of zero has no place on it.
            limits = max(limits[0], 1 / HUGE), limits[1]
        if panel.constant and _near(panel.constant[1], limits):
            split, value = panel.constant
            line = axes.axhline(value, color="0.35", linestyle=(0, (1, 2)), linewidth=1.2)
            handles.append((line, f"best constant ({split})"))
        if panel.best is not None:
            line = axes.axvline(panel.best, color="0.35", linestyle=(0, (5, 3)), linewidth=1)
            handles.append((line, f"best: {panel.xlabel} {panel.best:g}"))
        title = axes.set_title(self.fonts.show(panel.title), loc="left", pad=22, fontsize=11)
        # Names are no formulas: a dollar is a dollar.
        title.set_parse_math(False)
        axes.set_xlabel(panel.xlabel)
        axes.grid(True, color="0.9")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        _legend(axes, handles)


def _lines(panel: Panel, high: int) -> list[str]:
    """A panel as text; single steps lie behind the other lines, in dots, as does what a constant scores."""
    lines = [
        chart.Line(c.name, c.x, c.y.clip(-HUGE, HUGE), mark="." if c.faint else MARKERS[place % len(MARKERS)])
        for place, c in enumerate(sorted(panel.curves, key=lambda curve: curve.faint))
    ]
    log = _wants_log(panel)
    limits = chart.limits_of(lines, log)
    if panel.constant and _near(panel.constant[1], limits[1]):
        split, value = panel.constant
        lines.append(chart.Line(f"best constant ({split})", limits[0], [value, value], mark="-"))
        limits = chart.limits_of(lines, log, limits)
    text = chart.draw(
        lines,
        WIDE,
        high,
        title=panel.title,
        xlabel=panel.xlabel,
        ylog=log,
        ascii=True,
        limits=limits,
        cursor=panel.best,
        legend=LEGEND,
    )
    if panel.best is not None:
        text.append(f"| best: {panel.xlabel} {panel.best:g}")
    return [line.rstrip() for line in text]


def _names(panel: Panel) -> list[str]:
    return [curve.name for curve in panel.curves]


def _line(axes: Axes, curve: Curve) -> Any:
    x, y = visible(curve.x, curve.y)
    y = y.clip(-HUGE, HUGE)
    marker = "o" if np.isfinite(y).sum() <= MARKED and not curve.faint else ""
    (line,) = axes.plot(
        x,
        y,
        color=COLOURS[curve.colour % len(COLOURS)],
        linewidth=0.7 if curve.faint or len(y) > COLUMNS else 1.6,
        alpha=0.35 if curve.faint else 1,
        marker=marker,
        markersize=3,
    )
    if not marker:
        # A point between two gaps has no line to be seen by.
        alone = _alone(y)
        axes.plot(x[alone], y[alone], linestyle="", marker=".", markersize=3, color=line.get_color())
    return line


def visible(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """What is drawn of a curve: lowest and highest point of each column, NaN where it is broken.

    Args:
        x, y: (n,), x ascending.
    """
    finite = np.isfinite(y)
    if not finite.any():
        return x[:0], y[:0]
    edges = np.flatnonzero(np.diff(np.r_[False, finite, False].astype(int)))
    parts = list(zip(edges[::2], edges[1::2], strict=True))
    span = (float(x[finite][0]), float(x[finite][-1]))
    if len(parts) > COLUMNS:
        # More gaps than columns cannot be seen.
        return decimate(x, y, COLUMNS, span)
    xs, ys = [], []
    for begin, end in parts:
        part = decimate(x[begin:end], y[begin:end], COLUMNS, span)
        xs += [part[0], part[0][-1:]]
        ys += [part[1], np.array([np.nan])]
    return np.concatenate(xs)[:-1], np.concatenate(ys)[:-1]


def _alone(y: Floats) -> NDArray[np.bool_]:
    finite = np.r_[False, np.isfinite(y), False]
    alone: NDArray[np.bool_] = finite[1:-1] & ~finite[:-2] & ~finite[2:]
    return alone


def _near(value: float, limits: tuple[float, float]) -> bool:
    """Whether a line at this value leaves the curves their room."""
    low, high = limits
    return low - (high - low) <= value <= high + (high - low)


def _wants_log(panel: Panel) -> bool:
    """A loss that falls over more than two decades shows only on a logarithmic axis."""
    if not panel.title.startswith("loss"):
        return False
    values = np.concatenate([c.y[np.isfinite(c.y)] for c in panel.curves])
    if not len(values) or values.min() < 1 / HUGE:
        return False
    low, high = np.percentile(values, (5, 95))
    return bool(high > 100 * low)


def _legend(axes: Axes, handles: Sequence[tuple[Any, str]]) -> None:
    """Above the axes, where it hides nothing."""
    legend = axes.legend(
        [handle for handle, _ in handles],
        # Stand-ins: a name that begins with an underscore would be left out.
        [str(i) for i in range(len(handles))],
        loc="lower left",
        bbox_to_anchor=(-0.01, 0.98),
        ncols=5,
        frameon=False,
        fontsize=8,
        handlelength=1.6,
        columnspacing=1.2,
    )
    for text, (_, name) in zip(legend.get_texts(), handles, strict=True):
        text.set_parse_math(False)
        text.set_text(name)
