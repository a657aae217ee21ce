"""The supervisor: starts what is queued when there is room for it, and says how each worker ended.

It keeps nothing that matters in memory. What is queued, what runs and where is in the run
directories and in the process table: a supervisor that is killed leaves its workers at work, and
the next one finds them. It sleeps until a worker ends or somebody calls, and leaves when nothing is
left to do.
"""

from __future__ import annotations

import os
import selectors
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from labtui import run
from labtui.errors import LabtuiError
from labtui.files import process, rundir
from labtui.files.paths import LabPaths, RunPaths
from labtui.launch import control, machine, queue, slots, verdict
from labtui.launch.attempt import Attempt
from labtui.launch.jobs import Jobs
from labtui.launch.queue import Request
from labtui.launch.start import claim, folder, short_of_disk, spawn, surroundings
from labtui.launch.wake import CALL, Lock
from labtui.launch.warm import Warm

RESCAN = 30.0
"""Seconds after which all directories are looked at, called or not."""
WAIT = 2.0
"""Seconds between two looks at what may change unseen: GPUs of others, the disk."""
LINGER = 2.0
"""Seconds that it stays when all is done, with torch in memory: the next command is often near."""
PAUSE_AFTER = 3
"""So many failures in a row to get going pause the queue."""

Resolve = Callable[[str], str]
"""From a reference (`@best:val.loss`) to a run id; raises LabtuiError."""


