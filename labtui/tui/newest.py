"""Work that would hold up the screen, one job at a time: of what was asked for meanwhile, the newest is next."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from textual.widget import Widget

from labtui.errors import told

Job = Callable[[], Any]
Done = Callable[[Any], object]

LONGEST = 5.0
"""Seconds between two jobs at most, however long they take."""


class Newest:
    """A worker of a screen or a widget.

    Args:
        owner: whose worker it is; when that has gone, nothing is told any more.
        name: of the worker.
        share: of its time it works at most, where nobody waits for a job.
    """

    def __init__(self, owner: Widget, name: str, share: float = 0.5) -> None:
        self.owner, self.name, self.share = owner, name, share
        self._lock, self._hurry = threading.Lock(), threading.Event()
        self._next: tuple[Job, Done] | None = None
        self.busy = False

    def ask(self, job: Job, done: Done, hurry: bool = True) -> None:
        """Do this next; what waits is not done any more.

        Args:
            job: is called in the worker.
            done: is called where the screens are, with what the job returned, or why it failed.
            hurry: somebody waits for it; otherwise not before the worker has rested.
        """
        with self._lock:
            self._next = (job, done)
            begin, self.busy = not self.busy, True
            if hurry:
                self._hurry.set()
        if begin:
            self.owner.run_worker(self._work, thread=True, name=self.name, group=self.name)

    def stop(self) -> None:
        """Begin nothing more."""
        with self._lock:
            self._next = None
            self._hurry.set()

    def _work(self) -> None:
        app = self.owner.app
        while True:
            with self._lock:
                found, self._next = self._next, None
                if found is None:
                    self.busy = False
                    return
                self._hurry.clear()
            began = time.thread_time()
            value = _tried(found[0])
            spent = time.thread_time() - began
            app.call_from_thread(self._tell, found[1], value)
            if self._next:
                self._hurry.wait(min(spent / self.share - spent, LONGEST))

    def _tell(self, done: Done, value: Any) -> None:
        if self.owner.is_attached:
            done(value)


class Failed(str):
    """Why a job came to nothing, in words."""


def _tried(job: Job) -> Any:
    """What a job returns. Whatever goes wrong is told, not raised: a screen outlives data that are broken."""
    try:
        return job()
    except Exception as error:
        return Failed(told(error))
