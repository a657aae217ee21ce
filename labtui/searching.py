"""A search at work: its candidates become runs, what came of these is told, and hopeless ones are ended early.

What a candidate gave is read from its runs each time; only the journal and the run directories are to
survive. So a searcher that is killed leaves nothing that the next one does not see: a candidate that was
drawn and has no runs yet gets them, one whose runs are over is told.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from statistics import fmean
from time import time, time_ns
from typing import NamedTuple

from labtui import launch, run, series
from labtui.errors import LabtuiError, RecipeError
from labtui.files import process
from labtui.files.metriclog import RECORD, VOID
from labtui.files.paths import LabPaths, RunPaths, SweepPaths
from labtui.launch.agent import say
from labtui.query import Lab
from labtui.query.progress import PRUNED
from labtui.query.rows import Row
from labtui.sweep import Plan, Training, definition
from labtui.sweep.cells import Cell
from labtui.sweep.search import Search, Trial
from labtui.sweep.space import Params, Space

AHEAD_ON_SLURM = 2
"""So many candidates may wait in a cluster's queue at least, or as many as run."""


class Outcome(NamedTuple):
    """Where one training of a candidate stands."""

    state: str
    """missing, waits, runs, done, pruned or failed."""
    value: float | None = None
    """Of the metric, when it is done."""


