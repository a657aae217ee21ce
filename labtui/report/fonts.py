"""Fonts that have a text's letters, so that a picture never shows empty boxes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from labtui.cells import clean, fit

BASE = "DejaVu Sans"
"""Comes with matplotlib."""
_PREFERRED = ("Noto Sans CJK", "Noto Sans", "Source Han", "WenQuanYi", "Droid Sans", "Unifont")
_NEVER = ("Emoji", "Last Resort", "LastResort", "Adobe Blank")
LONGEST = 48


class Fonts:
    """The families that some texts need, and a stand-in for each text that no font can show.

    Args:
        texts: all that a picture will show.
        kind: what they are; a stand-in is this and a number.
    """

    def __init__(self, texts: Iterable[str], kind: str = "metric") -> None:
        self.families = [BASE]
        self.replaced: dict[str, str] = {}
        """Text to its ASCII stand-in."""
        lines = {text: fit(clean(text), LONGEST) for text in texts}
        missing = _lacking(BASE, {char for line in lines.values() for char in line})
        for family in _candidates() if missing else ():
            if found := missing - _lacking(family, missing):
                self.families.append(family)
                missing -= found
            if not missing:
                break
        self._lines = lines
        for number, (text, line) in enumerate(lines.items(), 1):
            if missing & set(line):
                self.replaced[text] = f"{kind} {number}"

    def knows(self, text: str) -> bool:
        """Whether it is one of the texts."""
        return text in self._lines

    def show(self, text: str) -> str:
        """What stands for a text in a picture."""
        return self.replaced.get(text) or self._lines[text]


def _lacking(family: str, chars: set[str]) -> set[str]:
    """The characters that a family has no glyph for."""
    font = _font(family)
    return {char for char in chars if font is None or not font.get_char_index(ord(char))}


@cache
def _font(family: str) -> Any:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    try:
        return get_font(findfont(FontProperties(family=[family]), fallback_to_default=False))
    except (OSError, RuntimeError, ValueError):
        return None


@cache
def _candidates() -> list[str]:
    """Installed upright families of usual weight, the likely ones first."""
    from matplotlib.font_manager import fontManager

    names = {
        entry.name
        for entry in fontManager.ttflist
        if entry.style == "normal" and entry.weight in (400, "normal", "regular")
        if not any(word in entry.name for word in _NEVER)
    }

    def rank(name: str) -> tuple[int, str]:
        places = [i for i, start in enumerate(_PREFERRED) if name.startswith(start)]
        return min(places, default=len(_PREFERRED)), name

    return sorted(names, key=rank)
