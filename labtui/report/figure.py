"""Figures of matplotlib as PNG or SVG files: the same input gives the same bytes."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 120


def saved(
    draw: Callable[[Figure], None], families: Sequence[str], size: tuple[float, float] | None = None,
    format: str = "png",
) -> bytes:  # fmt: skip
    """A figure as a file.

    Args:
        draw: fills it.
        families: of its fonts.
        size: in inches; None: the figure gets it as it is drawn.
        format: png or svg.
    """
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Not what the user's matplotlibrc says, and the same identifiers in every SVG: a report looks the same everywhere.
    settings: Any = {"font.family": families, "axes.unicode_minus": False, "svg.hashsalt": "labtui"}
    with style.context(["default", settings]):
        figure = Figure(figsize=size, dpi=DPI, layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure)
        buffer = io.BytesIO()
        dated: Any = {"Software": None} if format == "png" else {"Date": None, "Creator": None}
        figure.savefig(buffer, format=format, dpi=DPI, metadata=dated)
    return buffer.getvalue()
