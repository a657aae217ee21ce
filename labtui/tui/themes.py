"""labtui's own colours. Every other theme of Textual fits too: screens use its variables only."""

from __future__ import annotations

from collections.abc import Sequence

from textual.theme import Theme

from labtui.rows import PALETTE


def _lines(colors: Sequence[str]) -> dict[str, str]:
    return {f"line-{number}": color for number, color in enumerate(colors, 1)}


LINE_COLORS = _lines(PALETTE)
_DARK_ON_LIGHT = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#000000")
_ON_BLACK = ("#6cc8ff", "#ffb000", "#00d59a", "#ff7a1a", "#ffa8d8", "#fff24d", "#7d9bff")
# What rich takes the 16 colours of a terminal for, so that each becomes itself.
_SIXTEEN = ("#55ffff", "#aa5500", "#55ff55", "#ff5555", "#ff55ff", "#ffff55", "#5555ff")

THEMES = (
    Theme(
        name="labtui", primary="#56b4e9", secondary="#cc79a7", accent="#56b4e9", warning="#e69f00",
        error="#f0705a", success="#2fbf8f", foreground="#d8dee6", background="#101418",
        surface="#151a20", panel="#28313b", dark=True, variables=dict(LINE_COLORS),
    ),
    Theme(
        name="labtui-light", primary="#0072b2", secondary="#cc79a7", accent="#0072b2",
        warning="#a06000", error="#b03020", success="#00704f", foreground="#20262c",
        background="#fbfbf8", surface="#f3f3ee", panel="#dcdcd4", dark=False,
        variables=_lines(_DARK_ON_LIGHT),
    ),
    Theme(
        name="labtui-contrast", primary="#6cc8ff", secondary="#ffa8d8", accent="#6cc8ff",
        warning="#ffb000", error="#ff8060", success="#00d59a", foreground="#ffffff", background="#000000",
        surface="#000000", panel="#3a4a5c", dark=True, variables=_lines(_ON_BLACK),
    ),
    Theme(
        name="labtui-16", primary="#55ffff", secondary="#ff55ff", accent="#55ffff", warning="#ffff55",
        error="#ff5555", success="#55ff55", foreground="#ffffff", background="#000000",
        surface="#000000", panel="#555555", dark=True, variables=_lines(_SIXTEEN),
    ),
)  # fmt: skip
"""The first is the default; the last that of terminals with 16 colours, where the others' lines would look alike."""
