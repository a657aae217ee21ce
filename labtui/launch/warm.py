"""The client of the warm parent (`labtui.engine.warm`), which forks workers with torch loaded."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

from labtui.files.atomic import dumps
from labtui.files.paths import LabPaths, RunPaths
from labtui.files.toml import flatten

_MOST = 1 << 16


@dataclass(frozen=True)
class Event:
    """What happened to a worker that was asked for.

    `started` tells its `pid`; `ended` its `status` (of a worker that was killed at once the only
    word); `failed` an `error`: nothing works on the run, and it can be started in another way.
    """

    token: str
    kind: Literal["started", "ended", "failed"]
    pid: int = 0
    status: int = 0
    """Exit status, negative for a signal."""
    error: str = ""


class Warm:
    """Asks for workers now, tells of them later; never waits.

    The parent is started when it is needed, also when another was killed before. Workers go on
    without their parent, but then nobody will tell how they end.

    Args:
        lab: the folder in which the parent lives.
    """

    def __init__(self, lab: LabPaths) -> None:
        self.lab = lab
        self._parent: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._tokens: dict[int, str] = {}
        """Of requests whose worker has not ended, by number: a token can be used again."""
        self._silent: set[int] = set()
        """Requests of whose worker nothing was heard."""
        self._numbers = count()

    @property
    def alive(self) -> bool:
        """Whether the parent is there, as far as `receive` has seen."""
        return self._channel is not None

    def fileno(self) -> int | None:
        """A descriptor that can be read when there is something to receive; None without a parent."""
        return self._channel.fileno() if self._channel else None

    def start(self) -> None:
        """Start the parent unless it is there. It loads for some seconds, and can be asked meanwhile."""
        if self._channel:
            return
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, suppress(OSError):  # `receive` then finds that nobody is there
            self._parent = subprocess.Popen(
                [sys.executable, "-P", "-m", "labtui.engine.warm"],
                cwd=self.lab.root,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                start_new_session=True,
                # Without a pool of OpenBLAS it has one thread, and nothing is lost in a fork.
                env=os.environ | {"PYTHONUNBUFFERED": "1", "OPENBLAS_NUM_THREADS": "1"},
            )

    def send(
        self,
        token: str,
        paths: RunPaths,
        attempt: int,
        *,
        environment: Mapping[str, str],
        folder: str | os.PathLike[str],
        tables: Mapping[str, Any],
    ) -> None:
        """Ask for the worker of a claimed attempt.

        Args:
            token: names the worker in events.
            environment: variables to set in it.
            folder: its working directory.
            tables: the resolved recipe, whose built-in parts the parent loads before it forks.
        """
        self.start()
        assert self._channel
        number = next(self._numbers)
        self._tokens[number] = token
        self._silent.add(number)
        parts = flatten(tables)
        request = {
            "request": number,
            "run": str(paths.root),
            "attempt": attempt,
            "environment": dict(environment),
            "folder": str(folder),
            "log": str(paths.log),
            "data": parts.get("data.name"),
            "model": parts.get("model.name"),
            "scheme": parts.get("validate.scheme"),
        }
        try:
            self._channel.send(dumps(request))
        except OSError:
            with suppress(OSError):
                self._channel.shutdown(socket.SHUT_RDWR)  # `receive` says what that means

    def receive(self) -> list[Event]:
        """What has happened since the last call."""
        events: list[Event] = []
        while self._channel:
            try:
                packet = self._channel.recv(_MOST, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            except ConnectionResetError:  # it died with requests unread; what it said comes first
                continue
            if packet:
                events += self._events(**json.loads(packet))
            else:
                self.close()
                error = "the warm parent of workers has ended"
                events += [Event(self._tokens[n], "failed", error=error) for n in sorted(self._silent)]
                self._tokens.clear()
                self._silent.clear()
        return events

    def _events(self, request: int, **said: Any) -> Iterator[Event]:
        self._silent.discard(request)
        if "pid" in said and "status" not in said:
            yield Event(self._tokens[request], "started", **said)
        # What could not begin ends too, of which nobody needs to hear.
        elif token := self._tokens.pop(request, None):
            yield Event(token, "ended" if "status" in said else "failed", **said)

    def close(self) -> None:
        """End the parent; its workers go on."""
        if self._channel:
            self._channel.close()
        if self._parent:
            self._parent.kill()
            self._parent.wait()
        self._channel = self._parent = None
