"""What every kind of worker does with an attempt: hears what is asked of it, knows its references, says why it
failed. No torch."""

from __future__ import annotations

import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from labtui.engine.failure import explain
from labtui.errors import LabtuiError, TrainingError
from labtui.files import rundir, toml
from labtui.files.atomic import read_json
from labtui.files.paths import RunPaths
from labtui.files.tell import tell
from labtui.writer import Run

if TYPE_CHECKING:
    from labtui.recipe.core import Recipe

_PATIENCE = 10.0
"""Seconds that a Slurm job has to say in control.json why Slurm ends it."""


class Terminated:
    """Whether this process was asked to end, by SIGTERM. SIGINT is for the foreground only."""

    def __init__(self) -> None:
        self.when = 0.0
        """On the monotonic clock; 0: not yet."""
        signal.signal(signal.SIGTERM, self._terminate)
        # Not SIG_IGN, which a program started from here would inherit.
        signal.signal(signal.SIGINT, lambda *_: None)

    def _terminate(self, *_: Any) -> None:
        self.when = self.when or time.monotonic()


class Asked:
    """What is asked of an attempt: "stop", "kill" or None; by control.json or by SIGTERM.

    Args:
        terminated: of this process, where it works on several attempts.
    """

    def __init__(self, terminated: Terminated | None = None) -> None:
        self.run: Run | None = None
        self._terminated = terminated or Terminated()

    def __call__(self) -> str | None:
        found = self.run.asked() if self.run else None
        if found is None and self._terminated.when:
            return self._why() or "stop"
        return found

    def _why(self) -> str | None:
        """Slurm signals all processes of a job at once: only the job itself finds out why."""
        while self._job and time.monotonic() < self._terminated.when + _PATIENCE:
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


def refer(paths: RunPaths, attempt: int, tables: dict[str, Any], result: dict[str, Any]) -> None:
    """Put what the supervisor resolved (`@best:val.loss` to a run's id) in its place in the recipe."""
    references = rundir.claimed(paths, attempt)[0].get("references")
    if references:
        result["facts"] = {"references": references}
        for key, run_id in references.items():
            toml.put(tables, key, run_id)


def training(paths: RunPaths, tables: dict[str, Any]) -> tuple[Callable[..., str | None], Recipe]:
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
    return train, check(tables, str(paths.recipe))


def fail(run: Run, error: BaseException, tables: dict[str, Any], result: dict[str, Any]) -> None:
    """Say why a run failed, in its log and in its result."""
    reason, message = explain(error, tables.get("train"))
    trace = "".join(traceback.format_exception(error))
    # labtui's own message says all there is, unless something of the user's own is behind it.
    tell(message if isinstance(error, LabtuiError) and error.__cause__ is None else trace)
    run.finish("failed", reason, message, traceback=trace, **result)
