"""What a Slurm job does on its (first) node: it is the supervisor of one run there.

A job belongs to a run for as long as the run's newest claim names the submission that it came from;
otherwise somebody has asked anew, and it leaves without a word. Slurm may start one job several
times: each time is a new attempt, which goes on from the last checkpoint.

When Slurm ends the job (SIGTERM) or is about to (SIGUSR2), the worker is asked for a checkpoint, and
the next attempt is claimed for this same job before it goes back into the queue.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from labtui import run
from labtui.errors import LabError, LabtuiError
from labtui.files import rundir
from labtui.files.atomic import locked, read_json, write_json
from labtui.files.layout import layout
from labtui.files.metriclog import last_step
from labtui.files.paths import RunPaths
from labtui.launch import slurm
from labtui.launch.attempt import Attempt
from labtui.launch.slots import Need, Place
from labtui.launch.start import spawn

LOOK = 0.2
GONE = 2 * run.FRESH
"""Seconds that an earlier worker of this job, on a node that Slurm has lost, gets to fall silent."""
REQUEUED = 60.0
"""Seconds until Slurm has ended a job that it puts back into the queue."""
_TOLD = "*** JOB "
_BY_SLURM = "DUE TO"
"""What slurmstepd writes into the job's output before the signal; without a cause: somebody's scancel."""


class Work:
    """One run as the work of a job; submitit carries it to the node.

    Args:
        root: the run's directory.
        submission: token of the submission, which the run's claim names.
    """

    def __init__(self, root: str, submission: str) -> None:
        self.root, self.submission = root, submission

    def __call__(self) -> None:
        """Work, and end the process: 0 when the run did well, was stopped, or is not ours any more."""
        status = Shift(RunPaths(Path(self.root)), self.submission).work()
        sys.stdout.flush()
        raise SystemExit(status)  # submitit keeps no result then; the run has its own


class Shift:
    """From one start of a job by Slurm to its end."""

    def __init__(self, paths: RunPaths, submission: str) -> None:
        self.paths, self.submission = paths, submission
        self.lab = paths.lab
        self.job = _job_id()
        self.number = 0
        self._signals: list[signal.Signals] = []
        self._asked = False
        self._output = slurm.log(self.lab, self.job)
        self._read_from = os.path.getsize(self._output) if os.path.exists(self._output) else 0
        for one in (signal.SIGTERM, signal.SIGUSR2):
            signal.signal(one, self._catch)
        signal.signal(signal.SIGCONT, lambda *_: None)

    def _catch(self, number: int, _: object) -> None:
        self._signals.append(signal.Signals(number))

    def work(self) -> int:
        """Take the turn, watch the worker, hand the run on; the exit status."""
        try:
            number = self._turn()
        except (LabError, OSError) as error:  # the run was removed, or the disk is full
            print(error)
            number = None
        if number is None:
            print(f"{self.paths.id}: nothing to do for job {self.job}")
            slurm.tidy(self.lab, self.job)
            return 0
        self.number = number
        resources: Mapping[str, Any] = run.recipe_of(self.paths).get("resources") or {}
        try:
            worker = spawn(self.lab, self.paths, number, _place(resources), before=_launcher(self.paths))
        except LabtuiError as error:
            print(error)
            return 1
        attempt = Attempt(self.paths, number, Place(), Need(), resources)
        attempt.watches(worker)
        while not attempt.ended():
            if self._signals and not self._asked:
                self._pass_on(self._signals[0])
            if attempt.hangs():
                attempt.end_hung()
            time.sleep(LOOK)
        return self._close()

    def _turn(self) -> int | None:
        """The attempt that this job begins now, claimed for it; None when it is none of its business.

        Raises:
            LabError: the run is gone.
        """
        status = run.derive(self.paths) if self.paths.root.is_dir() else None
        if status and status.state == "running" and self._ours(status.attempt):
            self._outlive(status)
        with locked(self.paths.root):
            status = run.derive(self.paths)
            if not self._ours(status.attempt):
                return None
            if status.state == "queued":
                if not rundir.job_of(self.paths, status.attempt):  # its submitter was killed just then
                    rundir.claimed_by(self.paths, status.attempt, self.job)
                return status.attempt
            return self._next(status.attempt) if status.state in ("lost", "preempted") else None

    def _ours(self, attempt: int) -> bool:
        return rundir.claimed(self.paths, attempt)[0].get("submission") == self.submission

    def _outlive(self, status: run.Status) -> None:
        """See an earlier worker of this job off: Slurm says that it is gone, and it may not know."""
        self._ask(status.attempt, "preempted", "")
        end = time.monotonic() + GONE
        while run.derive(self.paths).state == "running" and time.monotonic() < end:
            time.sleep(LOOK)

    def _next(self, attempt: int) -> int:
        """Claim the next attempt for this job; under the run's lock."""
        before = read_json(self.paths.queue) or {}
        after = max([attempt, *rundir.claims(self.paths)])
        # A claim of ours beyond the request: we were killed between the two.
        if after == attempt or not self._ours(after):
            after += 1
            given = {"submission": self.submission, "requeued": True, "step": last_step(self.paths)}
            given["references"] = rundir.claimed(self.paths, attempt)[0].get("references", {})
            rundir.claim(self.paths, after, **given)
            rundir.claimed_by(self.paths, after, self.job)
        kept = {key: before[key] for key in ("priority", "order", "retry", "python", "host") if key in before}
        write_json(self.paths.queue, rundir.request(self.paths.root, after) | kept)
        return after

    def _pass_on(self, number: signal.Signals) -> None:
        """Tell the worker why it has to end; the user's own wish goes before Slurm's."""
        self._asked = True
        if number == signal.SIGTERM and not self._by_slurm():
            self._ask(self.number, "stopped", f"job {self.job} was cancelled in Slurm")
            return
        left = slurm.time_left(self.job) if number == signal.SIGUSR2 else None
        reached = rundir.claimed(self.paths, self.number)[0].get("step")
        if left is None or left > 3 * slurm.WARNING or reached is None:
            self._ask(self.number, "preempted", f"Slurm takes job {self.job} off its node")
        elif last_step(self.paths) > reached:
            self._ask(self.number, "preempted", f"the time of job {self.job} is over")
        else:
            self._ask(
                self.number,
                "failed",
                f"no step beyond {reached} in two times of the job in a row: raise resources.slurm.time, or "
                "let the program go on from its own checkpoints",
                reason="timeout",
            )

    def _by_slurm(self) -> bool:
        """Whether Slurm had a cause of its own to end the job."""
        with suppress(OSError), open(self._output, "rb") as file:
            file.seek(self._read_from)
            said = [line for line in file.read().decode(errors="replace").splitlines() if _TOLD in line]
            return not said or _BY_SLURM in said[-1]
        return True

    def _ask(self, attempt: int, outcome: str, message: str, reason: str = "") -> None:
        with suppress(LabError), locked(self.paths.root):
            if (read_json(self.paths.control) or {}).get("attempt") == attempt:
                return
            wish = {"attempt": attempt, "action": "stop", "time": time.time()}
            with suppress(OSError):
                write_json(
                    self.paths.control, wish | {"outcome": outcome, "reason": reason, "message": message}
                )

    def _close(self) -> int:
        """Go back into the queue if the run is not done; the exit status."""
        if not self.paths.root.is_dir():
            return 0
        with locked(self.paths.root):
            status = run.derive(self.paths)
            ours = self._asked and status.attempt == self.number
            goes_on = ours and status.state in ("preempted", "lost")
            if goes_on:
                self._next(self.number)
        if goes_on:
            # After SIGTERM Slurm has its plan for the job already.
            if signal.SIGTERM not in self._signals and slurm.requeue(self.job):
                end = time.monotonic() + REQUEUED
                while signal.SIGTERM not in self._signals and time.monotonic() < end:
                    time.sleep(LOOK)
            return 1
        if status.state in ("finished", "stopped"):
            slurm.tidy(self.lab, self.job)
        return int(status.state not in ("finished", "stopped"))


