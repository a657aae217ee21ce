"""A few runs beside each other: the options in which they differ, and their figures; and of many runs, the ends."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from labtui.errors import LabError
from labtui.files.packed import Packed
from labtui.query.aggregate import goal_of
from labtui.query.lab import differing

Fields = Mapping[str, Any]


class Figure(NamedTuple):
    """A metric of some runs, by one protocol."""

    key: str
    """Of the query language: `val.acc` at the best epoch, `val.acc.last` at the last."""
    goal: str | None
    """ "min" or "max"; None when which is better is not known, or runs say different things."""
    values: list[float | None]
    """Of each run; None where it has none, or none that is finite."""


def options(rows: Sequence[Fields], every: bool = False) -> list[tuple[str, list[Any]]]:
    """Recipe keys with the value of each run, in the order of the recipe; None where a run has no such key.

    Args:
        every: also those in which the runs do not differ.
    """
    keys = dict.fromkeys(key for row in rows for key in row["params"]) if every else differing(rows)
    return [(key, [row["params"].get(key) for row in rows]) for key in keys]


def figures_of(rows: Sequence[Fields]) -> list[Figure]:
    """Each metric at the best step, and where that is something else, its last value."""
    found = []
    for name in dict.fromkeys(name for row in rows for name in row["metrics"]):
        entries = [row["metrics"].get(name, {}) for row in rows]
        at_best, last = ([finite(entry.get(aspect)) for entry in entries] for aspect in ("at_best", "last"))
        goal = goal_of(rows, name)
        found.append(Figure(name, goal, at_best))
        if last != at_best:
            found.append(Figure(f"{name}.last", goal, last))
    return found


def logged(rows: Sequence[Fields]) -> list[str]:
    """The metrics of some runs."""
    return list(dict.fromkeys(name for row in rows for name in _items(row["metrics"]) if name != "epoch"))


def better(figure: Figure, value: float | None, base: float | None) -> bool | None:
    """Whether a value is better than another one; None where they are equal or that cannot be said."""
    if value is None or base is None or value == base or figure.goal is None:
        return None
    return (value > base) is (figure.goal == "max")


def best_and_worst(rows: Sequence[Fields], metric: str = "") -> tuple[Fields, Fields]:
    """The ends of some runs by a metric at the best epoch, best first.

    Args:
        metric: empty: what most of them monitor.

    Raises:
        LabError: fewer than two have a value of it, or which way is better is not known.
    """
    metric = metric or _monitored(rows)
    known = [(value, row) for row in rows if (value := _value(row, metric)) is not None]
    if len(known) < 2:
        raise LabError(f"compare: fewer than two runs have a value of {metric!r}")
    goals = {_items(row["metrics"])[metric]["goal"] for _, row in known}
    goal = goals.pop() if len(goals) == 1 else None
    if goal is None:
        raise LabError(
            f"compare: which way {metric!r} is better is not known; give it in the recipe's [goals]"
        )
    known.sort(key=lambda pair: pair[0])
    (_, low), (_, high) = known[0], known[-1]
    return (high, low) if goal == "max" else (low, high)


def _monitored(rows: Sequence[Fields]) -> str:
    counts: Counter[str] = Counter()
    for row in rows:
        monitor = _items(row["params"]).get("validate.monitor")
        if isinstance(monitor, str) and monitor in _items(row["metrics"]):
            counts[monitor] += 1
    if not counts:
        raise LabError("compare: these runs monitor no metric; choose one")
    return counts.most_common(1)[0][0]


def _value(row: Fields, metric: str) -> float | None:
    return finite((_items(row["metrics"]).get(metric) or {}).get("at_best"))


def _items(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """A mapping of a row, of which there may be thousands here: what is packed stays so."""
    return found.unpacked() if isinstance(found, Packed) else found


def finite(value: Any) -> float | None:
    """A number, unless it is none, or not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
