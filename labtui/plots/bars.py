"""Importances as bars."""

from __future__ import annotations

from labtui.cells import clean, pad
from labtui.cells import width as width_of
from labtui.plots.parts import Look
from labtui.query.importance import Importance
from labtui.rows import PALETTE, Row

_EIGHTHS = " ▏▎▍▌▋▊▉"


def importance_rows(found: Importance, look: Look) -> list[Row]:
    """One row a key, the most important first; the longest bar is as long as there is room."""
    if not found.shares:
        return []
    names = [clean(name) for name in found.shares]
    left = min(max(map(width_of, names)), look.width // 2)
    room = max(look.width - left - 7, 1)
    most = max(found.shares.values()) or 1.0
    return [
        look.line([
            (pad(name, left, ellipsis=look.ellipsis), ""),
            (" ", ""),
            (pad(bar(share / most * room, look.ascii), room), PALETTE[0]),
            (f"  {share:.2f}", ""),
        ])
        for name, share in zip(names, found.shares.values(), strict=True)
    ]  # fmt: skip


def bar(length: float, ascii: bool) -> str:
    """A bar of so many cells."""
    if ascii:
        return "#" * round(length)
    eighths = max(round(length * 8), 0)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
