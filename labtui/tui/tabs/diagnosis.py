"""What is wrong with a run, by rules that say what they rest on."""

from __future__ import annotations

from typing import Any

from labtui.tui.detail import Detail
from labtui.tui.diagnosing import diagnosis_rows
from labtui.tui.tabs.text import TextTab


class DiagnosisTab(TextTab):
    """Findings, their figures, and what helps."""

    TITLE = "diagnosis"

    def found(self, name: str, value: Any) -> None:
        """The rules were asked."""
        self.draw()

    def show_detail(self, detail: Detail) -> None:
        """What the screen knows already."""
        self.draw()

    def draw(self) -> None:
        """Show what is known."""
        if self.run_screen.diagnosis is not None:
            self.text.show(diagnosis_rows(self.run_screen.diagnosis, self.size.width - 3))

    def on_resize(self) -> None:
        """Other lines at another width."""
        self.draw()
