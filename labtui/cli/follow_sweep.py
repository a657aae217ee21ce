"""A sweep in the foreground: its table filling, until all is done.

The runs belong to their workers: closing the terminal ends the following only. Ctrl-C stops the whole
sweep, each run with a checkpoint; a second one kills them.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from labtui import launch, sweeper, swept
from labtui.cli.app import say
from labtui.errors import LabtuiError
from labtui.launch.queue import paused
from labtui.query.progress import TO_COME, Line, Place, Progress
from labtui.query.spread import figure
from labtui.query.sweeps import Watch
from labtui.sweep import definition
from labtui.table import clean, number

if TYPE_CHECKING:
    from labtui.query import Lab

_POLL = 0.5
_CALL = 2.0
"""Seconds between two looks whether there is a supervisor."""
_PATIENCE = 5.0
"""Seconds that the supervisor has to follow up the last end."""
_SILENCE = 15.0
"""Seconds without a run after which it is said where to look."""


def follow_sweep(lab: Lab, sweep: str) -> int:
    """Follow a sweep until nothing of it runs or is to come.

    Returns:
        The exit status: 0 all finished, 1 not all, 2 its definition cannot be read, 130 interrupted.
    """
    say(f"sweep {sweep}")
    watch = Watch(lab, sweep)
    try:
        progress = _follow(lab, watch)
    except KeyboardInterrupt:
        _interrupt(lab, watch)
        _close(watch.look())
        return 130
    _close(progress)
    if progress.broken:
        say(f"labtui: {progress.problem}")
        return 2
    return 1 if progress.left else 0


def _follow(lab: Lab, watch: Watch) -> Progress:
    """Show the sweep until it is over; what it is then."""
    called = quiet = time.monotonic()
    over: float | None = None
    on_terminal = sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")
    with _Table() if on_terminal else _Lines() as screen:
        while True:
            progress, now = watch.look(), time.monotonic()
            quiet = now if progress.going else quiet
            if now - called >= _CALL:
                called = now
                with suppress(LabtuiError):  # the lab may be read-only here, and supervised elsewhere
                    launch.wake(lab.paths)
                screen.waits(_why(lab, progress, now - quiet))
            screen.show(progress)
            if progress.going or (definition.asked(watch.paths) is not None and not progress.broken):
                over = None
            elif over is None:
                over = now  # its last runs may just have been made
            elif now - over >= _grace(lab, progress):
                return progress
            time.sleep(_POLL)


def _grace(lab: Lab, progress: Progress) -> float:
    """Seconds in which what has ended may go on by itself."""
    grace = 0.0
    for line in progress.lines:
        for row in line.rows:
            if row["state"] not in ("finished", "stopped"):
                paths = lab.paths.run(row["id"])
                if row["state"] in ("lost", "preempted") and launch.in_slurm(paths):
                    return math.inf  # the next word is Slurm's
                if row["state"] == "lost" or launch.retries_left(paths):
                    grace = _PATIENCE
    return grace


def _why(lab: Lab, progress: Progress, silence: float) -> str:
    """What all of the sweep waits for; empty while some of it runs."""
    if progress.counts.get("running"):
        return ""
    for line in progress.lines:
        for row in line.rows:
            if row["state"] == "queued":
                return launch.why_waiting(lab.paths, lab.paths.run(row["id"]))
    if silence < _SILENCE:
        return ""
    why = paused(lab.paths)
    return (
        f"the queue is paused: {why}" if why else f"no runs are made; {lab.paths.own / 'agent.log'} says why"
    )


def _interrupt(lab: Lab, watch: Watch) -> None:
    """Make no more runs, ask those that there are to stop, and see them end; kill them when the user insists."""
    say("\nstopping the sweep, each run after its step, with a checkpoint (Ctrl-C again: at once)")
    try:
        with suppress(LabtuiError):  # the runs are stopped in any case
            sweeper.stop(lab.paths, watch.sweep)
        _stop(lab, watch, kill=False)
        while watch.look().counts.get("running"):
            time.sleep(_POLL)
    except KeyboardInterrupt:
        _stop(lab, watch, kill=True)


def _stop(lab: Lab, watch: Watch, *, kill: bool) -> None:
    """Stop all runs of the sweep; first those that wait, which would begin in the place of the others."""
    # Also those of cells that an edited recipe does not have any more.
    runs = [run for run in lab.group(watch.sweep) if run.row.state in ("queued", "running")]
    with suppress(LabtuiError):  # some ended by themselves meanwhile
        launch.stop_all([run.paths for run in sorted(runs, key=lambda run: str(run.row.state))], kill=kill)


def _close(progress: Progress) -> None:
    """How it ended, what is best, and what to do next."""
    say(swept.counted(progress))
    reasons = Counter(
        row["reason"] for line in progress.lines for row in line.rows if row["state"] == "failed"
    )
    if reasons:
        say(
            "  failed: " + ", ".join(f"{n} {clean(reason or 'error')}" for reason, n in reasons.most_common())
        )
    if best := swept.best(progress):
        say(f"  {best}")
    if progress.left:
        say(f"  labtui resume {progress.sweep}")
    done = progress.counts.get("finished")
    say(f"  labtui {'report' if done else 'show'} {progress.sweep}")


class _Table:
    """The table on a terminal, drawn over itself."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._live = Live(console=Console(stderr=True, highlight=False), auto_refresh=False)
        self._why, self._drawn = "", ""

    def __enter__(self) -> _Table:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def waits(self, why: str) -> None:
        """Say what everything waits for, from the next `show` on."""
        self._why = why

    def show(self, progress: Progress) -> None:
        """Draw the sweep as it is, if that looks different."""
        from labtui.cli.sweep_screen import draw

        size = self._live.console.size
        text = draw(progress, size.width, size.height, self._why)
        if text.markup != self._drawn:
            self._drawn = text.markup
            self._live.update(text, refresh=True)


