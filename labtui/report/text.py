"""Markdown from data: nothing in a name, note or message is formatting, HTML or a new block."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from labtui.cells import clean
from labtui.table import NOTHING, cell, markdown

_URL = re.compile(r"""(https?://[^\s<>|`\\]*[^\s<>|`\\.,;:!?)\]}'"*_])""")
_BLOCK = re.compile(r"^(?:[-+](?=[-\s]|$)|\d{1,9}(?=[.)](?:\s|$)))")
"""What would begin a list or draw a line."""


def prose(text: str) -> str:
    """Text as it is, as one markdown line; web addresses in it can be followed."""
    return opened(words(text.strip()))


def words(text: str, links: bool = True) -> str:
    """The same, somewhere in a line.

    Args:
        links: False: nothing in it can be followed.
    """
    parts = _URL.split(text) if links else [text]
    addresses = [f"<{part}>" if clean(part) == part else markdown(part) for part in parts[1::2]]
    return "".join(r + a for r, a in zip(map(_inner, parts[::2]), [*addresses, ""], strict=True))


def opened(line: str) -> str:
    """Escaped text where a line begins: nothing in it begins a list or draws a line."""
    return _BLOCK.sub(_escaped, line)


def _inner(part: str) -> str:
    """A piece of a text: line breaks at its ends are breaks too."""
    return "<br>".join(markdown(line) for line in part.split("\n"))


def _escaped(found: re.Match[str]) -> str:
    sign = found[0]
    return sign + "\\" if sign.isdigit() else "\\" + sign


def heading(level: int, title: str, name: str = "") -> str:
    """A heading: a title of ours, and perhaps somebody's name."""
    return "#" * level + f" {title}" + (f": {markdown(name)}" if name else "")


def code(text: str) -> str:
    """Text as inline code. Not for tables, where a bar would end the cell."""
    inner = clean(text)
    ticks = "`" * (_longest_ticks(inner) + 1)
    space = " " if inner[:1] in ("`", " ", "") or inner[-1:] in ("`", " ") else ""
    return f"{ticks}{space}{inner}{space}{ticks}"


def fence(text: str, language: str = "") -> str:
    """Text as a block of code, line by line."""
    lines = [clean(line) for line in text.expandtabs().rstrip().split("\n")]
    ticks = "`" * max(3, _longest_ticks(text) + 1)
    return "\n".join([ticks + language, *lines, ticks])


def _longest_ticks(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def table(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], bold: Collection[tuple[int, int]] = ()
) -> str:
    """A GitHub table; the first column left, columns of numbers right.

    Args:
        bold: cells (row, column) that stand out.
    """
    sides = [":--"] + ["--:" if _numbers(rows, i) else ":--" for i in range(1, len(columns))]
    lines = [[_cell(name) for name in columns], sides]
    lines += [
        [f"**{_cell(value)}**" if (at, place) in bold else _cell(value) for place, value in enumerate(row)]
        for at, row in enumerate(rows)
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: Any) -> str:
    return prose((value.strip() or NOTHING) if isinstance(value, str) else cell(value))


def _numbers(rows: Sequence[Sequence[Any]], place: int) -> bool:
    known = [row[place] for row in rows if row[place] is not None]
    return bool(known) and all(_is_number(value) for value in known)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def exact(value: Any) -> str:
    """An option's value in full: parameters are not rounded."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(exact, value)) + "]"
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def moment(seconds: Any) -> str:
    """A unix time as date and time, UTC; empty when it is none."""
    if not _is_number(seconds):
        return ""
    try:
        return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))
    except (OverflowError, ValueError, OSError):
        return ""