class Searching:
    """One search of a lab, while it is filled.

    Args:
        paths: of the sweep.

    Raises:
        JournalError: its journal cannot be read.
        LabError: it cannot be written.
    """

    def __init__(self, lab: LabPaths, paths: SweepPaths, plan: Plan) -> None:
        self.lab, self.paths, self.plan = lab, paths, plan
        self.metric, goal = plan.objective
        self._seen = set(lab.run_ids())
        rows = [row for row in Lab(lab).runs(sort="created") if row.sweep == paths.id]
        self._runs: dict[str, list[RunPaths]] = {}
        self._seconds: dict[str, float] = {}
        for row in rows:
            self._runs.setdefault(row.key, []).append(lab.run(row.id))
            self._seconds[row.id] = row.duration or 0.0
        self._over: dict[str, Outcome] = {}
        self._trainings: dict[int, list[Training]] = {}
        self._followed: dict[str, Followed] = {}
        self._exhausted, self._changed = False, -1
        self.search = Search(paths, plan, self.metric, goal, partial(self._known, rows))

    def next(self) -> tuple[list[Training], bool]:
        """Tell what is over; the trainings to be made now, and whether there is nothing more to do here.

        Only as many candidates are drawn ahead as have to be, since each one that is drawn later knows more.

        Raises:
            RecipeError: no candidate fits, or the runs do not log the metric.
            LabError: the journal cannot be written.
        """
        self._find()
        chosen: list[Training] = []
        going = waiting = running = 0
        trials = self.search.trials()
        for trial in trials:
            if trial.state in ("done", PRUNED):
                continue
            trainings = self._of(trial.cell)
            outcomes = [self._outcome(training.key) for training in trainings]
            states = {outcome.state for outcome in outcomes}
            if not self._told(trial, outcomes, states) and self._mine(trial):
                missing = [t for t, one in zip(trainings, outcomes, strict=True) if one.state == "missing"]
                chosen += missing if trial.state == "open" else []
                going += bool(states & {"waits", "runs"})
                waiting += bool(states & {"waits", "missing"}) and trial.state == "open"
                running += "runs" in states
        if late := self._late():
            chosen = []
        slurm = self.plan.recipe.resources.launcher == "slurm"
        ahead = max(AHEAD_ON_SLURM, running) if slurm else 1
        drawn = len(trials)
        while not (over := late or self._spent(drawn)) and waiting < ahead:
            cell = self.search.ask(self._check)
            if cell is None:
                self._exhausted = True
                say(f"{self.paths.id}: nothing new is drawn any more; the search ends before its budget")
            else:
                chosen += self._of(cell)
                waiting, drawn = waiting + 1, drawn + 1
        return chosen, over and not chosen and not going

    def made(self, chosen: Sequence[Training], runs: Sequence[RunPaths]) -> None:
        """Know the runs that were made of trainings."""
        for training, paths in zip(chosen, runs, strict=True):
            self._runs.setdefault(training.key, []).append(paths)
            self._seen.add(paths.id)

    def keys(self) -> set[str]:
        """The trainings of all candidates."""
        return {training.key for trial in self.search.trials() for training in self._of(trial.cell)}

    def prune(self) -> None:
        """End the candidates that are hopeless by what their runs have logged.

        Raises:
            LabError: the journal cannot be written.
        """
        for trial in self.search.trials("open"):
            if not self._mine(trial):
                continue
            runs = [p for training in self._of(trial.cell) for p in self._runs.get(training.key, [])[-1:]]
            for epoch, value in self._reached(runs, self.search.reported(trial.cell.number)):
                if self.search.report(trial.cell.number, epoch, value):
                    self._end(trial, runs, epoch, value)
                    break

    @property
    def prunes(self) -> bool:
        """Whether it has to be looked at while runs are at work."""
        return self.plan.sweep.pruner is not None

    def _known(self, rows: Sequence[Row], first: int) -> dict[int, Params | None]:
        """What stands for each cell that has runs, from a number on; None for one of another recipe than today's."""
        space = Space(self.plan.sweep, self.plan.resolver.tables)
        found: dict[int, Params | None] = {}
        for row in rows:
            if row.cell is None or row.cell < first or found.get(row.cell) is not None:
                continue
            found[row.cell] = None
            params = None if row.repeat else space.params(row.params)
            if params is not None:
                cell = Cell(row.cell, "", space.drawn(params.__getitem__))
                with suppress(RecipeError):  # today's recipe cannot have it
                    found[row.cell] = params if row.key in {one.key for one in self.plan.of(cell)} else None
        return found

    def _mine(self, trial: Trial) -> bool:
        """Whether this machine is to make a candidate's runs: it drew it, or who did is no longer at it."""
        return trial.host == process.host() or trial.host not in definition.hosts(self.paths)

    def _of(self, cell: Cell) -> list[Training]:
        if cell.number not in self._trainings:
            self._trainings[cell.number] = list(self.plan.of(cell))
        return self._trainings[cell.number]

    def _check(self, cell: Cell) -> None:
        """See that a candidate is a recipe."""
        for training in self.plan.of(cell):
            self.plan.resolved(training, self.paths.id)

    def _find(self) -> None:
        """Know the runs that other machines have made."""
        changed = os.stat(self.lab.runs).st_mtime_ns if self.lab.runs.exists() else 0
        if changed == self._changed:
            return
        # What changed a moment ago may change again without another time stamp.
        self._changed = changed if time_ns() - changed > 2_000_000_000 else -1
        for run_id in set(self.lab.run_ids()) - self._seen:
            self._seen.add(run_id)
            paths = self.lab.run(run_id)
            origin = run.recipe_of(paths).get("origin") or {}
            if origin.get("sweep") == self.paths.id:
                self._runs.setdefault(str(origin.get("key")), []).append(paths)

    def _late(self) -> bool:
        """Whether the hours are over."""
        hours = self.plan.sweep.hours
        return hours is not None and sum(self._seconds.values()) >= 3600 * hours

    def _spent(self, drawn: int) -> bool:
        """Whether no further candidate is to be drawn, after so many."""
        runs = self.plan.sweep.runs
        return self._exhausted or (runs is not None and (drawn + 1) * self.plan.each > runs)

    def _outcome(self, key: str) -> Outcome:
        """Where a training stands: its best run counts."""
        if key not in self._over:
            found = [outcome for paths in self._runs.get(key, []) if (outcome := self._look(paths))]
            order = ("done", PRUNED, "runs", "waits", "failed")
            outcome = min(found, key=lambda one: order.index(one.state), default=Outcome("missing"))
            if outcome.state != "done":
                return outcome
            self._over[key] = outcome
        return self._over[key]

    def _look(self, paths: RunPaths) -> Outcome | None:
        """Where a run stands; None when it is gone."""
        try:
            status = run.derive(paths)
        except OSError:
            self._seconds.pop(paths.id, None)
            return None
        if status.started is not None:
            end = status.ended if status.ended and status.state != "running" else time()
            self._seconds[paths.id] = max(0.0, end - status.started)
        if status.state == "finished":
            return Outcome("done", self._value(paths))
        if status.state == "stopped" and status.reason == PRUNED:
            return Outcome(PRUNED)
        return Outcome({"queued": "waits", "running": "runs"}.get(status.state, "failed"))

    def _value(self, paths: RunPaths) -> float | None:
        """The metric of a finished run, as its row has it; None: it is no number."""
        tables = self.plan.resolver.tables
        monitor = str((tables.get("validate") or {}).get("monitor", ""))
        metrics = series.summarise(paths, monitor, self.plan.recipe.goals).metrics
        if self.metric in metrics:
            value = metrics[self.metric]["at_best"]
            return None if value is None else float(value)
        if self.search.trials("done"):
            return None
        logged = ", ".join(sorted(name for name in metrics if not name.startswith("sys."))) or "nothing"
        raise RecipeError(
            f"{paths.id}: has finished without a value of {self.metric}, for which the search looks; it logged "
            f"{logged}: set sweep.metric in {self.plan.source}, then `labtui resume {self.paths.id}`"
        )

    def _told(self, trial: Trial, outcomes: Sequence[Outcome], states: set[str]) -> bool:
        """Say what came of a candidate, if it is over; whether it is."""
        number = trial.cell.number
        if states == {"done"}:
            values = [one.value for one in outcomes if one.value is not None]
            self.search.tell(number, fmean(values) if len(values) == len(outcomes) else None)
        elif PRUNED in states:
            self.search.tell(number, None, pruned=True)
        elif states & {"missing", "waits", "runs"}:
            return False
        else:
            self.search.tell(number, None)
        return True

    def _reached(self, runs: Sequence[RunPaths], after: int) -> list[tuple[int, float]]:
        """Epochs that all runs at work have reached, and the mean of the metric then."""
        at_work, over = list[dict[int, float]](), list[dict[int, float]]()
        for paths in runs:
            follower = self._followed.setdefault(paths.id, Followed(paths, self.metric))
            with suppress(OSError):
                states = {"running": at_work, "finished": over}
                states.get(run.derive(paths).state, []).append(follower.look())
        if not at_work:
            return []
        epochs = sorted(set.intersection(*(set(one) for one in at_work)))
        return [
            (epoch, fmean(one[epoch] for one in [*at_work, *over] if epoch in one))
            for epoch in epochs
            if epoch > after and _rung(epoch)
        ]

    def _end(self, trial: Trial, runs: Sequence[RunPaths], epoch: int, value: float) -> None:
        """Ask the runs of a hopeless candidate to stop, then say so: in this order nothing is lost between."""
        pruner = self.plan.sweep.pruner
        message = (
            f"{self.metric} = {value:.4g} after {epoch} epochs is hopeless ({pruner.name if pruner else ''})"
        )
        for paths in runs:
            with suppress(LabtuiError, OSError):  # it has just ended
                launch.stop(paths, reason=PRUNED, message=message)
        self.search.tell(trial.cell.number, None, pruned=True)


