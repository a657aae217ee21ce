"""From a recipe to running workers: run directories, claims, processes."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from labtui.errors import LabError, LaunchError
from labtui.files import rundir
from labtui.files.atomic import read_json, write_json
from labtui.files.paths import LabPaths, RunPaths

_children: list[subprocess.Popen[bytes]] = []


@atexit.register
def _let_go() -> None:
    """Workers outlive this process on purpose; Popen would warn of each."""
    for child in _children:
        if child.poll() is None:
            child.returncode = 0


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


def start(lab: LabPaths, paths: RunPaths) -> subprocess.Popen[bytes] | None:
    """Start the requested attempt of a run as a process of its own session, which outlives this one.

    Returns:
        The worker; None when somebody else has claimed the attempt or asked to stop it.

    Raises:
        LaunchError: the run is not queued, or the worker cannot be spawned (the run says so too).
    """
    queue = read_json(paths.queue) or {}
    attempt = queue.get("attempt")
    if not isinstance(attempt, int) or queue.get("directory") != rundir.directory(paths.root):
        raise LaunchError(f"{paths.id}: is not queued; `labtui resume {paths.id}` asks for a start")
    if not rundir.claim(paths, attempt):
        return None
    if (read_json(paths.control) or {}).get("attempt") == attempt:
        return None
    try:
        worker = _spawn([sys.executable, "-P", "-m", "labtui.engine", str(paths.root)], lab.root, paths.log)
    except OSError as error:
        message = f"the worker could not be started: {error.strerror}"
        _verdict(paths, attempt, "launch", message)
        raise LaunchError(f"{paths.id}: {message}") from error
    rundir.claimed_for(paths, attempt, worker.pid)
    return worker


def start_all(lab: LabPaths, runs: Sequence[RunPaths]) -> None:
    """Start queued runs one after another without waiting here: a starter of its own does it."""
    if len(runs) == 1:
        start(lab, runs[0])
        return
    arguments = [sys.executable, "-P", "-m", "labtui.launch", str(lab.root), *(p.id for p in runs)]
    _spawn(arguments, lab.root, Path(os.devnull))


def judge(paths: RunPaths, status: int) -> None:
    """Say why a worker ended that left no result itself.

    Args:
        status: its exit status, negative for a signal (as `subprocess` has it).
    """
    attempt = (read_json(paths.queue) or {}).get("attempt", 0)
    if (read_json(paths.result) or {}).get("attempt") == attempt:
        return
    if (read_json(paths.control) or {}).get("attempt") == attempt:
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


def reap() -> int:
    """Collect workers of this process that have ended, so that none stays a zombie; how many live."""
    _children[:] = [child for child in _children if child.poll() is None]
    return len(_children)


def _verdict(paths: RunPaths, attempt: int, reason: str, message: str) -> None:
    started = (read_json(paths.process) or {}).get("time", time.time())
    record = {"attempt": attempt, "outcome": "failed", "reason": reason, "message": message}
    write_json(paths.verdict, record | {"started": started, "ended": time.time()})


def _spawn(arguments: list[str], folder: Path, log: Path) -> subprocess.Popen[bytes]:
    """A process in its own session, its output appended to a file. -P keeps the lab's own modules
    from taking the place of labtui's."""
    with open(log, "ab") as output:
        child = subprocess.Popen(
            arguments,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
    reap()
    _children.append(child)
    return child
