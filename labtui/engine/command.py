"""The worker of a recipe with a `command`: runs the program and tells how it ended. No torch."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from labtui.errors import TrainingError
from labtui.files.paths import RunPaths
from labtui.files.process import take_orphans, tied
from labtui.files.tell import tell
from labtui.recipe.placeholders import fill
from labtui.writer import Run

GRACE = 10.0
"""Seconds between a polite SIGTERM and SIGKILL."""
REST = 2.0
"""Seconds that other processes of the program may go on after it."""
LOOK = 0.2
LAST_WORDS = 4096
"""Bytes at the end of the log that tell why a program failed."""
NOTHING = 64 * 1024
"""Bytes of a disk that count as none."""
_FULL = ", the disk is full: free some space and resume"


def supervise(run: Run, tables: dict[str, Any], asked: Callable[[], str | None]) -> str | None:
    """Run the program in the working directory until it ends, or until asked to end it.

    It gets `$LABTUI_RUN` (the run directory), no input, and this process's output. It leads a
    process group of its own; a stop reaches the whole group.

    Returns:
        None when it ended by itself with status 0, else what was asked.

    Raises:
        RecipeError: a placeholder has no value.
        TrainingError: the program cannot be started (`launch`), or did not end well (`error`, or
            `disk-full` or `oom` where the disk or its last words say so).
    """
    words = fill(tables["command"], tables)
    said = run.paths.log.stat().st_size if run.paths.log.exists() else 0
    take_orphans()
    process = _start(words, run.paths.root.absolute())
    fd = os.pidfd_open(process.pid)
    try:
        while not select.select([fd], [], [], LOOK)[0]:
            if found := asked():
                _end(process, fd, at_once=found == "kill")
                return found
    finally:
        os.close(fd)
    status = process.wait()
    _end_rest(process.pid)
    if status:
        time.sleep(LOOK)  # what ended it may be about to tell us, too
    if found := asked():
        return found
    if status != 0:
        reason, more = _why(run.paths, said)
        raise TrainingError(reason, f"{words[0]} {_how(status)}{more}; what it said is in the log")
    return None


def _why(paths: RunPaths, said: int) -> tuple[str, str]:
    """The reason why a program failed, and what to add to the message.

    Args:
        said: bytes of the log that are older than the program.
    """
    with suppress(OSError), open(paths.log, "rb") as log:
        log.seek(max(said, os.fstat(log.fileno()).st_size - LAST_WORDS))
        words = log.read().decode("utf-8", "replace")
        if any(text in words for text in ("No space left on device", "Disk quota exceeded")):
            return "disk-full", _FULL
        if any(text in words for text in ("OutOfMemoryError", "out of memory", "\nMemoryError")):
            return "oom", ", out of memory"
    # What it said did not fit on the disk either.
    return ("disk-full", _FULL) if shutil.disk_usage(paths.root).free < NOTHING else ("error", "")


def _start(words: list[str], run_dir: Path) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"LABTUI_RUN": str(run_dir), "PYTHONUNBUFFERED": "1", "PATH": _path()},
            process_group=0,
            # A program must not train on, unseen, when its wrapper was killed.
            preexec_fn=tied(),  # noqa: PLW1509
        )
    except OSError as error:
        raise TrainingError(
            "launch",
            f"{words[0]} cannot be started ({error.strerror}): look at the recipe's command",
        ) from None
    except ValueError as error:
        raise TrainingError("launch", f"{words[0]!r} cannot be started: {error}") from None


def _path() -> str:
    """$PATH with this Python's folder first: `python` then has labtui, activated or not."""
    return os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)])


def _end(process: subprocess.Popen[bytes], fd: int, *, at_once: bool) -> None:
    """End the program's process group: politely first, unless it has to be at once."""
    if not at_once:
        os.killpg(process.pid, signal.SIGTERM)
        select.select([fd], [], [], GRACE)
    # The leader is not yet waited for, so the group's number still names this group.
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _end_rest(group: int) -> None:
    """End what a program that is over has left in its process group: it would hold memory and GPUs,
    unseen. What is about to end by itself, such as a `tee`, has a moment for it."""
    end = time.monotonic() + REST
    with suppress(ChildProcessError, ProcessLookupError, PermissionError):
        while time.monotonic() < end:
            if os.waitpid(-group, os.WNOHANG) == (0, 0):
                time.sleep(0.02)
        os.killpg(group, signal.SIGKILL)
        tell("labtui: processes that the program had left running were ended")


def _how(status: int) -> str:
    if status > 0:
        return f"ended with exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    hint = " (out of memory, or somebody's doing)" if name == "SIGKILL" else ""
    return f"was ended by {name}{hint}"
