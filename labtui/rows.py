"""Rows of styled text, what charts and screens are made of; nothing that takes time to import."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

Row = list[tuple[str, str]]
"""One line: (text, style) pairs; a style is one of PLAIN, a name of the theme's, or a colour."""

FAINT = "~"
"""Behind a colour: the same colour, fainter."""

PLAIN = ("", "dim", "bold")
"""Styles that need no colour."""

PALETTE = ("#56b4e9", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#f0e442", "#0072b2")
"""Okabe and Ito (2008), told apart with every kind of colour vision; brightest first."""

Color = Literal["none", "16", "256", "true"]
"""How many colours a terminal has."""


def mixed(color: str, other: str, part: float) -> str:
    """`#rrggbb` with a part, from 0 to 1, of another."""
    pairs = [(int(color[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in pairs)


TONES = 3
COLORS = (
    *PALETTE,
    *(mixed(color, "#ffffff", 0.55) for color in PALETTE),
    *(mixed(color, "#000000", 0.45) for color in PALETTE),
)
"""The palette, then all of it lighter, then darker: 21 colours."""


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
    if style.endswith(FAINT):
        return "2;" + _code(style.removesuffix(FAINT), color)
    system = {"16": ColorSystem.STANDARD, "256": ColorSystem.EIGHT_BIT}.get(color, ColorSystem.TRUECOLOR)
    return ";".join(RichColor.parse(style).downgrade(system).get_ansi_codes())
