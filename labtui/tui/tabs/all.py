"""All sides of a run, in the order of their keys."""

from __future__ import annotations

from labtui.tui.tabs.base import Tab
from labtui.tui.tabs.charts import ChartsTab
from labtui.tui.tabs.diagnosis import DiagnosisTab
from labtui.tui.tabs.embedding import EmbeddingTab
from labtui.tui.tabs.log import LogTab
from labtui.tui.tabs.notes import NotesTab
from labtui.tui.tabs.overview import OverviewTab
from labtui.tui.tabs.results import ResultsTab
from labtui.tui.tabs.system import SystemTab
from labtui.tui.tabs.weights import WeightsTab

TABS: tuple[type[Tab], ...] = (
    *(ChartsTab, OverviewTab, LogTab, ResultsTab, WeightsTab, EmbeddingTab, SystemTab, DiagnosisTab),
    NotesTab,
)
