"""TOML in and out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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


def inline(value: Any) -> str:
    """A value as TOML in one line: `[1, 2]`, `{a = 1}`, `"text"`.

    Raises:
        TypeError: it has no TOML form.
    """
    if isinstance(value, Mapping):
        pairs = (f"{_key(str(key))} = {inline(one)}" for key, one in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(inline, value)) + "]"
    return dumps({"x": value}).decode().partition(" = ")[2].rstrip("\n")


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else inline(key)


def flatten(tables: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as one table of dotted keys; lists stay lists."""
    flat: dict[str, Any] = {}
    for key, value in tables.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def short_keys(keys: Sequence[str]) -> list[str]:
    """Dotted keys by their last parts, as many as tell them apart; of a part's kind the part's name:
    `optimizer.name` and `optimizer.lr` are `optimizer` and `lr`."""
    parts = [_without_kind(key.split(".")) for key in keys]
    counts = [1] * len(parts)
    for _ in range(max(map(len, parts), default=1)):
        told = [".".join(part[-n:]) for part, n in zip(parts, counts, strict=True)]
        twice = {one for one in told if told.count(one) > 1}
        counts = [
            min(n + (one in twice), len(part)) for n, one, part in zip(counts, told, parts, strict=True)
        ]
    return [".".join(part[-n:]) for part, n in zip(parts, counts, strict=True)]


def _without_kind(parts: list[str]) -> list[str]:
    return parts[:-1] if len(parts) > 1 and parts[-1] in ("name", "factory") else parts


def put(tables: dict[str, Any], key: str, value: Any) -> None:
    """Set the value of a dotted key; a table on the way that is missing is made."""
    *path, last = key.split(".")
    for part in path:
        tables = tables.setdefault(part, {})
    tables[last] = value
