"""Stopping, resuming and removing runs."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

from labtui import run
from labtui.errors import LaunchError
from labtui.files import process, rundir
from labtui.files.atomic import locked, write_json
from labtui.files.paths import LabPaths, RunPaths
from labtui.files.toml import read


def stop(paths: RunPaths, *, kill: bool = False) -> None:
    """Ask a run to stop: a worker writes its checkpoint first; `kill` ends it at once.

    Only asks; the state says when it has happened.

    Raises:
        LaunchError: it neither runs nor waits.
    """
    with locked(paths.root):
        status = run.derive(paths)
        if status.state not in ("running", "queued"):
            raise LaunchError(f"{paths.id}: is {status.state}; there is nothing to stop")
        action = "kill" if kill else "stop"
        write_json(paths.control, {"attempt": status.attempt, "action": action, "time": time.time()})
    worker = dict(status.process)
    if not worker or worker.get("host") != process.host():
        return
    if kill:
        _kill(worker)
    elif worker.get("launcher") == "script":
        # A script of the user's own does not look at control.json.
        process.send(worker, signal.SIGTERM)


def _kill(worker: dict[str, object]) -> None:
    """End the worker and what it started in its process group."""
    pid = worker["pid"]
    assert isinstance(pid, int)
    leads = process.alive(worker) and os.getpgid(pid) == pid
    if process.send(worker, signal.SIGKILL) and leads:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def resume(paths: RunPaths, *, force: bool = False) -> None:
    """Ask for a new attempt of a run that ended before its time, from its last checkpoint.

    A queued run that nobody started is left as it is, to be started. The caller starts it.

    Args:
        force: also when its process may still live on another host.

    Raises:
        LaunchError: it runs, is finished, or was started by hand.
    """
    with locked(paths.root):
        status = run.derive(paths)
        if status.state == "queued":
            return
        if status.state in ("running", "finished"):
            raise LaunchError(f"{paths.id}: is {status.state}; only a run that ended early is resumed")
        try:
            origin = read(paths.recipe).get("origin", {})
        except (OSError, ValueError) as error:
            raise LaunchError(
                f"{paths.recipe}: cannot be read ({error}); the run cannot be resumed"
            ) from None
        if "script" in origin or not origin:
            raise LaunchError(f"{paths.id}: was started by hand; run its script again for a new run")
        elsewhere = status.process.get("host", process.host()) != process.host()
        if elsewhere and status.state == "lost" and not force:
            host = status.process["host"]
            raise LaunchError(
                f"{paths.id}: its process may still live on {host}, which cannot be seen from here; "
                "make sure that it is gone, then resume with --force"
            )
        attempt = max([status.attempt, *_claims(paths)]) + 1
        write_json(paths.queue, rundir.request(paths.root, attempt))


def _claims(paths: RunPaths) -> list[int]:
    """Numbers of all claims, those of a copied directory included."""
    endings = (path.name.removeprefix("claim-") for path in paths.root.glob("claim-*"))
    return [int(ending) for ending in endings if ending.isdigit()]


def remove(lab: LabPaths, paths: RunPaths) -> None:
    """Remove a run that does not run.

    Raises:
        LaunchError: it runs.
        LabError: it cannot be removed.
    """
    if run.derive(paths).state == "running":
        raise LaunchError(f"{paths.id}: is running; `labtui stop {paths.id}` first")
    rundir.remove(lab, paths.id)
