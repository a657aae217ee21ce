"""The supervisor's runs that are jobs of a cluster: submits them, and sees what becomes of them.

The run's directory says first how things stand, then Slurm: a run is told about its job only when
Slurm, asked and answering, has none for it any more. Nothing is started again because a heartbeat
is old.

A claim comes before the submission and names it by a token; the job has the token in its name, and
its id is added to the claim when it is known. A supervisor that is killed in between leaves a job
that the next one finds by its name, and a job whose claim is no longer the newest leaves at once.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from labtui import run
from labtui.errors import LaunchError
from labtui.files import process, rundir
from labtui.files.paths import LabPaths, RunPaths
from labtui.launch import slurm, verdict
from labtui.launch.aftermath import anew, memory_was_short, reached, tell
from labtui.launch.node import Work
from labtui.launch.queue import Request, sweep_of
from labtui.launch.slurm import Job, Listing
from labtui.launch.start import claim

PACE = (2.0, 20.0)
"""Seconds between two questions to Slurm: at first, and when nothing happens for long."""
AGAIN = 60.0
"""Seconds until runs are submitted again for which Slurm had no room."""
IN_FLIGHT = 120.0
"""Seconds that a submission may be under way whose submitter is gone."""
_OPEN = ("queued", "running", "lost", "preempted")


Asked = tuple[Request, Mapping[str, str]]
"""A run to be submitted, and the run ids that its recipe's references mean."""


@dataclass(frozen=True)
class Watched:
    """An attempt that has a job, or is about to have one."""

    paths: RunPaths
    attempt: int
    since: float
    """When it was first seen, on the clock that never jumps."""
    sweep: str
    """That its run belongs to; empty: none."""


