"""A job is over, and its run does not say how it ended: what Slurm says becomes its verdict, or the
run is asked for anew where Slurm took the job off for reasons of its own."""

from __future__ import annotations

from contextlib import suppress

from labtui import run
from labtui.errors import LabtuiError
from labtui.files import rundir
from labtui.files.atomic import read_json
from labtui.files.metriclog import last_step
from labtui.files.paths import LabPaths, RunPaths
from labtui.launch import control, slurm, verdict

_MEMORY = ("memory limit", "oom_kill", "oom kill", "out of memory")
"""slurmstepd's words for it. Without control groups the job's state does not tell."""


def tell(lab: LabPaths, paths: RunPaths, status: run.Status, job: str, state: str) -> None:
    """Say how a run ended whose job is over, or ask for another start.

    Args:
        status: as `run.derive` has it.
        job: its id; empty when none was ever known.
        state: Slurm's word; empty when it has forgotten the job, or never had one.
    """
    attempt, began = status.attempt, bool(status.process)
    given = rundir.claimed(paths, attempt)[0]
    said = _said(lab, job)
    by_slurm = [line for line in said if line.startswith("slurmstepd")][-3:]
    what = f"job {job}: {state or 'gone'}" + "".join(f" / {line}" for line in by_slurm)
    onwards = f"; `labtui resume {paths.id}` goes on from the last checkpoint" if began else ""
    if state == "CANCELLED":
        message = f"job {job} was cancelled in Slurm{onwards}"
        verdict.write(paths, attempt, "", message, outcome="stopped")
    elif memory_was_short(state, by_slurm):
        verdict.write(paths, attempt, "oom", f"{what}: raise resources.slurm.memory{onwards}")
    elif "requeued" in given and not began:
        anew(paths)  # Slurm did not start it again
    elif "preempted" in (status.state, state.lower()):
        anew(paths)
    elif state == "TIMEOUT":
        if began and last_step(paths) > given.get("step", 0):
            anew(paths)
        else:
            message = f"{what}: no step done in that time: raise resources.slurm.time"
            verdict.write(paths, attempt, "timeout", message)
    elif began:
        verdict.write(paths, attempt, "error", f"{what}: it left no result{onwards}", signal=0)
    elif not state:
        anew(paths)  # no job came into being, or it is long gone
    else:
        words = f": {' / '.join(said[-3:])}" if said else ""
        message = f"job {job}: {state}, before the worker began{words} (see {slurm.log(lab, job)})"
        verdict.write(paths, attempt, "launch", message)


def memory_was_short(state: str, said: list[str]) -> bool:
    """Whether Slurm ended a job, or a part of it, for want of memory."""
    text = " ".join(said).lower()
    return state == "OUT_OF_MEMORY" or any(word in text for word in _MEMORY)


def anew(paths: RunPaths) -> None:
    """Ask for another attempt; should Slurm still have a job for this one, it finds itself given up."""
    with suppress(LabtuiError):  # somebody else just did, or removed it
        control.resume(paths, force=True)


def reached(paths: RunPaths, attempt: int) -> dict[str, int]:
    """What an attempt has to get beyond (`step`), where Slurm ended the one before."""
    ending = max((read_json(one) or {} for one in (paths.result, paths.verdict)), key=_number)
    other = ending and ending.get("outcome") != "preempted" and ending.get("reason") != "timeout"
    step = 0 if attempt == 1 or other else last_step(paths)
    return {"step": step} if step > 0 else {}


def _number(ending: dict[str, object]) -> int:
    number = ending.get("attempt")
    return number if isinstance(number, int) else 0


def _said(lab: LabPaths, job: str) -> list[str]:
    """The job's own output."""
    try:
        return slurm.log(lab, job).read_text(errors="replace").strip().splitlines()
    except OSError:
        return []
