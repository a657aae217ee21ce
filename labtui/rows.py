"""Rows of styled text, what charts and screens are made of; nothing that takes time to import."""

from __future__ import annotations

Row = list[tuple[str, str]]
"""One line: (text, style) pairs; a style is one of PLAIN, a name of the theme's, or a colour."""

PLAIN = ("", "dim", "bold")
"""Styles that need no colour."""

PALETTE = ("#56b4e9", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#f0e442", "#0072b2")
"""Okabe and Ito (2008), told apart with every kind of colour vision; brightest first."""
