"""A worker as its supervisor watches it: its own child, the warm parent's, or one that it found."""

from __future__ import annotations

import math
import os
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from labtui.files import process
from labtui.files.atomic import read_json
from labtui.files.paths import RunPaths
from labtui.launch import verdict
from labtui.launch.slots import Need, Place, Running
from labtui.recipe.stack import APART

INSTANT = 30.0
"""Seconds within which an end without a single metric counts as a failure to get going."""

PAUSE = 1.0
"""Seconds between two looks at runs that may end while their process lives on."""


class Attempt:
    """One attempt at work and the place that it takes.

    Args:
        resources: the recipe's `[resources]`.
        identity: of its process, when it was found; absent while it has none yet.
        fresh: whether this supervisor started it.
        stack: what it has in common with the other runs of its process, which has one place for all; empty:
            its process works on nothing else.
    """

    def __init__(
        self,
        paths: RunPaths,
        number: int,
        place: Place,
        need: Need,
        resources: Mapping[str, Any],
        *,
        identity: Mapping[str, Any] | None = None,
        fresh: bool = True,
        stack: str = "",
    ) -> None:
        self.paths, self.number, self.resources = paths, number, resources
        self.place, self.need, self.stack = place, need, stack
        self.fresh, self.begun = fresh, time.monotonic()
        self.apart = False
        """Whether its process has left without it: it is to be started alone."""
        self.has_parent = False
        """Whether the warm parent forked it, is there, and will say how it ended."""
        self._child: subprocess.Popen[bytes] | None = None
        self._status: int | None = None
        self._told = False
        self._identity: dict[str, Any] | None = None
        self._fd: int | None = None
        self._step, self._moved = "", time.monotonic()
        self._oom_kills = process.oom_kills()
        if identity is not None:
            self.runs_as(identity["pid"], identity)

    @property
    def running(self) -> Running:
        """What it takes of the machine."""
        return Running(self.place, self.need, self.pid)

    @property
    def pid(self) -> int | None:
        """Its process; None as long as that is not known."""
        return self._identity["pid"] if self._identity else None

    def watches(self, child: subprocess.Popen[bytes]) -> None:
        """Watch a child of this process."""
        self._child = child
        self.runs_as(child.pid)

    def runs_as(self, pid: int, identity: Mapping[str, Any] | None = None) -> None:
        """Watch this process."""
        self._identity = dict(identity or process.identity(pid))
        with suppress(OSError):
            self._fd = os.pidfd_open(pid)

    def fileno(self) -> int | None:
        """A descriptor that can be read when the process has ended; None where somebody else will say so."""
        return None if self.has_parent else self._fd

    def told(self, status: int) -> None:
        """Its warm parent says that it has ended, or that it never began: it could not be started."""
        self._status, self._told = status, True

    def ended(self) -> bool:
        """Whether it has ended; the run has then been told how."""
        over = self._told
        if self._child is not None:
            self._status = self._child.poll()
            over = self._status is not None
        elif self._identity is not None and not self.has_parent:
            over = over or not process.alive(self._identity)
        if over:
            self.apart = bool(self.stack) and self._status in (APART, None) and not self._begun()
            if not self.apart:
                verdict.judge(self.paths, self.number, self._status, self._oom_kills)
        elif self.stack:
            over = self._left()
        if over:
            self.close()
        return over

    def _begun(self) -> bool:
        """Whether the worker has taken the run over."""
        return bool((read_json(self.paths.process) or {}).get("attempt") == self.number)

    def _left(self) -> bool:
        """Whether the worker is done with this run, though it lives on for others."""
        if not self.paths.result.exists():
            return False
        worker = read_json(self.paths.process) or {}
        return bool(worker.get("attempt") == self.number and worker.get("released"))

    def close(self) -> None:
        """Stop watching."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def got_going(self) -> bool:
        """Whether it did anything: it lived for a while or logged something."""
        if not self.fresh or time.monotonic() - self.begun > INSTANT:
            return True
        with suppress(OSError):
            return os.stat(self.paths.metrics).st_size > 0
        return False

    @property
    def patience(self) -> float:
        """Seconds until it has to be looked at, also when nobody calls."""
        limit = self.resources.get("hang_timeout")
        longest = PAUSE if self.stack else math.inf
        return 0.0 if self._told else min(longest, max(0.05, limit / 4)) if limit else longest

    def hangs(self) -> bool:
        """Whether its step has not moved for `resources.hang_timeout`."""
        limit = self.resources.get("hang_timeout")
        if not limit or self._identity is None:
            return False
        step = ""
        if (read_json(self.paths.process) or {}).get("attempt") == self.number:
            with suppress(OSError):
                step = self.paths.heartbeat.read_text().strip()
        now = time.monotonic()
        if step != self._step:
            self._step, self._moved = step, now
        return bool(now - self._moved >= limit)

    def end_hung(self) -> None:
        """End the worker, and say so."""
        limit = self.resources["hang_timeout"]
        message = (
            f"no new step for {limit:g} s (resources.hang_timeout) after step {self._step or 0}: the worker "
            f"was ended; see `labtui logs {self.paths.id}`; `labtui resume {self.paths.id}` goes on from "
            "the last checkpoint"
        )
        verdict.write(self.paths, self.number, "hang", message)
        self._moved = time.monotonic()
        process.kill_group(self._identity or {})
