"""What the sections of a run's report share: the run, read once."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from labtui.errors import RunNotFound
from labtui.files.goals import Goal, arrowed, goal_of
from labtui.files.toml import flatten
from labtui.query.rows import Metric
from labtui.report.document import Beside, NotRecorded, mapping
from labtui.scores import scores, split_of
from labtui.table import number

if TYPE_CHECKING:
    from labtui.diagnose import Diagnosis
    from labtui.query.lab import Run
    from labtui.run import Status
    from labtui.series import Series


@dataclass
class Document:
    """One run as its report sees it.

    Args:
        run: the run.
        beside: gets the tables that go with the text.
    """

    run: Run
    beside: Beside

    @cached_property
    def status(self) -> Status:
        """The state, derived once.

        Raises:
            RunNotFound: somebody removed the run meanwhile.
        """
        try:
            return self.run.status()
        except FileNotFoundError:
            raise RunNotFound(f"run {self.run.id}: is gone; `labtui ls` lists what is there") from None

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """The resolved recipe's tables."""
        return self.run.recipe()

    @cached_property
    def options(self) -> dict[str, Any]:
        """The resolved recipe, flat, by dotted keys."""
        return flatten(self.recipe)

    @cached_property
    def series(self) -> dict[str, Series]:
        """What was logged by metric name, without the machine's own metrics."""
        return {name: s for name, s in self._logged.items() if not name.startswith("sys.")}

    @cached_property
    def _logged(self) -> dict[str, Series]:
        return self.run.all_series()

    @cached_property
    def metrics(self) -> dict[str, Metric]:
        """The figures that listings show, by metric name."""
        return self.run.row.metrics

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What the result says of the training; empty before there is one."""
        return mapping(self.status.result.get("facts"))

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """What the rules say of it."""
        from labtui.query.diagnosis import diagnosis

        return diagnosis(self.run, self._logged)

    @cached_property
    def monitor(self) -> str:
        """The metric that says which epoch is best; empty when none was named."""
        named = self.options.get("validate.monitor") or self.options.get("monitor")
        best = mapping(self.status.result.get("best"))
        return str(named or best.get("metric") or "")

    @cached_property
    def held_out(self) -> list[str]:
        """The scores on data that were not trained on, losses apart: the monitored one first, if it is of them."""
        found = scores(self.metrics, self.monitor)
        held = [name for name in found if split_of(name)[0] not in ("", "train", "test")]
        return [name for name in held if split_of(name)[1] != "loss"]

    @cached_property
    def sums(self) -> dict[str, int]:
        """Split to its samples, where losses are sums over them; else empty."""
        if self.options.get("loss.report") != "sum":
            return {}
        sizes = {name: self.facts.get(name) for name in ("train", "val", "test")}
        return {name: n for name, n in sizes.items() if isinstance(n, int) and n > 0}

    @cached_property
    def simulated(self) -> bool:
        """Whether labtui made the data up."""
        try:
            data = mapping(self.artifact("data"))
        except NotRecorded:
            return False
        return str(mapping(data.get("facts")).get("source")).startswith("simulated")

    @cached_property
    def origin(self) -> dict[str, Any]:
        """Where the recipe came from: file, sweep, cell, repeat, fold, title."""
        return mapping(self.recipe.get("origin"))

    @cached_property
    def kind(self) -> str:
        """Who trains: "recipe" (labtui itself), "command" or "script" (a program of the user's)."""
        if "script" in self.origin:
            return "script"
        return "command" if "command" in self.recipe else "recipe"

    def goal(self, metric: str) -> Goal | None:
        """Which way it is better; None when nobody said."""
        known = self.metrics.get(metric)
        if known and (known.goal == "min" or known.goal == "max"):
            return "min" if known.goal == "min" else "max"
        return goal_of(metric, mapping(self.recipe.get("goals")))

    def named(self, metric: str) -> str:
        """A metric's name with an arrow the way it gets better."""
        return arrowed(metric, self.goal(metric))

    @cached_property
    def best_step(self) -> int | None:
        """Step at which the monitored metric was best."""
        known = self.metrics.get(self.monitor)
        return known.best_step if known else None

    @cached_property
    def last_step(self) -> int | None:
        """The newest step of any metric."""
        steps = [int(s.steps.max()) for s in self.series.values() if len(s.steps)]
        return max(steps, default=None)

    def epoch_at(self, step: int) -> float | None:
        """The newest epoch logged up to a step; None where none was."""
        logged = self.series.get("epoch")
        if logged is None:
            return None
        upto = logged.values[logged.steps <= step]
        return float(upto[-1]) if len(upto) and math.isfinite(upto[-1]) else None

    def place(self, step: int) -> str:
        """A step in words: `epoch 57 (step 1140)`."""
        epoch = self.epoch_at(step)
        return f"step {step}" if epoch is None else f"epoch {number(epoch)} (step {step})"

    def artifact(self, name: str) -> Any:
        """An artifact of the run.

        Raises:
            NotRecorded: there is none, or it cannot be read.
        """
        import zipfile

        folder = self.run.paths.artifacts
        try:
            found = self.run.artifact(name)
        except (OSError, ValueError, RecursionError, zipfile.BadZipFile):
            found = None
        if found is not None:
            return found
        for file in (f"{name}.json", f"{name}.npz"):
            if (folder / file).exists():
                raise NotRecorded(f"`artifacts/{file}` cannot be read")
        raise NotRecorded(self.absence)

    @cached_property
    def absence(self) -> str:
        """Why something that a training leaves is not there."""
        if not self.recipe:
            return "the run's `recipe.toml` is missing or broken"
        if self.kind != "recipe":
            return (
                "a program of the user's own, of which labtui knows what it logs and what it keeps "
                "with `run.artifact`"
            )
        if self.status.state in ("queued", "idle"):
            return "the run has not started"
        if self.status.state == "running":
            return "the run has not come so far yet"
        return f"the run {VERBS.get(self.status.state, 'ended')} before it came so far"


VERBS = {
    "failed": "failed",
    "stopped": "was stopped",
    "lost": "was lost",
    "preempted": "was preempted",
}


@contextmanager
def of_form(name: str) -> Iterator[None]:
    """Reads an artifact that anybody may have written.

    Raises:
        NotRecorded: it does not have the form that the block expects.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise NotRecorded(f"`artifacts/{name}.json` has not the form that labtui writes") from error
