"""Which runs the lab's table shows, in which order: the one part of a look that screens always share."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from labtui.errors import LabtuiError
from labtui.expression import parse
from labtui.query.rows import FIELDS, require
from labtui.tui.columns import DEFAULT, SOUGHT, WORDS, Fields, bare, needed, sorted_by
from labtui.tui.grouping import GroupLine, group_lines
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
        """Names of the values that are shown of each run."""
        return [name for key in self.columns for name in needed(key)]


class Listing:
    """Keeps the snapshot of the runs, as the eyes have it, up to date."""

    def __init__(self, eyes: Eyes) -> None:
        self.eyes = eyes
        self._shown: Shown | None = None
        self._all_at = 0.0
        self._keys: tuple[int, Fields] | None = None

    def look(self) -> None:
        """At the next refresh look at all directories: something was done."""
        self._all_at = 0.0

    def refresh(self, shown: Shown) -> Snapshot | None:
        """The snapshot, if it or what is asked of it changed."""
        index, before = self.eyes.lab.index, self.eyes.snapshot
        # At first the index is believed of finished runs, for all their directories take a while to look at.
        first = index.load()
        every = not first and (time.monotonic() - self._all_at >= ALL or not self._all_at)
        if every:  # before the look: what is done meanwhile asks for another
            self._all_at = time.monotonic()
        changed = index.refresh(every=every, visible=shown.visible)
        self.eyes.changes += bool(changed)
        new = self._read(changed, shown)
        asked = replace(shown, visible=())
        if new is before and asked == self._shown:
            return None
        keys, new, problem = self._filtered(shown, new)
        if asked.columns != (self._shown and self._shown.columns) or len(new.place) != len(before.place):
            new = new.with_goals(shown.values)
        keys = new.ordered(keys, sorted_by(shown.sort), shown.reverse)
        groups: dict[str, GroupLine] = {}
        if shown.group and not problem:
            try:
                groups = group_lines(
                    [new.rows[key] for key in keys], shown.group, shown.columns, shown.baseline
                )
            except LabtuiError as error:
                problem = str(error)
        if groups:
            groups, keys = _ordered(groups, keys, shown)
        self._shown = asked
        self.eyes.snapshot = replace(new, keys=keys, problem=problem, groups=groups)
        return self.eyes.snapshot

    def _read(self, changed: set[str], shown: Shown) -> Snapshot:
        """The runs as they are now; the snapshot that there is, if that is right."""
        index, before = self.eyes.lab.index, self.eyes.snapshot
        gone = any(key in before.place and index.row(key) is None for key in changed)
        if gone or not before.place:
            rows = index.rows
            return Snapshot.of_rows(rows) if rows or gone else before
        return before.updated([row for key in sorted(changed) if (row := index.row(key))], shown.values)

    def _all_keys(self, snapshot: Snapshot) -> Fields:
        """A row that has every key that some run has."""
        if self._keys is None or self._keys[0] != len(snapshot.rows):
            found: dict[str, dict[str, Any]] = {"params": {}, "metrics": {}, "facts": {}}
            for row in map(bare, snapshot.rows.values()):
                for part, known in found.items():
                    known |= row[part]
            self._keys = len(snapshot.rows), found
        return self._keys[1]

    def _filtered(self, shown: Shown, snapshot: Snapshot) -> tuple[list[str], Snapshot, str]:
        """The runs that fit, the snapshot with the columns that say so, and what is wrong with the filter;
        those shown last if it is wrong."""
        text, sort, found = shown.filter.strip(), sorted_by(shown.sort), list(snapshot.place)
        if not text:
            return found, snapshot.with_columns([sort]), ""
        if not any(sign in text for sign in "=<>~"):
            return self._called(text, snapshot.with_columns([sort, WORDS]))
        columns: dict[str, list[Any]] = {}

        def look_up(at: int, key: str) -> Any:
            if key not in columns:  # a word beside a number, which may be a key
                columns[key] = snapshot.with_columns([SOUGHT + key]).columns[SOUGHT + key]
            return columns[key][at]

        try:
            test, keys = parse(text, look_up)  # type: ignore[arg-type]
            snapshot = snapshot.with_columns([sort, *(SOUGHT + key for key in keys)])
            columns |= {key: snapshot.columns[SOUGHT + key] for key in keys}
            for key in keys:
                if all(value is None for value in columns[key]):
                    require([self._all_keys(snapshot)], key)
            return [key for key, at in snapshot.place.items() if test(at)], snapshot, ""  # type: ignore[arg-type]
        except LabtuiError as error:
            return self._last(snapshot), snapshot.with_columns([sort]), str(error)

    def _called(self, word: str, snapshot: Snapshot) -> tuple[list[str], Snapshot, str]:
        """The runs that a word fits."""
        sought = word.casefold()
        found = [
            key for key, words in zip(snapshot.place, snapshot.columns[WORDS], strict=True) if sought in words
        ]
        if found or not _begins_key(snapshot, word):
            return found, snapshot, ""
        return self._last(snapshot), snapshot, f"no run is called {word!r}; a key needs a sign and a value"

    def _last(self, snapshot: Snapshot) -> list[str]:
        """The runs that were shown last, as far as they are there."""
        before = self.eyes.snapshot
        lines = before.groups.values()
        last = [key for line in lines for key in line.runs] if before.groups else before.keys
        return [key for key in last if key in snapshot.place]


def _begins_key(snapshot: Snapshot, text: str) -> bool:
    """Whether a key begins so that some runs have, those of a sample."""
    rows = map(bare, snapshot.sample)
    known = {key for row in rows for part in ("params", "metrics") for key in row[part]}
    return any(key.startswith(text) for key in (*FIELDS, *known))


def _ordered(
    groups: dict[str, GroupLine], keys: list[str], shown: Shown
) -> tuple[dict[str, GroupLine], list[str]]:
    """Groups in order, their runs too, and their names."""
    place = {key: number for number, key in enumerate(keys)}
    pairs = [(name, line.ranks.get(sorted_by(shown.sort))) for name, line in groups.items()]
    names = ordered(pairs, shown.reverse)
    found = {}
    for name in names:
        runs = tuple(sorted(groups[name].runs, key=place.__getitem__))
        found[name] = replace(groups[name], runs=runs)
    return found, names
