"""The worker: `python -m labtui.engine RUN_DIR ATTEMPT`, started by the supervisor.

It attaches first, so that the run is seen to run before torch is loaded. SIGTERM asks for the same
as a stop in `control.json`, which may name another outcome (`preempted`); SIGINT is for the
foreground only. Exit status: 0 finished or stopped, 1 failed, 2 the directory cannot be worked on.
"""

from __future__ import annotations

import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labtui.engine import parallel
from labtui.engine.workplace import at_work
from labtui.errors import LabtuiError, TrainingError
from labtui.files import rundir, toml
from labtui.files.atomic import read_json
from labtui.files.layout import layout
from labtui.files.paths import RunPaths
from labtui.files.tell import tell
from labtui.writer import Run, attach

if TYPE_CHECKING:
    from labtui.recipe.core import Recipe

_PATIENCE = 10.0
"""Seconds that a Slurm job has to say in control.json why Slurm ends it."""


class Asked:
    """What is asked of this worker: "stop", "kill" or None; by control.json or by SIGTERM."""

    def __init__(self) -> None:
        self.run: Run | None = None
        self._terminated = 0.0
        """When SIGTERM came, on the monotonic clock; 0: not yet."""
        signal.signal(signal.SIGTERM, self._terminate)
        # Not SIG_IGN, which a program started from here would inherit.
        signal.signal(signal.SIGINT, lambda *_: None)

    def __call__(self) -> str | None:
        found = self.run.asked() if self.run else None
        if found is None and self._terminated:
            return self._why() or "stop"
        return found

    def _why(self) -> str | None:
        """Slurm signals all processes of a job at once: only the job itself finds out why."""
        while self._job and time.monotonic() < self._terminated + _PATIENCE:
            assert self.run
            if found := self.run.asked():
                return found
            time.sleep(0.05)
        return None

    @property
    def _job(self) -> str:
        return rundir.job_of(self.run.paths, self.run.attempt) if self.run else ""

    def outcome(self) -> tuple[str, str, str]:
        """Outcome, reason and message of an attempt that was asked to end."""
        assert self.run
        told = read_json(self.run.paths.control) or {}
        if told.get("attempt") != self.run.attempt:
            return "preempted" if self._job else "stopped", "", ""
        return str(told.get("outcome", "stopped")), str(told.get("reason", "")), str(told.get("message", ""))

    def _terminate(self, *_: Any) -> None:
        self._terminated = self._terminated or time.monotonic()


def work(run: Run, tables: dict[str, Any], asked: Asked, result: dict[str, Any]) -> str | None:
    """Do what the recipe says; None when it ended by itself, else what was asked."""
    if "command" in tables:
        from labtui.engine.command import supervise

        return supervise(run, tables, asked)
    if layout(tables) != (1, 1):
        return parallel.lead(run, tables, asked)
    train, recipe = training(run, tables)
    return train(run, recipe, run.paths.lab.root, asked, result)


def training(run: Run, tables: dict[str, Any]) -> tuple[Callable[..., str | None], Recipe]:
    """The function that trains, and what it is to train.

    Raises:
        RecipeError: the recipe is wrong.
        TrainingError: what it takes cannot be imported.
    """
    try:
        from labtui.engine.load import load

        load()
        from labtui.engine.train import train
        from labtui.recipe.read import check
    except Exception as error:  # a broken library may raise anything
        raise TrainingError(
            "launch",
            f"what a training needs cannot be imported by {sys.executable} "
            f"({type(error).__name__}: {error}); mend that Python's packages, then resume",
        ) from error
    return train, check(tables, str(run.paths.recipe))


def refer(run: Run, tables: dict[str, Any], result: dict[str, Any]) -> None:
    """Put what the supervisor resolved (`@best:val.loss` to a run's id) in its place in the recipe."""
    references = rundir.claimed(run.paths, run.attempt)[0].get("references")
    if references:
        result["facts"] = {"references": references}
        for key, run_id in references.items():
            toml.put(tables, key, run_id)


def main(argv: list[str]) -> int:
    """Work on one run; the exit status."""
    asked = Asked()
    paths, attempt = RunPaths(Path(argv[0]).absolute()), int(argv[1])
    if parallel.further(paths):
        return parallel.assist(paths, attempt, asked)
    try:
        run = asked.run = attach(paths.root, attempt)
    except LabtuiError as error:
        tell(f"labtui: {error}")
        return 2
    tables: dict[str, Any] = {}
    result: dict[str, Any] = {}
    try:
        tables = toml.read(run.paths.recipe)
        refer(run, tables, result)
        with at_work(run.paths):
            ended = work(run, tables, asked, result)
    except parallel.Told:
        return 1
    except (Exception, SystemExit) as error:  # a part of the user's own may exit
        from labtui.engine.failure import explain

        reason, message = explain(error, tables.get("train"))
        trace = traceback.format_exc()
        # labtui's own message says all there is, unless something of the user's own is behind it.
        tell(message if isinstance(error, LabtuiError) and error.__cause__ is None else trace)
        run.finish("failed", reason, message, traceback=trace, **result)
        return 1
    run.finish(*(asked.outcome() if ended else ("finished",)), **result)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
