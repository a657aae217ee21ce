"""The supervisor: starts what is queued when there is room for it, and says how each worker ended.

It keeps nothing that matters in memory. What is queued, what runs and where is in the run
directories and in the process table: a supervisor that is killed leaves its workers at work, and
the next one finds them. It sleeps until a worker ends or somebody calls, and leaves when nothing is
left to do.
"""

from __future__ import annotations

import math
import os
import selectors
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

from labtui import run
from labtui.errors import LabtuiError
from labtui.files import process, rundir
from labtui.files.atomic import read_json
from labtui.files.paths import LabPaths, RunPaths
from labtui.files.toml import flatten
from labtui.launch import control, group, queue, verdict
from labtui.launch.attempt import Attempt
from labtui.launch.jobs import Jobs
from labtui.launch.local import WAIT, Local
from labtui.launch.queue import Request
from labtui.launch.wake import CALL, Lock

RESCAN = 30.0
"""Seconds after which all directories are looked at, called or not."""
LINGER = 2.0
"""Seconds that it stays when all is done, with torch in memory: the next command is often near."""
PAUSE_AFTER = 3
"""So many failures in a row to get going pause the queue."""


class Filled(NamedTuple):
    """What came of making the next runs of sweeps."""

    made: int
    """Runs that were queued."""
    more: bool
    """Whether others are to come by themselves."""
    again: float
    """Seconds after which it has to be asked again, even if nothing happens."""


Fill = Callable[[Counter[str]], Filled]
"""Has sweeps queue their next runs, from how many of each wait or are a cluster's jobs."""
Resolve = Callable[[str, str], str]
"""From a reference (`@best:val.loss`) and the run that has it to a run's id; raises LabtuiError."""


