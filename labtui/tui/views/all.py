"""All views of a sweep, in the order of their keys."""

from __future__ import annotations

from labtui.tui.views.base import View
from labtui.tui.views.cells import CellsView
from labtui.tui.views.drawn import HeatView, ImportanceView, ParallelView, SlicesView
from labtui.tui.views.means import MeansView

VIEWS: tuple[type[View], ...] = (CellsView, MeansView, ParallelView, ImportanceView, SlicesView, HeatView)
