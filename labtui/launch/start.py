"""From a recipe to running workers: run directories, claims, processes."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from labtui.errors import LabError, LaunchError
from labtui.files import rundir
from labtui.files.atomic import read_json, write_json
from labtui.files.paths import LabPaths, RunPaths

_workers: list[Worker] = []


class Worker:
    """One attempt that this process started (or a starter of several, without a run of its own).
    When its end is noticed here, and it left no result itself, the run is told how it ended."""

    def __init__(self, paths: RunPaths | None, attempt: int, process: subprocess.Popen[bytes]) -> None:
        self.paths, self.attempt, self._process = paths, attempt, process
        self._judged = False

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit status, negative for a signal; None while it lives."""
        status = self._process.poll()
        if status is not None and self.paths and not self._judged:
            self._judged = True
            _judge(self.paths, self.attempt, status)
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


@atexit.register
def _let_go() -> None:
    for worker in _workers:
        worker.let_go()


def enqueue(lab: LabPaths, recipes: Sequence[dict[str, Any]]) -> list[RunPaths]:
    """Make a run directory with a request to start for each resolved recipe: all of them, or none.

    Raises:
        LabError: the lab cannot be written.
    """
    made: list[RunPaths] = []
    try:
        for tables in recipes:
            made.append(rundir.create(lab, tables["name"], tables, queued=True))
    except LabError:
        for paths in made:
            rundir.remove(lab, paths.id)
        raise
    return made


def start(lab: LabPaths, paths: RunPaths) -> Worker | None:
    """Start the requested attempt of a run as a process of its own session, which outlives this one.

    Returns:
        The worker; None when somebody else has claimed the attempt or asked to stop it.

    Raises:
        LaunchError: the run is not queued, or the worker cannot be started (the run says so too).
    """
    try:
        queue = read_json(paths.queue) or {}
        attempt = queue.get("attempt")
        if not isinstance(attempt, int) or queue.get("directory") != rundir.directory(paths.root):
            raise LaunchError(f"{paths.id}: is not queued; `labtui resume {paths.id}` asks for a start")
        if not rundir.claim(paths, attempt):
            return None
        if (read_json(paths.control) or {}).get("attempt") == attempt:
            return None
    except OSError as error:
        raise LaunchError(f"{paths.id}: cannot be started ({error.strerror})") from error
    try:
        process = _spawn(
            [sys.executable, "-P", "-m", "labtui.engine", str(paths.root), str(attempt)], lab.root, paths.log
        )
    except OSError as error:
        message = f"the worker could not be started: {error.strerror}"
        _verdict(paths, attempt, "launch", message)
        raise LaunchError(f"{paths.id}: {message}") from error
    with suppress(OSError):  # only for the moment until the worker says so itself
        rundir.claimed_for(paths, attempt, process.pid)
    return _keep(Worker(paths, attempt, process))


def start_all(lab: LabPaths, runs: Sequence[RunPaths]) -> Worker | None:
    """Start queued runs one after another without waiting here: a starter of its own does it.

    Returns:
        The starter, or the worker of the only run.

    Raises:
        LaunchError: nothing can be started.
    """
    if len(runs) == 1:
        return start(lab, runs[0])
    arguments = [sys.executable, "-P", "-m", "labtui.launch", str(lab.root), *(p.id for p in runs)]
    try:
        starter = _spawn(arguments, lab.root, Path(os.devnull))
    except OSError as error:
        raise LaunchError(f"the starter of {len(runs)} runs cannot be started ({error.strerror})") from error
    return _keep(Worker(None, 0, starter))


def _keep(worker: Worker) -> Worker:
    reap()
    _workers.append(worker)
    return worker


def reap() -> int:
    """Collect workers of this process that have ended, so that none stays a zombie; how many live."""
    _workers[:] = [worker for worker in _workers if worker.poll() is None]
    return len(_workers)


def _judge(paths: RunPaths, attempt: int, status: int) -> None:
    """Say why a worker ended that left no result itself."""
    ended = (read_json(paths.result) or {}).get("attempt") == attempt
    asked = (read_json(paths.control) or {}).get("attempt") == attempt
    if ended or asked or not paths.root.is_dir():
        return
    if status < 0:
        name = signal.Signals(-status).name if -status in list(signal.Signals) else f"signal {-status}"
        message = f"the worker was killed by {name}"
        if -status == signal.SIGKILL:
            message += " (by hand, or by the kernel when memory ran out: see `dmesg`)"
        message += f"; `labtui resume {paths.id}` goes on from the last checkpoint"
    else:
        message = f"the worker ended with status {status} and no result; see `labtui logs {paths.id}`"
    _verdict(paths, attempt, "error", message)


def _verdict(paths: RunPaths, attempt: int, reason: str, message: str) -> None:
    started = (read_json(paths.process) or {}).get("time", time.time())
    record = {"attempt": attempt, "outcome": "failed", "reason": reason, "message": message}
    with suppress(OSError):  # the run is lost then, which is true too
        write_json(paths.verdict, record | {"started": started, "ended": time.time()})


def _spawn(arguments: list[str], folder: Path, log: Path) -> subprocess.Popen[bytes]:
    """A process in its own session, its output appended to a file. -P keeps the lab's own modules
    from taking the place of labtui's."""
    with open(log, "ab") as output:
        return subprocess.Popen(
            arguments,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
