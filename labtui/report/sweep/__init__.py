"""The report on a sweep, section by section: its cells beside the baseline, what mattered, each run."""

from labtui.report.document import Section
from labtui.report.sweep import analysis, cells, differences, overview, runs
from labtui.report.sweep.document import Document

SECTIONS: dict[str, Section[Document]] = {
    "overview": Section("How many cells and runs, and from where", overview.section),
    "cells": Section("Cells", cells.section),
    "differences": Section("Difference to the baseline", differences.section),
    "analysis": Section("What matters", analysis.section, analysis.FILES),
    "runs": Section("Runs", runs.section),
}
"""By the names that `--section` takes, in their order."""
