"""What git says of a folder: its files, its commit, and what was changed since.

It is only asked: no lock is taken, no hook or file system monitor runs, and no question takes longer
than SECONDS. Who has no git, or may not read the repository, gets a reason instead.
"""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

SECONDS = 20.0
"""Most that git may take for one answer."""
_MOST = 100_000_000
_SAFE = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false")
# Set where labtui is called from a hook; they would name that repository, not the lab's.
_OF_ANOTHER = frozenset(
    f"GIT_{name}"
    for name in ("DIR", "WORK_TREE", "INDEX_FILE", "PREFIX", "COMMON_DIR", "NAMESPACE", "OBJECT_DIRECTORY")
)


class Silent(Exception):
    """git cannot answer; the message says why."""


def files(folder: Path, without: Sequence[str] = ()) -> Iterator[tuple[str, bool]]:
    """Names below a folder, and whether git tracks them: the tracked ones, as far as they are there,
    and those that git does not know and does not ignore. The name of a submodule, or of a
    repository inside, stands for what is in it.

    Args:
        without: patterns, relative to the folder, of what is not looked at.

    Raises:
        Silent: the folder is in no repository, or git cannot be asked.
    """
    words = ("ls-files", "-z", "-t", "--cached", "--others", "--exclude-standard")
    listing = ask(folder, *words, *_all_but(without))
    if not listing and _ignored(folder):
        raise Silent("the git repository around the lab ignores it")
    for entry in listing.split(b"\0"):
        if entry:
            yield os.fsdecode(entry[2:].rstrip(b"/")), entry[:1] != b"?"


def head(folder: Path) -> tuple[str, str, str] | None:
    """Commit, branch (empty when none is checked out) and where in the repository the folder is
    (empty: its root); None before the first commit."""
    try:
        answer = ask(folder, "rev-parse", "HEAD", "--abbrev-ref", "HEAD", "--show-prefix")
    except Silent:
        return None
    commit, branch, place = os.fsdecode(answer).split("\n", 2)
    return commit, "" if branch == "HEAD" else branch, place.removesuffix("\n")


def diff(folder: Path, without: Sequence[str], most: int) -> bytes | None:
    """What differs below the folder from the commit, as `git apply` takes it; None if it is larger
    than `most` bytes or cannot be had.

    Args:
        without: as in `files`.
    """
    words = ("diff-index", "-p", "--binary", "--full-index", "--no-ext-diff", "--no-textconv", "HEAD")
    try:
        return ask(folder, *words, *_all_but(without), most=most)
    except Silent:
        return None


def ask(folder: Path, *words: str, most: int = _MOST) -> bytes:
    """What git prints.

    Raises:
        Silent: there is no git, it fails, takes too long, or prints more than `most` bytes.
    """
    environment = {key: value for key, value in os.environ.items() if key not in _OF_ANOTHER}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        process = subprocess.Popen(
            ["git", *_SAFE, "-C", str(folder), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
    except OSError:
        raise Silent("git is not installed") from None
    with process:
        try:
            answer = _read(process, most)
            assert process.stderr
            problem = process.stderr.read(4096).decode("utf-8", "replace").strip()
        finally:
            process.kill()
    if process.returncode:
        raise Silent(problem.partition("\n")[0].removeprefix("fatal: ") or "git failed")
    return answer


def _read(process: subprocess.Popen[bytes], most: int) -> bytes:
    """All that a process prints until it ends, within SECONDS and `most` bytes."""
    assert process.stdout
    fd, end, size = process.stdout.fileno(), time.monotonic() + SECONDS, 0
    parts: list[bytes] = []
    ready = select.poll()
    ready.register(fd, select.POLLIN)
    while ready.poll(max(0.0, end - time.monotonic()) * 1000):
        part = os.read(fd, 1 << 20)
        if not part:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, end - time.monotonic()))
                return b"".join(parts)
            break
        parts.append(part)
        size += len(part)
        if size > most:
            raise Silent(f"git says more than {most} bytes")
    raise Silent(f"git takes longer than {SECONDS:g} s")


def _all_but(patterns: Sequence[str]) -> list[str]:
    return ["--", ".", *(f":(exclude,glob,icase){pattern}" for pattern in patterns)]


def _ignored(folder: Path) -> bool:
    try:
        ask(folder, "check-ignore", "-q", ".")
    except Silent:
        return False
    return True
