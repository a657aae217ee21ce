"""A text of several lines in an editor, whatever is in it."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import TextArea

from labtui.tui.widgets.line import harmless


class Area(TextArea):
    """Textual's, but a text that came from a file moves no cursor and changes no colour."""

    def get_line(self, line_index: int) -> Text:
        """A line as it is shown."""
        return harmless(super().get_line(line_index))
