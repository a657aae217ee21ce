"""What fits where the cursor stands in the text of a recipe, which may be half typed.

The text is read line by line, as `locate` does: what is no TOML yet has its tables and keys all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from labtui.files.toml import inline
from labtui.recipe.core import FACTORY, SPECS
from labtui.recipe.locate import lines_of_keys
from labtui.recipe.lookup import (
    DEFAULT_KINDS,
    Node,
    dotted,
    expected,
    is_table,
    keys_at,
    leaves,
    names_of,
    values_of,
)

_PART = r"""[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*'"""
_HEADER = re.compile(rf"\s*\[\[?\s*(?P<name>(?:{_PART})(?:\s*\.\s*(?:{_PART}))*)\s*\]")
_IN_HEADER = re.compile(r"\s*\[\[?(?P<word>[\w.-]*)$")
_IN_KEY = re.compile(rf"""\s*(?P<path>(?:(?:{_PART})\s*\.\s*)*)(?P<word>["']?[\w.-]*)$""")
_IN_VALUE = re.compile(
    rf"""\s*(?P<key>(?:{_PART})(?:\s*\.\s*(?:{_PART}))*)\s*=\s*(?:\[.*[\[,]\s*|\[\s*)?(?P<word>["']?[\w.+-]*)$"""
)
_KIND = re.compile(r"""(?P<key>name|factory)\s*=\s*["'](?P<name>[^"']*)["']""")
_QUOTES = ('"""', "'''")


class Place(NamedTuple):
    """Where the cursor stands."""

    what: str
    """"table" (in a header), "key" or "value"."""
    path: tuple[str, ...]
    """The table that a key is in; of a value also its key; of a header nothing."""
    word: str
    """What is typed of it already."""


class Suggestion(NamedTuple):
    """Something that fits."""

    text: str
    """What is to stand instead of the word."""
    name: str
    """How a list calls it."""
    about: str
    """What it takes, or what it is for."""


def place(text: str, line: int, column: int) -> Place | None:
    """Where the cursor stands; None in a comment, in a text, or where nothing can be known.

    Args:
        line, column: from 0, as an editor counts them.
    """
    lines = text.split("\n")
    if not 0 <= line < len(lines):
        return None
    table: tuple[str, ...] = ()
    closing = ""
    for one in lines[:line]:
        if closing:
            closing = "" if closing in one else closing
        elif one.lstrip()[:1] == "[" and (header := _HEADER.match(one)):
            table = _parts(header["name"])
        elif any(quotes in one for quotes in _QUOTES):
            closing = next((quotes for quotes in _QUOTES if one.count(quotes) == 1), "")
    before = lines[line][:column]
    if closing or _is_comment(before):
        return None
    if found := _IN_HEADER.match(before):
        return Place("table", (), found["word"])
    if found := _IN_VALUE.match(before):
        return Place("value", table + _parts(found["key"]), found["word"])
    if found := _IN_KEY.match(before):
        return Place("key", table + _parts(found["path"]), found["word"])
    return None


def suggestions(text: str, line: int, column: int) -> tuple[str, list[Suggestion]]:
    """What is typed already, and what it may become; those that begin so come first.

    Args:
        line, column: from 0, as an editor counts them.
    """
    found = place(text, line, column)
    if found is None:
        return "", []
    kinds = kinds_in(text)
    if found.what == "table":
        fitting = list(_headers(kinds))
    elif found.what == "key":
        rest = "\n".join(one for number, one in enumerate(text.split("\n")) if number != line)
        fitting = list(_keys(found.path, kinds, {key for key in lines_of_keys(rest)}))
    else:
        fitting = list(_values(found.path, kinds))
    word = found.word.strip("\"'").casefold()
    bare = [(one, one.name.strip("\"'").casefold()) for one in fitting]
    begin = [one for one, name in bare if name.startswith(word)]
    hold = [one for one, name in bare if word in name and not name.startswith(word)]
    return found.word, begin + hold


def about(text: str, line: int, column: int) -> tuple[str, str]:
    """The dotted key on a line and what it is for; empty texts where none is."""
    lines = text.split("\n")
    if not 0 <= line < len(lines):
        return "", ""
    entry = re.match(rf"\s*(?:{_PART})(?:\s*\.\s*(?:{_PART}))*\s*=", lines[line])
    here = place(text, line, entry.end() if entry else column)
    if here is None or not here.path:
        return "", ""
    node = keys_at(here.path[:-1], kinds_in(text)).get(here.path[-1], {})
    words = f"{expected(node)}. " if node and not is_table(node) else ""
    said = " ".join(str(node.get("description", "")).split())
    return ".".join(here.path), words[:1].upper() + words[1:] + said


def kinds_in(text: str) -> dict[str, str]:
    """Which kind each table of a text is that has kinds, as `lookup.kinds_of` says it."""
    found = dict(DEFAULT_KINDS)
    table: tuple[str, ...] = ()
    for line in text.split("\n"):
        if line.lstrip()[:1] == "[" and (header := _HEADER.match(line)):
            table = _parts(header["name"])
        elif len(table) == 1 and table[0] in SPECS and (kind := _KIND.match(line.strip())):
            found[table[0]] = FACTORY if kind["key"] == FACTORY else kind["name"]
    return found


def _headers(kinds: dict[str, str], path: tuple[str, ...] = ()) -> Iterator[Suggestion]:
    """Tables that may be there."""
    for key, node in keys_at(path, kinds).items():
        inside = (*path, key)
        if inside[0] in ("origin", "format"):
            continue
        if is_table(node) or any(leaf.get("type") == "object" for leaf in leaves(node)):
            name = ".".join(inside)
            yield Suggestion(name, name, str(node.get("description", "")))
            yield from _headers(kinds, inside)


def _keys(path: tuple[str, ...], kinds: dict[str, str], there: set[tuple[str, ...]]) -> Iterator[Suggestion]:
    """Keys that a table takes and does not have yet."""
    if path[:1] == ("sweep",) and path[1:] in (("space",), ("when",), ("cells",)):
        if path[1] == "cells":
            yield Suggestion("title = ", "title", "what the cell is called")
        for name, node in dotted(kinds):
            if name.partition(".")[0] not in ("sweep", "origin", "format", "name", "description", "tags"):
                yield Suggestion(f'"{name}" = ', f'"{name}"', expected(node))
        return
    for key, node in keys_at(path, kinds).items():
        if (*path, key) in there or (not path and (is_table(node) or key in ("origin", "format"))):
            continue
        yield Suggestion(f"{key} = ", key, expected(node))


def _values(path: tuple[str, ...], kinds: dict[str, str]) -> Iterator[Suggestion]:
    """Values of a key that can be counted; of any other its default."""
    node: Node = keys_at(path[:-1], kinds).get(path[-1], {}) if path else {}
    values: Sequence[Any] = values_of(node)
    if not values and node.get("default") not in (None, [], {}, ""):
        values = [node["default"]]
    said = names_of(path[0]) if path[1:] == ("name",) and path[0] in SPECS else {}
    for value in values:
        written = inline(value)
        default = "the default" if value == node.get("default") and not said else ""
        yield Suggestion(written, written, said.get(value, default))


def _parts(dotted_key: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted_key))


def _is_comment(before: str) -> bool:
    """Whether the end of a line's beginning is in a comment."""
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", "", before)
    return "#" in bare
