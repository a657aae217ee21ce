"""All runs as the table needs them: columns of plain values, and none that nobody looks at."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from labtui.query.rows import goal_of
from labtui.tui.columns import ALWAYS, WORDS, bare, plain, reader, sorted_by
from labtui.tui.grouping import GroupLine

Fields = Mapping[str, Any]

SAMPLE = 200
"""Rows that say what all are like: which metric is monitored, and which way metrics get better."""


@dataclass(frozen=True)
class Snapshot:
    """What is known of all runs at one moment.

    Args:
        columns: name of a value to those of all runs: of what is counted, sorted and filtered by.
        rows: run id to the index's row, of which all else is read when it is in sight.
        place: run id to its place in the columns.
        keys: ids of the runs that are shown, or names of groups, in order.
        problem: what is wrong with the filter or the grouping.
        goals: column of a metric to "min" or "max", or None where that is not known.
        judged: the metric that is monitored, where it is the same in all runs.
        groups: name of a group to what is shown of it; empty while runs are not grouped.
    """

    columns: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in ALWAYS})
    rows: Mapping[str, Fields] = field(default_factory=dict)
    place: dict[str, int] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    problem: str = ""
    goals: dict[str, str | None] = field(default_factory=dict)
    judged: str = ""
    groups: dict[str, GroupLine] = field(default_factory=dict)

    @classmethod
    def of_rows(cls, rows: Iterable[Fields]) -> Snapshot:
        """What is always known of these rows."""
        known = {row["id"]: row for row in rows}
        columns = {name: list(map(reader(name), known.values())) for name in ALWAYS}
        return cls(columns, known, {key: number for number, key in enumerate(known)})

    def of(self, key: str, name: str) -> Any:
        """One value of one run; None for an unknown run."""
        column = self.columns.get(name)
        if column is not None:
            place = self.place.get(key)
            return None if place is None else column[place]
        row = self.rows.get(key)
        return None if row is None else reader(name)(row)

    def counts(self) -> dict[str, int]:
        """How many runs are in each state."""
        return Counter(self.columns["state"])

    def updated(self, rows: Iterable[Fields], shown: Iterable[str]) -> Snapshot:
        """This snapshot with some rows newly read; itself when nothing in them differs that is shown.

        Args:
            shown: names of values, beside those of the columns.
        """
        read = [reader(name) for name in dict.fromkeys([*self.columns, *shown])]
        new = {row["id"]: row for row in rows if self._differs(row, read)}
        if not new:
            return self
        columns = {name: list(column) for name, column in self.columns.items()}
        place = dict(self.place)
        for key, row in new.items():
            at = place.setdefault(key, len(place))
            for name, column in columns.items():
                column[at : at + 1] = [reader(name)(row)]
        return replace(self, columns=columns, rows={**self.rows, **new}, place=place)

    def _differs(self, row: Fields, read: Iterable[Callable[[Fields], Any]]) -> bool:
        before = self.rows.get(row["id"])
        return before is None or any(get(row) != get(before) for get in read)

    def with_columns(self, names: Iterable[str]) -> Snapshot:
        """This snapshot with these columns beside those that stay; itself when it has them."""
        kept = [WORDS] if WORDS in self.columns else []  # for the next word
        names = list(dict.fromkeys([*ALWAYS, *kept, *names]))
        if names == list(self.columns):
            return self
        missing = {name: reader(name) for name in names if name not in self.columns}
        new: dict[str, list[Any]] = {name: [] for name in missing}
        light = all(map(plain, missing))
        for row in self.rows.values() if missing else ():
            row = row if light else bare(row)
            for name, read in missing.items():
                new[name].append(read(row))
        return replace(self, columns={n: new[n] if n in new else self.columns[n] for n in names})

    def with_goals(self, shown: Iterable[str]) -> Snapshot:
        """This snapshot, knowing of its values which are metrics, and which metric is monitored."""
        rows = self.sample
        judged = {metric for row in rows if (metric := reader("metric")(row))}
        ways = {goal for row in rows if (goal := reader("goal")(row))}
        goals = _goals(rows, shown) | {"value": ways.pop() if len(ways) == 1 else None}
        return replace(self, goals=goals, judged=judged.pop() if len(judged) == 1 else "")

    @cached_property
    def sample(self) -> list[Fields]:
        """Some rows from everywhere, the newest among them."""
        rows = list(self.rows.values())
        return [*rows[:: max(len(rows) // SAMPLE, 1)][:SAMPLE], *rows[-10:]]

    def largest_first(self, column: str) -> bool:
        """Whether a table column is naturally read from the largest value on: numbers, unless less is better."""
        read = reader(sorted_by(column))
        numbers = any(isinstance(read(row), int | float) for row in self.sample)
        return numbers and self.goals.get(column) != "min"

    def ordered(self, keys: Iterable[str], by: str, reverse: bool) -> list[str]:
        """Runs by a value; equal ones newest first, missing and NaN last either way."""
        column, place = self.columns.get(by), self.place
        newest = sorted(keys, reverse=True)
        if by in ("created", "id") or column is None:  # ids begin with the time
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
