"""Drawings of an analysis as rows of terminal cells, one kind a file; each exactly `width` cells wide."""

from labtui.plots.bars import importance_rows
from labtui.plots.drawing import drawing, pair
from labtui.plots.grid import correlation_rows, heat_rows
from labtui.plots.parallel import parallel_rows
from labtui.plots.parts import Look
from labtui.plots.slices import slices_rows

__all__ = [
    "Look", "correlation_rows", "drawing", "heat_rows", "importance_rows", "pair", "parallel_rows", "slices_rows",
]  # fmt: skip
