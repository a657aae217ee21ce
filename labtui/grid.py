"""A page of charts of some runs: their places, one x axis, one cursor, and a caption below."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from labtui import chart
from labtui.axis import Range, nice_limits, short
from labtui.cells import clean, fit
from labtui.cells import width as width_of
from labtui.chart import Limits, Line, Plot
from labtui.curves import Course, Scale, groups, lines
from labtui.points import Floats, ordered, window
from labtui.rows import COLORS, Row
from labtui.view import View

GAP = 2
LEAST = (36, 8)
"""Cells and rows of a chart in a grid that has its own choice."""
ASPECT = 4.5
"""Cells to rows of a chart that reads well."""


class Place(NamedTuple):
    """Where a chart is."""

    number: int
    """Of the chart, as in `Page.groups`."""
    x: int
    y: int
    width: int
    height: int
    left: int
    """Cells before its first column of points."""
    columns: int
    """Columns of points."""


@dataclass(frozen=True)
class Page:
    """What was drawn, and what keys and clicks need to know of it.

    Args:
        rows: as many as asked for.
        groups: names of all charts, on this page and others.
        places: the charts of this page.
        whole: round limits of x.
        ends: first and last x of all points.
        shown: the part of x that is shown.
        stops: x at which the cursor stops, at most about one a column.
        cursor: x of the cursor; None: there is none.
        held: limits of y by chart, and what they were for: they stay while they serve.
    """

    rows: list[Row] = field(default_factory=list)
    groups: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    whole: Range = (0.0, 1.0)
    ends: Range = (0.0, 1.0)
    shown: Range = (0.0, 1.0)
    stops: tuple[float, ...] = ()
    cursor: float | None = None
    held: Mapping[object, Range] = field(default_factory=dict)


@dataclass(frozen=True)
class Look:
    """How a page is painted.

    Args:
        colored: False tells lines apart by their marks.
        ascii: no character beyond ASCII.
        color: the style of a colour's number.
        places: charts at most; 0: as many as there is room for. The first chart then always stays.
        machine: charts of `sys.*` metrics instead.
        focus: mark the chart that keys are about.
    """

    colored: bool = True
    ascii: bool = False
    color: Callable[[int], str] = lambda number: COLORS[number % len(COLORS)]
    places: int = 0
    machine: bool = False
    focus: bool = True


def shape(count: int, width: int, height: int, columns: int = 0, rows: int = 0) -> tuple[int, int]:
    """Columns and rows of a grid of so many charts, as near to a good aspect as can be.

    Args:
        columns, rows: as asked for; 0: as suits the room. What has no room is cut.
    """
    most = max(1, width // 12), max(1, height // 4)
    fits = max(1, (width + GAP) // (LEAST[0] + GAP)), max(1, height // LEAST[1])
    wide = [min(columns, most[0])] if columns else range(1, fits[0] + 1)
    tall = [min(rows, most[1])] if rows else range(1, fits[1] + 1)
    wanted = min(count, max(wide) * max(tall))

    def cost(found: tuple[int, int]) -> float:
        empty = found[0] * found[1] - wanted
        missing = max(0, -empty)
        aspect = (width / found[0]) / (height / found[1])
        return missing * 100 + abs(math.log(aspect / ASPECT)) + max(empty, 0) / max(wanted, 1) / 2

    full = [(c, r) for c in wide for r in tall if (columns or c <= count) and (rows or r <= -(-count // c))]
    return min(full, key=cost)


def page(
    courses: Sequence[Course], view: View, width: int, height: int, look: Look, before: Page | None = None
) -> Page:
    """Draw a page of charts as `height` rows, each exactly `width` cells.

    Args:
        before: the last page; limits that still serve stay as they were.
    """
    names = groups(courses, look.machine)
    if not names or width < 1 or height < 1:
        return Page()
    scale = Scale(view.axis, courses)
    view = _in_units(replace(view, focus=view.focus % len(names)), scale)
    caption = int(height >= 8)
    chosen, columns, lanes = _chosen(names, view, width, height - caption, look)
    drawn = {number: lines(courses, names[number], scale, view.smoothing, look.color) for number in chosen}
    every = [line for _, found in drawn.values() for line in found]
    ends = _ends(every)
    held = before.held if before else {}
    key = (tuple(course.key for course in courses), view.axis, tuple(names[number] for number in chosen))
    whole = nice_limits(*ends, held.get(key))
    shown = _shown(view, whole, ends)
    kept: dict[object, Range] = {key: whole}
    plots: list[Plot] = []
    boxes = _boxes(len(chosen), columns, lanes, width, height - caption)
    for number, box in zip(chosen, boxes, strict=False):
        title, found = drawn[number]
        one = _Chart(names[number], title, found, number == view.focus and len(chosen) > 1 and look.focus)
        mine = (
            *key,
            one.name,
            view.logs,
            view.smoothing > 0,
            None if shown == whole or view.follow else shown,
        )
        kept[mine] = _heights(one, view, shown, whole, held.get(mine))
        plots.append(_plot(one, box, scale, view, (shown, kept[mine]), look))
    rows = _beside(boxes, plots, columns, height - caption)
    if caption:
        rows.append(_caption(view, scale, (shown, whole, ends), names, chosen, width, look))
    places = tuple(
        Place(number, *box, plot.left, plot.columns)
        for number, box, plot in zip(chosen, boxes, plots, strict=False)
    )
    stops = _stops(every, shown, max(place.columns for place in places))
    return Page(rows, tuple(names), places, whole, ends, shown, stops, view.cursor, kept)


class _Chart(NamedTuple):
    """One chart of a page."""

    name: str
    title: str
    lines: list[Line]
    focus: bool


Box = tuple[int, int, int, int]
"""x, y, width, height in cells."""


def _in_units(view: View, scale: Scale) -> View:
    """The view with its cursor in the units of its axis; a window of other units is let go."""
    if view.units == view.axis:
        return view
    cursor = None
    if view.cursor is not None:
        cursor = Scale(view.units, scale.courses).moved(view.cursor, scale)
    return replace(view, units=view.axis, window=None, cursor=cursor)


def _chosen(
    names: Sequence[str], view: View, width: int, height: int, look: Look
) -> tuple[list[int], int, int]:
    """Numbers of the charts on the page, columns and rows."""
    if view.full:
        return [view.focus], 1, 1
    if look.places:
        others = [view.focus or 1] if len(names) > 1 else []
        return [0, *others], 1 + len(others), 1
    columns, lanes = shape(len(names), width, height, view.columns, view.rows)
    first = view.focus // (columns * lanes) * columns * lanes
    return list(range(first, min(first + columns * lanes, len(names)))), columns, lanes


def _boxes(count: int, columns: int, lanes: int, width: int, height: int) -> list[Box]:
    """Where the charts are: what is left over goes to the first ones."""
    room = width - GAP * (columns - 1)
    wide = [room // columns + (number < room % columns) for number in range(columns)]
    tall = [height // lanes + (number < height % lanes) for number in range(lanes)]
    return [
        (sum(wide[:c]) + GAP * c, sum(tall[:r]), wide[c], tall[r])
        for r in range(lanes)
        for c in range(columns)
    ]


def _plot(one: _Chart, box: Box, scale: Scale, view: View, limits: Limits, look: Look) -> Plot:
    *_, width, height = box
    mark = (">" if look.ascii else "▸") if one.focus else ""
    return chart.plot(
        one.lines, width, height, title=" ".join(filter(None, (mark, one.title))), xlabel=scale.label,
        ylog=one.name in view.logs, colored=look.colored, ascii=look.ascii, limits=limits, ticks=scale.ticks,
        cursor=view.cursor, values=True, legend=max(1, height // (3 if view.full else 5)), focus=one.focus,
    )  # fmt: skip


def _beside(boxes: Sequence[Box], plots: Sequence[Plot], columns: int, height: int) -> list[Row]:
    """The charts in their places, as rows."""
    rows: list[Row] = []
    for start in range(0, len(boxes), columns):
        lane = boxes[start : start + columns]
        for line in range(lane[0][3]):
            row: Row = []
            for number, (x, _, width, _) in enumerate(lane, start):
                row += [(" " * GAP, "")] if x else []
                row += plots[number].rows[line] if number < len(plots) else [(" " * width, "")]
            rows.append(row)
    return rows[:height]


def _ends(found: Sequence[Line]) -> Range:
    """Lowest and highest x of some lines."""
    parts = [x for x in (np.asarray(line.x, np.float64) for line in found) if x.size]
    with np.errstate(invalid="ignore"):
        low = min((float(np.fmin.reduce(x)) for x in parts), default=0.0)
        high = max((float(np.fmax.reduce(x)) for x in parts), default=1.0)
    return (low, high) if math.isfinite(low) and math.isfinite(high) else (0.0, 1.0)


def _shown(view: View, whole: Range, ends: Range) -> Range:
    """The part of x that is shown."""
    if view.window is None:
        return whole
    low, high = view.window
    if view.follow:
        low, high = ends[1] - (high - low), ends[1]
    return (low, high) if high > low else whole


def _heights(one: _Chart, view: View, shown: Range, whole: Range, held: Range | None) -> Range:
    """Limits of y around what is shown."""
    found = one.lines if shown == whole else [_part(line, shown) for line in one.lines]
    before = None if held is None else (shown, held)
    return chart.limits_of(found, one.name in view.logs, before)[1]


def _part(line: Line, shown: Range) -> Line:
    """A line within a part of x, and where it crosses the edges."""
    x, y = _window(line.x, line.y, shown)
    if line.raw is None:
        return replace(line, x=x, y=y)
    _, raw = _window(line.x, line.raw, shown)
    return replace(line, x=x, y=y, raw=raw if raw.size == x.size else None)


def _window(x: ArrayLike, y: ArrayLike, shown: Range) -> tuple[Floats, Floats]:
    xs, ys = np.asarray(x, np.float64), np.asarray(y, np.float64)
    good = np.isfinite(xs) & np.isfinite(ys)
    return window(xs[good], ys[good], shown) if good.any() else (xs[good], ys[good])


def _stops(found: Sequence[Line], shown: Range, columns: int) -> tuple[float, ...]:
    """Where the cursor stops: at each point, or at the last one of each column."""
    edges = np.linspace(*shown, columns + 1)
    stops: set[float] = set()
    for line in found:
        x, _ = ordered(line.x, line.y)
        x = x[np.isfinite(x)]
        inside = x[np.searchsorted(x, shown[0]) : np.searchsorted(x, shown[1], "right")]
        if inside.size > columns:
            inside = inside[np.maximum(np.searchsorted(inside, edges[1:], "right") - 1, 0)]
        stops.update(inside.tolist())
    if len(stops) <= 2 * columns:
        return tuple(sorted(stops))
    thinned = np.array(sorted(stops))
    return tuple(np.unique(thinned[np.maximum(np.searchsorted(thinned, edges[1:], "right") - 1, 0)]).tolist())


def _caption(
    view: View, scale: Scale, x: tuple[Range, Range, Range], names: Sequence[str], chosen: Sequence[int],
    width: int, look: Look,
) -> Row:  # fmt: skip
    """Where the cursor is, and at its right what keys have changed."""
    shown, whole, ends = x
    left = scale.reading(ends[1] if view.cursor is None else view.cursor)
    words = []
    if len(chosen) < len(names):
        apart = look.places or len(chosen) == 1
        first = "" if apart else f"{chosen[0] + 1}–"
        words.append(f"{first}{chosen[-1] + 1} of {len(names)}")
    if view.axis != "step":
        words.append(f"by {scale.label}")
    if view.smoothing:
        words.append(f"smooth {view.smoothing:g}")
    if view.logs & {names[number] for number in chosen}:
        words.append("log y")
    if shown != whole:
        words.append(f"zoom {short((whole[1] - whole[0]) / (shown[1] - shown[0]))}×")
    dot = " . " if look.ascii else " · "
    right = clean(dot.join(words))
    if look.ascii:
        right = right.replace("–", "-").replace("×", "x")
    left = fit(left.replace(" · ", dot), max(width - width_of(right) - 3, 0), "")
    room = width - 1 - width_of(left) - width_of(right)
    if room < 1:
        return [(fit(" " + left, width, "").ljust(width), "")]
    style = "dim" if view.cursor is None else "bold"
    return [(" ", ""), (left, style), (" " * (room - 1), ""), (right + " ", "dim")]
