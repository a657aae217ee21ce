"""An error as a run's reason and a message for people. No torch.

Where several processes work on a run, the first that fails says why in `.failure-<attempt>`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from labtui.errors import LabtuiError, TrainingError
from labtui.files.atomic import DISK_FULL, dumps, read_json
from labtui.files.paths import RunPaths

_MEMORY = ("out of memory", "can't allocate memory", "bad_alloc", "STATUS_ALLOC_FAILED")
"""What a RuntimeError says when memory ran out: CUDA, torch's CPU allocator, C++, cuBLAS and cuDNN."""


def explain(error: BaseException, train: Mapping[str, Any] | None = None) -> tuple[str, str]:
    """Reason (error, oom, disk-full, nan, launch) and message.

    Args:
        train: the recipe's `[train]`, whose options are named when memory ran out.
    """
    if isinstance(error, TrainingError):
        return error.reason, str(error)
    if isinstance(error, LabtuiError):
        if _disk_full(error.__cause__):
            return "disk-full", f"{error}; free some space and resume"
        return "error", str(error)
    if out_of_memory(error):
        return "oom", f"out of memory{_advice(train or {})} ({first_line(error)})"
    if isinstance(error, OSError) and _disk_full(error):
        return "disk-full", f"{error.strerror}: {error.filename or ''}; free some space and resume"
    if isinstance(error, SystemExit):
        return "error", f"a part of the recipe called sys.exit({error.code!r}): the log has what it said"
    return "error", f"{type(error).__name__}: {error}"


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, of the device or of the machine."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and any(words in str(error) for words in _MEMORY))
    )


def _disk_full(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in DISK_FULL


def first_line(error: BaseException) -> str:
    """The beginning of an error's text, or its name."""
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


def _advice(train: Mapping[str, Any]) -> str:
    size, count = train.get("batch_size"), train.get("accumulate", 1)
    if size is None:
        return ""
    text = f" with train.batch_size = {size}" + (f" in {count} pieces" if count > 1 else "")
    if train.get("on_oom") == "halve":
        # Where smaller pieces help, they were tried.
        return f"{text}, outside of what train.on_oom can help with: a smaller model or data set may"
    return f'{text}: set train.on_oom = "halve" or train.accumulate = {2 * count}, or a smaller batch'


def say(paths: RunPaths, attempt: int, reason: str, message: str, **more: Any) -> bool:
    """Say why one of several processes failed; False if another one has said so before.

    Args:
        more: `traceback`; the `signal` that ended it; `accumulate`: how all can go on.
    """
    with suppress(OSError), open(paths.failure(attempt), "xb") as file:
        file.write(dumps({"reason": reason, "message": message} | more))
        return True
    return False


def first(paths: RunPaths, attempt: int, wait: float = 0.0) -> dict[str, Any]:
    """What the process said that failed first; empty when none has within `wait` seconds."""
    end = time.monotonic() + wait
    while not (found := read_json(paths.failure(attempt))) and time.monotonic() < end:
        time.sleep(0.1)
    return found or {}
