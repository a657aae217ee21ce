"""All runs as the table needs them: columns of plain values, and none that nobody looks at."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from labtui.query.rows import goal_of
from labtui.tui.columns import ALWAYS, reader
from labtui.tui.grouping import GroupLine

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Snapshot:
    """What is known of all runs at one moment.

    Args:
        columns: name of a value to those of all runs.
        place: run id to its place in the columns.
        keys: ids of the runs that are shown, or names of groups, in order.
        problem: what is wrong with the filter or the grouping.
        goals: column of a metric to "min" or "max", or None where that is not known.
        groups: name of a group to what is shown of it; empty while runs are not grouped.
    """

    columns: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in ALWAYS})
    place: dict[str, int] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    problem: str = ""
    goals: dict[str, str | None] = field(default_factory=dict)
    groups: dict[str, GroupLine] = field(default_factory=dict)

    @classmethod
    def of_rows(cls, rows: Iterable[Fields], names: Iterable[str]) -> Snapshot:
        """The named values of all rows."""
        rows = list(rows)
        columns = {name: list(map(reader(name), rows)) for name in dict.fromkeys([*ALWAYS, *names])}
        place = {row["id"]: number for number, row in enumerate(rows)}
        return cls(columns, place, goals=_goals(rows, columns))

    def of(self, key: str, name: str) -> Any:
        """One value of one run; None for an unknown run, or a value that nobody asked for."""
        place = self.place.get(key)
        column = self.columns.get(name)
        return None if place is None or column is None else column[place]

    def counts(self) -> dict[str, int]:
        """How many runs are in each state."""
        found: dict[str, int] = {}
        for state in self.columns["state"]:
            found[state] = found.get(state, 0) + 1
        return found

    def updated(self, rows: Iterable[Fields]) -> Snapshot:
        """This snapshot with some rows newly read; itself when nothing in them is shown."""
        rows = list(rows)
        read = {name: reader(name) for name in self.columns}
        new = [(row["id"], tuple(get(row) for get in read.values())) for row in rows]
        differing = [(key, found) for key, found in new if found != self._values(key)]
        if not differing:
            return self
        copied = {name: list(column) for name, column in self.columns.items()}
        place = dict(self.place)
        for key, found in differing:
            at = place.setdefault(key, len(place))
            for column, value in zip(copied.values(), found, strict=True):
                if at == len(column):
                    column.append(value)
                else:
                    column[at] = value
        return replace(self, columns=copied, place=place, goals=self.goals | _goals(rows, copied))

    def with_columns(self, names: Iterable[str], row: Callable[[str], Fields | None]) -> Snapshot:
        """This snapshot with these columns beside those that are always there; itself when it has them.

        Args:
            row: the row of a run.
        """
        names = list(dict.fromkeys([*ALWAYS, *names]))
        if names == list(self.columns):
            return self
        missing = [name for name in names if name not in self.columns]
        rows = [row(key) for key in self.place] if missing else []
        new = {name: [None if one is None else read(one) for one in rows]
               for name in missing for read in (reader(name),)}  # fmt: skip
        columns = {name: new[name] if name in new else self.columns[name] for name in names}
        goals = self.goals | _goals([one for one in rows if one], new)
        return replace(self, columns=columns, goals={k: goal for k, goal in goals.items() if k in columns})

    def _values(self, key: str) -> tuple[Any, ...] | None:
        at = self.place.get(key)
        return None if at is None else tuple([column[at] for column in self.columns.values()])

    def ordered(self, keys: Iterable[str], by: str, reverse: bool) -> list[str]:
        """Runs by a value; equal ones newest first, missing and NaN last either way."""
        column, place = self.columns.get(by), self.place
        newest = sorted(keys, reverse=True)
        if by in ("created", "id") or column is None:
            return newest if reverse else newest[::-1]
        return ordered([(key, column[place[key]]) for key in newest], reverse)


def ordered(pairs: Sequence[tuple[str, Any]], reverse: bool) -> list[str]:
    """Keys by their values, numbers before words; missing and NaN last either way; otherwise stable."""
    known = [pair for pair in pairs if not _missing(pair[1])]
    kinds = {type(value) for _, value in known}
    if not (kinds <= {int, float, bool} or kinds == {str}):
        known = [(key, _rank(value)) for key, value in known]
    known.sort(key=lambda pair: pair[1], reverse=reverse)
    return [key for key, _ in known] + [key for key, value in pairs if _missing(value)]


def _missing(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _rank(value: Any) -> tuple[bool, Any]:
    number = isinstance(value, int | float)
    return not number, value if number else str(value)


def _goals(rows: Sequence[Fields], names: Iterable[str]) -> dict[str, str | None]:
    """The ways in which those values that are metrics get better."""
    dotted = [name for name in names if "." in name and not name.startswith("@")]
    metrics = set[str]().union(*(row["metrics"] for row in rows)) if dotted else set()
    mine = [name for name in dotted if name in metrics or name.rpartition(".")[0] in metrics]
    return {name: goal_of(rows, name) for name in mine}
