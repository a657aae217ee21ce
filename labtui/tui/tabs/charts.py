"""The charts of a run."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from labtui.tui.commands import Command, bindings
from labtui.tui.tabs.base import Tab
from labtui.tui.want import Want
from labtui.tui.widgets.charts import CHARTS, Charts

ZOOM = (
    Command("plus,equals_sign", "zoom(0.5)", "zoom", "Zoom in on the newest steps.", 5),
    Command("minus", "zoom(2)", "out", "Zoom out."),
    Command("left", "pan(-0.25)", "earlier", "Earlier steps, when zoomed in."),
    Command("right", "pan(0.25)", "later", "Later steps, when zoomed in."),
    Command("0", "unzoom", "all", "All steps."),
)


class RunCharts(Charts, can_focus=True):
    """Charts that take keys."""

    KEYS: ClassVar[tuple[Command, ...]] = (*ZOOM, *CHARTS)
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)


class ChartsTab(Tab):
    """Losses, and another metric."""

    TITLE = "charts"

    def compose(self) -> ComposeResult:
        """The charts."""
        yield RunCharts(self.slot, self.run_screen.wish)

    @property
    def charts(self) -> RunCharts:
        """The charts."""
        return self.query_one(RunCharts)

    def wants(self) -> tuple[Want, ...]:
        """The pictures."""
        return self.charts.wants([self.run])

    def found(self, name: str, value: Any) -> None:
        """A chart was drawn."""
        self.charts.found(name, value)

    def clear(self) -> None:
        """Another run."""
        self.charts.clear()

    def enter(self) -> None:
        """The charts take the keys."""
        self.screen.set_focus(self.charts)