class Followed:
    """One metric of a run by its epochs, read on from where it stopped.

    Args:
        metric: its name; where the run logs no `epoch`, each value is that of one more.
    """

    def __init__(self, paths: RunPaths, metric: str) -> None:
        self.paths, self.metric = paths, metric
        self._offset = 0
        self._values: dict[int, float] = {}
        self._epochs: dict[int, float] = {}

    def look(self) -> dict[int, float]:
        """The values so far, by epoch from 1 on."""
        if os.path.exists(self.paths.metrics) and os.stat(self.paths.metrics).st_size < self._offset:
            self._offset = 0  # it was put back from a copy
            self._values.clear()
            self._epochs.clear()
        found = series.records(self.paths, self._offset)
        if (found["key"] == VOID).any():  # it was resumed, and some of what it had logged is void
            values, epochs = series.read(self.paths, self.metric), series.read(self.paths, "epoch")
            self._values = dict(zip(values.steps.tolist(), values.values.tolist(), strict=True))
            self._epochs = dict(zip(epochs.steps.tolist(), epochs.values.tolist(), strict=True))
        elif len(found):
            names = series.names(self.paths)
            for name, known in ((self.metric, self._values), ("epoch", self._epochs)):
                part = found[found["key"] == names.index(name)] if name in names else found[:0]
                known.update(zip(part["step"].tolist(), part["value"].tolist(), strict=True))
        self._offset += len(found) * RECORD
        if not self._epochs:
            return dict(enumerate(self._values.values(), 1))
        known_at = ((self._epochs.get(step, 0), value) for step, value in self._values.items())
        return {int(epoch): value for epoch, value in known_at if epoch >= 1}


def _rung(epoch: int) -> bool:
    """Whether an epoch is one at which candidates are compared: two digits of it, so that thousands of epochs
    do not fill the journal."""
    return epoch % int(10 ** max(0, len(str(epoch)) - 2)) == 0
