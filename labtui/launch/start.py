"""From a recipe to a queued run, and from a queued run to its worker."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from labtui.errors import LaunchError
from labtui.files import process, rundir
from labtui.files.atomic import read_json
from labtui.files.paths import LabPaths, RunPaths
from labtui.launch import logs, verdict
from labtui.launch.control import withdraw
from labtui.snapshot import Snapshot, needed


def enqueue(
    lab: LabPaths,
    recipes: Sequence[dict[str, Any]],
    *,
    priority: int | None = None,
    code: RunPaths | None = None,
    **asked: Any,
) -> list[RunPaths]:
    """Make a run directory with a request to start for each resolved recipe: all of them, or none.

    Args:
        priority: instead of each recipe's `resources.priority`.
        code: where the lab's code is kept for these runs and those to come; absent: taken for these only.
        asked: `after`, `held` and `python`, as `rundir.request` takes them.

    Raises:
        LabError: the lab cannot be written.
        LaunchError: less than `resources.min_free` is left on its disk.
    """
    for tables in recipes:
        if short := short_of_disk(lab, tables.get("resources") or {}):
            raise LaunchError(f"{lab.root}: {short}; `labtui gc` lists what can be freed")
    made: list[RunPaths] = []
    try:
        with Snapshot(lab, sum(map(needed, recipes)), code) as snapshot:
            for tables in recipes:
                fill = snapshot.into if needed(tables) else None
                own = (tables.get("resources") or {}).get("priority", 0)
                asked["priority"] = own if priority is None else priority
                made.append(rundir.create(lab, tables["name"], tables, queued=True, fill=fill, **asked))
    except BaseException:  # Ctrl-C too
        withdraw(lab, made)
        raise
    return made


def short_of_disk(lab: LabPaths, resources: Mapping[str, Any]) -> str:
    """What the disk lacks for a run to start; empty when it has enough."""
    wanted = resources.get("min_free", 0.5)
    free = shutil.disk_usage(lab.root).free / 1e9
    return "" if free >= wanted else f"{free:.2g} GB of disk free, resources.min_free = {wanted:g}"


def claim(paths: RunPaths, attempt: int, **given: Any) -> bool:
    """Claim an attempt; False when somebody else has, or when it was asked to stop.

    Raises:
        LaunchError: the claim cannot be written.
    """
    try:
        mine = rundir.claim(paths, attempt, **given)
    except OSError as error:
        raise LaunchError(f"{paths.id}: cannot be started ({error.strerror})") from error
    return mine and (read_json(paths.control) or {}).get("attempt") != attempt


def spawn(
    lab: LabPaths,
    paths: RunPaths,
    attempt: int,
    environment: Mapping[str, str] | None = None,
    python: str = sys.executable,
    before: Sequence[str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start the worker of a claimed attempt, as a process of its own session, which outlives this one.

    Args:
        environment: added to this process's own: which GPUs, how many threads.
        before: words that go before its command; given, the worker does not outlive this process.

    Raises:
        LaunchError: it cannot be started (the run says so too).
    """
    return spawn_all(lab, [(paths, attempt)], [], environment, python, before)


def spawn_all(
    lab: LabPaths,
    attempts: Sequence[tuple[RunPaths, int]],
    words: Sequence[str],
    environment: Mapping[str, str] | None = None,
    python: str = sys.executable,
    before: Sequence[str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start one worker of several claimed attempts, as `spawn` does that of one; they share its log.

    Args:
        words: what it is told besides.

    Raises:
        LaunchError: it cannot be started (the runs say so too).
    """
    first = attempts[0][0]
    given = [word for paths, attempt in attempts for word in (str(paths.root), str(attempt))]
    # -P keeps the lab's own modules from taking the place of labtui's.
    arguments = [*(before or []), python, "-P", "-m", "labtui.engine", *words, *given]
    try:
        logs.share([paths for paths, _ in attempts])
        with open(first.log, "ab") as output:
            child = subprocess.Popen(
                arguments,
                cwd=first.workplace,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=os.environ | surroundings(lab) | dict(environment or {}),
                preexec_fn=None if before is None else process.tied(),  # noqa: PLW1509
            )
    except (OSError, ValueError) as error:  # ValueError: the name of this Python is none that a file can have
        why = f"{error.strerror} ({error.filename})" if isinstance(error, OSError) else str(error)
        message = f"the worker could not be started: {why}"
        for paths, attempt in attempts:
            verdict.write(paths, attempt, "launch", message)
        raise LaunchError(f"{first.id}: {message}") from error
    for paths, attempt in attempts:
        with suppress(OSError):  # only for the moment until the worker says so itself
            rundir.claimed_for(paths, attempt, child.pid)
    return child


def surroundings(lab: LabPaths) -> dict[str, str]:
    """Environment variables of every worker."""
    return {"PYTHONUNBUFFERED": "1", "LABTUI_LAB": str(lab.root)}
