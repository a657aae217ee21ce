"""Notes and to-dos as the command line prints them."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from labtui.cells import clean, wrap
from labtui.cli.app import Format, print_json, show, terminal_width
from labtui.errors import LabError
from labtui.files.paths import Noted
from labtui.notes import Entry
from labtui.report import notes as reports
from labtui.table import moment

_INDENT = 9


def print_journal(entries: Sequence[Entry], on: Noted | None, format: Format) -> None:
    """Print notes and to-dos by day, in their order.

    Args:
        on: what all of them are written on; None: on this and that, which is said of each.
    """
    if format is Format.json:
        print_json([_record(one) for one in entries])
    elif format is Format.csv:
        columns = ["on", "what", "n", "state", "text", "why", "written"]
        rows = [[_name(one.of), *_what(one), one.text, one.reason, one.time] for one in entries]
        show(columns, rows, format)
    elif format is Format.md:
        print("\n\n".join(map(str, [*reports.journal(entries, on), *reports.todos(entries, on)])))
    else:
        day = None
        for one in entries:
            today = "undated" if one.time is None else moment(one.time)[:10]
            if today != day:
                print(("\n" if day else "") + today)
            day = today
            print("\n".join(_lines(one, on is None)))


def print_todos(entries: Sequence[Entry], on: Noted | None, format: Format) -> None:
    """Print to-dos as a table, in their order; see `print_journal`."""
    if format is Format.json:
        print_json([_record(one) for one in entries])
    elif format is Format.md:
        print("\n\n".join(map(str, reports.todos(entries, on))))
    else:
        columns = ["on", "n", "state", "to do", "why", "written"]
        show(columns, [_row(one, format) for one in entries], format, spare=("written", "why"))


def moment_of(text: str) -> float:
    """The unix time of a date, of a date and time, or of so long ago.

    Raises:
        LabError: it is none of these.
    """
    if ago := re.fullmatch(r"(\d{1,6})([hdw])", text):
        return time.time() - int(ago[1]) * {"h": 3600, "d": 86_400, "w": 604_800}[ago[2]]
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise LabError(f"--since {text!r}: expected a date such as 2026-11-20, or 12h, 7d, 4w") from None


def _lines(entry: Entry, named: bool) -> list[str]:
    """An entry as lines of text: when, which, on what, how it stands; and what it says below."""
    what, number, state = _what(entry)
    when = "" if entry.time is None else moment(entry.time)[11:]
    mark = f"[{state.upper()}]" if state else ""
    head = "  ".join(filter(None, [f"{what} {number}", _name(entry.of) * named, mark, entry.reason]))
    width = max((terminal_width() or 100) - _INDENT, 20)
    lines = [clean(line.expandtabs(4)) for line in entry.text.strip().splitlines()]
    below = [" " * _INDENT + part for line in lines for part in wrap(line, width)]
    return [f"  {when:5}  {clean(head)}", *(line.rstrip() for line in below)]


def _row(entry: Entry, format: Format) -> list[Any]:
    _, number, state = _what(entry)
    if format is not Format.table:
        return [_name(entry.of), number, state, entry.text, entry.reason, entry.time]
    when = "" if entry.time is None else moment(entry.time)
    return [_name(entry.of), number, state, entry.text.strip().partition("\n")[0], entry.reason, when]


def _what(entry: Entry) -> tuple[str, int, str]:
    """Of which kind it is, its number among those, and how a to-do stands."""
    number = entry.number + 1
    return ("note", number, "") if entry.kind == "notes" else ("to-do", number, entry.state)


def _name(place: Noted) -> str:
    """What it is written on, as commands take it."""
    return "@lab" if place.kind == "lab" else place.id


def _record(entry: Entry) -> dict[str, Any]:
    """An entry as JSON has it; times are unix seconds."""
    what, number, state = _what(entry)
    marks = {"state": state, "reason": entry.reason, "marked": entry.marked} if state else {}
    return {
        "on": _name(entry.of), "kind": entry.of.kind, "what": what, "n": number,
        "time": entry.time, "text": entry.text, **marks,
    }  # fmt: skip
