"""The lab's own code as it is when a run is queued, kept in `runs/<id>/code` and run from there.

What is taken, below the lab folder only: files that git tracks, as they are now, and files that git
does not know and does not ignore. Never what git ignores, nor `.env*`, `.git` and `runs/`, nor what
is neither file nor link. Without git: all but hidden names, virtual environments and what tools make.

Program text is written once for all runs of a launch: they share it by hard links, and it is read-only,
so that no run changes another's by accident. All else is a copy of the run's own that it may write,
and is held small for that reason: a program that ends with `open("history.json", "w")` must not fail
there, after hours, because somebody once ran it by hand in the lab.

`code.json` says what was left out and why; while the run works, links lead to it (see
`labtui.engine.workplace`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from shutil import rmtree
from typing import Any, Self

from labtui.files.atomic import dumps
from labtui.files.paths import LabPaths, RunPaths
from labtui.snapshot import copying, git, selection
from labtui.snapshot.selection import File

DIFF = 10_000_000
"""Most bytes of `code.diff`."""
LINKS = 10_000
"""Most names in `left_out` of `code.json`."""


def needed(tables: Mapping[str, Any]) -> bool:
    """Whether a resolved recipe runs code of the lab's own."""
    return "command" in tables or any("factory" in tables.get(part, {}) for part in ("data", "model"))


class Snapshot:
    """The code of one launch: taken when its first run needs it, the same for all of them.

    To be used as a context: until the last run has it, a copy that no run can change lies in
    `runs/.new-*`.

    Args:
        lab: whose code it is.
        count: how many runs are to get it.
        kept: where it stays for runs to come, laid out as in a run's directory; what lies there already
            is what they get. Absent: nowhere.
    """

    def __init__(self, lab: LabPaths, count: int, kept: RunPaths | None = None) -> None:
        self._lab, self._count, self._kept = lab, count, kept
        self._store = RunPaths(lab.runs / f".new-{os.getpid()}-{os.urandom(4).hex()}")
        self._taken: dict[str, File] | None = None
        if kept and kept.snapshot.exists():
            self._store, self._taken = kept, _lying(kept.code)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._store != self._kept:
            rmtree(self._store.root, ignore_errors=True)

    def into(self, folder: Path) -> None:
        """Give a run its code: `code/`, `code.json`, and `code.diff` if there is one.

        Args:
            folder: the run's directory, while nobody sees it yet.

        Raises:
            OSError: it cannot be written.
        """
        if self._taken is None:
            self._store.root.mkdir(mode=0o700)
            self._taken = _take(self._lab.root, self._store)
            if self._kept:
                self._keep(self._kept)
        self._count -= 1
        if self._count > 0 or self._kept:
            self._share(RunPaths(folder), self._taken)
        else:
            self._hand_over(RunPaths(folder), self._taken)

    def _keep(self, kept: RunPaths) -> None:
        """Put what was taken where it stays; `code.json` last, which says that it is whole."""
        forget(kept)
        for path in sorted(self._store.root.iterdir(), key=lambda path: path.name == kept.snapshot.name):
            path.rename(kept.root / path.name)
        self._store.root.rmdir()
        self._store = kept

    def _share(self, run: RunPaths, taken: Mapping[str, File]) -> None:
        own = []
        _make_folders(run.code, taken)
        here, there = f"{self._store.code}/", f"{run.code}/"
        for name, file in taken.items():
            if file.points is not None:
                os.symlink(file.points, there + name)
            elif selection.source(name):
                copying.link(here + name, there + name)
            else:
                copying.copy(here + name, there + name, _own_mode(file))
                own.append(there + name)
        copying.sync(own)
        for kept in (self._store.snapshot, self._store.diff):
            if kept.exists():
                copying.link(str(kept), str(run.root / kept.name))

    def _hand_over(self, run: RunPaths, taken: Mapping[str, File]) -> None:
        """What `_share` does, for the last run, which needs no links and copies."""
        for name, file in taken.items():
            if file.points is None and not selection.source(name):
                os.chmod(self._store.code / name, _own_mode(file))
        for kept in self._store.root.iterdir():
            kept.rename(run.root / kept.name)


def forget(kept: RunPaths) -> None:
    """Remove code that was kept for runs to come: the next one gets the lab's as it is then."""
    for path in (kept.snapshot, kept.diff):
        path.unlink(missing_ok=True)
    rmtree(kept.code, ignore_errors=True)


def _lying(code: Path) -> dict[str, File]:
    """The files of a copy that was taken before, by name."""
    found = {}
    for folder, folders, names in os.walk(code):
        links = [name for name in folders if os.path.islink(f"{folder}/{name}")]
        for name in [*names, *links]:
            path = f"{folder}/{name}"
            status = os.lstat(path)
            points = os.readlink(path) if name in links or os.path.islink(path) else None
            found[os.path.relpath(path, code)] = File(
                status.st_size, True, bool(status.st_mode & 0o100), points
            )
    return found


def _own_mode(file: File) -> int:
    return 0o755 if file.executable else 0o644


def _take(lab: Path, store: RunPaths) -> dict[str, File]:
    """Copy the lab's code, and say in `code.json` what it is.

    Returns:
        What was taken, by name.
    """
    try:
        found = selection.tracked(lab)
        facts, otherwise = _facts(lab, store, found), "ignored by git"
    except git.Silent as reason:
        found = selection.walked(lab)
        facts = {"commit": None, "branch": None, "dirty": None, "diff": None, "without_git": str(reason)}
        otherwise = "hidden, empty, made by a tool, or beyond what is looked at without git"
    taken, why = selection.choose(found)
    left = selection.left_out(lab, taken, why, otherwise)
    _make_folders(store.code, taken)
    here, there = f"{lab}/", f"{store.code}/"
    for name, file in list(taken.items()):
        if file.points is not None:
            os.symlink(file.points, there + name)
        elif not copying.copy(here + name, there + name, 0o555 if file.executable else 0o444):
            del taken[name]
            left[name] = "cannot be read"
    names = sorted(left)
    facts |= {
        "files": len(taken),
        "bytes": sum(file.size for file in taken.values()),
        "left_out": [{"name": name, "why": left[name]} for name in names[:LINKS]],
        "out_of_reach": len(names[LINKS:]),
    }
    store.snapshot.write_bytes(dumps({"time": time.time()} | facts))
    records = [path for path in (store.snapshot, store.diff) if path.exists()]
    for path in records:
        path.chmod(0o444)
    copying.sync([*map(str, records), *(there + name for name in taken if taken[name].points is None)])
    return taken


def _facts(lab: Path, store: RunPaths, found: Mapping[str, File]) -> dict[str, Any]:
    """Commit, branch, place in the repository, whether the code differs from the commit; `code.diff`."""
    head = git.head(lab)
    if head is None:
        return {"commit": None, "branch": None, "folder": "", "dirty": True, "diff": None}
    commit, branch, folder = head
    diff = git.diff(lab, selection.PRIVATE, DIFF)
    if diff:
        store.diff.write_bytes(diff)
    return {
        "commit": commit,
        "branch": branch or None,
        "folder": folder,
        "dirty": diff != b"" or not all(file.tracked for file in found.values()),
        "diff": "too large, or git cannot tell" if diff is None else store.diff.name if diff else None,
    }


def _make_folders(code: Path, taken: Mapping[str, File]) -> None:
    for folder in ("", *selection.folders_of(taken)):
        os.mkdir(f"{code}/{folder}", 0o700)
