"""The time that looking at a training may take: a share of the training's own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

SHARE = 0.03
"""Of the training's time, for all that looks at it."""
WHILE = 0.015
"""Of the training's time, for what looks at it while it goes on; the rest is for its end."""
FREE = 0.04
"""Seconds that may be taken of any training: also of a short one something is seen."""


class Budget:
    """What was spent on looking at one training, and what may be.

    It is made when the training begins. Time is that of this thread, so that others at work here make no difference.
    What is seen depends on it; the training does not.
    """

    def __init__(self) -> None:
        self._begun = time.thread_time()
        self.among = 1
        """Trainings that are done together, and share the time."""
        self.spent = 0.0
        """Seconds."""
        self._open: float | None = None
        """Since when time is being spent, at this moment."""

    @property
    def trained(self) -> float:
        """Seconds that went by without being spent."""
        return max(0.0, (time.thread_time() - self._begun) / self.among - self.spent)

    def left(self, share: float = SHARE) -> float:
        """Seconds that may be spent by now."""
        open_ = 0.0 if self._open is None else time.thread_time() - self._open
        return share * max(FREE / SHARE, self.trained - open_) - self.spent - open_

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Count the time that passes inside; not twice, where this is inside itself."""
        if self._open is not None:
            yield
            return
        self._open = time.thread_time()
        try:
            yield
        finally:
            self.spent += time.thread_time() - self._open
            self._open = None
