"""By which figures runs are called the best, and what families they fall into."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from labtui.files.goals import Goal, arrowed
from labtui.query.aggregate import goal_of, monitored
from labtui.query.families import model_of
from labtui.scores import NOT_SCORES, split_of

Fields = Mapping[str, Any]
HELD_OUT = ("val", "valid", "validation")
FAMILIES = 6
"""Families that are looked at one by one; more are a parameter like any other."""


class Judge(NamedTuple):
    """A figure by which runs are compared."""

    metric: str
    goal: Goal
    monitored: bool
    """Whether it chooses the epoch of most runs."""

    @property
    def named(self) -> str:
        """The metric with an arrow the way it gets better."""
        return arrowed(self.metric, self.goal)


def judges(rows: Sequence[Fields]) -> list[Judge]:
    """The loss on data that was held out, then the score: the monitored metric that is no loss, or else the
    accuracy, or the first that was logged. What is monitored is among them; never a figure on test data."""
    counts = Counter(metric for row in rows if (metric := monitored(row)))
    watched = [metric for metric, _ in counts.most_common()]
    names = [name for name in _logged(rows) if direction(rows, name)]
    held = [name for name in names if split_of(name)[0] in HELD_OUT]
    held = held or [name for name in names if not split_of(name)[0]]
    losses = [name for name in [*watched, *held] if split_of(name)[1] == "loss"]
    scores = [name for name in watched if name not in losses] + sorted(
        (name for name in held if direction(rows, name) == "max"), key=lambda name: split_of(name)[1] != "acc"
    )
    chosen = dict.fromkeys([*losses[:1], *scores[:1], *watched[:1]])
    found = []
    for name in chosen:
        if goal := direction(rows, name):
            found.append(Judge(name, goal, name == (watched or [""])[0]))
    return found


def direction(rows: Sequence[Fields], metric: str) -> Goal | None:
    """Which way a metric is better; None where that is not known, or not the same in all runs."""
    goal = goal_of(rows, metric)
    return "min" if goal == "min" else "max" if goal == "max" else None


def figures(rows: Sequence[Fields], chosen: Sequence[Judge]) -> list[str]:
    """The judges' figures on each split that has them, training first: loss beside loss."""
    logged = set(_logged(rows))
    found: dict[str, None] = {}
    for judge in chosen:
        split, part = split_of(judge.metric)
        names = [f"train.{part}", judge.metric, f"test.{part}"] if split else [judge.metric]
        found |= dict.fromkeys(name for name in names if name in logged)
    return list(found)


def _logged(rows: Sequence[Fields]) -> list[str]:
    """Every metric that may be a figure, in the order of logging."""
    names = dict.fromkeys(name for row in rows for name in row["metrics"])
    return [name for name in names if name not in NOT_SCORES and not name.startswith("sys.")]


def families(rows: Sequence[Fields]) -> dict[str, list[Fields]]:
    """Runs by their model, or else by their recipe's name; empty where there is one family, or where they are
    too many, or too small to be told apart."""
    for key in (model_of, _name):
        found: dict[str, list[Fields]] = {}
        for row in rows:
            found.setdefault(key(row), []).append(row)
        if len(found) > 1:
            large = all(len(own) > 3 for own in found.values())
            return found if len(found) <= FAMILIES and large else {}
    return {}


def _name(row: Fields) -> str:
    return str(row["name"])