class _Lines:
    """Without a terminal: a line for each run that ends."""

    def __init__(self) -> None:
        self._before: Sequence[Line] | None = None
        self._why = ""

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def waits(self, why: str) -> None:
        """Say what everything waits for, once for each reason."""
        if why and why != self._why:
            say(f"queued: {why}")
        self._why = why

    def show(self, progress: Progress) -> None:
        """Say what has ended since the last time."""
        if self._before is None:
            say(swept.counted(progress))
        else:
            for line, place in ended(progress, self._before):
                say(_told(progress, line, place))
        self._before = progress.lines


def ended(progress: Progress, before: Sequence[Line]) -> Iterator[tuple[Line, Place]]:
    """Trainings that have ended since the lines were these."""
    known = {line.number: line for line in before}
    for line in progress.lines:
        if (old := known.get(line.number)) is line:
            continue
        was = {(place.repeat, place.fold): place.state for place in old.places} if old else {}
        for place in line.places:
            over = place.state not in ("running", "queued", TO_COME)
            if over and was.get((place.repeat, place.fold)) != place.state:
                yield line, place


def _told(progress: Progress, line: Line, place: Place) -> str:
    """One run that has ended: how, of which cell, with what figure."""
    row = place.row or {}
    over = sum(n for state, n in progress.counts.items() if state not in ("running", "queued", TO_COME))
    reason = f" ({clean(place.reason)})" if place.reason else ""
    parts = [f"{place.state}{reason}", swept.called(line)]
    parts += [f"{name} {n}" for name, n in (("repeat", place.repeat), ("fold", place.fold)) if n is not None]
    value = figure(row, progress.metric) if row and progress.metric else None
    parts += [f"{clean(progress.metric)} {number(value)}"] if value is not None else []
    return f"{over}/{progress.trainings}  {', '.join(parts)}  {row.get('id', '')}"
