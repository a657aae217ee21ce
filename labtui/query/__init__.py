"""The reading side: rows, filters, references, comparisons. Changes nothing in a run directory."""

from labtui.query.lab import Lab, open_lab
from labtui.query.rows import Metric, Row

__all__ = ["Lab", "Metric", "Row", "open_lab"]
