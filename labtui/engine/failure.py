"""An error as a run's reason and a message for people. No torch."""

from __future__ import annotations

from labtui.errors import LabtuiError, TrainingError
from labtui.files.atomic import DISK_FULL


def explain(error: BaseException, batch_size: int | None = None) -> tuple[str, str]:
    """Reason (error, oom, disk-full, nan, launch) and message.

    Args:
        batch_size: samples of one step, named when memory ran out.
    """
    if isinstance(error, TrainingError):
        return error.reason, str(error)
    if isinstance(error, LabtuiError):
        return "error", str(error)
    if _out_of_memory(error):
        advice = f"out of memory with train.batch_size = {batch_size}: try a smaller one"
        if batch_size is None:
            advice = "out of memory"
        return "oom", f"{advice} ({_first_line(error)})"
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        return "disk-full", f"{error.strerror}: {error.filename or ''}; free some space and resume"
    return "error", f"{type(error).__name__}: {error}"


def _out_of_memory(error: BaseException) -> bool:
    text = str(error)
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text))
    )


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
