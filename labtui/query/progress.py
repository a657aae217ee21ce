"""What is known of a sweep at one moment: where each training stands, what is best, when all is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from labtui.files.goals import Goal
from labtui.query.spread import Spread
from labtui.sweep.cells import told

Fields = Mapping[str, Any]

TO_COME = "to_come"
"""State of a training of which no run has been made."""
PRUNED = "pruned"
"""State of one that was ended because others were better at its age, and reason of its run."""
OVER = ("finished", PRUNED)
"""States of trainings of which nothing is left to do."""


def standing(row: Fields) -> str:
    """Where the training of a run stands: the run's state, or `pruned`."""
    return PRUNED if row["state"] == "stopped" and row["reason"] == PRUNED else str(row["state"])


class Place(NamedTuple):
    """One training of a sweep."""

    key: str
    """What tells it from others; empty where only its run knows of it."""
    repeat: int | None
    fold: int | None
    row: Fields | None = None
    """Its run, as the index has it; None: not made yet, or removed."""

    @property
    def state(self) -> str:
        """The run's state, `pruned` or `to_come`."""
        return TO_COME if self.row is None else standing(self.row)

    @property
    def reason(self) -> str:
        """Why it has ended so, where the state does not say it already."""
        found = str(self.row["reason"]) if self.row else ""
        return "" if found == self.state else found


@dataclass(frozen=True)
class Line:
    """One cell of a sweep."""

    number: int
    name: str
    """Its own title; empty: none."""
    values: Mapping[str, Any]
    """Recipe key to value: what makes it differ from others."""
    places: tuple[Place, ...]
    """Its trainings, by repeat and fold."""
    spread: Spread = field(default_factory=Spread)
    """Of the sweep's metric, over the trainings that have finished."""

    @property
    def title(self) -> str:
        """What it is called: its own title, or its values."""
        return self.name or told(self.values)

    @property
    def whole(self) -> bool:
        """Whether all its trainings have finished, and its figure says all that it will."""
        return self.spread.n + self.spread.nan + self.spread.missing == len(self.places)

    @property
    def rows(self) -> list[Fields]:
        """Its runs."""
        return [place.row for place in self.places if place.row is not None]


@dataclass(frozen=True)
class Progress:
    """A sweep at one moment."""

    sweep: str
    """Its id."""
    name: str = ""
    """Of its recipe."""
    recipe: str = ""
    """The file that it came from."""
    method: str = ""
    """How its cells are made; empty when it has no definition."""
    lines: Sequence[Line] = ()
    """Its cells in order; of a search those that exist so far."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """State to number of trainings; `to_come` are those of which no run has been made."""
    hosts: Sequence[str] = ()
    """Machines whose supervisors go on making runs of it; none: what is to come waits for `resume`."""
    metric: str = ""
    """What its cells are compared by; empty: nothing that a run has logged."""
    goal: Goal | None = None
    """ "min" or "max"; None when which is better is not known."""
    best: Line | None = None
    """The best of the cells that are done, or as long as none is, of those that have a figure."""
    eta: float | None = None
    """Seconds until all is done, going by what has run; None: nothing has, or nothing goes on."""
    runs: int | None = None
    """Budget: so many trainings."""
    hours: float | None = None
    """Budget: so many hours of them together."""
    spent: float = 0.0
    """Seconds that its trainings have taken together."""
    strays: Sequence[str] = ()
    """Runs that belong to no cell: the sweep has been edited since."""
    together: Sequence[Mapping[str, Any]] = ()
    """What was decided of trainings in one process: `together`, `why`, `ratio`."""
    problem: str = ""
    """What is wrong with its definition: cells without runs are missing here."""
    broken: bool = False
    """Whether it has a definition, and one that cannot be read."""

    @property
    def trainings(self) -> int:
        """How many it has."""
        return sum(self.counts.values())

    @property
    def left(self) -> int:
        """How many are not done."""
        return self.trainings - sum(self.counts.get(state, 0) for state in OVER)

    @property
    def going(self) -> int:
        """How many run or wait."""
        return self.counts.get("running", 0) + self.counts.get("queued", 0)


def record(progress: Progress) -> dict[str, Any]:
    """A sweep as `labtui show SWEEP --format json` prints it; the names are public."""
    plain = {name: getattr(progress, name) for name in _PLAIN}
    best = progress.best.number if progress.best else None
    return plain | {"best": best, "cells": [_cell(line) for line in progress.lines]}


_PLAIN = (
    "sweep", "name", "recipe", "method", "hosts", "counts", "metric", "goal", "eta", "runs", "hours", "spent",
    "together", "strays", "problem",
)  # fmt: skip


def _cell(line: Line) -> dict[str, Any]:
    trainings = []
    for place in line.places:
        row = place.row or {"id": None, "reason": ""}
        own = {"key": place.key, "repeat": place.repeat, "fold": place.fold, "state": place.state}
        trainings.append(own | {"run": row["id"], "reason": row["reason"]})
    about = {"cell": line.number, "title": line.title, "values": line.values}
    return about | {"spread": line.spread._asdict(), "trainings": trainings}


def best_of(lines: Iterable[Line], goal: Goal | None) -> Line | None:
    """The best cell of those that are done, or else of those that have a figure."""
    known = [line for line in lines if line.spread.mean is not None]
    known = [line for line in known if line.whole] or known
    if goal is None or not known:
        return None
    return (min if goal == "min" else max)(known, key=lambda line: line.spread.mean or 0.0)


def eta(rows: Iterable[Fields], to_come: float, hours: float | None = None) -> float | None:
    """Seconds until a sweep's trainings are over, as many at a time as now, each as long as those before.

    Args:
        rows: its runs.
        to_come: trainings that will have runs; infinite: as many as there is time for.
        hours: budget of all together.

    Returns:
        None where nothing has finished or nothing goes on.
    """
    took, begun, waiting, spent = list[float](), list[float](), to_come, 0.0
    for row in rows:
        spent += row["duration"] or 0.0
        if row["state"] == "finished" and row["duration"] is not None:
            took.append(row["duration"])
        elif row["state"] == "running":
            begun.append(row["duration"] or 0.0)
        waiting += row["state"] == "queued"
    if not took or not (begun or waiting):
        return None
    each = sum(took) / len(took)
    running = [max(0.0, each - so_far) for so_far in begun]
    rest = waiting * each
    if hours is not None:
        rest = min(rest, max(0.0, 3600 * hours - spent - sum(running)))
    return max([(rest + sum(running)) / max(1, len(begun)), *running])
