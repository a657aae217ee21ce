"""One supervisor per lab and machine: its lock, and how it is started and called.

The lock is `flock` on a file, so it dies with its holder. Who finds it free takes it and hands it to
the supervisor that it starts: two can never be at work, and none is started in vain. A supervisor
that wants to leave gives the lock up first and looks once more; whoever asked before that look is
seen, whoever asks later finds the lock free.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from typing import Any

from labtui.errors import LabError, LaunchError
from labtui.files import process
from labtui.files.atomic import NO_LOCKS, dumps, read_json
from labtui.files.paths import LabPaths

CALL = signal.SIGURG
"""Asks the supervisor to look. A process that has no handler for it yet ignores it."""
_LOG_SIZE = 1_000_000
_PATIENCE = 10.0
_MOMENT = 50
"""Hundredths of a second in which a supervisor answers, as a rule."""


class Lock:
    """The supervisor's lock of a lab, on this machine.

    Args:
        fd: of the locked file, when it was handed over; absent: not held yet.
    """

    def __init__(self, lab: LabPaths, fd: int | None = None) -> None:
        self._path, self._lab = lab.agent, lab
        self._fd = fd

    def take(self) -> bool:
        """Take the lock if it is free.

        Raises:
            LabError: the lab cannot be written, or there are no locks on its file system.
        """
        if self._fd is None:
            try:
                self._lab.own.mkdir(parents=True, exist_ok=True, mode=0o700)
                fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                # Not as 0 to 2, where these are closed: as those the supervisor could not inherit it.
                self._fd = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)
                os.close(fd)
            except OSError as error:
                raise LabError(f"{self._path}: cannot be opened ({error.strerror})") from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise LabError(f"{self._path}: cannot be locked ({error.strerror}){NO_LOCKS}") from None
        return True

    def sign(self) -> None:
        """Say in the file which process holds it."""
        assert self._fd is not None
        record = dumps(process.identity())
        os.pwrite(self._fd, record, 0)  # over the old one, for which a full disk has room
        os.ftruncate(self._fd, len(record))

    def answer(self) -> None:
        """Say that what was asked for until now is known."""
        assert self._fd is not None
        os.utime(self._fd, ns=(0, time.time_ns()))

    def lost(self) -> bool:
        """Whether the lab has another file by now or is elsewhere, where nobody knows of this one."""
        try:
            return not os.path.samestat(os.fstat(self.fileno()), os.stat(self._path))
        except OSError:
            return True

    def fileno(self) -> int:
        """The locked file."""
        assert self._fd is not None
        return self._fd

    def give_up(self) -> None:
        """Free the lock."""
        assert self._fd is not None
        fcntl.flock(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Forget the file. A process that it was handed to still holds the lock."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def wake(lab: LabPaths) -> None:
    """See to it that a supervisor is at work and looks at what is queued now.

    Raises:
        LabError: the lab cannot be written.
        LaunchError: the supervisor cannot be started, or is another user's.
    """
    lock = Lock(lab)
    patience = time.monotonic() + _PATIENCE
    try:
        while not lock.take():
            # Where nobody answers the holder is about to sign, or to end: it may have been killed.
            if _answers(lab) or time.monotonic() > patience:
                return
        _start(lab, lock)
    finally:
        lock.close()


def _answers(lab: LabPaths) -> bool:
    """Have the supervisor look, and wait a moment for its answer."""
    before = _answered(lab)
    called = call(lab)
    for _ in range(_MOMENT if called else 1):
        time.sleep(0.01)
        if _answered(lab) != before:
            return called
    return False


def _answered(lab: LabPaths) -> int:
    try:
        return os.stat(lab.agent).st_mtime_ns
    except OSError:
        return 0


def call(lab: LabPaths) -> bool:
    """Have the supervisor look, if there is one.

    Raises:
        LaunchError: it is another user's.
    """
    try:
        return process.send(read_json(lab.agent) or {}, CALL)
    except LaunchError as error:
        raise LaunchError(f"{lab.root}: has a supervisor, but {error}; a lab is for one user") from None


def at_work(lab: LabPaths) -> dict[str, Any] | None:
    """The supervisor's identity; None when there is none on this machine."""
    found = read_json(lab.agent)
    return found if process.alive(found) else None


def _start(lab: LabPaths, lock: Lock) -> None:
    log = lab.own / "agent.log"
    arguments = [sys.executable, "-P", "-m", "labtui.agent", str(lab.root), str(lock.fileno())]
    try:
        if log.exists() and log.stat().st_size > _LOG_SIZE:
            log.replace(log.with_suffix(".log.1"))
        with open(log, "ab") as output:
            child = subprocess.Popen(
                arguments,
                cwd=lab.root,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[lock.fileno()],
                env={key: value for key, value in os.environ.items() if key != "LABTUI_RUN"},
            )
    except OSError as error:
        why = f"{error.strerror}: {error.filename}"
        raise LaunchError(f"the supervisor cannot be started ({why})") from error
    child.returncode = 0  # it outlives this process on purpose, of which Popen would warn
