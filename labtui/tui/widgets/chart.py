"""Charts on the screen. They are drawn elsewhere; this says how large they are to be."""

from __future__ import annotations

from textual.message import Message

from labtui.tui.widgets.lines import Lines


class Chart(Lines):
    """Shows rows that the feed drew."""

    class Resized(Message):
        """It has another size and must be drawn anew."""

        def can_replace(self, message: Message) -> bool:
            """One drawing is enough."""
            return isinstance(message, Chart.Resized)

    def on_resize(self) -> None:
        """Ask for a drawing that fits."""
        self.post_message(self.Resized())
