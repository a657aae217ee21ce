"""A line that is written, whatever is in it."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Input


class Line(Input):
    """Textual's, but what it begins with, or is completed with, moves no cursor and changes no colour."""

    @property
    def _value(self) -> Text:
        """The text as it is shown."""
        return harmless(super()._value)


def harmless(text: Text) -> Text:
    """A text of as many characters; what would move, hide or reorder it stands there as a sign."""
    if not text.plain.isprintable():
        text.plain = "".join(map(_sign, text.plain))
    return text


def _sign(char: str) -> str:
    """A character, or one sign for it; a tab is the editor's own."""
    if char == "\t" or char.isprintable():
        return char
    return chr(0x2400 + ord(char)) if ord(char) < 0x20 else "\N{REPLACEMENT CHARACTER}"
