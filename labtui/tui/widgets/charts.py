"""Charts of some runs: a grid with one x axis and one cursor, and the keys that look around in it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from textual import events, on
from textual.binding import BindingType

from labtui.rows import PALETTE
from labtui.tui.commands import Command, bindings
from labtui.tui.pictures import Drawn, Picture
from labtui.tui.want import Want
from labtui.tui.widgets.chart import Chart
from labtui.view import AXES, SMOOTHING, View

MOST = 20
"""Runs at most in one chart."""
LEAST = {"step": 4.0, "epoch": 0.05, "time": 2.0, "clock": 2.0}
"""The narrowest window."""

CHARTS = (
    Command("left,h", "cursor(-1)", "cursor left", "Move the cursor, which reads all lines, to the left.", 6),
    Command("right,l", "cursor(1)", "cursor right", "Move the cursor to the right."),
    Command("plus,equals_sign", "zoom(0.5)", "zoom", "Zoom in around the cursor.", 5),
    Command("minus", "zoom(2.0)", "out", "Zoom out."),
    Command("shift+left,H", "pan(-0.25)", "earlier", "Move the part that is shown to the left."),
    Command("shift+right,L", "pan(0.25)", "later", "Move the part that is shown to the right."),
    Command("0", "unzoom", "all", "Show all of x, and put the cursor away."),
    Command(
        "left_square_bracket", "metric(-1)", "previous metric", "The previous metric, or page of charts."
    ),
    Command("right_square_bracket", "metric(1)", "metric", "The next metric, or page of charts.", 7),
    Command("y", "scale", "log y", "Logarithmic y axis, or back.", 8),
    Command("X", "axis", "x axis", "The next x axis: step, epoch, time since the start, local time.", 7),
    Command("m", "smooth(1)", "smooth", "Smooth more, with the line as logged behind.", 7),
    Command("M", "smooth(-1)", "less smooth", "Smooth less."),
)
"""What charts understand, also where another widget has the focus (see `ChartKeys`)."""

GRID = (
    Command("enter", "full", "full", "Show one chart in full, and back.", 5),
    Command("up,k", "focus(-1)", "previous chart", "The chart before: y and enter are about it."),
    Command("down,j", "focus(1)", "next chart", "The next chart."),
    Command(
        "c",
        "places('columns')",
        "grid columns",
        "Then a digit: columns of the grid; 0: as suits the room.",
        8,
    ),
    Command("r", "places('rows')", "grid rows", "Then a digit: rows of the grid; 0: as suits the room.", 8),
)
"""What a grid that has the focus understands besides."""


class Charts(Chart):
    """A page of charts of some runs, which the feed draws as the screen's want.

    A screen yields one, hands its `wants(runs)` on with its own, and what is found to `found`:

        yield Charts(self.slot, self.wish)                  # in compose
        return (*own, *self.charts.wants(runs, colors))     # in wants(): colors, id to number, from 0
        self.charts.found(name, value)                      # in found(): other slots are let pass
        self.charts.clear()                                 # when other runs are shown

    Where it is to take keys, use `ChartGrid`; a screen whose focus is elsewhere declares CHARTS among its
    KEYS and inherits `ChartKeys`.

    Args:
        slot: gives the slot of a name.
        changed: is called when other pictures are wanted (the screen's `wish`).
        places: charts at most, of which the first always stays; 0: a grid of as many as have room.
        machine: charts of the machine (`sys.*`) instead of metrics.
        axis: what x is at first.
        id: also the name of its want.
    """

    def __init__(
        self, slot: Callable[[str], str], changed: Callable[[], object], *,
        places: int = 0, machine: bool = False, axis: str = "step", id: str = "charts",
    ) -> None:  # fmt: skip
        super().__init__(id=id)
        self._slot, self._changed = slot, changed
        self.places, self.machine = places, machine
        self.view = View(axis=axis, units=axis)
        self.drawn: Drawn | None = None

    def wants(self, runs: Sequence[str], colors: Mapping[str, int] | None = None) -> tuple[Want, ...]:
        """The picture of these runs, as large as there is room.

        Args:
            colors: numbers of the runs' colours, from 0; absent: by position.
        """
        if not (self.content_size.width and self.content_size.height):
            return ()
        shown = tuple(runs[:MOST])
        numbers = tuple((colors or {}).get(key, place) for place, key in enumerate(shown))
        return (
            Picture(
                slot=self._slot(str(self.id)),
                runs=shown,
                width=self.content_size.width,
                height=self.content_size.height,
                view=self.view,
                colors=numbers,
                places=self.places,
                machine=self.machine,
                colored=not self.app.no_color and (len(shown) <= len(PALETTE) or not self._few_colors()),
                ascii=self.app.ascii_only,  # type: ignore[attr-defined]
            ),
        )

    def _few_colors(self) -> bool:
        """Whether tones of a colour would look alike."""
        return self.app.console.color_system in (None, "standard")

    def found(self, name: str, value: Any) -> None:
        """A page was drawn."""
        if name == self.id and isinstance(value, Drawn):
            self.drawn = value
            self.show(value.rows)

    def clear(self) -> None:
        """Other runs: all of x, no cursor, and nothing until it is drawn."""
        self.view = replace(self.view, window=None, cursor=None, follow=False, focus=0, full=False)
        self.drawn = None
        self.show([])

    @on(Chart.Resized)
    def resized(self) -> None:
        """Charts of another size."""
        self._changed()

    def see(self, **changes: Any) -> None:
        """Look differently, in the units of the axis."""
        view = self.view
        if view.units != view.axis:
            cursor = self.drawn.page.cursor if self.drawn and self.drawn.view.axis == view.axis else None
            view = replace(view, units=view.axis, window=None, cursor=cursor)
        self.view = replace(view, **changes)
        self._changed()

    def action_scale(self) -> None:
        """Logarithmic y of the chart with the focus, or back."""
        if self.drawn and self.drawn.page.groups:
            names = self.drawn.page.groups
            name = names[0 if self.places else self.view.focus % len(names)]
            self.see(logs=self.view.logs ^ {name})

    def action_axis(self) -> None:
        """The next x axis; the cursor stays where it is."""
        self.view = replace(self.view, axis=AXES[(AXES.index(self.view.axis) + 1) % len(AXES)], follow=False)
        self._changed()

    def action_smooth(self, step: int) -> None:
        """Smooth more, or less."""
        at = SMOOTHING.index(self.view.smoothing) + step
        self.see(smoothing=SMOOTHING[min(max(at, 0), len(SMOOTHING) - 1)])

    def action_metric(self, step: int) -> None:
        """Another page of charts; another metric where one is shown, or one place is left."""
        if not (self.drawn and self.drawn.page.groups):
            return
        count = len(self.drawn.page.groups)
        if self.places and not self.view.full:
            self.see(focus=((self.view.focus or 1) - 1 + step) % max(count - 1, 1) + 1)
        elif self.view.full:
            self.see(focus=(self.view.focus + step) % count)
        else:
            size = self._page_size()
            page = (self.view.focus // size + step) % -(-count // size)
            self.see(focus=page * size)

    def _page_size(self) -> int:
        """Charts on a page, of which the last may have fewer."""
        assert self.drawn
        first = min(place.number for place in self.drawn.page.places)
        return max(len(self.drawn.page.places), first)

    def action_focus(self, step: int) -> None:
        """Another chart is what keys are about."""
        if self.drawn and self.drawn.page.groups:
            self.see(focus=(self.view.focus + step) % len(self.drawn.page.groups))

    def action_full(self) -> None:
        """One chart in full, or the grid."""
        self.see(full=not self.view.full)

    def action_cursor(self, step: int) -> None:
        """The next point at which the cursor stops, or the last one before."""
        if not (self.drawn and self.drawn.page.stops):
            return
        page, at = self.drawn.page, self.view.cursor
        if self.view.units != self.view.axis:
            at = page.cursor
        stops = page.stops
        if at is None:
            self.see(cursor=stops[-1])
            return
        place = bisect_right(stops, at) if step > 0 else bisect_left(stops, at) - 1
        if 0 <= place < len(stops):
            self.see(cursor=stops[place])
        elif page.shown != page.whole:
            self.action_pan(0.25 * step)

    def action_zoom(self, factor: float) -> None:
        """Show less or more of x around the cursor; without one the newest part."""
        if not self.drawn:
            return
        page = self.drawn.page
        low, high = self._window()
        center = self.view.cursor if self.view.units == self.view.axis else page.cursor
        if center is None or not low <= center <= high:
            center = high
        size = max((high - low) * factor, LEAST[self.view.axis])
        part = (center - low) / (high - low)
        self._show_part(center - part * size, center + (1 - part) * size)

    def action_pan(self, part: float) -> None:
        """Earlier or later."""
        low, high = self._window()
        move = part * (high - low)
        self._show_part(low + move, high + move)

    def action_unzoom(self) -> None:
        """All of x, and no cursor."""
        self.see(window=None, cursor=None, follow=False)

    def _window(self) -> tuple[float, float]:
        """What is shown, or will be."""
        if not self.drawn:
            return 0.0, 1.0
        if self.view.window is None or self.view.units != self.view.axis:
            return self.drawn.page.shown
        low, high = self.view.window
        last = self.drawn.page.ends[1]
        return (last - (high - low), last) if self.view.follow else (low, high)

    def _show_part(self, low: float, high: float) -> None:
        """Show a part of x, within the whole; at its end it goes on with the newest point."""
        if not self.drawn:
            return
        first, last = self.drawn.page.whole
        size = high - low
        if size >= last - first:
            self.see(window=None, follow=False)
            return
        low = min(max(low, first), last - size)
        self.see(window=(low, low + size), follow=low + size >= self.drawn.page.ends[1])

    def on_click(self, event: events.Click) -> None:
        """The cursor, and the focus, to where it was clicked."""
        if (hit := self._hit(event)) is None or not self.drawn:
            return
        number, x = hit
        stops = self.drawn.page.stops
        at = bisect_left(stops, x)
        near = sorted(stops[max(at - 1, 0) : at + 1], key=lambda stop: abs(stop - x))
        focus = self.view.focus if self.places else number
        self.see(cursor=near[0] if near else None, focus=focus)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom in where the pointer is."""
        self._wheel(event, 0.5)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out."""
        self._wheel(event, 2.0)

    def _wheel(self, event: events.MouseEvent, factor: float) -> None:
        if (hit := self._hit(event)) is None:
            return
        event.stop()
        low, high = self._window()
        size = max((high - low) * factor, LEAST[self.view.axis])
        part = (hit[1] - low) / (high - low)
        self._show_part(hit[1] - part * size, hit[1] + (1 - part) * size)

    def _hit(self, event: events.MouseEvent) -> tuple[int, float] | None:
        """Number of the chart under the pointer, and x there."""
        offset = event.get_content_offset(self)
        if offset is None or not self.drawn:
            return None
        for place in self.drawn.page.places:
            column = offset.x - place.x - place.left
            if 0 <= column < place.columns and place.y <= offset.y < place.y + place.height:
                low, high = self.drawn.page.shown
                return place.number, low + (high - low) * column / max(place.columns - 1, 1)
        return None


class ChartGrid(Charts, can_focus=True):
    """Charts that take keys themselves; its arguments are those of `Charts`."""

    KEYS: ClassVar[tuple[Command, ...]] = (*GRID, *CHARTS)
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    _asked = ""

    def action_places(self, what: str) -> None:
        """The next digit is the number of columns, or of rows."""
        self._asked = what

    def on_key(self, event: events.Key) -> None:
        """A digit after `c` or `r`."""
        asked, self._asked = self._asked, ""
        if asked and event.character and event.character.isdecimal():
            event.stop()
            event.prevent_default()
            self.see(**{asked: int(event.character)})


class ChartKeys:
    """Actions of CHARTS for a screen that has a `charts` and its focus elsewhere."""

    charts: Charts

    def action_cursor(self, step: int) -> None:
        """Move the cursor."""
        self.charts.action_cursor(step)

    def action_zoom(self, factor: float) -> None:
        """Zoom in or out."""
        self.charts.action_zoom(factor)

    def action_pan(self, part: float) -> None:
        """Earlier or later."""
        self.charts.action_pan(part)

    def action_unzoom(self) -> None:
        """All of x."""
        self.charts.action_unzoom()

    def action_metric(self, step: int) -> None:
        """Another metric."""
        self.charts.action_metric(step)

    def action_scale(self) -> None:
        """Logarithmic y, or back."""
        self.charts.action_scale()

    def action_axis(self) -> None:
        """Another x axis."""
        self.charts.action_axis()

    def action_smooth(self, step: int) -> None:
        """Smooth more, or less."""
        self.charts.action_smooth(step)
