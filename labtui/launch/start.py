"""From a recipe to a queued run, and from a queued run to its worker."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from labtui.errors import LabError, LaunchError
from labtui.files import process, rundir
from labtui.files.atomic import read_json
from labtui.files.paths import LabPaths, RunPaths
from labtui.launch import verdict
from labtui.snapshot import Snapshot, needed


class Worker:
    """One attempt as a child of this process. When its end is noticed here, and it left no result
    itself, the run is told how it ended."""

    def __init__(self, paths: RunPaths, attempt: int, child: subprocess.Popen[bytes]) -> None:
        self.paths, self.attempt, self._process = paths, attempt, child
        self._judged, self._oom_kills = False, process.oom_kills()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit status, negative for a signal; None while it lives."""
        status = self._process.poll()
        if status is not None and not self._judged:
            self._judged = True
            verdict.judge(self.paths, self.attempt, status, self._oom_kills)
        return status

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; the exit status.

        Raises:
            subprocess.TimeoutExpired: it still lives after `timeout` seconds.
        """
        self._process.wait(timeout)
        return self.poll() or 0

    def let_go(self) -> None:
        """Leave it to itself: it outlives this process on purpose, of which Popen would warn."""
        if self.poll() is None:
            self._process.returncode = 0


def enqueue(lab: LabPaths, recipes: Sequence[dict[str, Any]], **asked: Any) -> list[RunPaths]:
    """Make a run directory with a request to start for each resolved recipe: all of them, or none.

    Args:
        asked: `priority`, `after`, `held`, as `rundir.request` takes them.

    Raises:
        LabError: the lab cannot be written.
        LaunchError: less than `resources.min_free` is left on its disk.
    """
    for tables in recipes:
        if short := short_of_disk(lab, tables.get("resources") or {}):
            raise LaunchError(f"{lab.root}: {short}; `labtui gc` lists what can be freed")
    made: list[RunPaths] = []
    try:
        with Snapshot(lab, sum(map(needed, recipes))) as code:
            for tables in recipes:
                fill = code.into if needed(tables) else None
                made.append(rundir.create(lab, tables["name"], tables, queued=True, fill=fill, **asked))
    except LabError:
        for paths in made:
            rundir.remove(lab, paths.id)
        raise
    return made


def short_of_disk(lab: LabPaths, resources: Mapping[str, Any]) -> str:
    """What the disk lacks for a run to start; empty when it has enough."""
    wanted = resources.get("min_free", 0.5)
    free = shutil.disk_usage(lab.root).free / 1e9
    return "" if free >= wanted else f"{free:.2g} GB of disk free, resources.min_free = {wanted:g}"


def ready(paths: RunPaths) -> int:
    """The number of the requested attempt.

    Raises:
        LaunchError: the run is not queued.
    """
    queue = read_json(paths.queue) or {}
    attempt = queue.get("attempt")
    if not isinstance(attempt, int) or queue.get("directory") != rundir.directory(paths.root):
        raise LaunchError(f"{paths.id}: is not queued; `labtui resume {paths.id}` asks for a start")
    return attempt


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


def start(
    lab: LabPaths,
    paths: RunPaths,
    environment: Mapping[str, str] | None = None,
    python: str = sys.executable,
    **given: Any,
) -> Worker | None:
    """Start the requested attempt of a run as a process of its own session, which outlives this one.

    Args:
        environment: added to this process's own: which GPUs, how many threads.
        given: what the claim says that the attempt was given.

    Returns:
        The worker; None when somebody else has claimed the attempt or asked to stop it.

    Raises:
        LaunchError: the run is not queued, or the worker cannot be started (the run says so too).
    """
    attempt = ready(paths)
    if not claim(paths, attempt, **given):
        return None
    return spawn(lab, paths, attempt, environment, python)


def spawn(
    lab: LabPaths,
    paths: RunPaths,
    attempt: int,
    environment: Mapping[str, str] | None = None,
    python: str = sys.executable,
    before: Sequence[str] | None = None,
) -> Worker:
    """Start the worker of a claimed attempt.

    Args:
        before: words that go before its command; given, the worker does not outlive this process.

    Raises:
        LaunchError: it cannot be started (the run says so too).
    """
    # -P keeps the lab's own modules from taking the place of labtui's.
    arguments = [*(before or []), python, "-P", "-m", "labtui.engine", str(paths.root), str(attempt)]
    try:
        with open(paths.log, "ab") as output:
            child = subprocess.Popen(
                arguments,
                cwd=folder(lab, paths),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=os.environ | surroundings(lab) | dict(environment or {}),
                preexec_fn=None if before is None else process.tied(),  # noqa: PLW1509
            )
    except OSError as error:
        message = f"the worker could not be started: {error.strerror} ({error.filename})"
        verdict.write(paths, attempt, "launch", message)
        raise LaunchError(f"{paths.id}: {message}") from error
    with suppress(OSError):  # only for the moment until the worker says so itself
        rundir.claimed_for(paths, attempt, child.pid)
    return Worker(paths, attempt, child)


def folder(lab: LabPaths, paths: RunPaths) -> str:
    """Where a worker works: in the code as it was when the run was queued, else in the lab."""
    return str(paths.code if paths.code.is_dir() else lab.root)


def surroundings(lab: LabPaths) -> dict[str, str]:
    """Environment variables of every worker."""
    return {"PYTHONUNBUFFERED": "1", "LABTUI_LAB": str(lab.root)}
