"""What a report is of: a run or a sweep, shown as text or written as a file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from labtui import report
from labtui.errors import RunNotFound
from labtui.files.paths import slug
from labtui.report import sweeps
from labtui.report.document import Beside, Document

if TYPE_CHECKING:
    from labtui.query.aggregate import Aggregate
    from labtui.query.lab import Lab, Run


class Subject(ABC):
    """A run or a sweep that there is something to report on."""

    @property
    @abstractmethod
    def file(self) -> str:
        """What the report's file is called if nobody says."""

    @property
    @abstractmethod
    def titles(self) -> Mapping[str, str]:
        """Name of each section to what people choose it by."""

    @abstractmethod
    def text(self, sections: Collection[str] = ()) -> str:
        """The report as markdown; its pictures are not drawn.

        Args:
            sections: their names; none: all.

        Raises:
            LabError: no such section.
        """

    @abstractmethod
    def write(
        self, out: Path, sections: Collection[str] = (), pictures: bool = True, force: bool = False
    ) -> Path:
        """Write the report; see `labtui.report.report`."""


@dataclass(frozen=True)
class OfRun(Subject):
    """One run."""

    run: Run

    @property
    def file(self) -> str:
        """By its id."""
        return f"report-{self.run.id}.md"

    @property
    def titles(self) -> Mapping[str, str]:
        """Those of runs."""
        return {name: section.title for name, section in report.SECTIONS.items()}

    def text(self, sections: Collection[str] = ()) -> str:
        """The report as markdown."""
        beside = Beside(f"{Path(self.file).stem}_files", draws=False)
        return report.compose(Document(self.run, beside), sections)

    def write(
        self, out: Path, sections: Collection[str] = (), pictures: bool = True, force: bool = False
    ) -> Path:
        """Write the report."""
        return report.report(self.run, out, pictures, force, sections)


@dataclass(frozen=True)
class OfSweep(Subject):
    """A sweep.

    Args:
        sweep: its id.
        table: its groups, by both protocols.
        log: keys that are seen on a logarithmic scale, whatever they span.
    """

    sweep: str
    table: Aggregate
    log: Collection[str]

    @property
    def file(self) -> str:
        """By its id."""
        return f"report-{slug(self.sweep)}.md"

    @property
    def titles(self) -> Mapping[str, str]:
        """Those of sweeps."""
        return {name: section.title for name, section in sweeps.SECTIONS.items()}

    def text(self, sections: Collection[str] = ()) -> str:
        """The report as markdown."""
        beside = Beside(f"{Path(self.file).stem}_files", draws=False)
        return report.compose_sweep(sweeps.Document(self.table, beside, self.log), sections)

    def write(
        self, out: Path, sections: Collection[str] = (), pictures: bool = True, force: bool = False
    ) -> Path:
        """Write the report."""
        return report.sweep_report(self.table, out, pictures, force, self.log, sections)


def subject(lab: Lab, reference: str) -> Subject:
    """The run or the sweep that a reference means.

    Raises:
        RunNotFound: there is none, or the sweep has no runs.
    """
    found = lab.group(reference)
    if not (sweep := lab.sweep(reference)):
        return OfRun(found[0])
    if not found:
        raise RunNotFound(f"sweep {sweep}: has no runs to report on; `labtui resume {sweep}` makes them")
    from labtui.query.aggregate import protocols
    from labtui.query.analysis import logarithmic
    from labtui.query.baseline import beside_pinned

    rows = [one.row.fields for one in found]
    table = beside_pinned(lab.paths, lab.index.rows, rows, metrics=protocols(rows))
    return OfSweep(sweep, table, logarithmic(lab.paths, rows))
