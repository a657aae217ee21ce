"""The two charts of the selected runs: losses, and another metric."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal

from labtui.tui.commands import Command
from labtui.tui.pictures import Drawn, Picture, View
from labtui.tui.want import Want
from labtui.tui.widgets.chart import Chart

MOST = 20
"""Runs at most in one chart."""

CHARTS = (
    Command("y", "scale", "log y", "Logarithmic y axis, or back.", 8),
    Command(
        "left_square_bracket", "metric(-1)", "previous metric", "The previous metric in the second chart."
    ),
    Command("right_square_bracket", "metric(1)", "metric", "The next metric in the second chart.", 7),
)
"""What charts understand, also where another widget has the focus."""


class Charts(Horizontal):
    """Charts of some runs.

    Args:
        slot: gives the slot of a chart's name.
        changed: is called when other pictures are wanted.
    """

    def __init__(self, slot: Callable[[str], str], changed: Callable[[], object]) -> None:
        super().__init__(id="charts")
        self._slot, self._changed = slot, changed
        self.view, self.turn = View(), 1

    def compose(self) -> ComposeResult:
        """Losses, and another metric."""
        yield Chart(id="loss")
        yield Chart(id="other")

    def wants(self, runs: Sequence[str]) -> tuple[Want, ...]:
        """The pictures of these runs, as large as the charts are."""
        found = []
        for chart, turn in zip(self.query(Chart), (0, self.turn), strict=False):
            if chart.size.width and chart.size.height:
                found.append(
                    Picture(
                        slot=self._slot(str(chart.id)),
                        runs=tuple(runs[:MOST]),
                        width=chart.size.width,
                        height=chart.size.height,
                        turn=turn,
                        view=replace(self.view, ylog=self.view.ylog and turn == 0),
                        colored=not self.app.no_color,
                        ascii=self.app.ascii_only,  # type: ignore[attr-defined]
                    )
                )
        return tuple(found)

    def found(self, name: str, value: Any) -> None:
        """A chart was drawn."""
        if isinstance(value, Drawn):
            self.query_one(f"#{name}", Chart).show(value.rows)

    def clear(self) -> None:
        """Other runs: all of it, and nothing until it is drawn."""
        self.view = replace(self.view, window=(0.0, 1.0))
        for chart in self.query(Chart):
            chart.show([])

    @on(Chart.Resized)
    def resized(self) -> None:
        """Charts of another size."""
        self._changed()

    def action_scale(self) -> None:
        """Logarithmic loss, or back."""
        self.view = replace(self.view, ylog=not self.view.ylog)
        self._changed()

    def action_metric(self, step: int) -> None:
        """Another metric in the second chart."""
        self.turn = max(1, self.turn + step)
        self._changed()

    def action_zoom(self, factor: float) -> None:
        """Show a part of the steps: half as many, or twice as many, ending where it ended."""
        start, end = self.view.window
        size = min(max((end - start) * factor, 1 / 1024), 1.0)
        self._see(max(end - size, 0.0), max(end, size))

    def action_pan(self, part: float) -> None:
        """Earlier or later steps."""
        start, end = self.view.window
        move = max(-start, min(part * (end - start), 1.0 - end))
        self._see(start + move, end + move)

    def action_unzoom(self) -> None:
        """All steps."""
        self._see(0.0, 1.0)

    def _see(self, start: float, end: float) -> None:
        self.view = replace(self.view, window=(start, end))
        self._changed()
