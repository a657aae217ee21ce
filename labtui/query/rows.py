"""A row of the index, and how a key of the query language is looked up in it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from labtui.errors import FilterError
from labtui.files.packed import Packed

ASPECTS = ("at_best", "last", "best", "best_step", "min", "max")
FIELDS = [
    "id",
    "name",
    "recipe",
    "sweep",
    "cell",
    "title",
    "repeat",
    "fold",
    "key",
    "state",
    "reason",
    "created",
    "started",
    "ended",
    "duration",
    "attempt",
    "tags",
    "note",
    "todo",
]


class Metric(NamedTuple):
    """What a row says of one metric."""

    at_best: float | None
    """Its value at the step at which the monitored metric was best."""
    last: float | None
    """Its newest value; None when that is NaN or infinite."""
    best: float | None
    """Its best value, in its own direction."""
    best_step: int | None
    """Step of the best value."""
    min: float | None
    """Smallest finite value."""
    max: float | None
    """Largest finite value."""
    goal: str | None
    """"min" or "max"; None when labtui does not know."""
    nonfinite: int = 0
    """Number of values that were NaN or infinite."""


class Row(Mapping[str, Any]):
    """One run as `ls --format json` shows it, by attribute or by key.

    Args:
        fields: id, name, recipe, sweep, cell, title, repeat, fold, key, state, reason, created, started, ended, duration, attempt,
            tags, note (all text of notes and to-dos), todo (state of each to-do), facts, params (flat dotted keys), metrics.
    """

    __slots__ = ("fields",)

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields

    def __getitem__(self, key: str) -> Any:
        value = self.fields[key]
        return dict(value.unpacked()) if isinstance(value, Packed) else value

    def __iter__(self) -> Any:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def metrics(self) -> dict[str, Metric]:
        """Metric name to its figures."""
        return {name: Metric(**entry) for name, entry in self.fields["metrics"].items()}


def look_up(fields: Mapping[str, Any], key: str) -> Any:
    """The value of a key of the query language in a row; None when the row has none.

    A key is a field, `facts.…`, a metric (its `at_best`, or `<metric>.last`, `.best`, `.best_step`,
    `.min`, `.max`), a recipe option by its dotted key, or one of `[params]` by its own name.
    """
    if key in fields and key in FIELDS:
        return fields[key]
    metrics = fields["metrics"]
    if key in metrics:
        return metrics[key]["at_best"]
    name, _, aspect = key.rpartition(".")
    if aspect in ASPECTS and name in metrics:
        return metrics[name][aspect]
    params = fields["params"]
    if key in params:
        return params[key]
    if f"params.{key}" in params:
        return params[f"params.{key}"]
    if key.startswith("facts."):
        return fields["facts"].get(key[6:])
    return None


def has(fields: Mapping[str, Any], key: str) -> bool:
    """Whether a row knows a key at all, also where its value is None."""
    if key in FIELDS or key in fields["metrics"] or key in fields["params"]:
        return True
    name, _, aspect = key.rpartition(".")
    return (
        (aspect in ASPECTS and name in fields["metrics"])
        or f"params.{key}" in fields["params"]
        or (key.startswith("facts.") and key[6:] in fields["facts"])
    )


def keys_of(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Every key that filters and sorting may name for these rows."""
    found = dict.fromkeys(FIELDS)
    for row in rows:
        found.update(dict.fromkeys(row["metrics"]))
        found.update(dict.fromkeys(row["params"]))
        found.update(dict.fromkeys(f"facts.{name}" for name in row["facts"]))
    return list(found)


def goal_of(rows: Iterable[Mapping[str, Any]], key: str) -> str | None:
    """ "min" or "max" for a figure; None where nobody said, or runs say different things."""
    goals = set()
    for row in rows:
        metrics, (name, _, aspect) = row["metrics"], key.rpartition(".")
        if key in metrics:
            goals.add(metrics[key]["goal"])
        elif aspect in ASPECTS and aspect != "best_step" and name in metrics:
            goals.add(metrics[name]["goal"])
    return goals.pop() if len(goals) == 1 else None


def require(rows: Iterable[Mapping[str, Any]], key: str) -> None:
    """See that some row knows the key.

    Raises:
        FilterError: none does; the message names the nearest key.
    """
    rows = list(rows)
    if not rows or any(has(row, key) for row in rows):
        return
    known = keys_of(rows)
    known += [f"{name}.{aspect}" for name in known for aspect in ASPECTS if "." in key]
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise FilterError(f"no run has a key {key!r}{hint}")
