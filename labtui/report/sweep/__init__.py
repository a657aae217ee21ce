"""The report on several runs, section by section: folds, or the best and configurations beside the baseline; all runs,
what mattered, the ends; what the rules say, what the user wrote; what they share, where all lies, the grid."""

from labtui.report.document import Section
from labtui.report.sweep import (
    about,
    analysis,
    best,
    cells,
    diagnosis,
    differences,
    extremes,
    folds,
    grid,
    layout,
    model,
    notes,
    overview,
    parameters,
    runs,
    unfinished,
)
from labtui.report.sweep.document import Document

SECTIONS: dict[str, Section[Document]] = {
    "overview": Section("How many cells and runs, the best, and from where", overview.section),
    "about": Section("What was tried: recipes, options with their values", about.section),
    "folds": Section("Folds", folds.section),
    "best": Section("Best model, and the file that holds it", best.section),
    "cells": Section("Configurations and repeats", cells.section),
    "differences": Section("Difference to the baseline", differences.section),
    "runs": Section("Overall runs", runs.section, runs.FILES),
    "analysis": Section("What matters", analysis.section, analysis.FILES),
    "extremes": Section("Best versus worst", extremes.section, extremes.FILES),
    "diagnosis": Section("Diagnosis", diagnosis.section),
    "observations": Section("Observations", notes.observations),
    "todos": Section("To do", notes.todos),
    "unfinished": Section("Not done, resumed", unfinished.section),
    "model": Section("Model size, time and split", model.section),
    "parameters": Section("Parameters", parameters.section),
    "layout": Section("Where it lies", layout.section),
    "grid": Section("Appendix: the grid", grid.section, grid.FILES),
}
"""By the names that `--section` takes, in their order."""
