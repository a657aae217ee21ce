"""Sides of a run that are one text."""

from __future__ import annotations

from textual.app import ComposeResult

from labtui.tui.tabs.base import Tab
from labtui.tui.widgets.lines import TextView


class TextTab(Tab):
    """A text that scrolls."""

    def compose(self) -> ComposeResult:
        """The text."""
        yield TextView(id=f"{self.TITLE}-text")

    @property
    def text(self) -> TextView:
        """The text."""
        return self.query_one(TextView)

    def clear(self) -> None:
        """Nothing of the last run."""
        self.text.show([])
        self.text.action_first()

    def enter(self) -> None:
        """The text takes the keys."""
        self.screen.set_focus(self.text)
