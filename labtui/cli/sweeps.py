"""Sweeps on the command line: their list, one of them as a table, and what is done to a whole one."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from labtui.cli.app import Format, confirm, print_json, say, show
from labtui.errors import LaunchError

if TYPE_CHECKING:
    from labtui.query import Lab
    from labtui.query.lab import Run
    from labtui.query.progress import Progress


def show_sweep(lab: Lab, sweep: str, format: Format = Format.table) -> int:
    """Print a sweep, every cell of it; the exit status: 2 where its definition cannot be read."""
    from labtui import swept
    from labtui.query.progress import record
    from labtui.query.sweeps import progress

    found = progress(lab, sweep)
    if format is Format.json:
        print_json(record(found))
    elif format is Format.csv:
        show(*swept.in_numbers(found), format)
    else:
        if format is Format.table:
            print("\n".join(swept.page(found)) + "\n")
        show(*swept.in_words(found), format)
    if found.problem:
        say(f"labtui: {found.problem}")
    return 2 if found.broken else 0


def list_sweeps(lab: Lab, limit: int | None = None, format: Format = Format.table) -> None:
    """Print the sweeps, the newest first."""
    from labtui.query.sweeps import sweeps

    found = sweeps(lab)[::-1][:limit]
    if format is Format.json:
        print_json([_record(one) for one in found])
        return
    show(_COLUMNS, [_row(one, format) for one in found], format, spare=("recipe", "age", "method", "queued"))
    if not found and format is Format.table:
        say("no sweeps yet; `labtui run` on a recipe with a [sweep] or folds starts one")


_COLUMNS = [
    "id", "name", "recipe", "method", "finished", "of", "running", "queued", "failed", "metric", "best", "age",
]  # fmt: skip


def _row(progress: Progress, format: Format) -> list[Any]:
    from labtui.files.paths import created
    from labtui.swept import figures
    from labtui.table import age

    counts, best = progress.counts, progress.best
    states = [counts.get(state, 0) for state in ("running", "queued", "failed")]
    text: Any = None
    if best:
        text = best.spread.mean if format is Format.csv else figures(best)
    seconds = time.time() - created(progress.sweep)
    about = [progress.sweep, progress.name, progress.recipe, progress.method]
    done = [counts.get("finished", 0), progress.trainings]
    return [*about, *done, *states, progress.metric or None, text, age(seconds)]


def _record(progress: Progress) -> dict[str, Any]:
    """A sweep in a list: all but its cells."""
    from labtui.query.progress import record

    return {key: value for key, value in record(progress).items() if key != "cells"}


def remove(lab: Lab, references: Sequence[str], yes: bool) -> int:
    """Remove runs, and sweeps with all of theirs, after asking; the exit status.

    Raises:
        LaunchError: one of them runs; nothing was removed then.
        LabtuiError: a reference fits nothing, or something cannot be removed.
    """
    from labtui import launch, sweeper

    sweeps = list(dict.fromkeys(filter(None, map(lab.sweep, references))))
    runs = {run.id: run for reference in references for run in lab.group(reference)}
    _none_runs(runs.values(), sweeps)
    for run in runs.values():
        say(f"{run.id}  {run.row.state}")
    what = [_count(len(runs), "run")] if runs else []
    what += [f"the sweep {sweep}" for sweep in sweeps]
    if not confirm(f"Remove {' and '.join(what)} for good?", yes):
        say("nothing was removed")
        return 2
    for sweep in sweeps:
        sweeper.stop(lab.paths, sweep)  # or it would be filled again, as it may have been since it was listed
        runs |= {run.id: run for run in lab.group(sweep)}
    for run in runs.values():
        launch.remove(lab.paths, run.paths)
    for sweep in sweeps:
        sweeper.discard(lab.paths.sweep(sweep))
    return 0


def _none_runs(runs: Iterable[Run], sweeps: Sequence[str]) -> None:
    running = [run for run in runs if run.row.state == "running"]
    if running:
        whole = [run.row.sweep for run in running if run.row.sweep in sweeps]
        first = running[0].id
        more = f" and {_count(len(running) - 1, 'other')}" if running[1:] else ""
        raise LaunchError(f"{first}{more} still running; `labtui stop {(whole or [first])[0]}` first")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def to_come(lab: Lab) -> list[str]:
    """What is still to be queued of the sweeps that go on, in words."""
    from labtui import workload
    from labtui.query.sweeps import sweeps

    found = ((one.sweep, workload.to_come(one)) for one in sweeps(lab, going=True))
    return [f"{sweep}: {text}" for sweep, text in found if text]
