"""The report on a lab, section by section: where we are, where we are going."""

from labtui.report.document import Section
from labtui.report.lab import families, going, journal, now, overview, problems, tried, weights
from labtui.report.lab.document import Document

SECTIONS: dict[str, Section[Document]] = {
    "overview": Section("How much there is, and from when", overview.section),
    "families": Section("Where we are: the best of each model", families.section, families.FILES),
    "tried": Section("What was tried with each model", tried.section, tried.FILES),
    "problems": Section("Problems seen", problems.section),
    "weights": Section("Weights and gradients of the best", weights.section),
    "todos": Section("Where we are going: to-dos", going.section, going.FILES),
    "now": Section("Running and waiting", now.section),
    "journal": Section("Journal", journal.section, journal.FILES),
}
"""By the names that `--section` takes, in their order."""
