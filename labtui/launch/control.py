"""Stopping, resuming and removing runs."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from labtui import run
from labtui.errors import LabtuiError, LaunchError
from labtui.files import process, rundir
from labtui.files.atomic import locked, read_json, write_json
from labtui.files.paths import RUN_ID, LabPaths, RunPaths
from labtui.files.toml import read
from labtui.launch.verdict import may_pass
from labtui.launch.wake import call

GRACE = 2.0
"""Seconds that a worker has to end by itself when it is to be killed."""
GRACE_TOGETHER = 10.0
"""And to leave one of several runs."""


def stop(paths: RunPaths, *, kill: bool = False, reason: str = "", message: str = "") -> None:
    """Ask a run to stop: a worker writes its checkpoint first; `kill` ends it at once.

    Only asks; the state says when it has happened.

    Args:
        reason: a word for why, which the run then has.
        message: the same for people.

    Raises:
        LaunchError: it neither runs nor waits; or others that are not to be killed need its process.
    """
    stop_all([paths], kill=kill, why={"reason": reason, "message": message} if reason else None)


def stop_all(runs: Iterable[RunPaths], *, kill: bool = False, why: Mapping[str, str] | None = None) -> None:
    """Ask runs to stop, as `stop` asks one. All are asked before any is killed: those that share a process
    end with it.

    Args:
        why: `reason` and `message`.

    Raises:
        LaunchError: what keeps one of them from being stopped; the others are.
    """
    problems: list[LaunchError] = []
    running = []
    for paths in runs:
        try:
            if worker := _stop(paths, kill, why or {}):
                running.append((paths, worker))
        except LaunchError as error:
            problems.append(error)
    asked = {paths.id for paths, _ in running}  # on a full disk nothing else says so
    for paths, worker in running:
        try:
            _kill(paths, worker, asked)
        except LaunchError as error:
            problems.append(error)
    if problems:
        raise problems[0]


def _stop(paths: RunPaths, kill: bool, why: Mapping[str, str]) -> dict[str, Any] | None:
    """Ask a run to stop; its process, if that is to be killed."""
    with locked(paths.root):
        status = run.derive(paths)
        if status.state not in ("running", "queued"):
            raise LaunchError(f"{paths.id}: is {status.state}; there is nothing to stop")
        unwritten = _ask(paths, status.attempt, "kill" if kill else "stop", why)
    call(paths.lab)
    worker = dict(status.process)
    if kill or not worker:
        _call_off(paths, status.attempt, waiting=not kill)
    if not worker or worker.get("host") != process.host():
        if unwritten:
            raise unwritten
        return None
    if kill:
        return worker
    if unwritten:
        raise unwritten
    if worker.get("launcher") == "script":
        # A script of the user's own does not look at control.json.
        process.send(worker, signal.SIGTERM)
    return None


def _ask(paths: RunPaths, attempt: int, action: str, why: Mapping[str, str]) -> LaunchError | None:
    """Write `control.json`; the error when that cannot be done."""
    try:
        write_json(paths.control, {"attempt": attempt, "action": action, "time": time.time(), **why})
    except OSError as error:
        return LaunchError(
            f"{paths.control}: cannot be written ({error.strerror}); `stop --kill` needs no room"
        )
    return None


def _call_off(paths: RunPaths, attempt: int, *, waiting: bool) -> None:
    """End the Slurm job of an attempt, if it has one; a waiting one only, where a worker can still
    write its checkpoint."""
    if job := rundir.job_of(paths, attempt):
        from labtui.launch import slurm

        slurm.cancel(job, waiting=waiting)


def _kill(paths: RunPaths, worker: dict[str, Any], asked: set[str]) -> None:
    """End the worker and what it started.

    A worker that still listens ends by itself, and its program's whole process group with it. One that
    works on other runs too lives as long as these are to go on.

    Args:
        asked: ids of all runs that are to be killed now.

    Raises:
        LaunchError: it does not listen, and others need it.
    """
    together = rundir.together(paths, worker.get("attempt", 0))
    if not together:
        if worker.get("launcher") != "labtui" or not process.wait(worker, GRACE):
            process.kill_group(worker)
        return
    begun = time.monotonic()
    while run.derive(paths).state == "running":
        waited = time.monotonic() - begun
        others = _needing(paths.lab, set(together) - asked, worker) if waited > GRACE else []
        if waited > GRACE and not others:
            process.kill_group(worker)
            return
        if waited > GRACE_TOGETHER:
            raise LaunchError(
                f"{paths.id}: its process ({worker['pid']}) does not listen, and trains {len(others)} other runs "
                f"too, such as {others[0]}: `labtui stop --kill` of all of them ends it"
            )
        time.sleep(0.05)


def _needing(lab: LabPaths, run_ids: Iterable[str], worker: dict[str, Any]) -> list[str]:
    """Which of these runs the process still works on, and nobody asked to kill."""
    found = []
    for paths in map(lab.run, filter(RUN_ID.fullmatch, run_ids)):
        with suppress(OSError):
            status, asked = run.derive(paths), read_json(paths.control) or {}
            same = status.state == "running" and status.process.get("pid") == worker["pid"]
            if same and (asked.get("attempt"), asked.get("action")) != (status.attempt, "kill"):
                found.append(paths.id)
    return found


def resume(paths: RunPaths, *, force: bool = False, retry: bool = False, same: bool = False) -> None:
    """Ask for a new attempt of a run that ended before its time, from its last checkpoint.

    A queued run that nobody started is left as it is; one of another machine is queued here from now
    on. The caller wakes the supervisor.

    Args:
        force: also when its process may still live on another host, or its job may still begin.
        retry: count it as one of `resources.retries`.
        same: with the Python that worked on it before, not with this one; so is every retry.

    Raises:
        LaunchError: it runs, is finished, or was started by hand.
    """
    with locked(paths.root):
        status = run.derive(paths)
        if status.state == "queued" and not _given_up(paths, status.attempt, force):
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
        asked = (read_json(paths.control) or {}).get("attempt")
        before = read_json(paths.queue) or {}
        known = [status.attempt, asked if isinstance(asked, int) else 0, *rundir.claims(paths)]
        if status.state == "queued":  # it never began, and keeps its place
            request = before | {"attempt": max(known) + 1, "host": process.host()}
        else:
            more = {
                "priority": before.get("priority", 0),
                "retry": before.get("retry", 0) + 1 if retry else 0,
                "python": before.get("python", "") if retry or same else "",
            }
            request = rundir.request(paths.root, max(known) + 1, **more)
        try:
            write_json(paths.queue, request)
        except OSError as error:
            raise LaunchError(f"{paths.queue}: cannot be written ({error.strerror})") from error


def retries_left(paths: RunPaths) -> int:
    """How many of `resources.retries` a run that ended may still use; 0 where its end cannot pass."""
    status = run.derive(paths)
    if not may_pass(status.state, status.result):
        return 0
    resources = run.recipe_of(paths).get("resources")
    allowed = resources.get("retries", 0) if isinstance(resources, dict) else 0
    used = (read_json(paths.queue) or {}).get("retry", 0)
    return max(0, allowed - used) if isinstance(allowed, int) and isinstance(used, int) else 0


def _given_up(paths: RunPaths, attempt: int, force: bool) -> bool:
    """Whether the attempt never began, and was claimed by a process that is gone, or by nobody on
    another machine, which may have been this one under another name."""
    # The worker if there is one, else its starter; on another host neither can be seen, and a
    # worker that comes late there is turned away. What became of a job only Slurm knows.
    known = rundir.claimed(paths, attempt)
    if not paths.claim(attempt).exists():
        return (read_json(paths.queue) or {}).get("host") != process.host()
    return force if "submission" in known[0] else not process.alive(known[-1])


def remove(lab: LabPaths, paths: RunPaths) -> None:
    """Remove a run that does not run.

    Raises:
        LaunchError: it runs.
        LabError: it cannot be removed.
    """
    status = run.derive(paths)
    if status.state == "running":
        raise LaunchError(f"{paths.id}: is running; `labtui stop {paths.id}` first")
    _call_off(paths, status.attempt, waiting=True)
    rundir.remove(lab, paths.id)


def withdraw(lab: LabPaths, runs: Iterable[RunPaths]) -> None:
    """Take back runs that have just been queued, because whoever asked for them will not see them."""
    for paths in runs:
        with suppress(LabtuiError, OSError):
            try:
                remove(lab, paths)
            except LaunchError:  # a supervisor was faster
                stop(paths, kill=True)
