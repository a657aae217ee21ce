"""Which files of a lab are its own code, and which are too many, too large or nobody's business."""

from __future__ import annotations

import os
import re
import stat
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from labtui.snapshot import git

SOURCE = re.compile(
    r"\.(py|pyi|pyx|pxd|sh|bash|c|h|cc|cpp|hpp|cu|cuh|f|f90|go|jl|js|lua|m|r|rs|ts)$", re.IGNORECASE
)
"""Names of files that programs read and do not write."""
LARGEST, LARGEST_TRACKED = 1_000_000, 10_000_000
"""Bytes of one file that git does not know, and of one that it tracks."""
SOURCES, OTHERS = (50_000_000, 5_000), (10_000_000, 1_000)
"""Bytes and number of files in all, of those with a source's ending and of others."""
LOOKED_AT = 20_000
"""Files and folders that are looked at where there is no git to ask."""
NEVER_AT_TOP = ("runs", "labtui.toml")
"""The lab's own: with a labtui.toml the snapshot would pass for a lab."""
PRIVATE = ("**/.env*", "**/.env*/**", *NEVER_AT_TOP)
"""Patterns of what is never taken, nor shown in a diff."""
_SECRET = re.compile(r"(^|/)(\.env[^/]*|\.git)(/|$)", re.IGNORECASE)
_TOOLS = ("__pycache__", "node_modules")


@dataclass(frozen=True)
class File:
    """A file or symbolic link that may be taken."""

    size: int
    tracked: bool
    executable: bool
    points: str | None
    """Where a symbolic link of the snapshot points; empty if it would point out of the lab; None for a
    file."""


def source(name: str) -> bool:
    """Whether a file's name says that it is program text."""
    return SOURCE.search(name) is not None


def tracked(lab: Path) -> dict[str, File]:
    """What git tracks or does not know and does not ignore, with submodules and inner repositories.

    Raises:
        git.Silent: the lab is in no repository, or git cannot be asked.
    """
    found, folders = {}, [""]
    for folder in folders:
        try:
            listing = list(git.files(lab / folder, () if folder else PRIVATE))
        except git.Silent:
            if not folder:
                raise
            continue  # left out as a whole
        for name, known in listing:
            name = os.path.join(folder, name)
            if _private(name):
                continue
            if file := _file(lab, name, known):
                found[name] = file
            elif os.path.lexists(lab / name / ".git"):  # a submodule that is there
                folders.append(name)
    return found


def walked(lab: Path) -> dict[str, File]:
    """What may be code where there is no git to say so: the top first, at most LOOKED_AT names."""
    found, folders, looked = {}, deque([""]), 0
    while folders and looked < LOOKED_AT:
        folder = folders.popleft()
        for name in sorted(_names(lab / folder)):
            looked += 1
            whole = os.path.join(folder, name)
            if name.startswith(".") or name in _TOOLS or name.endswith(".pyc") or _private(whole):
                continue
            if file := _file(lab, whole, False):
                found[whole] = file
            elif os.path.isdir(lab / whole) and not os.path.exists(lab / whole / "pyvenv.cfg"):
                folders.append(whole)
    return found


def choose(found: Mapping[str, File]) -> tuple[dict[str, File], dict[str, str]]:
    """What is taken of what was found, and why the rest is not.

    Of others those come first that have few beside them in their folder, and small ones, so that a
    folder full of data does not take the place of a configuration. A folder without sources below it
    is not taken in part for lack of room: one link leads to it then.
    """
    taken, why = {}, {}
    beyond = set()
    beside = Counter(_folder(name) for name in found if not source(name))
    room = {True: list(SOURCES), False: list(OTHERS)}
    for name in sorted(found, key=lambda name: (beside[_folder(name)], found[name].size, name)):
        file, left = found[name], room[source(name)]
        most = LARGEST_TRACKED if file.tracked else LARGEST
        if file.points == "":
            why[name] = "points out of the lab"
        elif file.size > most:
            why[name] = f"larger than {most / 1e6:g} MB"
        elif file.size > left[0] or left[1] == 0:
            bytes_, files = SOURCES if source(name) else OTHERS
            why[name] = f"beyond {bytes_ / 1e6:g} MB or {files} files in all"
            beyond.add(_folder(name))
        else:
            taken[name] = file
            left[0] -= file.size
            left[1] -= 1
    beyond -= {""}.union(*(_above(name) for name in taken if source(name)))
    for name in [name for name in taken if _folder(name) in beyond]:
        del taken[name]
        why[name] = "there is no room for its whole folder"
    return taken, why


def left_out(lab: Path, taken: dict[str, File], why: Mapping[str, str], otherwise: str) -> dict[str, str]:
    """What lies beside the taken files and is not taken, and why: whole folders where it can be.

    A folder of which git only keeps that it exists (`.gitkeep`, `.gitignore`) is left out whole, and
    its files are dropped from `taken`: what counts in it is what git ignores.

    Args:
        why: reasons that are known.
        otherwise: the reason of what is not in `why`.
    """
    reasons: dict[str, str] = {}
    for name, reason in why.items():
        for part in (name, *_above(name)):
            if part in reasons:  # and so it is for the folders above
                break
            reasons[part] = reason
    folders = {""}.union(*map(_above, taken))
    left: dict[str, str] = {}
    for folder in sorted(folders, key=lambda folder: folder.count("/") + bool(folder), reverse=True):
        names = {os.path.join(folder, name) for name in _names(lab / folder)}
        out = {name for name in names if name not in taken and name not in folders and not _unwanted(name)}
        kept = names - out
        hollow = all(os.path.basename(name).startswith(".git") for name in kept & taken.keys())
        if folder and out and hollow and not kept & folders:
            folders.remove(folder)
            for name in kept & taken.keys():
                del taken[name]
            continue
        left |= {name: reasons.get(name, otherwise) for name in out}
    # A folder that was dropped later than what lies in it takes its place.
    return {name: reason for name, reason in left.items() if all(f in folders for f in _above(name))}


def folders_of(taken: Mapping[str, File]) -> list[str]:
    """The folders of the taken files, outer ones first."""
    return sorted(set().union(*map(_above, taken)) - {""})


def _above(name: str) -> Iterator[str]:
    """The folders in which a file lies, the lab itself (empty) last."""
    while name:
        yield (name := _folder(name))


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _private(name: str) -> bool:
    """Whether something is never taken, nor linked to."""
    return _SECRET.search(name) is not None or name.partition("/")[0] in NEVER_AT_TOP


def _unwanted(name: str) -> bool:
    # A link to the lab's own compiled modules would be written through.
    return _private(name) or os.path.basename(name) == "__pycache__"


def _file(lab: Path, name: str, known: bool) -> File | None:
    """A plain file or symbolic link; None for all else, and for what is gone."""
    try:
        status = os.lstat(f"{lab}/{name}")
        if stat.S_ISLNK(status.st_mode):
            return File(0, known, False, _points(lab, name))
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return File(status.st_size, known, bool(status.st_mode & 0o111), None)


def _points(lab: Path, name: str) -> str:
    """What a link of the lab points to, seen from its place in the snapshot; empty if it points out."""
    to = os.readlink(lab / name)
    here = _folder(name)
    root, real = os.path.realpath(lab), os.path.realpath(lab / name)
    inside = os.path.relpath(real, root)
    if inside.split("/")[0] == ".." or _private(inside):
        return ""
    if to.startswith("/") or os.path.normpath(os.path.join(here, to)).split("/")[0] == "..":
        return os.path.relpath(real, os.path.join(root, here))
    return to
