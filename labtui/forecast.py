"""What a launch would mean: how many trainings, where, after whom, and for how long."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from labtui.files.paths import EDITED, LabPaths
from labtui.launch import machine, slots
from labtui.launch.queue import paused
from labtui.query.pace import Pace, pace
from labtui.run import derive
from labtui.sweep import Plan

MANY = 2000
"""Trainings of a plan that are counted and checked one by one; of larger ones there are at most so many."""
MOST_PLACES = 64


@dataclass(frozen=True)
class Forecast:
    """Of a launch."""

    cells: int
    trainings: int
    """0: a search that only hours end."""
    exact: bool
    """Whether there will be so many; otherwise at most."""
    pace: Pace | None
    """From earlier runs of the recipe; None: there are none."""
    seconds: float | None
    """Until all of it is done, once it starts; None: nobody knows."""
    where: str
    """Where the first one starts now, or what it waits for."""
    free: int
    """How many of them could start now."""
    places: int
    """How many of them fit on this machine at once; 0: it goes elsewhere."""
    ahead: int
    """Queued runs that come before."""
    paused: str = ""
    """Why the whole queue is paused; empty: it is not."""


@dataclass(frozen=True)
class Earlier:
    """What the lab's runs say of a recipe's next ones."""

    pace: Pace | None = None
    running: tuple[str, ...] = ()
    """Ids of the runs that take places now."""
    waiting: int = 0
    """How many are queued."""

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]], recipes: Collection[str]) -> Earlier:
        """What rows of the index say.

        Args:
            recipes: the recipe's file, as runs name it; or several that are the same.
        """
        rows = list(rows)
        running = tuple(row["id"] for row in rows if row["state"] == "running")
        waiting = sum(row["state"] == "queued" for row in rows)
        own = [row for row in rows if row["recipe"].removesuffix(EDITED) in recipes]
        return cls(pace(own), running, waiting)


def forecast(lab: LabPaths, plan: Plan, earlier: Earlier) -> Forecast:
    """The forecast of a plan.

    Raises:
        RecipeError: a cell is wrong.
        LabError, LaunchError: the settings are wrong, or the resources no numbers.
    """
    cells, trainings, exact = _count(plan)
    resources = plan.recipe.resources
    if resources.launcher == "slurm":
        free = places = 0
        where = f"Slurm, partition {resources.slurm.partition}" if resources.slurm.partition else "Slurm"
    else:
        where, free, places = _room(lab, earlier.running, plan, trainings)
    tables = plan.recipe.tables()
    epochs = tables["train"].get("epochs") if "train" in tables else None
    known = earlier.pace
    each = known.seconds(epochs) if known else None
    at_once = max(1, min(places, trainings))
    seconds = each * trainings / at_once if each is not None and trainings else None
    return Forecast(
        cells, trainings, exact, known, seconds, where, free, places, earlier.waiting, paused(lab)
    )


def _count(plan: Plan) -> tuple[int, int, bool]:
    """Cells, trainings, and whether that is all; the first MANY are seen to be possible."""
    if plan.searches:
        trainings = plan.check()
        return trainings // plan.each, trainings, False
    found = list(islice(plan, MANY + 1))
    if len(found) > MANY:
        return plan.most // plan.each, plan.most, False
    return len({training.cell.number for training in found}), len(found), True


def _room(lab: LabPaths, running: Sequence[str], plan: Plan, trainings: int) -> tuple[str, int, int]:
    """Where the first starts, how many start now, how many fit on an idle machine."""
    tables: dict[str, Any] = plan.recipe.resources.model_dump()
    need = slots.Need.of(tables)
    asked = [need] * max(1, min(trainings, MOST_PLACES))
    taken = []
    for key in running:
        paths = lab.run(key)
        status = derive(paths)
        here = machine.running(paths, status) if status.state == "running" else None
        taken += [here] if here else []
    now = machine.look(lab.root, taken)
    answers = slots.plan(asked, now)
    idle = slots.plan(asked, replace(now, taken=()))
    free = sum(isinstance(place, slots.Place) for place in answers)
    return str(answers[0]), free, sum(isinstance(place, slots.Place) for place in idle)
