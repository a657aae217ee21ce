"""A text of several lines in an editor, whatever is in it."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import TextArea


class Area(TextArea):
    """Textual's, but a text that came from a file moves no cursor and changes no colour."""

    def get_line(self, line_index: int) -> Text:
        """A line as it is shown: what would move, hide or reorder text stands there as a sign."""
        line = super().get_line(line_index)
        if not line.plain.isprintable():
            line.plain = "".join(_harmless(char) for char in line.plain)
        return line


def _harmless(char: str) -> str:
    """A character, or one sign for it; a tab is the editor's own."""
    if char == "\t" or char.isprintable():
        return char
    return chr(0x2400 + ord(char)) if ord(char) < 0x20 else "\N{REPLACEMENT CHARACTER}"
