"""The changing side: queueing runs, starting them, stopping, resuming and removing them."""

from labtui.launch.control import remove, resume, retries_left, stop, stop_all, withdraw
from labtui.launch.queue import in_slurm, why_waiting
from labtui.launch.start import enqueue
from labtui.launch.wake import at_work, wake

__all__ = [
    "at_work",
    "enqueue",
    "in_slurm",
    "remove",
    "resume",
    "retries_left",
    "stop",
    "stop_all",
    "wake",
    "why_waiting",
    "withdraw",
]
