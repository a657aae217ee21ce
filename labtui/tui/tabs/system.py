"""The machine that a run was on: GPUs, cores, memory, disk over time."""

from __future__ import annotations

from textual.app import ComposeResult

from labtui.tui.tabs.charts import ChartsTab
from labtui.tui.widgets.charts import ChartGrid


class SystemTab(ChartsTab):
    """Metrics of the machine."""

    TITLE = "system"

    def compose(self) -> ComposeResult:
        """The charts, over the time since the start."""
        yield ChartGrid(self.slot, self.run_screen.wish, machine=True, axis="time", id="system")
