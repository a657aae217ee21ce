"""The supervisor's runs on this machine: gives them places, starts their workers, sees them end."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from labtui import run
from labtui.errors import LabtuiError
from labtui.files import rundir
from labtui.files.paths import LabPaths, RunPaths
from labtui.launch import group, logs, machine, slots
from labtui.launch.attempt import Attempt
from labtui.launch.queue import Request, refuse
from labtui.launch.start import claim, spawn, spawn_all, surroundings
from labtui.launch.warm import Event, Warm

WAIT = 2.0
"""Seconds between two looks at what may change unseen: GPUs of others, the disk."""


class Local:
    """The workers on this machine, as its supervisor sees them.

    Args:
        lab: its folders.
        references: the run ids that the references in a request's recipe mean now; raises LabtuiError.
    """

    def __init__(self, lab: LabPaths, references: Callable[[Request], Mapping[str, str]]) -> None:
        self.lab, self.references = lab, references
        self.attempts: dict[str, Attempt] = {}
        self.apart: set[str] = set()
        """Runs that are to be started alone, whatever their recipes say."""
        self.warm = Warm(lab)

    def adopt(self, paths: RunPaths, status: run.Status) -> bool:
        """Watch a worker that an earlier supervisor has started; whether there is one.

        Args:
            status: as `run.derive` has it.
        """
        takes = machine.running(paths, status)
        if takes is None or status.process.get("launcher", "labtui") != "labtui":
            return False
        identity = dict(status.process) or rundir.claimed(paths, status.attempt)[-1]
        tables = run.recipe_of(paths)
        resources = tables.get("resources") or {}
        stack = ""
        if len(rundir.together(paths, status.attempt)) > 1:
            stack = str((tables.get("origin") or {}).get("stack", "unknown"))
        self.attempts[paths.id] = Attempt(
            paths,
            status.attempt,
            takes.place,
            takes.need,
            resources,
            identity=identity,
            fresh=False,
            stack=stack,
        )
        return True

    def descriptors(self) -> list[int | None]:
        """What can be read when a worker has ended or the warm parent speaks."""
        return [self.warm.fileno(), *(attempt.fileno() for attempt in self.attempts.values())]

    @property
    def patience(self) -> float:
        """Seconds until a worker has to be looked at that nobody calls for."""
        return min((attempt.patience for attempt in self.attempts.values()), default=math.inf)

    def look(self) -> list[Attempt]:
        """End what hangs; the attempts that have ended, whose runs have been told how."""
        for event in self.warm.receive():
            self._heard(event)
        if not self.warm.alive:
            for attempt in self.attempts.values():
                attempt.has_parent = False
        self._end_hung()
        over = [attempt for attempt in list(self.attempts.values()) if attempt.ended()]
        for attempt in over:
            del self.attempts[attempt.paths.id]
        return over

    def _end_hung(self) -> None:
        """End the processes of which no run moves any more."""
        hung: dict[int | None, list[Attempt]] = {}
        moving = set()
        for attempt in self.attempts.values():
            if attempt.hangs():
                hung.setdefault(attempt.pid, []).append(attempt)
            else:
                moving.add(attempt.pid)
        for pid, attempts in hung.items():
            for attempt in attempts if pid not in moving else ():
                attempt.end_hung()

    def _heard(self, event: Event) -> None:
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
            self._spawn(attempt, sys.executable)

    def submit(self, requests: Sequence[Request]) -> Iterator[str]:
        """Start what has room, in this order; says what happens.

        Raises:
            LabError: the settings are wrong.
        """
        here = machine.look(self.lab.root, [attempt.running for attempt in self.attempts.values()])
        at_work = {attempt.stack for attempt in self.attempts.values()}
        groups = group.form(requests, here, self._stack_of, group.decisions(self.lab), at_work)
        places = slots.plan([one.need for one in groups], here)
        both = list(zip(groups, places, strict=True))
        if any(isinstance(place, slots.Place) and _is_forked(one) for one, place in both):
            self.warm.start()  # it loads while the claims are made
        for one, place in both:
            if isinstance(place, slots.Never):
                yield from (refuse(request, place.message) for request in one.requests)
            elif isinstance(place, slots.Place):
                yield from self._start(one, place)

    def _stack_of(self, request: Request) -> group.Stack | None:
        return None if request.paths.id in self.apart else group.stack_of(request)

    def _start(self, these: group.Group, place: slots.Place) -> Iterator[str]:
        """Start what of a group is still to be started; says what happens."""
        ids = [request.paths.id for request in these.requests]
        more = {"together": ids, "gpu_memory": these.need.gpu_memory} if len(ids) > 1 else {}
        stack = these.stack.key if these.stack else ""
        claimed = []
        for request in these.requests:
            if why := self._claim(request, place, {k: v for k, v in more.items() if v is not None}):
                yield why
                continue
            resources = request.resources
            attempt = Attempt(request.paths, request.attempt, place, these.need, resources, stack=stack)
            self.attempts[request.paths.id] = attempt
            claimed.append((request, attempt))
        if len(claimed) == 1:
            self._begin(*claimed[0])
        elif claimed:
            self._begin_all(these, [attempt for _, attempt in claimed])
        for request, _ in claimed:
            with_others = f", together with {len(claimed) - 1} others" if len(claimed) > 1 else ""
            yield f"{request.paths.id}: attempt {request.attempt} on {place}{with_others}"

    def _claim(self, request: Request, place: slots.Place, more: Mapping[str, Any]) -> str:
        """Claim a request; why that cannot be, or empty."""
        paths = request.paths
        try:
            given = {"gpus": place.gpus, "cores": place.cores, "references": self.references(request), **more}
        except LabtuiError as error:
            return refuse(request, str(error))
        try:
            if run.derive(paths).state != "queued" or not claim(paths, request.attempt, **given):
                return f"{paths.id}: is not queued any more"
        except (LabtuiError, OSError) as error:  # a full disk, or a run that was removed
            return str(error)
        return ""

    def _begin_all(self, these: group.Group, attempts: Sequence[Attempt]) -> None:
        """Start the worker of several claimed attempts."""
        assert these.stack
        decision = self.lab.sweep(these.stack.sweep).stack(these.stack.key)
        words = ["--together", "--decision", str(decision)]
        words += ["--slots", str(these.slots)] if these.slots else []
        try:
            environment = attempts[0].place.environment()
            both = [(attempt.paths, attempt.number) for attempt in attempts]
            child = spawn_all(self.lab, both, words, environment, these.stack.python or sys.executable)
        except LabtuiError:  # as in `_spawn`
            for attempt in attempts:
                attempt.told(1)
        else:
            for attempt in attempts:
                attempt.watches(child)

    def _begin(self, request: Request, attempt: Attempt) -> None:
        """Start the worker of one claimed attempt."""
        paths, place = request.paths, attempt.place
        if not _is_forked(group.Group((request,), request.need)):
            self._spawn(attempt, request.python or sys.executable)
        else:
            with suppress(OSError):  # the parent says what is wrong with it
                logs.share([paths])
            self.warm.send(
                paths.id,
                paths,
                request.attempt,
                environment=surroundings(self.lab) | place.environment(),
                folder=paths.workplace,
                tables=request.tables,
            )

    def _spawn(self, attempt: Attempt, python: str) -> None:
        """Start a worker as a process of its own."""
        try:
            environment = attempt.place.environment()
            attempt.watches(spawn(self.lab, attempt.paths, attempt.number, environment, python))
        except LabtuiError:  # which its run has been told; it counts as an end like any other
            attempt.told(1)


def _is_forked(these: group.Group) -> bool:
    """Whether a worker can be forked from the warm parent: it trains, with the Python that runs here."""
    first, *others = these.requests
    return not others and "command" not in first.tables and _same(first.python, sys.executable)


def _same(python: str, other: str) -> bool:
    """Whether two names mean one Python: `python` and `python3` of one environment do."""
    with suppress(OSError, ValueError):
        return os.path.dirname(python) == os.path.dirname(other) and os.path.samefile(python, other)
    return False
