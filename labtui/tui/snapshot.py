"""All runs as the table needs them: columns of plain values, not objects."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

FIELDS = (
    "name", "state", "reason", "recipe", "created", "started", "ended", "tags",
    "metric", "value", "epoch", "epochs", "loss",
)  # fmt: skip
"""Of a run: its row's own; the monitored metric, its best value, and how far the training is."""


def values(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """What the table shows of a row, in the order of FIELDS."""
    params, metrics = row["params"], row["metrics"]
    metric = params.get("validate.monitor", "")
    if metric not in metrics:
        known = [m for m in metrics if m.startswith("val.")] or [m for m in metrics if m != "epoch"]
        metric = known[0] if known else metric
    return (
        row["name"], row["state"], row["reason"], row["recipe"], row["created"], row["started"],
        row["ended"], " ".join(row["tags"]), metric, metrics.get(metric, _NONE)["at_best"],
        metrics.get("epoch", _NONE)["last"], params.get("train.epochs"),
        metrics.get("train.loss", _NONE)["last"],
    )  # fmt: skip


_NONE: dict[str, Any] = {"at_best": None, "last": None}


@dataclass
class Snapshot:
    """What is known of all runs at one moment.

    Args:
        columns: FIELDS to the values of all runs.
        place: run id to its place in the columns.
        keys: ids of the runs that are shown, in order.
        problem: what is wrong with the filter.
    """

    columns: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in FIELDS})
    place: dict[str, int] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    problem: str = ""

    def of(self, key: str, name: str) -> Any:
        """One value of one run; None for an unknown run."""
        place = self.place.get(key)
        return None if place is None else self.columns[name][place]

    def counts(self) -> dict[str, int]:
        """How many runs are in each state."""
        found: dict[str, int] = {}
        for state in self.columns["state"]:
            found[state] = found.get(state, 0) + 1
        return found

    def updated(self, rows: Iterable[Mapping[str, Any]]) -> Snapshot | None:
        """This snapshot with some rows newly read; None when nothing in them is shown."""
        new = [(row["id"], values(row)) for row in rows]
        if new and not self.place:
            columns = map(list, zip(*(found for _, found in new), strict=True))
            place = {key: number for number, (key, _) in enumerate(new)}
            return Snapshot(dict(zip(FIELDS, columns, strict=True)), place)
        differing = [(key, found) for key, found in new if found != self._values(key)]
        if not differing:
            return None
        copied = {name: list(column) for name, column in self.columns.items()}
        place = dict(self.place)
        for key, found in differing:
            at = place.setdefault(key, len(place))
            for name, value in zip(FIELDS, found, strict=True):
                if at == len(copied[name]):
                    copied[name].append(value)
                else:
                    copied[name][at] = value
        return Snapshot(copied, place, self.keys, self.problem)

    def _values(self, key: str) -> tuple[Any, ...] | None:
        at = self.place.get(key)
        return None if at is None else tuple(self.columns[name][at] for name in FIELDS)

    def ordered(self, keys: Iterable[str], by: str, reverse: bool) -> list[str]:
        """Keys by a column; equal ones newest first, missing and NaN last either way."""
        column, place = self.columns.get(by), self.place
        newest = sorted(keys, reverse=True)
        if by == "created" or column is None:
            return newest if reverse else newest[::-1]
        present: list[str] = []
        missing: list[str] = []
        for key in newest:
            value = column[place[key]]
            lost = value is None or (isinstance(value, float) and math.isnan(value))
            (missing if lost else present).append(key)
        present.sort(key=lambda key: column[place[key]], reverse=reverse)
        return present + missing
