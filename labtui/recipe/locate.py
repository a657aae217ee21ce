"""On which line of a TOML file a key stands (tomllib does not tell)."""

from __future__ import annotations

import re

_HEADER = re.compile(r"\s*\[\[?\s*(?P<name>[^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_ENTRY = re.compile(
    r"\s*(?P<key>(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*'))*)\s*="
)
_PART = re.compile(r"\"([^\"]*)\"|'([^']*)'|([A-Za-z0-9_-]+)")


def lines_of_keys(text: str) -> dict[tuple[str, ...], int]:
    """Dotted path of every table and key to its line, from 1; keys inside inline tables have none.

    A reading for error messages: text that only looks like a key inside a multi-line string is
    skipped, and in doubt the first line wins.
    """
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    closing = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if closing:
            closing = "" if closing in line else closing
            continue
        if header := _HEADER.match(line):
            table = _parts(header["name"])
            found.setdefault(table, number)
        elif entry := _ENTRY.match(line):
            found.setdefault(table + _parts(entry["key"]), number)
            rest = line[entry.end() :]
            closing = next((q for q in ('"""', "'''") if rest.count(q) == 1), "")
    return found


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple("".join(groups) for groups in _PART.findall(dotted))


def line_of(lines: dict[tuple[str, ...], int], path: tuple[str, ...]) -> int:
    """The line of a path, or of the nearest table around it; 1 when there is none."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return 1