class Supervisor:
    """The one supervisor of a lab on this machine.

    Args:
        lab: its folders.
        lock: held.
        resolve: finds the run that a reference means.
        fill: queues what sweeps still want.
    """

    def __init__(self, lab: LabPaths, lock: Lock, resolve: Resolve, fill: Fill) -> None:
        self.lab, self.lock, self.resolve, self.fill = lab, lock, resolve, fill
        self._more, self._next_fill = False, math.inf
        self.waiting: dict[str, Request] = {}
        self.local, self.jobs = Local(lab, self._references), Jobs(lab)
        self._seen: dict[str, int] = {}
        self._parted: set[str] = set()
        """Why runs were not trained together, said once."""
        self._failures = 0
        self._failed: int | None = None
        """The process that failed last."""
        self._said: list[str] = []
        """What came of the last placing: what stays the same is said once."""
        self._called, self._end = True, False
        self._next_scan = 0.0
        self._read_end, self._write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def work(self) -> None:
        """Work until nothing is left to do, or until SIGTERM: workers go on."""
        # Who started it may have had signals blocked or ignored, which it and its workers would inherit:
        # without SIGCHLD every program seems to have ended well.
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        signal.signal(CALL, self._call)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._leave)
        self.lock.sign()
        say("at work")
        try:
            self._work()
        finally:
            self.jobs.close()
            self.local.warm.close()
        say("leaves")

    def _work(self) -> None:
        idle_since = None
        while not self._end:
            self.look()
            if not self._end:
                self.place()
            if self.busy():
                idle_since = None
            elif idle_since is None:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since >= LINGER and self._may_leave():
                break
            self._sleep(LINGER if idle_since is not None else self._patience())

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
        if self.local.attempts or self.jobs.watched:
            return True
        return not queue.paused(self.lab) and (self._more or any(map(self._can_start, self.waiting.values())))

    def _can_start(self, request: Request) -> bool:
        """Whether a request can start by itself, at once or when what runs now has finished.

        Of those that wait for each other the first one says it for all.
        """
        states = {queue.state_of(self.lab, other) for other in request.after}
        return not request.held and states <= {"running", "finished"}

    def look(self) -> None:
        """See which workers have ended, and what has been asked for since the last look."""
        over = False
        for attempt in self.local.look():
            self._ended(attempt)
            over = True
        for paths in self.jobs.look():
            self._follow_up(paths)
            over = True
        if over or time.monotonic() >= self._next_fill:
            self._fill()
        if self._called or time.monotonic() >= self._next_scan:
            self._called = False
            self._next_scan = time.monotonic() + RESCAN
            self._scan()
            self._fill()
            self.lock.answer()
            self._end = self._end or self.lock.lost()

    def _fill(self) -> None:
        """Have sweeps queue their next runs."""
        self._next_fill = math.inf
        if queue.paused(self.lab):
            return
        # What a cluster has been given waits there, or runs: its queue has places for so many.
        wait = Counter(one.sweep for one in self.waiting.values())
        wait.update(one.sweep for one in self.jobs.watched.values())
        made, self._more, again = self.fill(wait)
        self._next_fill = time.monotonic() + again
        if made:
            self._scan()
            self._called = True  # there may be room for them, too

    def _scan(self) -> None:
        """Look at each run directory that has changed."""
        run_ids = self.lab.run_ids()
        for gone in (self._seen.keys() | self.waiting.keys()) - set(run_ids):
            self._seen.pop(gone, None)
            self.waiting.pop(gone, None)
        for run_id in run_ids:
            paths = self.lab.run(run_id)
            with suppress(OSError):  # it was removed, or is not this user's to read
                changed = os.stat(paths.root).st_mtime_ns
                if self._seen.get(run_id) != changed:
                    # What changed a moment ago may change again without another time stamp.
                    if time.time_ns() - changed > 100_000_000:
                        self._seen[run_id] = changed
                    self._look_at(paths)

    def _look_at(self, paths: RunPaths) -> None:
        self.waiting.pop(paths.id, None)
        if paths.id in self.local.attempts or not paths.queue.exists():
            return
        status = run.derive(paths)
        if self.jobs.adopt(paths, status):
            return
        try:
            if status.state == "queued" and paths.claim(status.attempt).exists():
                self._begin_again(paths, status)
            elif status.state == "running" and self.local.adopt(paths, status):
                say(f"{paths.id}: found at work")
            elif status.state == "lost" and status.process.get("host") == process.host():
                self._try_again(paths)
            if run.derive(paths).state == "queued" and (request := queue.request_of(paths)):
                self.waiting[paths.id] = request
        except LabtuiError as error:
            verdict.write(paths, status.attempt, "launch", str(error))
            say(str(error))

    def _begin_again(self, paths: RunPaths, status: run.Status) -> None:
        """Ask anew for an attempt whose starter was killed before the worker began."""
        # A power failure leaves a claim without a word, made where the run is queued.
        asked = read_json(paths.queue) or {}
        if rundir.claimed(paths, status.attempt)[0].get("host", asked.get("host")) == process.host():
            with suppress(LabtuiError):  # somebody else just did
                control.resume(paths)

    def _ended(self, attempt: Attempt) -> None:
        """What follows from the end of an attempt: another one, or a pause of the queue."""
        paths = attempt.paths
        if attempt.stack:
            self._part(attempt)
        status = self._follow_up(paths)
        if status is None:
            return
        if status.state != "failed" or attempt.got_going():
            self._failures = 0
            return
        if attempt.pid is None or attempt.pid != self._failed:  # a process of several runs counts once
            self._failures += 1
        self._failed = attempt.pid
        if self._failures >= PAUSE_AFTER and self.waiting:
            why = (
                f"{self._failures} runs in a row failed at once, last {paths.id}: {status.message}; "
                "`labtui queue start` goes on"
            )
            self._failures = 0
            say(f"paused: {why}")
            try:
                queue.pause(self.lab, why)
            except LabtuiError as error:  # on a full disk the pause is that nobody starts anything
                say(str(error))
                self._end = True

    def _part(self, attempt: Attempt) -> None:
        """See to a run that was started together with others, and is to be started alone instead."""
        try:
            why = group.why_alone(self.lab, attempt)
        except (LabtuiError, OSError) as error:
            why = str(error)
        if why and why not in self._parted:
            self._parted.add(why)
            say(f"{attempt.paths.id} and others of its sweep are not trained together: {why}")
        if why:
            self.local.apart.add(attempt.paths.id)

    def _follow_up(self, paths: RunPaths) -> run.Status | None:
        """See to a run whose attempt is over: how it ended; None when the run is gone."""
        self._seen.pop(paths.id, None)
        try:
            status = run.derive(paths)
            say(f"{paths.id}: {status.state}{f' ({status.reason})' if status.reason else ''}")
            self._try_again(paths)
            self._look_at(paths)
        except OSError:
            return None
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
        """Start what can start, in order."""
        if not self.waiting or queue.paused(self.lab):
            return
        waiting = sorted(self.waiting.values(), key=lambda request: request.place)
        blocked = queue.waits_for(self.lab, waiting)
        ready = [one for one, why in zip(waiting, blocked, strict=True) if not why]
        lines = list(self._submit([one for one in ready if one.on_slurm]))
        try:
            lines += self.local.submit([one for one in ready if not one.on_slurm])
            self._trouble = ""
        except LabtuiError as error:  # the settings are wrong, and stay so for a while
            if str(error) != self._trouble:
                say(str(error))
            self._trouble = str(error)
        for line in lines:
            if line not in self._said:
                say(line)
        self._said = lines
        if lines:
            self._scan()
            self._fill()

    def _submit(self, requests: list[Request]) -> Iterator[str]:
        """Give runs to Slurm, which has its own idea of room and order; says what happens."""
        if not requests or not self.jobs.ready():
            return
        asked = []
        for request in requests:
            try:
                asked.append((request, self._references(request)))
            except LabtuiError as error:
                yield queue.refuse(request, str(error))
        yield from self.jobs.submit(asked)

    def _references(self, request: Request) -> dict[str, str]:
        """The run ids that references in a recipe mean now, by key.

        Raises:
            LabtuiError: a reference fits no run.
        """
        tables = {key: request.tables[key] for key in ("data", "model", "params") if key in request.tables}
        found = {}
        for key, value in flatten(tables).items():
            if isinstance(value, str) and (value == "@last" or value.startswith("@best:")):
                found[key] = self.resolve(value, request.paths.id)
        return found

    def _patience(self) -> float:
        """Seconds until something has to be looked at that nobody calls for."""
        looks = [
            self.local.patience,
            self.jobs.patience,
            min(self._next_scan, self._next_fill) - time.monotonic(),
        ]
        if self.waiting and not queue.paused(self.lab):
            looks.append(WAIT)
        return max(0.0, min(looks))

    def _sleep(self, seconds: float) -> None:
        """Until a worker ends, the warm parent speaks, somebody calls, or the time is over."""
        if self._called or self._end:
            return
        with selectors.DefaultSelector() as selector:
            fds = [self._read_end, self.jobs.fileno(), *self.local.descriptors()]
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
