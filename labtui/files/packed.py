"""A mapping that is kept as JSON text until somebody reads it.

Ten thousand rows with fifty options each are a million objects; as text they are read from the index in
a third of the time, and take a third of the memory. Most of them nobody ever looks into.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson


class Packed(Mapping[str, Any]):
    """A mapping of JSON values; equal to any mapping of the same items.

    Args:
        text: a JSON object; anything else is empty.
    """

    __slots__ = ("_items", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._items: dict[str, Any] | None = None

    @classmethod
    def of(cls, items: Mapping[str, Any]) -> Packed:
        """The same items as JSON has them: what is no number is None, what JSON has not is text."""
        if isinstance(items, Packed):
            return items
        return cls(orjson.dumps(items, default=str, option=orjson.OPT_NON_STR_KEYS).decode())

    def unpacked(self) -> dict[str, Any]:
        """The items, read anew if nobody has read them, and not kept: for those who go through all rows."""
        if self._items is not None:
            return self._items
        try:
            items = orjson.loads(self.text)
        except ValueError:
            return {}
        return items if isinstance(items, dict) else {}

    def _kept(self) -> dict[str, Any]:
        if self._items is None:
            self._items = self.unpacked()
        return self._items

    def __getitem__(self, key: str) -> Any:
        return self._kept()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept())

    def __len__(self) -> int:
        return len(self._kept())

    def __contains__(self, key: object) -> bool:
        return key in self._kept()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Packed) and other.text == self.text:
            return True
        return Mapping.__eq__(self, other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self.unpacked())


def as_json(value: Any) -> Any:
    """What orjson writes for something that it does not know: of a packed mapping its text, as it is.

    Raises:
        TypeError: for all else.
    """
    if isinstance(value, Packed):
        return orjson.Fragment(value.text)
    raise TypeError(f"{type(value).__name__} has no place in JSON")
