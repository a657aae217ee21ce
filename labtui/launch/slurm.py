"""Jobs of a Slurm cluster: submitted with submitit, seen with squeue and sacct, ended with scancel.

Accounting (sacct) is not needed. What Slurm does not answer is not known, never "gone".
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labtui.errors import LaunchError
from labtui.files.layout import layout
from labtui.files.paths import LabPaths, slug

WARNING = 90
"""Seconds before the end of its time at which a job is told (SIGUSR2)."""
ARRAY = 1000
"""Most tasks of one array, which is how many a cluster takes that does not say (MaxArraySize)."""
PATIENCE = 30.0
"""Seconds that Slurm has for an answer."""
AHEAD = ("PENDING", "RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "STOPPED", "STAGE_OUT", "SIGNALING")
COMING = ("REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESIZING", "RESV_DEL_HOLD")
_LISTING = ["squeue", "--me", "--noheader", "--array", "--states=all", "--format=%i|%j|%T|%r"]
_UNHEARD = ("unable to contact", "timed out", "connection", "zero bytes", "communication")
_FULL = ("submit limit", "maxsubmit", "temporarily", "job array specification")


class Unheard(LaunchError):
    """Slurm did not answer: whether it has the job nobody knows."""


class Full(LaunchError):
    """Slurm takes no more jobs now, or not so many at once."""


_REFUSALS: tuple[tuple[type[LaunchError], tuple[str, ...]], ...] = ((Unheard, _UNHEARD), (Full, _FULL))


@dataclass(frozen=True)
class Job:
    """A job as Slurm sees it."""

    id: str
    """`123`, or `123_4` in an array."""
    name: str
    state: str
    """Slurm's word: PENDING, RUNNING, COMPLETED, FAILED, TIMEOUT, …"""
    reason: str = ""
    """Why it waits."""

    @property
    def over(self) -> bool:
        """Whether it will not run any more."""
        return self.state not in AHEAD + COMING


def missing() -> str:
    """Why no job can be submitted from this machine; empty when one can."""
    absent = [name for name in ("sbatch", "squeue", "scancel", "srun") if shutil.which(name) is None]
    return f"there is no Slurm on this machine ({', '.join(absent)} not found)" if absent else ""


def submit(
    lab: LabPaths,
    works: Sequence[Callable[[], Any]],
    resources: Mapping[str, Any],
    name: str,
    python: str,
) -> list[str]:
    """Submit jobs that ask for the same: one array if they are several.

    Args:
        works: what each of them does, importable and picklable.
        resources: the recipe's `[resources]`.
        name: of the job; `Listing` finds it by that.
        python: the interpreter, by a path that the nodes have too.

    Returns:
        Their ids, in order.

    Raises:
        Unheard: Slurm did not answer.
        Full: Slurm takes no more now.
        LaunchError: Slurm never takes such a job.
    """
    from submitit import SlurmExecutor
    from submitit.core.utils import FailedJobError, FailedSubmissionError

    folder = _folder(lab)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # -P keeps the lab's own modules from taking the place of labtui's.
        executor = SlurmExecutor(folder, python=f"exec {shlex.quote(python)} -P")
        executor.update_parameters(**_asked(lab, resources, len(works)), job_name=name)
        with _outside():
            jobs = executor.submit_array(works)
    except (FailedJobError, FailedSubmissionError) as error:
        said = str(error).strip().splitlines()
        told = next((line for line in reversed(said) if "error:" in line), said[-1] if said else "")
        kind = next((k for k, words in _REFUSALS if any(w in told.lower() for w in words)), LaunchError)
        raise kind(f"Slurm did not take the job: {told.strip()}") from None
    except (OSError, RuntimeError) as error:
        raise LaunchError(f"the job cannot be submitted: {error}") from error
    for left in (*folder.glob(".submission_file_*.sh"), *folder.glob("*_submission.sh")):
        if left.is_symlink() or left.name.startswith(jobs[0].job_id.partition("_")[0]):
            left.unlink(missing_ok=True)  # Slurm has it
    return [job.job_id for job in jobs]


def job_name(title: str, token: str) -> str:
    """The name of a job: what people read in squeue, and what one submission is found by."""
    return f"{slug(title)[:60]}.{token}"


def log(lab: LabPaths, job: str) -> Path:
    """Where a job's own output goes; its worker's goes to the run's log."""
    return _folder(lab) / f"{job}_0_log.out"


