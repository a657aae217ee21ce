"""TOML in and out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_HALF = re.compile("[\ud800-\udfff]")


def read(path: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        OSError, ValueError: the file cannot be read, is not UTF-8 or not TOML.
    """
    import tomllib

    with open(path, "rb") as file:
        try:
            return tomllib.load(file)
        except RecursionError:
            raise ValueError("it is nested too deeply") from None


def dumps(tables: Mapping[str, Any]) -> bytes:
    """A mapping as TOML: strings, numbers, booleans, dates, lists and tables.

    Raises:
        TypeError: a value has no TOML form (None, a class of one's own).
    """
    import tomli_w

    # Half a surrogate pair (an undecodable byte of an argument or a file name) has no form in TOML.
    return _HALF.sub("\N{REPLACEMENT CHARACTER}", tomli_w.dumps(tables)).encode()


def flatten(tables: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as one table of dotted keys; lists stay lists."""
    flat: dict[str, Any] = {}
    for key, value in tables.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def put(tables: dict[str, Any], key: str, value: Any) -> None:
    """Set the value of a dotted key; a table on the way that is missing is made."""
    *path, last = key.split(".")
    for part in path:
        tables = tables.setdefault(part, {})
    tables[last] = value
