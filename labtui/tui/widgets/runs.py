"""The table of runs, or of groups of them that fold open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from labtui.tui.arrangement import Arrangement
from labtui.tui.grouping import SIGN
from labtui.tui.marks import Marks
from labtui.tui.snapshot import Snapshot
from labtui.tui.sparks import Spark
from labtui.tui.tables import Part, group_cells, parts, run_cells
from labtui.tui.widgets.table import Cells, Column, Table

_STAY = ("state", "name")
"""Columns that stay while others pass."""


class RunsTable(Table):
    """Rows of a snapshot as somebody has arranged them.

    Args:
        arranged: how.
        marks: the runs that are marked.
    """

    def __init__(self, arranged: Arrangement, marks: Marks) -> None:
        super().__init__((), self.cells, id="runs", empty="  Reading the lab …")
        self.arranged, self.marks = arranged, marks
        self.snapshot = Snapshot()
        self.sparks: Mapping[str, Spark] = {}
        self.opened: set[str] = set()
        self.skipped = 0
        """Columns after state and name that are left out, for those that have no room otherwise."""
        self.parts: tuple[Part, ...] = ()
        self._members: dict[str, str] = {}

    def cells(self, key: str) -> Cells:
        """A row."""
        if line := self.snapshot.groups.get(key):
            marks = {self.marks.style(run) for run in line.runs}
            mark = "" if marks - {""} == set() else (marks.pop() if len(marks) == 1 else "accent")
            return group_cells(self.parts, line, key in self.opened, mark)
        spark = self.sparks.get(key)
        return run_cells(
            self.parts, self.snapshot, key, self.app.now(), self.marks.style(key),  # type: ignore[attr-defined]
            self.arranged.baseline, key in self._members, spark.text if spark else "",
        )  # fmt: skip

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show what is known now."""
        self.snapshot = snapshot
        self.empty = (
            "  No run fits the filter; esc clears it." if snapshot.place
            else "  No runs yet: press r, choose a recipe, and launch it."
        )  # fmt: skip
        self.opened &= snapshot.groups.keys()
        self.rearranged()
        self.show(self._lines_of())

    def _lines_of(self) -> Sequence[str]:
        """The runs, or the groups with the runs of those that are open."""
        snapshot, found = self.snapshot, list[str]()
        self._members = {}
        if not snapshot.groups:
            return snapshot.keys
        for name in snapshot.keys:
            found.append(name)
            if name in self.opened:
                runs = snapshot.groups[name].runs
                found += runs
                self._members |= dict.fromkeys(runs, name)
        return found

    def show_arranged(self, arranged: Arrangement) -> None:
        """Arranged otherwise."""
        self.arranged = arranged
        self.rearranged()
        self.repaint()

    def rearranged(self) -> None:
        """The columns that there is room for."""
        grouped = bool(self.snapshot.groups)
        compared = self.arranged.baseline in self.snapshot.place
        chosen: Sequence[str] = self.arranged.columns
        if self.skipped:
            rest = [key for key in chosen if key not in _STAY]
            chosen = [key for key in chosen if key in _STAY] + rest[self.skipped :]
        self.parts = parts(self.snapshot, chosen, self._width, grouped, compared)
        place = [
            n for n, part in enumerate(self.parts) if (part.key, part.what) == (self.arranged.sort, "text")
        ]
        self.sorted_by = (place[0], self._shown_reverse) if place else None
        columns: tuple[Column, ...] = tuple(part.column for part in self.parts)
        if columns != tuple(self.columns):
            self.rearrange(columns)

    @property
    def _shown_reverse(self) -> bool:
        """Whether the largest is first in the column as it is read: the newest run has the least age."""
        return self.arranged.reverse != (self.arranged.sort == "age")

    def on_resize(self) -> None:
        """Other columns may have room."""
        self.rearranged()
        super().on_resize()

    @property
    def sparked(self) -> bool:
        """Whether small lines are shown."""
        return any(part.key == "spark" for part in self.parts)

    @property
    def runs_in_sight(self) -> tuple[str, ...]:
        """Ids of the runs on the screen."""
        return tuple(key for key in self.in_sight if not key.startswith(SIGN))

    @property
    def shown_runs(self) -> Sequence[str]:
        """All runs that the filter leaves."""
        groups = self.snapshot.groups
        return [run for line in groups.values() for run in line.runs] if groups else self.snapshot.keys

    def runs_at(self, key: str | None) -> Sequence[str]:
        """The run of a row, or all of a group."""
        line = self.snapshot.groups.get(key or "")
        return line.runs if line else [key] if key else []

    @property
    def targets(self) -> Sequence[str]:
        """The marked runs, or else those of the row under the cursor."""
        return list(self.marks) or self.runs_at(self.key)

    def mark(self, rows: int) -> None:
        """Mark the row under the cursor, or unmark it, and go on by rows."""
        if self.key is not None:
            self.marks.toggle(self.runs_at(self.key))
            self.repaint()
            self.action_move(rows)

    def extend(self, rows: int) -> None:
        """Mark the row under the cursor and those on the way."""
        self.marks.add(self.runs_at(self.key))
        self.action_move(rows)
        self.marks.add(self.runs_at(self.key))
        self.repaint()

    def mark_all(self) -> None:
        """Mark all runs that are shown, or none."""
        self.marks.toggle(self.shown_runs)
        self.repaint()

    def skip(self, columns: int) -> None:
        """Go on to columns further right, or back."""
        rest = sum(key not in _STAY for key in self.arranged.columns)
        self.skipped = max(0, min(self.skipped + columns, rest - 1))
        self.rearranged()
        self.repaint()

    def fold(self, close: bool | None = None) -> bool:
        """Close the group that the cursor is on or in, or open the one that it is on; whether there is one.

        Args:
            close: None: the other way than it is.
        """
        key = self.key or ""
        name = self._members.get(key, key)
        if name not in self.snapshot.groups or (key != name and not close):
            return False
        self.opened ^= {name} if close is None or close == (name in self.opened) else set()
        self.select(name)
        self.show(self._lines_of())
        return True
