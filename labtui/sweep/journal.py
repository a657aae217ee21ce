"""The file of a search's journal: lines that Optuna replays, whole or not there."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from labtui.errors import JournalError, LabError
from labtui.files.paths import SweepPaths

if TYPE_CHECKING:
    from optuna.storages import JournalStorage

_LASTING = ("study_name", "state", "user_attr")
"""What a line has that is to survive a power failure, with all before it. The parts of a candidate that is being
drawn are none: it is one when its last line says so."""


def storage(paths: SweepPaths) -> JournalStorage:
    """The journal, which is made where there is none."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    lock = JournalFileOpenLock(str(paths.journal))

    class Backend(JournalFileBackend):
        """A line that a killed writer or a full disk has left half written is none, and goes before the next."""

        def append_logs(self, logs: list[dict[str, Any]]) -> None:
            lines = (json.dumps(log, separators=(",", ":")) for log in logs)
            lock.acquire()
            try:
                with open(paths.journal, "r+b") as file:
                    end = _whole(file)
                    file.truncate(end)
                    file.seek(end)
                    file.write("".join(f"{line}\n" for line in lines).encode())
                    file.flush()
                    if any(key in log for key in _LASTING for log in logs):
                        os.fsync(file.fileno())
            finally:
                lock.release()

    return JournalStorage(Backend(str(paths.journal), lock_obj=lock))


@contextmanager
def guarded(paths: SweepPaths) -> Iterator[None]:
    """What Optuna says of a journal that is broken or cannot be used, as an error that says what to do.

    Raises:
        JournalError: it is damaged, or of another version.
        LabError: it cannot be read or written.
    """
    try:
        yield
    except OSError as error:
        raise LabError(f"{paths.journal}: cannot be read or written ({error.strerror})") from error
    except (ValueError, AssertionError, KeyError, TypeError, AttributeError) as error:
        raise JournalError(
            f"{paths.journal}: cannot be read ({type(error).__name__}: {error}): it is damaged, or of another "
            f"version of Optuna{remedy(paths)}"
        ) from error


def remedy(paths: SweepPaths) -> str:
    """What to do about a journal that cannot be used."""
    return (
        f"; put the file back from a copy, or take it away: `labtui resume {paths.id}` puts the search together "
        "again from its runs"
    )


def _whole(file: IO[bytes]) -> int:
    """Where the last whole line of a file ends."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - 65536)
        file.seek(start)
        place = file.read(end - start).rfind(b"\n")
        if place >= 0:
            return start + place + 1
        end = start
    return 0
