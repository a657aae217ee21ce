"""Rows of styled text, what charts and screens are made of; nothing that takes time to import."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

Row = list[tuple[str, str]]
"""One line: (text, style) pairs; a style is one of PLAIN, a name of the theme's, or a colour."""

PLAIN = ("", "dim", "bold")
"""Styles that need no colour."""

PALETTE = ("#56b4e9", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#f0e442", "#0072b2")
"""Okabe and Ito (2008), told apart with every kind of colour vision; brightest first."""

Color = Literal["none", "16", "256", "true"]
"""How many colours a terminal has."""


def merged(pieces: Row) -> Row:
    """Neighbours of one style as one piece."""
    out: Row = []
    for text, style in pieces:
        if out and out[-1][1] == style:
            out[-1] = (out[-1][0] + text, style)
        else:
            out.append((text, style))
    return out


def painted(rows: Sequence[Row], color: Color) -> list[str]:
    """Rows as text for a terminal, with the escape codes of so many colours."""
    return ["".join(_painted(text, style, color) for text, style in row) for row in rows]


def _painted(text: str, style: str, color: Color) -> str:
    code = _code(style, color) if color != "none" else ""
    return f"\x1b[{code}m{text}\x1b[0m" if code else text


@lru_cache(maxsize=256)
def _code(style: str, color: Color) -> str:
    """The numbers of the escape sequence that turns a style on."""
    from rich.color import Color as RichColor
    from rich.color import ColorSystem

    if style in PLAIN:
        return {"bold": "1", "dim": "2", "": ""}[style]
    system = {"16": ColorSystem.STANDARD, "256": ColorSystem.EIGHT_BIT}.get(color, ColorSystem.TRUECOLOR)
    return ";".join(RichColor.parse(style).downgrade(system).get_ansi_codes())
