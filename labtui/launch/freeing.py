"""What takes room in a lab and could be freed, and freeing it.

Which runs are surpassed by a better one the caller says; nothing of a run that runs or waits is ever
found here, and each is looked at again, under its lock, before anything of it goes.
"""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from labtui import run
from labtui.errors import LabError
from labtui.files import process, toml
from labtui.files.atomic import locked
from labtui.files.paths import LabPaths, RunPaths
from labtui.recipe import naming

AGE = 3600.0
"""Seconds after which what an unknown process left half done counts as abandoned."""
UNUSED = 30 * 24 * 3600.0
"""Seconds after which a cache that no run used counts as not needed."""

_UNFINISHED = ".*.tmp"
_GOES_ON = ("failed", "stopped", "preempted", "lost")
"""States of runs that ended and can be resumed."""
_MAKER = re.compile(r"\.new-(\d+)-[0-9a-f]+|\..+\.(\d+)\.[0-9a-f]+\.tmp")
"""Names of what is being made, with the pid of its maker."""


@dataclass(frozen=True)
class Garbage:
    """Files or folders of one kind that can be freed together.

    `kind` is `leftover` (half made or half removed by a process that is gone), `cache` (data that was long
    not used and can be made anew), or of a surpassed run
    `checkpoints` (what it has no more use for), `resumable` (what it goes on from when it is resumed),
    `best` (its best weights).
    """

    kind: str
    run: str
    """Id of the run; empty for what is the lab's."""
    state: str
    attempt: int
    paths: tuple[Path, ...]
    size: int
    """Bytes."""


def leftovers(lab: LabPaths) -> Iterator[Garbage]:
    """What processes that are gone left half done, in the lab and in its runs."""
    unfinished = [path for place in _in(lab.cache, "*") for path in _in(place, _UNFINISHED)]
    own = _in(lab.own, _UNFINISHED)
    for path in (*_in(lab.runs, ".new-*"), *_in(lab.runs, ".trash-*"), *own, *unfinished):
        if _abandoned(path):
            yield Garbage("leftover", "", "", 0, (path,), _size(path))
    for run_id in lab.run_ids():
        paths = lab.run(run_id)
        for folder in (paths.root, paths.checkpoints, paths.artifacts):
            if found := tuple(path for path in _in(folder, _UNFINISHED) if _abandoned(path)):
                yield Garbage("leftover", run_id, "", 0, found, sum(map(_size, found)))


def caches(lab: LabPaths) -> Iterator[Garbage]:
    """Data that was decoded for runs, and that none has used for long."""
    for place in _in(lab.cache, "*"):
        if _older(place, UNUSED):
            yield Garbage("cache", "", "", 0, (place,), _size(place))


def checkpoints(lab: LabPaths, surpassed: Iterable[str]) -> Iterator[Garbage]:
    """Checkpoints of runs that ended, of each kind on its own.

    Args:
        surpassed: ids of runs whose checkpoints nobody needs, for all that the caller knows.
    """
    for run_id in surpassed:
        paths = lab.run(run_id)
        there = [path for path in _in(paths.checkpoints, "*.pt") if _plain(path)]
        if not there:
            continue
        status = run.derive(paths)
        for kind, names in _kinds(status, _named(paths)).items():
            files = tuple(
                path for path in there if any(fnmatch.fnmatchcase(path.name, name) for name in names)
            )
            if files:
                yield Garbage(kind, run_id, status.state, status.attempt, files, sum(map(_size, files)))


def _named(paths: RunPaths) -> list[str]:
    """Patterns of the names that the run's recipe gives its checkpoints."""
    try:
        return [naming.glob(toml.read(paths.recipe)["checkpoints"]["name"])]
    except (OSError, ValueError, LookupError, TypeError):
        return []


def _kinds(status: run.Status, named: list[str]) -> dict[str, list[str]]:
    """Kind to patterns of file names, for a run in this state."""
    if status.state == "finished":
        return {"checkpoints": ["last.pt", "epoch-*.pt", "best-*.pt", *named], "best": ["best.pt"]}
    # What is lost on another host may live there all the same.
    here = status.process.get("host", process.host()) == process.host()
    if status.state in _GOES_ON and (here or status.state != "lost"):
        return {
            "checkpoints": ["epoch-*.pt", *named],
            "resumable": ["last.pt", "best-*.pt"],
            "best": ["best.pt"],
        }
    return {}


def free(lab: LabPaths, garbage: Garbage) -> int:
    """Remove it, unless it is no longer what it was; the bytes that this freed.

    Raises:
        LabError: something cannot be removed.
    """
    if garbage.kind == "leftover":
        return sum(_remove(path) for path in garbage.paths if _abandoned(path))
    if garbage.kind == "cache":
        return sum(_remove(path) for path in garbage.paths if _older(path, UNUSED))
    paths = lab.run(garbage.run)
    if not paths.root.is_dir():
        return 0
    with locked(paths.root):
        if not _as_it_was(paths, garbage):
            return 0
        return sum(_remove(path) for path in garbage.paths)


def _as_it_was(paths: RunPaths, garbage: Garbage) -> bool:
    status = run.derive(paths)
    return (status.state, status.attempt) == (garbage.state, garbage.attempt)


def _in(folder: Path, pattern: str) -> list[Path]:
    """What a folder holds under such names, in order; nothing where there is no folder."""
    with suppress(OSError):
        return [folder / name for name in sorted(fnmatch.filter(os.listdir(folder), pattern))]
    return []


def _abandoned(path: Path) -> bool:
    """Whether it has not been touched for long, and was made by no process that lives here."""
    maker = _MAKER.fullmatch(path.name)
    return _older(path, AGE) and not (maker and os.path.exists(f"/proc/{maker[1] or maker[2]}"))


def _older(path: Path, seconds: float) -> bool:
    """Whether it is there and was not changed for so long."""
    try:
        return time.time() - os.lstat(path).st_mtime > seconds
    except OSError:
        return False


def _plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder; links are not followed."""
    size = 0
    with suppress(OSError):
        size = os.lstat(path).st_size
    if path.is_dir() and not path.is_symlink():
        for folder, _, names in os.walk(path):
            for name in names:
                with suppress(OSError):
                    size += os.lstat(os.path.join(folder, name)).st_size
    return size


def _remove(path: Path) -> int:
    size = _size(path)
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    except FileNotFoundError:
        return 0  # somebody was faster
    except OSError as error:
        raise LabError(f"{error.filename or path}: cannot be removed ({error.strerror})") from error
    return size
