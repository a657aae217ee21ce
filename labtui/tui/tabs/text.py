"""Sides of a run that are one text."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult

from labtui.tui.tabs.base import Tab
from labtui.tui.widgets.lines import TextView
from labtui.tui.widgets.sections import Sections


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


class SectionsTab(Tab):
    """A text in parts, laid out by `show` for the room that there is."""

    def compose(self) -> ComposeResult:
        """The text."""
        yield Sections(id=f"{self.TITLE}-text")

    @property
    def text(self) -> Sections:
        """The text."""
        return self.query_one(Sections)

    def show(self) -> None:
        """Lay it out: when there is something new to show, or other room."""

    def clear(self) -> None:
        """Nothing of the last run."""
        self.text.fill([])
        self.text.action_first()

    def enter(self) -> None:
        """The text takes the keys."""
        self.screen.set_focus(self.text)
        self.call_after_refresh(self.show)

    def on_resize(self, event: events.Resize) -> None:
        """Texts are wrapped anew; what had no room may have it now."""
        self.call_after_refresh(self.show)
