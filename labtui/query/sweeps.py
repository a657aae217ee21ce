"""Sweeps as tables: cells × repeats × folds, and what came of each.

The cells are those of the sweep's definition, whether a run of them has been made or not. What came of
each is in the index, by the training's key; no run directory is looked at beyond that.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import groupby, product
from typing import Any

from labtui.errors import LabError, LabtuiError, RunNotFound
from labtui.files.atomic import read_json
from labtui.files.goals import Goal, goal_of
from labtui.files.paths import SweepPaths
from labtui.query.lab import Fields, Lab
from labtui.query.progress import PRUNED, TO_COME, Line, Place, Progress, best_of, eta, standing
from labtui.query.spread import Spread, spread_of
from labtui.sweep import Plan, definition

_FIRST = ("finished", PRUNED, "running", "queued")
"""States in whose order one of several runs of a training counts."""


def progress(lab: Lab, sweep: str) -> Progress:
    """A sweep as one table.

    Args:
        sweep: its id, such as `lab.sweep(reference)` gives.

    Raises:
        RunNotFound: there is nothing of such a sweep.
    """
    return Watch(lab, sweep).look()


def sweeps(lab: Lab, going: bool = False) -> list[Progress]:
    """The sweeps of a lab, oldest first: totals, and the cells of which there are runs.

    What is to come is counted without going through the cells: where conditions leave some out, or the
    sweep was edited, it is not exact.

    Args:
        going: only those that a machine is asked to go on with.
    """
    lab.index.refresh()
    return known_sweeps(lab, going)


def known_sweeps(lab: Lab, going: bool = False) -> list[Progress]:
    """`sweeps` by the index as it is: for who refreshes it otherwise."""
    rows: dict[str, list[Fields]] = defaultdict(list)
    for row in lab.index.rows:
        rows[row["sweep"]].append(row)
    ids = rows.keys() - {""}
    with suppress(OSError):
        ids |= {
            path.name for path in lab.paths.sweeps.iterdir() if lab.paths.sweep(path.name).recipe.exists()
        }
    found = []
    for sweep in sorted(ids):
        with suppress(LabError):  # it was removed meanwhile, or is called as no folder can be
            if not going or definition.hosts(lab.paths.sweep(sweep)):
                found.append(Watch(lab, sweep, whole=False).update(rows[sweep]))
    return found


class Watch:
    """A sweep that is looked at again and again: a look costs what has changed since the last.

    Args:
        sweep: its id.
        whole: have lines of cells, too, of which there are no runs.
    """

    def __init__(self, lab: Lab, sweep: str, whole: bool = True) -> None:
        self.lab, self.sweep, self.whole = lab, sweep, whole
        self.paths = lab.paths.sweep(sweep)
        self._stamp: Any = None
        self._plan: Plan | None = None
        self._problem, self._broken = "", False
        self._metric = ""
        self._goal: Goal | None = None
        self._rows: dict[str, Fields] = {}
        self._lines: dict[int, Line] = {}
        self._best: Line | None = None
        self._cells: dict[str, int] = {}
        """Key of a training to its cell, where the cells are known beforehand."""
        self._runs: dict[int | None, dict[str, Fields]] = defaultdict(dict)
        """Cell to its runs by id; None: those of no cell."""
        self._counts: Counter[str] = Counter()
        """State to number of trainings that have runs."""

    def look(self) -> Progress:
        """The sweep as the disk and the process table have it now.

        Raises:
            RunNotFound: there is nothing of such a sweep.
        """
        # Others may resume what has ended, and the index looks at what has not finished only.
        ended = [run for run, row in self._rows.items() if row["state"] != "finished"]
        self.lab.index.refresh(every=not self._rows, visible=ended)
        return self.update(row for row in self.lab.index.rows if row["sweep"] == self.sweep)

    def update(self, rows: Iterable[Fields]) -> Progress:
        """The sweep with these rows.

        Args:
            rows: of the index, all of the sweep's.

        Raises:
            RunNotFound: there is nothing of such a sweep.
        """
        now = {row["id"]: row for row in rows}
        if self._reread():
            self._empty()
            self._expand()
            self._compare(next(iter(now.values()), None))
        if not now and not self.paths.root.is_dir():
            raise RunNotFound(f"sweep {self.sweep!r}: no such sweep; `labtui ls --sweeps` lists them")
        touched = set[int | None]()
        for run in self._rows.keys() - now.keys():
            cell = self._cell_of(self._rows[run])
            self._runs[cell].pop(run, None)
            touched.add(cell)
        for run, row in now.items():
            if row is not self._rows.get(run):
                cell = self._cell_of(row)
                self._runs[cell][run] = row
                touched.add(cell)
        self._rows = now
        for cell in touched - {None}:
            self._renew(cell or 0)
        if touched:
            self._lines = dict(sorted(self._lines.items()))
            self._best = best_of(self._lines.values(), self._goal)
        return self._progress()

    def _reread(self) -> bool:
        """Read the definition if it has changed; whether it has."""
        try:
            status = self.paths.recipe.stat()
            stamp: Any = (status.st_mtime_ns, status.st_ino)
        except OSError:
            stamp = 0
        if stamp == self._stamp:
            return False
        self._stamp, self._plan, self._problem, self._broken = stamp, None, "", False
        try:
            self._plan = definition.read(self.paths)
        except LabtuiError as error:
            self._problem, self._broken = str(error), stamp != 0
        return True

    def _empty(self) -> None:
        for known in (self._rows, self._lines, self._cells, self._runs, self._counts):
            known.clear()
        self._best = None

    def _expand(self) -> None:
        """Have a line for each cell that is known beforehand."""
        if self._plan is None or self._plan.searches or not self.whole:
            return
        try:
            for cell, trainings in groupby(self._plan, lambda training: training.cell):
                places = tuple(Place(one.key, one.repeat, one.fold) for one in trainings)
                self._lines[cell.number] = Line(cell.number, cell.name, cell.values, places)
                self._cells |= dict.fromkeys((place.key for place in places), cell.number)
        except LabtuiError as error:  # an earlier labtui took it
            self._problem, self._broken, self._plan = str(error), True, None
            self._empty()

    def _compare(self, row: Fields | None) -> None:
        """Find out what cells are compared by, without a definition from one of the runs."""
        metric, goals = "", dict[str, Any]()
        if self._plan:
            metric, goals = self._plan.metric, dict(self._plan.recipe.goals)
        elif row:
            metric = str(row["params"].get("validate.monitor", ""))
            goals = {metric: (row["metrics"].get(metric) or {}).get("goal")}
        self._metric, self._goal = metric, goal_of(metric, goals)

    def _cell_of(self, row: Fields) -> int | None:
        return self._cells.get(row["key"]) if self._cells else row["cell"] or 0

    def _renew(self, cell: int) -> None:
        """Put what is known of a cell's runs into its line."""
        rows = sorted(self._runs[cell].values(), key=_rank, reverse=True)
        if before := self._lines.get(cell):
            self._counts.subtract(place.state for place in before.places if place.row)
        if before and self._cells:
            known = {row["key"]: row for row in rows}
            line = replace(before, places=tuple(p._replace(row=known.get(p.key)) for p in before.places))
        elif rows:
            line = self._unplanned(cell, rows)
        else:
            self._lines.pop(cell, None)
            return
        spread = spread_of(line.rows, self._metric) if line.rows and self._metric else Spread()
        self._lines[cell] = replace(line, spread=spread)
        self._counts.update(place.state for place in line.places if place.row)

    def _unplanned(self, cell: int, rows: Sequence[Fields]) -> Line:
        """A cell of which only its runs are known.

        Args:
            rows: of them; of those of one training the one that counts comes last.
        """
        plan, last = self._plan, rows[-1]
        known: dict[tuple[Any, Any], Fields | None] = {}
        if plan:
            repeats = range(plan.sweep.repeats) if plan.sweep.repeats > 1 else [None]
            known = dict.fromkeys(product(repeats, plan.folds))
        known |= {(row["repeat"], row["fold"]): row for row in rows}
        places = (Place(row["key"] if row else "", *which, row) for which, row in known.items())
        params = last["params"]
        values = {key: params[key] for key in (plan.sweep.space if plan else ()) if key in params}
        return Line(
            cell, last["title"], values, tuple(sorted(places, key=lambda p: (p.repeat or 0, p.fold or 0)))
        )

    def _progress(self) -> Progress:
        plan, rows = self._plan, self._rows.values()
        known = {"name": "", "recipe": ""} | next(iter(self._rows.values()), {})
        made = sum(self._counts.values())
        to_come = max(0, (len(self._cells) or (plan.most if plan else 0)) - made)
        hours = plan.sweep.hours if plan else None
        hosts, trouble = definition.hosts(self.paths), definition.trouble(self.paths)
        endless = plan is not None and plan.searches and plan.sweep.runs is None
        return Progress(
            sweep=self.sweep,
            name=plan.recipe.name if plan else str(known["name"]),
            recipe=plan.source if plan else str(known["recipe"]),
            method=plan.sweep.method if plan else "",
            lines=list(self._lines.values()),
            counts={state: n for state, n in self._counts.items() if n} | {TO_COME: to_come},
            hosts=hosts,
            metric=self._metric,
            goal=self._goal,
            best=self._best,
            eta=eta(rows, 0 if not hosts else math.inf if endless else to_come, hours),
            runs=plan.sweep.runs if plan else None,
            hours=hours,
            spent=sum(row["duration"] or 0.0 for row in rows),
            strays=list(self._runs[None]),
            together=_decisions(self.paths),
            problem=self._problem or trouble,
            broken=self._broken or bool(trouble),
        )


def _rank(row: Fields) -> tuple[int, str]:
    """Sorts the runs of one training: the one that counts comes first."""
    state = standing(row)
    return (_FIRST.index(state) if state in _FIRST else len(_FIRST)), row["id"]


def _decisions(paths: SweepPaths) -> list[dict[str, Any]]:
    """What was decided of trainings in one process."""
    found = [read_json(path) for path in sorted(paths.root.glob("stack-*.json"))]
    return [{key: one.get(key) for key in ("together", "why", "ratio")} for one in found if one]
