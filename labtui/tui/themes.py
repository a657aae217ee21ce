"""labtui's own colours. Every other theme of Textual fits too: screens use its variables only."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from textual.theme import Theme

from labtui.errors import LabError
from labtui.files.settings import settings
from labtui.rows import PALETTE

LINE_COLORS = {f"line-{number}": color for number, color in enumerate(PALETTE, 1)}
_DARK_ON_LIGHT = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#000000")

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
        variables={f"line-{n}": color for n, color in enumerate(_DARK_ON_LIGHT, 1)},
    ),
)  # fmt: skip


def chosen(root: Path) -> str:
    """The `theme` of the settings, else labtui's."""
    with suppress(LabError):  # a broken file is `doctor`'s to tell, and no reason to stay dark
        theme = settings(root).get("theme")
        if isinstance(theme, str):
            return theme
    return THEMES[0].name
