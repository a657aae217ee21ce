"""Which runs the lab's table shows, in which order: the one part of a look that screens always share."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from labtui.errors import LabtuiError
from labtui.query.lab import select
from labtui.tui.columns import DEFAULT, needed, sorted_by
from labtui.tui.grouping import group_lines
from labtui.tui.snapshot import Snapshot, ordered
from labtui.tui.want import Eyes

ALL = 60.0
"""Seconds between two looks at all run directories."""


@dataclass(frozen=True)
class Shown:
    """What the table of runs shows.

    Args:
        filter: which runs: an expression, or a word.
        sort, reverse: by which column, and whether the largest is first.
        columns: see `labtui.tui.columns`.
        group: keys by which runs are put together; none: runs.
        baseline: id of the run that others are compared with.
        visible: ids of rows on the screen.
    """

    filter: str = ""
    sort: str = "age"
    reverse: bool = True
    columns: tuple[str, ...] = DEFAULT
    group: tuple[str, ...] = ()
    baseline: str = ""
    visible: tuple[str, ...] = ()

    @property
    def values(self) -> list[str]:
        """Names of the values that the snapshot must have."""
        return [name for key in self.columns for name in needed(key)] + [sorted_by(self.sort)]


class Listing:
    """Keeps the snapshot of the runs, as the eyes have it, up to date."""

    def __init__(self, eyes: Eyes) -> None:
        self.eyes = eyes
        self._shown: Shown | None = None
        self._all_at = 0.0

    def look(self) -> None:
        """At the next refresh look at all directories: something was done."""
        self._all_at = 0.0

    def refresh(self, shown: Shown) -> Snapshot | None:
        """The snapshot, if it or what is asked of it changed."""
        index, before = self.eyes.lab.index, self.eyes.snapshot
        # At first the index is believed of finished runs, for all their directories take a while to look at.
        first = index.load()
        every = not first and (time.monotonic() - self._all_at >= ALL or not self._all_at)
        changed = index.refresh(every=every, visible=shown.visible)
        if every:
            self._all_at = time.monotonic()
        self.eyes.changes += bool(changed)
        new = self._read(changed, shown)
        asked = replace(shown, visible=())
        if new is before and asked == self._shown:
            return None
        rows, problem = self._filtered(shown.filter.strip(), new)
        keys, groups = [row["id"] for row in rows], {}
        if shown.group and not problem:
            try:
                groups = group_lines(rows, shown.group, shown.columns, shown.baseline)
            except LabtuiError as error:
                problem = str(error)
        keys = self._ordered(new, keys, shown)
        if groups:
            pairs = [(name, line.ranks.get(sorted_by(shown.sort))) for name, line in groups.items()]
            place = {key: number for number, key in enumerate(keys)}
            groups = {
                name: replace(groups[name], runs=tuple(sorted(groups[name].runs, key=place.__getitem__)))
                for name in ordered(pairs, shown.reverse)
            }
            keys = list(groups)
        self._shown = asked
        self.eyes.snapshot = replace(new, keys=keys, problem=problem, groups=groups)
        return self.eyes.snapshot

    def _read(self, changed: set[str], shown: Shown) -> Snapshot:
        """The values of all runs as they are now; the snapshot that there is, if that is right."""
        index, before = self.eyes.lab.index, self.eyes.snapshot
        gone = any(key in before.place and index.row(key) is None for key in changed)
        if gone or not before.place:
            rows = index.rows
            return Snapshot.of_rows(rows, shown.values) if rows or gone else before
        new = before.updated([row for key in sorted(changed) if (row := index.row(key))])
        return new.with_columns(shown.values, index.row)

    def _ordered(self, snapshot: Snapshot, keys: Sequence[str], shown: Shown) -> list[str]:
        return snapshot.ordered(keys, sorted_by(shown.sort), shown.reverse)

    def _filtered(self, text: str, snapshot: Snapshot) -> tuple[Sequence[dict[str, Any]], str]:
        """The rows that fit, and what is wrong with the filter; those shown last if it is wrong."""
        index = self.eyes.lab.index
        if not text:
            return index.rows, ""
        if not any(sign in text for sign in "=<>~"):
            word = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
            text = f"name~{word} or tags~{word} or id~{word} or state~{word} or title~{word}"
        try:
            return select(index.rows, text), ""
        except LabtuiError as error:
            shown = self.eyes.snapshot
            last = (
                [key for line in shown.groups.values() for key in line.runs] if shown.groups else shown.keys
            )
            return [row for key in last if (row := index.row(key))], str(error)
