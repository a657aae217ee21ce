"""What a run is, and every option of its recipe."""

from __future__ import annotations

from labtui.tui.detail import Detail
from labtui.tui.panes import overview_rows, parameter_rows
from labtui.tui.tabs.text import TextTab


class OverviewTab(TextTab):
    """State, figures, options."""

    TITLE = "overview"

    def show_detail(self, detail: Detail) -> None:
        """All of it."""
        now = self.run_screen.lab_app.now()
        heads = [[], [("recipe", "head")]]
        self.text.show([*overview_rows(detail, now), *heads, *parameter_rows(detail)])