def tidy(lab: LabPaths, job: str) -> None:
    """Remove the files of a job that has done its work."""
    for path in _folder(lab).glob(f"{job}_*"):
        with suppress(OSError):
            path.unlink()


def _folder(lab: LabPaths) -> Path:
    return lab.own / "slurm"


def _asked(lab: LabPaths, resources: Mapping[str, Any], count: int) -> dict[str, Any]:
    """What `[resources]` asks for, in submitit's words."""
    asked: Mapping[str, Any] = resources.get("slurm") or {}
    nodes, processes = layout({"resources": resources})
    threads = resources.get("threads")
    same = ("partition", "account", "qos", "constraint", "time")
    minutes = asked.get("time")
    memory = asked.get("memory")
    # A short job is not told right at its beginning.
    warning = min(WARNING, minutes * 60 // 3) if minutes else WARNING
    return {
        **{key: asked.get(key) for key in same},
        "nodes": nodes,
        "ntasks_per_node": 1,
        "cpus_per_task": asked.get("cpus") or (threads and threads * processes),
        "gpus_per_node": resources.get("gpus") or None,
        "mem": f"{max(1, int(memory * 1024))}M" if memory else None,
        "array_parallelism": asked.get("array") or count,
        "wckey": None,
        "stderr_to_stdout": True,
        # The job is one process on its first node, which gets Slurm's signals itself. srun stands
        # between otherwise, and ends its tasks at once when it is signalled.
        "use_srun": False,
        "additional_parameters": {
            "requeue": True,
            "signal": f"B:USR2@{warning}",
            "chdir": str(lab.root),
        },
    }


@contextmanager
def _outside() -> Iterator[None]:
    """Without the marks of a job that we may be in ourselves: the new one would take them for its own."""
    marks = {k: v for k, v in os.environ.items() if k.startswith("SLURM_") and k != "SLURM_CONF"}
    for key in marks:
        del os.environ[key]
    try:
        yield
    finally:
        os.environ.update(marks)


class Listing:
    """One squeue in the background: a slow controller keeps nobody waiting. Read `jobs` once, or close."""

    def __init__(self) -> None:
        self.asked = time.monotonic()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115
        self._process: subprocess.Popen[bytes] | None = None
        self._fd: int | None = None
        with suppress(OSError):
            self._process = subprocess.Popen(
                _LISTING, stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.DEVNULL
            )
            self._fd = os.pidfd_open(self._process.pid)

    def fileno(self) -> int | None:
        """A descriptor that can be read when it is done."""
        return self._fd

    def done(self) -> bool:
        """Whether there is an answer, or none will come."""
        waits = self._process is not None and self._process.poll() is None
        return not waits or time.monotonic() - self.asked > PATIENCE

    def jobs(self) -> list[Job] | None:
        """This user's jobs; None when Slurm did not answer. Of jobs that have ended Slurm keeps the
        last few minutes."""
        answered = self._process is not None and self._process.poll() == 0
        self._output.seek(0)
        text = self._output.read().decode(errors="replace")
        self.close()
        rows = (line.strip().split("|", 3) for line in text.splitlines())
        return [Job(*row) for row in rows if len(row) == 4] if answered else None

    def close(self) -> None:
        """Ask no further."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
        self._output.close()


def recall(job: str) -> str:
    """The state of a job that squeue no longer lists; empty where there is no accounting."""
    said = _call("sacct", "-X", "-n", "-P", "-o", "State", "-j", job)
    return said.split()[0] if said and said.split() else ""


def time_left(job: str) -> float | None:
    """Seconds until the job's time is over; None when it is not known, or there is no limit."""
    said = _call("squeue", "-h", "-o", "%e", "-j", job, SLURM_TIME_FORMAT="%s")
    return int(said) - time.time() if said and said.strip().isdigit() else None


def cancel(job: str, *, waiting: bool = False) -> bool:
    """End a job; False when Slurm cannot be asked.

    Args:
        waiting: only if it has not begun.
    """
    return _call("scancel", *(["--state=PENDING"] if waiting else []), job) is not None


def requeue(job: str) -> bool:
    """Put this job back into the queue: Slurm ends it and starts it again; False when it will not."""
    return _call("scontrol", "requeue", job) is not None


def _call(*command: str, **environment: str) -> str | None:
    """What a command says; None when it fails."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=os.environ | environment,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None
