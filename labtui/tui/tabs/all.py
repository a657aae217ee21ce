"""All sides of a run, in the order of their keys."""

from __future__ import annotations

from labtui.tui.tabs.base import Tab
from labtui.tui.tabs.charts import ChartsTab
from labtui.tui.tabs.log import LogTab
from labtui.tui.tabs.notes import NotesTab
from labtui.tui.tabs.overview import OverviewTab
from labtui.tui.tabs.system import SystemTab

TABS: tuple[type[Tab], ...] = (ChartsTab, OverviewTab, LogTab, SystemTab, NotesTab)
