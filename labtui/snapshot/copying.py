"""Files from one folder to another: links where they can be, copies where they cannot."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress


def link(source: str, target: str) -> None:
    """A hard link, or a copy of the same rights where the file system has no more or no links.

    Raises:
        OSError: neither can be made.
    """
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        copy(source, target, stat.S_IMODE(os.stat(source).st_mode))
        sync([target])


def copy(source: str, target: str, mode: int) -> bool:
    """A copy with the same time of change; on file systems that can, its blocks are shared.

    Returns:
        False when the source is gone, cannot be read or is no longer a plain file.

    Raises:
        OSError: the copy cannot be written.
    """
    try:
        reading = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        status = os.fstat(reading)
        if not stat.S_ISREG(status.st_mode):
            return False
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            _pour(reading, writing, status.st_size)
            with suppress(PermissionError):  # some file systems have neither
                os.fchmod(writing, mode)
                os.utime(writing, ns=(status.st_atime_ns, status.st_mtime_ns))
        finally:
            os.close(writing)
    finally:
        os.close(reading)
    return True


def _pour(reading: int, writing: int, size: int) -> None:
    """Copy so many bytes; fewer when there are no more."""
    with suppress(OSError):  # not between all file systems; what is really wrong, writing says
        while size > 0 and (done := os.copy_file_range(reading, writing, size)):
            size -= done
    while size > 0 and (data := os.read(reading, min(size, 1 << 20))):
        size -= len(data)
        while data:
            data = data[os.write(writing, data) :]


def sync(files: Iterable[str]) -> None:
    """Make the content of files safe from a crash; side by side, since each waits for the disk."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(_sync, files))


def _sync(file: str) -> None:
    fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
