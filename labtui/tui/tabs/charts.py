"""The charts of a run."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult

from labtui.tui.tabs.base import Tab
from labtui.tui.want import Want
from labtui.tui.widgets.charts import ChartGrid


class ChartsTab(Tab):
    """Every metric."""

    TITLE = "charts"

    def compose(self) -> ComposeResult:
        """The charts."""
        yield ChartGrid(self.slot, self.run_screen.wish)

    @property
    def charts(self) -> ChartGrid:
        """The charts."""
        return self.query_one(ChartGrid)

    def wants(self) -> tuple[Want, ...]:
        """The picture."""
        return self.charts.wants([self.run])

    def found(self, name: str, value: Any) -> None:
        """A page was drawn."""
        self.charts.found(name, value)

    def clear(self) -> None:
        """Another run."""
        self.charts.clear()

    def enter(self) -> None:
        """The charts take the keys."""
        self.screen.set_focus(self.charts)
