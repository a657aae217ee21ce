"""What the sections of a sweep's report share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labtui.query.aggregate import Aggregate
from labtui.report.document import Beside

if TYPE_CHECKING:
    from labtui.query.lab import Lab


@dataclass(frozen=True)
class Document:
    """A sweep, or any runs, as their report sees them.

    Args:
        found: the groups, by both protocols.
        beside: gets the tables that go with the text.
        log: keys that are seen on a logarithmic scale, whatever they span.
        lab: where the runs are.
    """

    found: Aggregate
    beside: Beside
    log: Collection[str]
    lab: Lab

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        """The rows of all runs."""
        return [row for group in self.found.groups for row in group.rows]

    @property
    def sweep(self) -> str:
        """Its id; empty: the runs are of none."""
        return next((str(row["sweep"]) for row in self.rows), "")
