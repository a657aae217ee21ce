"""Files that cannot be used: the end of a run, or left out and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, TypeVar

from labtui.errors import DataError
from labtui.files.tell import tell

T = TypeVar("T")
R = TypeVar("R")

OnError = Literal["fail", "skip"]


def each(items: Iterable[T], read: Callable[[T], R], on_error: OnError) -> tuple[list[R], int]:
    """What `read` makes of each item, and how many items were left out, each with a line in the log.

    Raises:
        DataError: as `read` does, unless `on_error` is "skip".
    """
    found: list[R] = []
    left_out = 0
    for item in items:
        try:
            found.append(read(item))
        except DataError as error:
            if on_error == "fail":
                raise
            tell(f"labtui: left out: {error}")
            left_out += 1
    return found, left_out