class Jobs:
    """The jobs of a lab's runs, as its supervisor sees them."""

    def __init__(self, lab: LabPaths) -> None:
        self.lab = lab
        self.watched: dict[str, Watched] = {}
        self._listing: Listing | None = None
        self._answered = -AGAIN
        self._pace, self._next = PACE[0], 0.0
        self._not_before = 0.0
        self._most = slurm.ARRAY

    def adopt(self, paths: RunPaths, status: run.Status) -> bool:
        """Look after a run if it is in Slurm's hands; whether it is.

        Args:
            status: as `run.derive` has it.
        """
        if "submission" not in rundir.claimed(paths, status.attempt)[0]:
            return False
        # A stopped one that never began may still have a job that waits.
        if status.state in _OPEN or (status.state == "stopped" and not status.process):
            self._watch(paths, status.attempt)
            return True
        return False

    def _watch(self, paths: RunPaths, attempt: int) -> None:
        known = self.watched.get(paths.id)
        if known is None or known.attempt != attempt:
            sweep = known.sweep if known else sweep_of(run.recipe_of(paths))
            self.watched[paths.id] = Watched(paths, attempt, time.monotonic(), sweep)
            self._hurry()

    def fileno(self) -> int | None:
        """A descriptor that can be read when Slurm has answered."""
        return self._listing.fileno() if self._listing else None

    def close(self) -> None:
        """Ask Slurm no further; jobs go on."""
        if self._listing:
            self._listing.close()
            self._listing = None

    @property
    def patience(self) -> float:
        """Seconds until Slurm has to be asked again."""
        if self._listing or not self.watched:
            return slurm.PATIENCE
        return max(0.0, self._next - time.monotonic())

    def ready(self) -> bool:
        """Whether Slurm takes jobs: it has just answered. No attempt is claimed in vain."""
        if slurm.missing():
            return True  # each run is told
        now = time.monotonic()
        if now < self._not_before:
            return False
        if now - self._answered <= PACE[0]:
            return True
        self._listing = self._listing or Listing()
        return False

    def submit(self, asked: Sequence[Asked]) -> Iterator[str]:
        """Submit runs, each with the references that it needs; says what happens."""
        if why := slurm.missing():
            for request, _ in asked:
                verdict.write(request.paths, request.attempt, "launch", why)
                yield f"{request.paths.id}: {why}"
            return
        for group in _alike(asked, self._most):
            if time.monotonic() >= self._not_before:
                yield self._submit(group)

    def _submit(self, group: Sequence[Asked]) -> str:
        token = os.urandom(4).hex()
        mine = _claimed(group, token)
        if not mine:
            return "nothing to submit"
        first = mine[0]
        works = [Work(str(request.paths.root), token) for request in mine]
        name = slurm.job_name(str(first.tables.get("name", "labtui")), token)
        try:
            ids = slurm.submit(self.lab, works, first.resources, name, first.python)
        except slurm.Unheard as error:
            self._not_before = time.monotonic() + PACE[1]
            for request in mine:
                anew(request.paths)
            return str(error)
        except slurm.Full as error:
            self._not_before, self._most = time.monotonic() + AGAIN, max(1, len(mine) // 2)
            for request in mine:
                request.paths.claim(request.attempt).unlink(missing_ok=True)
            return str(error)
        except LaunchError as error:
            for request in mine:
                verdict.write(request.paths, request.attempt, "launch", str(error))
            return str(error)
        for request, job in zip(mine, ids, strict=True):
            with suppress(OSError):  # found by its name then
                rundir.claimed_by(request.paths, request.attempt, job)
            self._watch(request.paths, request.attempt)
        return f"submitted {', '.join(request.paths.id for request in mine)}: job {', '.join(ids)}"

    def look(self) -> list[RunPaths]:
        """Ask Slurm when it is time, and follow up its answer.

        Returns:
            The runs whose job is over: they say how it ended, or ask for another start.
        """
        now = time.monotonic()
        if self._listing is None:
            if self.watched and now >= self._next:
                self._listing = Listing()
            return []
        if not self._listing.done():
            return []
        asked, jobs = self._listing.asked, self._listing.jobs()
        self._listing = None
        self._next = now + self._pace
        self._pace = min(PACE[1], 1.5 * self._pace)
        if jobs is None:
            self._not_before = now + PACE[1]
            return []
        self._answered = now
        by_id = {job.id: job for job in jobs}
        over = [one.paths for one in list(self.watched.values()) if self._is_over(one, by_id, asked)]
        for paths in over:
            del self.watched[paths.id]
        if over:
            self._hurry()
        return [paths for paths in over if paths.root.is_dir()]

    def _hurry(self) -> None:
        self._pace, self._next = PACE[0], 0.0

    def _is_over(self, one: Watched, jobs: Mapping[str, Job], asked: float) -> bool:
        """Whether no job is at work for a run any more; the run has then been told.

        Args:
            asked: when Slurm was asked for these jobs.
        """
        paths = one.paths
        try:
            status = run.derive(paths)
        except OSError:
            return True  # removed
        given = rundir.claimed(paths, status.attempt)[0]
        token = given.get("submission")
        if token is None:
            return True  # asked for anew
        if status.attempt != one.attempt:
            self._watch(paths, status.attempt)
            return False
        job_id = rundir.job_of(paths, status.attempt)
        job = jobs.get(job_id) or _named(jobs.values(), str(token), given.get("task"))
        if job and not job_id:
            with suppress(OSError):  # found by its name the next time, too
                rundir.claimed_by(paths, status.attempt, job.id)
        if status.state not in _OPEN:
            if job and job.state == "PENDING":
                slurm.cancel(job.id, waiting=True)
            return self._is_told(paths, status, job)
        if (job and not job.over) or status.state == "running":
            return False
        # A job that came into being after Slurm was asked is not in its answer.
        if asked - one.since < (0 if job_id else IN_FLIGHT) or (not job_id and process.alive(given)):
            return False
        state = job.state if job else slurm.recall(job_id) if job_id else ""
        tell(self.lab, paths, status, job_id, state)
        return True

    def _is_told(self, paths: RunPaths, status: run.Status, job: Job | None) -> bool:
        """Whether the end of a run is told for good: what killed its worker Slurm may know better."""
        if status.result.get("signal") != signal.SIGKILL or job is None:
            return True
        if job.over and memory_was_short(job.state, []):
            tell(self.lab, paths, status, job.id, job.state)
        return job.over


def _alike(asked: Sequence[Asked], most: int) -> Iterator[Sequence[Asked]]:
    """Runs that can be one array: of one sweep, asking for the same, and not more than `most`."""
    groups: dict[str, list[Asked]] = {}
    for one in asked:
        request = one[0]
        origin: Mapping[str, Any] = request.tables.get("origin") or {}
        key = [origin.get("sweep") or request.paths.id, request.resources, request.python]
        groups.setdefault(json.dumps(key, sort_keys=True, default=str), []).append(one)
    for group in groups.values():
        for start in range(0, len(group), most):
            yield group[start : start + most]


def _claimed(group: Sequence[Asked], token: str) -> list[Request]:
    """Claim attempts for one submission, each with its place in the array; those that nobody else has."""
    mine: list[Request] = []
    for request, references in group:
        given = {"submission": token, "task": len(mine), "references": references} | reached(
            request.paths, request.attempt
        )
        with suppress(LaunchError, OSError):  # a full disk, or a run that was removed
            waits = run.derive(request.paths).state == "queued"
            if waits and claim(request.paths, request.attempt, **given):
                mine.append(request)
    return mine


def _named(jobs: Iterable[Job], token: str, task: Any) -> Job | None:
    """The job of a submission, or the one of its array that is meant."""
    found = [job for job in jobs if job.name.endswith(f".{token}")]
    return next((job for job in found if "_" not in job.id or job.id.endswith(f"_{task}")), None)
