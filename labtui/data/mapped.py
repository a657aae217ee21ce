"""What was decoded once, kept in a file that all runs map into memory.

The file's folder is named by what is in it: options, and names, sizes and times of what was decoded. The
first run that needs it writes it, as a whole or not at all; others wait for that one. However large it
is, only the pages of a batch at hand take memory, and the system may have them back at any time.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from labtui.errors import DataError
from labtui.files.atomic import locked, read_json, replacing, write_json
from labtui.files.tell import tell

T = TypeVar("T")
R = TypeVar("R")

Write = Callable[[IO[bytes]], dict[str, Any]]
"""Writes the values, and gives what is to be known of them."""


def mapped(
    cache: Path, kind: str, named: Any, write: Write, dtype: type[np.generic]
) -> tuple[Tensor, dict[str, Any]]:
    """Values (n,) that were written before, or are now, and what is known of them.

    The tensor is the file, mapped into memory privately: what is written to it stays in this process.

    Args:
        cache: the folder in which such files have folders.
        kind: what it is, in a word.
        named: all that the values depend on, as JSON takes it.
        write: called with the file; may raise `OSError` for want of room, as `room` does.

    Raises:
        DataError: there is no room for the file, or no right to write it.
    """
    key = hashlib.blake2b(json.dumps(named).encode(), digest_size=12).hexdigest()
    place = cache / f"{kind}-{key}"
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(place):
            about = _whole(place) or _written(place, write)
        os.utime(place)  # for `labtui gc`, which frees what was long not used
        values = np.memmap(_values(place), dtype, "c") if about["bytes"] else np.empty(0, dtype)
    except OSError as error:
        raise DataError(
            f"{place}: {kind} cannot be kept there ({error.strerror}). Free some space, take less of "
            "the data, or name a folder elsewhere as data.cache"
        ) from error
    return torch.from_numpy(values), about


def stamp(file: Path) -> tuple[int, int]:
    """Size and time of a file, by which a change shows; of a missing one nothing."""
    try:
        found = file.stat()
    except OSError:
        return -1, -1
    return found.st_size, found.st_mtime_ns


def room(cache: Path, kind: str, count: int, needed: int) -> None:
    """See to it that there is room for so many bytes, and say what takes so long.

    Raises:
        OSError: there is not (ENOSPC).
    """
    if (free := shutil.disk_usage(cache).free) < needed:
        raise OSError(errno.ENOSPC, f"{needed / 1e9:.2f} GB are needed, {free / 1e9:.2f} GB are free")
    tell(f"labtui: decoding {count} {kind} into {needed / 1e6:.0f} MB, once for all runs: {cache}")


def side_by_side(items: Sequence[T], read: Callable[[T], R]) -> Iterator[tuple[T, R | DataError]]:
    """Each item in turn, with what `read` makes of it or why it can be nothing. A few are read at once, by
    threads, and no more are in memory."""

    def one(item: T) -> tuple[T, R | DataError]:
        try:
            return item, read(item)
        except DataError as error:
            return item, error

    threads = torch.get_num_threads()
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(items), threads):
            yield from pool.map(one, items[start : start + threads])


def _values(place: Path) -> Path:
    return place / "values"


def _whole(place: Path) -> dict[str, Any] | None:
    """What is known of the values here; None where they are not whole."""
    about = read_json(place / "index.json")
    try:
        return about if about and _values(place).stat().st_size == about.get("bytes") else None
    except OSError:
        return None


def _written(place: Path, write: Write) -> dict[str, Any]:
    """Write the values; the lock of `place` is held."""
    for abandoned in place.glob(".*.tmp"):
        abandoned.unlink(missing_ok=True)
    with replacing(_values(place)) as file:
        about = write(file) | {"bytes": file.tell()}
    write_json(place / "index.json", about)
    return about
