"""What the user wants of the screens, from the settings; and what this terminal can draw."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labtui.errors import LabError
from labtui.files.settings import KEYS, settings, wrong


@dataclass(frozen=True)
class Preferences:
    """Settings of the screens; `labtui.files.settings.SETTINGS` says what each is."""

    theme: str = ""
    """Empty: labtui's own, for as many colours as there are."""
    refresh: float | None = None
    ascii: bool = False
    bell: bool = False
    colors: str = ""
    """One of `labtui.files.settings.COLORS`; empty: as many as Textual finds."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Names of commands, and the keys that they have instead of their own."""
    problems: tuple[str, ...] = ()
    """What is wrong with the files: such settings do not count."""


def preferences(root: Path) -> Preferences:
    """The preferences in a lab, of its `labtui.toml` and the user's, else of the terminal. Nothing that is
    wrong in the files is a reason to stay dark: it is told."""
    terminal: dict[str, Any] = {"ascii": draws_ascii_only(), "colors": terminal_colors()}
    try:
        given, found = settings(root), dict(wrong(root))
    except LabError as error:
        return Preferences(problems=(str(error),), **terminal)
    tables = {name: given.get(name) if name not in found else None for name in ("tui", KEYS)}
    own = terminal | {k: v for k, v in (tables["tui"] or {}).items() if f"tui.{k}" not in found}
    keys = {k: v for k, v in (tables[KEYS] or {}).items() if f"{KEYS}.{k}" not in found}
    theme = given.get("theme", "") if "theme" not in found else ""
    return Preferences(theme=theme, keys=keys, problems=tuple(found.values()), **own)


def terminal_colors() -> str:
    """How many colours the terminal has, one of `labtui.files.settings.COLORS`: what NO_COLOR, COLORTERM and
    TERM say. None where TERM names no kind of terminal."""
    from rich.console import Console

    if "NO_COLOR" in os.environ:
        return "none"
    found = Console(force_terminal=True).color_system
    return {"standard": "16", "256": "256", "truecolor": "true"}.get(found or "", "none")


def draws_ascii_only() -> bool:
    """Whether the terminal draws nothing beyond ASCII, by its kind or by the locale."""
    encoding = getattr(sys.__stdout__, "encoding", None) or "utf-8"
    return os.environ.get("TERM", "") in ("", "dumb", "linux", "unknown") or "utf" not in encoding.lower()
