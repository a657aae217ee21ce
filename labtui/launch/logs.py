"""`log.txt` of runs that share a process: one file under the name of each, since a process has one output."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from labtui.files.paths import RunPaths


def share(runs: Sequence[RunPaths]) -> None:
    """Give the runs of one process one log, which no other run has too. A run that has a log of its own keeps
    it, and there it says where to read on.

    Raises:
        OSError: the log of the first run, which the process writes to, is not to be had.
    """
    first, *others = runs
    before = _file(first.log)
    if before and before.st_nlink > 1:  # it was trained together with runs that are not among these
        _replace(first.log, lambda new: shutil.copyfile(first.log, new))
    for paths in others:
        own = _file(paths.log)
        with suppress(OSError):  # where files have one name only
            if own is None or (before and os.path.samestat(own, before)):
                first.log.touch()
                _replace(paths.log, lambda new: os.link(first.log, new))
                continue
        with suppress(OSError), open(paths.log, "ab") as log:
            log.write(f"labtui: trained together with {first.id}; its log is this run's too\n".encode())


def _file(path: Path) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _replace(path: Path, make: Callable[[Path], object]) -> None:
    """Put a file in the place of another one, at once."""
    new = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    new.unlink(missing_ok=True)
    make(new)
    os.replace(new, path)
