"""The changing side: making runs, starting, stopping, resuming and removing them."""

from labtui.launch.control import remove, resume, stop
from labtui.launch.start import Worker, enqueue, reap, start, start_all

__all__ = ["Worker", "enqueue", "reap", "remove", "resume", "start", "start_all", "stop"]
