"""Where an attempt works: in the code as it was when the run was queued, else in the lab.

A snapshot lacks what is no code: folders of data, weights, virtual environments, large files. Programs
open such things by relative names, so while an attempt works symbolic links in the snapshot lead to
all that was left out when it was taken (`left_out` in `code.json`). They are made at each start, since
the lab may have been moved, and removed at the end, so that what stays is what was taken and no tool
that follows links wanders off into the data. After a kill they stay until the next start.

Not linked: what came into the lab after the snapshot, and ever `.env*`, `.git`, `runs/` (a program
finds the lab by `$LABTUI_LAB`). New files that a program writes to its working directory stay in
the run's `code/`: two runs do not overwrite each other's. What it writes into a folder or over a file
that was left out goes through the link to the lab, as it would without a snapshot.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from labtui.files.atomic import read_json
from labtui.files.paths import RunPaths
from labtui.files.tell import tell


@contextmanager
def at_work(paths: RunPaths) -> Iterator[Path]:
    """Go to the run's working directory, with all in reach that its code may open or import there.

    One process of an attempt does this, before it starts others.

    Raises:
        OSError: the folder cannot be entered, or a link not be made.
    """
    lab, code = paths.lab.root, paths.workplace
    os.environ["LABTUI_LAB"] = str(lab)
    os.chdir(code)
    if code == lab:
        yield code
        return
    if entries := _below(lab, code):
        sys.path[:0] = entries
        known = [path] if (path := os.environ.get("PYTHONPATH")) else []
        os.environ["PYTHONPATH"] = os.pathsep.join([*entries, *known])
    record = read_json(paths.snapshot) or {}
    if beyond := record.get("out_of_reach"):
        tell(f"labtui: {beyond} names in the lab are left out of the run's code and too many to link")
    names = [entry["name"] for entry in record.get("left_out", [])]
    names = [name for name in names if not {"", "..", "."} & set(name.split("/"))]  # a copy may say anything
    try:
        for name in names:
            _link(lab, code, name)
        yield code
    finally:
        for name in names:
            _unlink(code, name)


def _below(lab: Path, code: Path) -> list[str]:
    """The snapshot's own of the lab's folders on Python's path (`src` of an editable install)."""
    found = []
    for entry in filter(os.path.isabs, sys.path):
        inside = code / os.path.relpath(entry, lab)
        # Not the lab's other runs; and through a link it would be the lab's folder, or its virtual
        # environment, again.
        if inside.is_dir() and inside.resolve().is_relative_to(code.resolve()):
            found.append(str(inside))
    return found


def _link(lab: Path, code: Path, name: str) -> None:
    """Link to one thing in the lab, unless it is gone or the program has put its own there."""
    _unlink(code, name)
    if os.path.lexists(lab / name):
        with suppress(FileExistsError, FileNotFoundError, NotADirectoryError):
            os.symlink(lab / name, code / name)


def _unlink(code: Path, name: str) -> None:
    """Remove a link that this module made, also where the lab was then elsewhere."""
    with suppress(OSError):
        to = os.readlink(code / name)
        if os.path.isabs(to) and to.endswith(f"/{name}"):
            os.unlink(code / name)
