"""Why a worker ended that left no result itself: `verdict.json`, and whether trying again may help."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from labtui.files import process
from labtui.files.atomic import read_json, write_json
from labtui.files.paths import RunPaths

PASSING = ("oom", "disk-full", "hang", "timeout")
"""Reasons that may be gone at the next attempt; so is a signal from outside."""


def judge(paths: RunPaths, attempt: int, status: int | None, oom_kills: int | None = None) -> None:
    """Say how an attempt ended, unless it said so itself or was asked to end.

    Args:
        status: exit status, negative for a signal; None when it is not known, because the supervisor
            that started the worker is gone.
        oom_kills: how many processes the kernel had killed for want of memory when it began.
    """
    known = (paths.result, paths.verdict, paths.control)
    told = [(read_json(one) or {}).get("attempt") for one in known]
    # What is known of a later attempt must not be written over either.
    if any(isinstance(one, int) and one >= attempt for one in told) or not paths.root.is_dir():
        return
    resume = f"; `labtui resume {paths.id}` goes on from the last checkpoint"
    if status is None:
        write(paths, attempt, "error", f"the worker ended without a result{resume}", signal=0)
    elif status < 0:
        reason, message = "error", f"the worker was killed by {_name(-status)}"
        if -status == signal.SIGKILL and oom_kills is not None and process.oom_kills() > oom_kills:
            reason, message = "oom", "the kernel killed the worker: the machine's memory ran out"
        elif -status == signal.SIGKILL:
            message += " (by hand, or by a limit on memory: see `dmesg`)"
        write(paths, attempt, reason, message + resume, signal=-status)
    else:
        message = f"the worker ended with status {status} and no result"
        write(paths, attempt, "error", f"{message}; see `labtui logs {paths.id}`")


def write(paths: RunPaths, attempt: int, reason: str, message: str, **more: Any) -> None:
    """Write the verdict on an attempt. Where that fails the run is `lost`, which is true too.

    Args:
        more: `signal` that ended the worker; 0 if it is not known which.
    """
    worker = read_json(paths.process) or {}
    now = time.time()
    started = worker.get("time", now) if worker.get("attempt") == attempt else now
    record = {"attempt": attempt, "outcome": "failed", "reason": reason, "message": message}
    with suppress(OSError):
        write_json(paths.verdict, record | {"started": started, "ended": now} | more)


def may_pass(state: str, ending: Mapping[str, Any]) -> bool:
    """Whether another attempt has a chance: the end had a cause outside the training itself."""
    if state == "lost":
        return True
    return state == "failed" and (ending.get("reason") in PASSING or "signal" in ending)


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
