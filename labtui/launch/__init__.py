"""The changing side: making runs, starting, stopping, resuming and removing them."""

from labtui.launch.control import remove, resume, stop
from labtui.launch.start import enqueue, judge, reap, start, start_all

__all__ = ["enqueue", "judge", "reap", "remove", "resume", "start", "start_all", "stop"]
