"""Screens for terminals that draw ASCII only, or no colours: every line of every widget passes here."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from rich.cells import cell_len
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.scrollbar import ScrollBarRender

_DRAWN = {
    # Arrows, ellipsis, quotes, signs of states and of choice.
    "←": "<", "→": ">", "↑": "^", "↓": "v", "⇥": ">", "⇤": "<", "⇧": "^", "⏎": "/", "␣": "_", "␛": "^", "␡": "?",
    "…": "~", "–": "-", "—": "-", "−": "-", "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "·": ".", "•": "*",
    "●": "*", "◆": "*", "◇": "o", "◦": ".", "⌫": "<", "○": "o", "◉": "@", "◌": "o", "◐": "o", "◑": "o", "◒": "o", "◓": "o", "■": "#", "□": "o", "▪": "*",
    "▶": ">", "◀": "<", "‹": "<", "▲": "^", "▼": "v", "▸": ">", "◂": "<", "▴": "^", "▾": "v", "▷": ">", "△": "^", "▽": "v",
    "✓": "+", "✔": "+", "✗": "x", "✘": "x", "✕": "x", "×": "x", "⚠": "!", "★": "*", "☆": "*", "☐": "o", "☑": "x", "☒": "-", "◷": "~",
    "⏸": "=", "⏵": ">", "⏹": "#", "⏳": "..", "⌛": "..", "🔎": "? ", "⊘": "0", "∅": "0", "∞": "8", "±": "~",
    "≤": "<", "≥": ">", "≠": "!", "≈": "~", "Δ": "D", "σ": "s", "µ": "u", "°": "o", "№": "#", "²": "2", "³": "3",
    # Parts of cells: bars that grow from below and from the left, and shades.
    "▁": "_", "▂": ".", "▃": "-", "▄": "=", "▅": "=", "▆": "^", "▇": "^", "█": "#", "▀": "^", "▔": "-",
    "▏": "|", "▎": "|", "▍": "|", "▌": "|", "▋": "|", "▊": "|", "▉": "#", "▐": "|", "▕": "|",
    "░": ".", "▒": ":", "▓": "%", "▖": ".", "▗": ".", "▘": "'", "▛": "#", "▜": "#", "▙": "#", "▟": "#", "▚": "x", "▞": "x", "▝": "'", "━": "-", "┃": "|",
    "🬀": "'", "🭶": "-", "🭻": "_",
}  # fmt: skip

_DOTS = " .:+*#"
"""Braille, by how many of a cell's eight dots are set."""


def _plain(char: str) -> str:
    """ASCII of the same width for one character."""
    if char in _DRAWN:
        return _DRAWN[char]
    code = ord(char)
    if 0x2500 <= code < 0x2580:  # box drawing: straight lines, corners, crossings
        words = set(unicodedata.name(char).split())
        if "AND" not in words and words & {"VERTICAL", "UP", "DOWN"}:
            return "|"
        return "-" if "AND" not in words and words & {"HORIZONTAL", "LEFT", "RIGHT"} else "+"
    if 0x2800 <= code < 0x2900:
        dots = (code - 0x2800).bit_count()
        return _DOTS[-(-dots * 5 // 8)]
    wide = cell_len(char)
    letters = "".join(c for c in unicodedata.normalize("NFKD", char) if c.isascii() and c.isprintable())
    return letters if letters and len(letters) == wide else "?" * wide


@lru_cache(maxsize=4096)
def ascii_of(text: str) -> str:
    """A line in ASCII that takes as many cells: drawing by signs that look alike, letters without their
    accents, and a question mark for each cell of what has no likeness."""
    if text.isascii():
        return text
    found = "".join(char if char.isascii() else _plain(char) for char in text)
    missing = cell_len(text) - len(found)  # characters that join with their neighbours
    return found + " " * missing if missing >= 0 else found[:missing]


class Ascii(LineFilter):
    """Draws everything in ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same cells in ASCII."""
        return [Segment(ascii_of(text), style, control) for text, style, control in segments]


class Colorless(LineFilter):
    """Leaves the terminal's own two colours and what is bold, reversed or underlined."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same text without colours."""
        return [Segment(text, style and _colorless(style), control) for text, style, control in segments]


_OWN = Style(color=RichColor.default(), bgcolor=RichColor.default(), dim=False)


@lru_cache(maxsize=1024)
def _colorless(style: Style) -> Style:
    return style + _OWN


class PlainBar(ScrollBarRender):
    """A scroll bar that is seen without colours and in ASCII."""

    VERTICAL_BARS = HORIZONTAL_BARS = [" "] * 8