def _job_id() -> str:
    array = os.environ.get("SLURM_ARRAY_JOB_ID")
    return f"{array}_{os.environ['SLURM_ARRAY_TASK_ID']}" if array else os.environ["SLURM_JOB_ID"]


def _place(resources: Mapping[str, Any]) -> dict[str, str]:
    """What Slurm gave: its GPUs and no others, and its CPUs."""
    cpus = os.environ.get("SLURM_CPUS_PER_TASK") or os.environ.get("SLURM_CPUS_ON_NODE") or "1"
    threads = resources.get("threads") or max(1, int(cpus) // layout({"resources": resources})[1])
    devices = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    return Place(threads=threads).environment() | {"CUDA_VISIBLE_DEVICES": devices}


def _launcher(paths: RunPaths) -> list[str]:
    """Before the worker's command: one of it on each node, when there are several.

    A program of the user's own is started once: what it does with the nodes is its own affair.
    """
    nodes = int(os.environ.get("SLURM_JOB_NUM_NODES", "1"))
    if nodes == 1 or "command" in run.recipe_of(paths):
        return []
    cpus = os.environ.get("SLURM_CPUS_PER_TASK")  # which srun does not take from the job
    each = ["--ntasks-per-node=1", *([f"--cpus-per-task={cpus}"] if cpus else [])]
    return ["srun", f"--nodes={nodes}", *each, "--kill-on-bad-exit=1", "--export=ALL"]
