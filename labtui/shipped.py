"""The example recipes that come with labtui, installed or in a checkout."""

from __future__ import annotations

from pathlib import Path


def recipes() -> Path:
    """The folder of the example recipes."""
    package = Path(__file__).parent
    installed = package / "shipped"
    return installed if installed.is_dir() else package.parent / "recipes"
