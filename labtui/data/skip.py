"""Files that cannot be used: the end of a run, or left out and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
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
            tell_of([str(error)])
            left_out += 1
    return found, left_out


def usable(
    found: Iterable[tuple[T, R | DataError]], on_error: OnError, left_out: list[str]
) -> Iterator[tuple[T, R]]:
    """The items of which something could be made, with that; what is wrong with others goes to `left_out`.

    Raises:
        DataError: something is, unless `on_error` is "skip".
    """
    for item, made in found:
        if not isinstance(made, DataError):
            yield item, made
        elif on_error == "fail":
            raise made
        else:
            left_out.append(str(made))


def recall(left_out: Sequence[str], on_error: OnError) -> None:
    """Do for what was kept without some items as if it were made now: tell of them, or raise DataError."""
    if left_out and on_error == "fail":
        raise DataError(left_out[0])
    tell_of(left_out)


def tell_of(left_out: Iterable[str]) -> None:
    """A line in the log for each item that is left out."""
    for message in left_out:
        tell(f"labtui: left out: {message}")
