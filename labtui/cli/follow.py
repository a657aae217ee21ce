"""Queued runs in the foreground: followed one after another, each with a progress bar until it ends.

The run belongs to its worker: closing the terminal ends the following only. Ctrl-C asks the worker
to stop, a second one kills it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from labtui import launch, run
from labtui.cli.app import say
from labtui.errors import LabtuiError
from labtui.files.atomic import read_json
from labtui.files.paths import RunPaths
from labtui.table import clean, number

if TYPE_CHECKING:
    from labtui.query import Lab
    from labtui.series import Summary

_POLL = 0.2
_CALL = 2.0
"""Seconds between two looks whether there is a supervisor."""
_PATIENCE = 5.0
"""Seconds that the supervisor has to follow up an end."""


def follow_all(lab: Lab, runs: Sequence[RunPaths]) -> int:
    """Follow queued runs; the exit status: 0 all finished, 1 one failed, 130 interrupted."""
    states = []
    for place, paths in enumerate(runs):
        count = f" ({place + 1} of {len(runs)})" if len(runs) > 1 else ""
        say(f"run {paths.id}{count}")
        try:
            states.append(_follow(lab, paths))
        except OSError as error:
            say(f"labtui: {error}" if paths.root.is_dir() else f"labtui: {paths.id}: was removed")
            states.append("failed")
            continue
        except KeyboardInterrupt:
            _interrupt(paths, runs[place + 1 :])
            closing_line(paths)
            return 130
        closing_line(paths)
    return 0 if all(state == "finished" for state in states) else 1


def _follow(lab: Lab, paths: RunPaths) -> str:
    """Show what the run logs until it ends for good; its state then."""
    from labtui import series

    tables = run.recipe_of(paths)
    monitor = (tables.get("validate") or {}).get("monitor", "")
    summary = series.EMPTY
    next_call, ending = time.monotonic() + _CALL / 2, Ending(paths)
    with _Progress(tables) as progress:
        while True:
            state = run.derive(paths).state
            if time.monotonic() >= next_call:
                next_call = time.monotonic() + _CALL
                with suppress(LabtuiError):  # the lab may be read-only here, and supervised elsewhere
                    launch.wake(lab.paths)
                progress.waits(launch.why_waiting(lab.paths, paths) if state == "queued" else "")
            summary = series.summarise(paths, monitor, tables.get("goals"), summary)
            progress.show(summary, monitor)
            if ending.reached(state):
                return state
            time.sleep(_POLL)


class Ending:
    """Tells whether a run has ended for good, or will be tried again."""

    def __init__(self, paths: RunPaths) -> None:
        self.paths = paths
        self._since: float | None = None

    def reached(self, state: str) -> bool:
        """Whether a state that was found now is the last one."""
        if state in ("running", "queued"):
            self._since = None
            return False
        if state in ("finished", "stopped", "idle"):
            return True
        if state in ("lost", "preempted") and launch.in_slurm(self.paths):
            return False  # the next word is Slurm's
        if state == "lost" or launch.retries_left(self.paths):
            # The supervisor is about to say why, or to ask for another attempt.
            self._since = self._since or time.monotonic()
            return time.monotonic() - self._since >= _PATIENCE
        return True


def _interrupt(paths: RunPaths, waiting: Sequence[RunPaths]) -> None:
    """Ask what waits and what runs to stop, and see it end; kill it when the user insists."""
    say("\nstopping after this step, with a checkpoint (Ctrl-C again: at once)")
    # What waits comes first: otherwise it would be started in the place of what ended.
    order = [*waiting, paths]
    try:
        _stop(order, kill=False)
        while any(run.derive(one).state == "running" for one in order):
            time.sleep(_POLL)
    except KeyboardInterrupt:
        _stop(order, kill=True)


def _stop(runs: Sequence[RunPaths], *, kill: bool) -> None:
    with suppress(LabtuiError):  # some have ended by themselves meanwhile
        launch.stop_all(runs, kill=kill)


def closing_line(paths: RunPaths) -> None:
    """How it ended, its figures beside the constant predictor's, and what to do next."""
    from labtui import series

    status = run.derive(paths)
    tables = run.recipe_of(paths)
    validate = tables.get("validate") or {}
    monitor = validate.get("monitor", "")
    metrics = series.summarise(paths, monitor, tables.get("goals")).metrics
    facts = (read_json(paths.result) or {}).get("facts") or {}
    baseline = facts.get("baseline") or {}
    say(f"{status.state}{f' ({status.reason})' if status.reason else ''}  {paths.id}")
    if status.message:
        say(status.message)
    shown = [monitor, f"test.{monitor.partition('.')[2]}"]
    for name in shown:
        value = metrics.get(name, {}).get("at_best")
        if value is not None:
            beside = f"   best constant predictor {number(baseline[name])}" if name in baseline else ""
            say(f"  {name} {number(value)} at step {metrics[monitor]['best_step']}{beside}")
    if validate.get("scheme") and (tables.get("data") or {}).get("split") == "random":
        say("  random split: pieces of one recording are on both sides, so this figure is optimistic")
    if status.state == "finished":
        say(f"  labtui report {paths.id}")
    elif status.state in ("stopped", "lost", "failed") and status.reason != "launch":
        say(f"  labtui resume {paths.id}")


class _Progress:
    """A progress bar on a terminal; elsewhere a line for each validation."""

    def __init__(self, tables: dict[str, Any]) -> None:
        self.epochs = (tables.get("train") or {}).get("epochs", 0)
        self._bar: Any = None
        self._shown: float | None = None
        self._why = ""

    def __enter__(self) -> _Progress:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=16),
                TextColumn("{task.fields[figures]}", markup=False),
                TimeRemainingColumn(compact=True),
                console=Console(stderr=True),
                refresh_per_second=4,
            )
            self._task = self._bar.add_task("starting", total=self.epochs or None, figures="")
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def waits(self, why: str) -> None:
        """Say what a queued run waits for, once for each reason."""
        if why and why != self._why:
            say(f"queued: {why}")
        self._why = why

    def show(self, summary: Summary, monitor: str) -> None:
        """Show the newest epoch, loss and monitored metric."""
        metrics = summary.metrics
        epoch = metrics.get("epoch", {}).get("last")
        wanted = ("train.loss", "val.loss", monitor)
        names = [name for name in dict.fromkeys(wanted) if name in metrics]
        figures = "  ".join(f"{clean(name)} {number(metrics[name]['last'])}" for name in names)
        if self._bar is not None:
            if epoch is None and not figures:
                return
            label = f"epoch {epoch:.0f}/{self.epochs}" if epoch is not None else f"step {summary.step}"
            self._bar.update(self._task, completed=epoch, description=label, figures=figures)
        elif figures and epoch != self._shown:
            self._shown = epoch
            say(
                f"epoch {number(epoch)}  {figures}"
                if epoch is not None
                else f"step {summary.step}  {figures}"
            )
