"""The report on several runs, section by section: folds, or configurations beside the baseline, what mattered, each
run, what they share, and what the user wrote."""

from labtui.report.document import Section
from labtui.report.sweep import analysis, cells, differences, folds, model, notes, overview, parameters, runs
from labtui.report.sweep.document import Document

SECTIONS: dict[str, Section[Document]] = {
    "overview": Section("How many cells and runs, the best, and from where", overview.section),
    "folds": Section("Folds", folds.section),
    "cells": Section("Configurations and repeats", cells.section),
    "differences": Section("Difference to the baseline", differences.section),
    "analysis": Section("What matters", analysis.section, analysis.FILES),
    "runs": Section("Runs", runs.section),
    "model": Section("Model size, time and split", model.section),
    "parameters": Section("Parameters", parameters.section),
    "observations": Section("Observations", notes.observations),
    "todos": Section("To do", notes.todos),
}
"""By the names that `--section` takes, in their order."""
