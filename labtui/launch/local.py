"""The supervisor's runs on this machine: gives them places, starts their workers, sees them end."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

from labtui import run
from labtui.errors import LabtuiError
from labtui.files import rundir
from labtui.files.paths import LabPaths, RunPaths
from labtui.launch import machine, slots
from labtui.launch.attempt import Attempt
from labtui.launch.queue import Request, refuse
from labtui.launch.start import claim, spawn, surroundings
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
        resources = run.recipe_of(paths).get("resources") or {}
        self.attempts[paths.id] = Attempt(
            paths, status.attempt, takes.place, takes.need, resources, identity=identity, fresh=False
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
        for attempt in self.attempts.values():
            attempt.end_if_hung()
        over = [attempt for attempt in list(self.attempts.values()) if attempt.ended()]
        for attempt in over:
            del self.attempts[attempt.paths.id]
        return over

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
        places = slots.plan([request.need for request in requests], here)
        both = list(zip(requests, places, strict=True))
        if any(isinstance(place, slots.Place) and _is_forked(request) for request, place in both):
            self.warm.start()  # it loads while the claims are made
        for request, place in both:
            if isinstance(place, slots.Never):
                yield refuse(request, place.message)
            elif isinstance(place, slots.Place):
                yield self._start(request, place)

    def _start(self, request: Request, place: slots.Place) -> str:
        paths = request.paths
        try:
            given = {"gpus": place.gpus, "cores": place.cores, "references": self.references(request)}
        except LabtuiError as error:
            return refuse(request, str(error))
        try:
            if run.derive(paths).state != "queued" or not claim(paths, request.attempt, **given):
                return f"{paths.id}: is not queued any more"
        except (LabtuiError, OSError) as error:  # a full disk, or a run that was removed
            return str(error)
        attempt = Attempt(paths, request.attempt, place, request.need, request.resources)
        self.attempts[paths.id] = attempt
        if not _is_forked(request):
            self._spawn(attempt, request.python or sys.executable)
        else:
            self.warm.send(
                paths.id,
                paths,
                request.attempt,
                environment=surroundings(self.lab) | place.environment(),
                folder=paths.workplace,
                tables=request.tables,
            )
        return f"{paths.id}: attempt {request.attempt} on {place}"

    def _spawn(self, attempt: Attempt, python: str) -> None:
        """Start a worker as a process of its own."""
        try:
            environment = attempt.place.environment()
            attempt.watches(spawn(self.lab, attempt.paths, attempt.number, environment, python))
        except LabtuiError:  # which its run has been told; it counts as an end like any other
            attempt.told(1)


def _is_forked(request: Request) -> bool:
    """Whether a worker can be forked from the warm parent: it trains, with the Python that runs here."""
    return "command" not in request.tables and _same(request.python, sys.executable)


def _same(python: str, other: str) -> bool:
    """Whether two names mean one Python: `python` and `python3` of one environment do."""
    with suppress(OSError, ValueError):
        return os.path.dirname(python) == os.path.dirname(other) and os.path.samefile(python, other)
    return False
