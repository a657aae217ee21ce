"""The runs of a sweep as the feed hands them on; whatever takes long is made of them in workers."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from labtui.errors import LabtuiError
from labtui.tui.want import Eyes, Want, file_stamp


@dataclass(frozen=True, eq=False)
class SweepRows:
    """A sweep at one moment. Rows are replaced when they change, never changed: any thread may read them."""

    sweep: str
    """Its id; empty: the run is of none."""
    rows: list[dict[str, Any]]
    """Its runs, oldest first."""
    files: object
    """Changes with what else is kept of it: definition, requests, baseline."""

    def same(self, other: SweepRows) -> bool:
        """Whether nothing has changed."""
        return (
            (self.sweep, self.files, len(self.rows)) == (other.sweep, other.files, len(other.rows))
            and all(a is b or a == b for a, b in zip(self.rows, other.rows, strict=True))
        )  # fmt: skip

    @property
    def finished(self) -> object:
        """Equal as long as no other runs have finished: figures are of those."""
        done = ((row["id"], row["attempt"]) for row in self.rows if row["state"] == "finished")
        return len(self.rows), *done

    @property
    def states(self) -> object:
        """Equal as long as no run is in another state, and no other baseline is pinned."""
        return self.files, *((row["id"], row["attempt"], row["state"]) for row in self.rows)


@dataclass(frozen=True)
class WantSweep(Want):
    """The runs of a sweep: found is `SweepRows`.

    Args:
        key: the sweep's id, or that of one of its runs.
    """

    key: str

    def stamp(self, eyes: Eyes) -> object:
        """Any change of a run, and of the sweep's folder."""
        files: object = (-1, -1)
        with suppress(LabtuiError):  # it is called as no folder can be
            files = file_stamp(eyes.lab.paths.sweep(self._sweep(eyes)).root)
        return eyes.changes, files

    def look(self, eyes: Eyes, before: SweepRows | None) -> SweepRows:
        """Find them."""
        sweep = self._sweep(eyes)
        found = SweepRows(sweep, eyes.rows(sweep), self.stamp(eyes))
        return before if before and before.same(found) else found

    def _sweep(self, eyes: Eyes) -> str:
        run = eyes.run(self.key)
        return str(run.row["sweep"]) if run else self.key
