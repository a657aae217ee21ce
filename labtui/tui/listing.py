"""Which runs the lab's table shows, in which order: the one part of a look that screens always share."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from labtui.errors import LabtuiError
from labtui.query.lab import select
from labtui.tui.snapshot import Snapshot
from labtui.tui.want import Eyes

ALL = 60.0
"""Seconds between two looks at all run directories."""


@dataclass(frozen=True)
class Shown:
    """Which runs the table shows.

    Args:
        filter, sort, reverse: which runs, by which column of the snapshot.
        visible: ids of rows on the screen.
    """

    filter: str = ""
    sort: str = "created"
    reverse: bool = True
    visible: tuple[str, ...] = ()


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
        rows = [index.row(key) for key in sorted(changed)]
        gone = [key for key in changed if key in before.place and index.row(key) is None]
        base = Snapshot() if gone else before
        new = base.updated(index.rows if gone or not base.place else [r for r in rows if r])
        asked = (shown.filter, shown.sort, shown.reverse)
        seen = self._shown and (self._shown.filter, self._shown.sort, self._shown.reverse)
        if new is None and asked == seen and not gone:
            return None
        snapshot = new or (base if not gone else Snapshot())
        keys, problem = self._filtered(shown.filter.strip(), snapshot)
        ordered = snapshot.ordered(keys, shown.sort, shown.reverse)
        self.eyes.snapshot = replace(snapshot, keys=ordered, problem=problem)
        self._shown = shown
        return self.eyes.snapshot

    def _filtered(self, text: str, snapshot: Snapshot) -> tuple[list[str], str]:
        """The runs that fit, and what is wrong with the filter; those shown last if it is wrong."""
        if not text:
            return list(snapshot.place), ""
        if not any(sign in text for sign in "=<>~"):
            word = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
            text = f"name~{word} or tags~{word} or id~{word} or state~{word}"
        try:
            return [row["id"] for row in select(self.eyes.lab.index.rows, text)], ""
        except LabtuiError as error:
            return [key for key in self.eyes.snapshot.keys if key in snapshot.place], str(error)
