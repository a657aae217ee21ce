"""Files that are either whole or absent, and locks between processes."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from labtui.errors import LabError

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
NO_LOCKS = "; a lab has to lie on a file system with locks (flock), and some are mounted without"


@contextmanager
def replacing(path: Path, *, fsync: bool = True) -> Iterator[IO[bytes]]:
    """A binary file that takes `path`'s place when the block ends, and vanishes when it fails."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(3).hex()}.tmp")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            if fsync:
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    if fsync:
        sync_folder(path.parent)


def write_atomic(path: Path, data: bytes, *, fsync: bool = True) -> None:
    """Replace `path` by `data`, whole or not at all."""
    with replacing(path, fsync=fsync) as file:
        file.write(data)


def write_json(path: Path, record: dict[str, Any], *, fsync: bool = True) -> None:
    """Replace `path` by a JSON object (NaN and infinities become null)."""
    write_atomic(path, dumps(record), fsync=fsync)


def dumps(record: Any) -> bytes:
    """A value as JSON; NaN and ±inf as null, since JSON has no such numbers."""
    try:
        text = json.dumps(record, ensure_ascii=False, allow_nan=False, default=str)
    except ValueError:
        text = json.dumps(finite(record), ensure_ascii=False, allow_nan=False, default=str)
    return text.encode("utf-8", "backslashreplace")


def finite(value: Any) -> Any:
    """The value with NaN and ±inf replaced by None, at any depth."""
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite(v) for v in value]
    return value


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object at `path`; None when it is missing, unreadable or broken."""
    try:
        with open(path, "rb") as file:
            record = json.loads(file.read())
    except (OSError, ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def sync_folder(folder: Path) -> None:
    """Make renames and new names in a folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    except OSError as error:
        # Some network file systems cannot sync a folder; the files themselves are synced.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(fd)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the exclusive lock of a folder.

    The kernel frees it when the holder dies, so no lock is ever stale.

    Raises:
        LabError: there is no such folder, no right to lock it, or no lock on its file system.
    """
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise LabError(f"{folder}: is gone; `labtui ls` lists what is there") from None
    except OSError as error:
        raise LabError(f"{folder}: cannot be locked ({error.strerror}); check its rights") from None
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
        except OSError as error:
            raise LabError(f"{folder}: cannot be locked ({error.strerror}){NO_LOCKS}") from None
        yield
    finally:
        os.close(fd)