class Supervisor:
    """The one supervisor of a lab on this machine.

    Args:
        lab: its folders.
        lock: held.
        resolve: finds the run that a reference means.
    """

    def __init__(self, lab: LabPaths, lock: Lock, resolve: Resolve) -> None:
        self.lab, self.lock, self.resolve = lab, lock, resolve
        self.waiting: dict[str, Request] = {}
        self.attempts: dict[str, Attempt] = {}
        self.jobs = Jobs(lab)
        self.warm = Warm(lab)
        self._seen: dict[str, int] = {}
        self._failures = 0
        self._called, self._end = True, False
        self._next_scan = 0.0
        self._read_end, self._write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def work(self) -> None:
        """Work until nothing is left to do, or until SIGTERM: workers go on."""
        signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        signal.signal(CALL, self._call)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._leave)
        self.lock.sign()
        say("at work")
        idle_since = None
        while not self._end:
            self.look()
            self.place()
            if self.busy():
                idle_since = None
            elif idle_since is None:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since >= LINGER and self._may_leave():
                break
            self._sleep(LINGER if idle_since is not None else self._patience())
        self.jobs.close()
        self.warm.close()
        say("leaves")

    def _call(self, *_: object) -> None:
        self._called = True

    def _leave(self, *_: object) -> None:
        self._end = True

    def _may_leave(self) -> bool:
        """Give the lock up, then look once more: whoever asked before is seen, later ones start another."""
        self.lock.give_up()
        self._called = True
        self.look()
        if not self.busy():
            return True
        if not self.lock.take():
            return True
        self.lock.sign()
        return False

    def busy(self) -> bool:
        """Whether anything runs or can start without somebody's doing."""
        if self.attempts or self.jobs.watched:
            return True
        return not queue.paused(self.lab) and any(self._will_start(r, set()) for r in self.waiting.values())

    def _will_start(self, request: Request, seen: set[str]) -> bool:
        """Whether a request can start by itself, at once or when the runs it waits for have finished."""
        seen.add(request.paths.id)
        if request.held:
            return False
        for other in request.after:
            state = self._state(other)
            ahead = self.waiting.get(other)
            if state == "queued" and ahead and other not in seen and self._will_start(ahead, seen):
                continue
            if state not in ("running", "finished"):
                return False
        return True

    def _state(self, run_id: str) -> str:
        try:
            return run.derive(self.lab.run(run_id)).state
        except OSError:
            return "gone"

    def look(self) -> None:
        """See which workers have ended, and what has been asked for since the last look."""
        for event in self.warm.receive():
            self._heard(event)
        if not self.warm.alive:
            for attempt in self.attempts.values():
                attempt.has_parent = False
        for key, attempt in list(self.attempts.items()):
            attempt.end_if_hung()
            if attempt.ended():
                del self.attempts[key]
                self._ended(attempt)
        for paths in self.jobs.look():
            self._follow_up(paths)
        if self._called or time.monotonic() >= self._next_scan:
            self._called = False
            self._next_scan = time.monotonic() + RESCAN
            self._scan()
            self.lock.answer()

    def _scan(self) -> None:
        """Look at each run directory that has changed."""
        run_ids = self.lab.run_ids()
        for gone in self._seen.keys() - set(run_ids):
            del self._seen[gone]
            self.waiting.pop(gone, None)
        for run_id in run_ids:
            paths = self.lab.run(run_id)
            with suppress(FileNotFoundError):
                changed = os.stat(paths.root).st_mtime_ns
                if self._seen.get(run_id) != changed:
                    # What changed a moment ago may change again without another time stamp.
                    if time.time_ns() - changed > 100_000_000:
                        self._seen[run_id] = changed
                    self._look_at(paths)

    def _look_at(self, paths: RunPaths) -> None:
        if paths.id in self.attempts:
            return
        self.waiting.pop(paths.id, None)
        if not paths.queue.exists():
            return
        status = run.derive(paths)
        if self.jobs.adopt(paths, status):
            return
        try:
            if status.state == "queued" and paths.claim(status.attempt).exists():
                self._begin_again(paths, status)
            elif status.state == "running":
                self._adopt(paths, status)
            elif status.state == "lost" and status.process.get("host") == process.host():
                self._try_again(paths)
            if run.derive(paths).state == "queued" and (request := queue.request_of(paths)):
                self.waiting[paths.id] = request
        except LabtuiError as error:
            verdict.write(paths, status.attempt, "launch", str(error))
            say(str(error))

    def _begin_again(self, paths: RunPaths, status: run.Status) -> None:
        """Ask anew for an attempt whose starter was killed before the worker began."""
        if rundir.claimed(paths, status.attempt)[0].get("host") == process.host():
            with suppress(LabtuiError):  # somebody else just did
                control.resume(paths)

    def _adopt(self, paths: RunPaths, status: run.Status) -> None:
        """Watch a worker that an earlier supervisor has started."""
        takes = machine.running(paths, status)
        if takes is None or status.process.get("launcher", "labtui") != "labtui":
            return
        identity = dict(status.process) or rundir.claimed(paths, status.attempt)[-1]
        resources = run.recipe_of(paths).get("resources") or {}
        self.attempts[paths.id] = Attempt(
            paths, status.attempt, takes.place, takes.need, resources, identity=identity, fresh=False
        )
        say(f"found {paths.id} at work")

    def _heard(self, event: Any) -> None:
        """What the warm parent says of its children."""
        attempt = self.attempts.get(event.token)
        if attempt is None:
            return
        if event.kind == "started":
            attempt.runs_as(event.pid)
            attempt.has_parent = True
            with suppress(OSError):
                rundir.claimed_for(attempt.paths, attempt.number, event.pid)
        elif event.kind == "ended":
            attempt.told(event.status)
        else:
            say(f"{attempt.paths.id}: started without the warm parent: {event.error}")
            self._spawn(attempt, sys.executable)

    def _ended(self, attempt: Attempt) -> None:
        """What follows from the end of an attempt: another one, or a pause of the queue."""
        paths = attempt.paths
        status = self._follow_up(paths)
        if status is None:
            return
        if status.state != "failed" or attempt.got_going():
            self._failures = 0
            return
        self._failures += 1
        if self._failures >= PAUSE_AFTER and self.waiting:
            why = (
                f"{self._failures} runs in a row failed at once, last {paths.id}: {status.message}; "
                "`labtui queue start` goes on"
            )
            queue.pause(self.lab, why)
            self._failures = 0
            say(f"paused: {why}")

    def _follow_up(self, paths: RunPaths) -> run.Status | None:
        """See to a run whose attempt is over: how it ended; None when the run is gone."""
        self._seen.pop(paths.id, None)
        if not paths.root.is_dir():
            return None
        status = run.derive(paths)
        say(f"{paths.id}: {status.state}{f' ({status.reason})' if status.reason else ''}")
        self._try_again(paths)
        self._look_at(paths)
        return status

    def _try_again(self, paths: RunPaths) -> None:
        """Ask for another attempt where the end may pass and the recipe allows it."""
        try:
            if control.retries_left(paths):
                control.resume(paths, retry=True)
                say(f"{paths.id}: another attempt")
        except LabtuiError as error:
            say(str(error))

    def place(self) -> None:
        """Start what has room, in order."""
        if not self.waiting or queue.paused(self.lab):
            return
        ready = [r for r in self.waiting.values() if not queue.waits_for(self.lab, r)]
        if not ready:
            return
        ready.sort(key=lambda request: request.place)
        if abroad := [request for request in ready if request.on_slurm]:
            self._submit(abroad)
            ready = [request for request in ready if not request.on_slurm]
        try:
            here = machine.look(self.lab.root, [attempt.running for attempt in self.attempts.values()])
        except LabtuiError as error:
            say(str(error))
            return
        places = slots.plan([request.need for request in ready], here)
        for request, found in zip(ready, places, strict=True):
            if isinstance(found, slots.Never):
                self._refuse(request, found.message)
            elif isinstance(found, slots.Place) and not short_of_disk(self.lab, request.resources):
                self._start(request, found)

    def _submit(self, requests: list[Request]) -> None:
        """Give runs to Slurm, which has its own idea of room and order."""
        if not self.jobs.ready():
            return
        asked = []
        for request in requests:
            if not short_of_disk(self.lab, request.resources):
                try:
                    asked.append((request, self._references(request.tables)))
                except LabtuiError as error:
                    self._refuse(request, str(error))
        for said in self.jobs.submit(asked):
            say(said)
        for request, _ in asked:
            self._seen.pop(request.paths.id, None)
            self._look_at(request.paths)

    def _refuse(self, request: Request, message: str) -> None:
        self.waiting.pop(request.paths.id)
        verdict.write(request.paths, request.attempt, "launch", message)
        say(f"{request.paths.id}: {message}")

    def _start(self, request: Request, place: slots.Place) -> None:
        paths = request.paths
        try:
            references = self._references(request.tables)
        except LabtuiError as error:
            self._refuse(request, str(error))
            return
        given = {"gpus": place.gpus, "cores": place.cores, "references": references}
        try:
            mine = run.derive(paths).state == "queued" and claim(paths, request.attempt, **given)
        except (LabtuiError, OSError) as error:  # a full disk, or a run that was removed
            say(str(error))
            return
        self.waiting.pop(paths.id)
        self._seen.pop(paths.id, None)
        if not mine:
            return
        say(f"starts {paths.id} attempt {request.attempt} on {place}")
        attempt = Attempt(paths, request.attempt, place, request.need, request.resources)
        if "command" in request.tables or request.python != sys.executable:
            self._spawn(attempt, request.python or sys.executable)
            return
        self.attempts[paths.id] = attempt
        self.warm.send(
            paths.id,
            paths,
            request.attempt,
            environment=surroundings(self.lab) | place.environment(),
            folder=folder(self.lab, paths),
            tables=request.tables,
        )

    def _spawn(self, attempt: Attempt, python: str) -> None:
        """Start a worker as a process of its own."""
        try:
            environment = attempt.place.environment()
            attempt.watches(spawn(self.lab, attempt.paths, attempt.number, environment, python))
            self.attempts[attempt.paths.id] = attempt
        except LabtuiError as error:
            self.attempts.pop(attempt.paths.id, None)
            say(str(error))

    def _references(self, tables: Mapping[str, Any]) -> dict[str, str]:
        """The run ids that references in a recipe mean now, by key.

        Raises:
            LabtuiError: a reference fits no run.
        """
        from labtui.files.toml import flatten

        flat = flatten({name: tables[name] for name in ("data", "model", "params") if name in tables})
        found = {}
        for key, value in flat.items():
            if isinstance(value, str) and (value == "@last" or value.startswith("@best:")):
                found[key] = self.resolve(value)
        return found

    def _patience(self) -> float:
        """Seconds until something has to be looked at that nobody calls for."""
        looks = [attempt.watch for attempt in self.attempts.values() if attempt.watch]
        looks.append(self.jobs.patience)
        if self.waiting and not queue.paused(self.lab):
            looks.append(WAIT)
        return max(0.0, min([*looks, self._next_scan - time.monotonic()]))

    def _sleep(self, seconds: float) -> None:
        """Until a worker ends, the warm parent speaks, somebody calls, or the time is over."""
        if self._called or self._end:
            return
        with selectors.DefaultSelector() as selector:
            fds = [self._read_end, self.warm.fileno(), self.jobs.fileno()]
            fds.extend(attempt.fileno() for attempt in self.attempts.values())
            for fd in fds:
                if fd is not None:
                    selector.register(fd, selectors.EVENT_READ)
            selector.select(seconds)
        with suppress(BlockingIOError):
            os.read(self._read_end, 4096)


def say(text: str) -> None:
    """A line for the supervisor's log."""
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    with suppress(OSError):
        print(f"{now} {text}", flush=True)
