"""The legend of a chart: its title, and each line with its key and its value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from labtui.cells import fit, pad
from labtui.cells import width as width_of
from labtui.rows import Row

GAP = 2
NARROW = 16
"""Cells to which a line may be cut."""


class Entry(NamedTuple):
    """One line."""

    name: str
    key: str
    """The character that stands for it."""
    color: str
    value: str = ""


def legend_rows(
    title: str, style: str, entries: Sequence[Entry], width: int, most: int, ellipsis: str
) -> list[Row]:
    """Title and lines in at most so many rows, each exactly `width` cells.

    All follow one another where one row is enough for them; else they stand in columns. Of those that
    have no room, the number is told.
    """
    head: Row = [(title, style)] if title else []
    widths = [2 + width_of(one.name) + bool(one.value) + width_of(one.value) for one in entries]
    if most < 2 or not entries or _wide(head) + sum(GAP + one for one in widths) <= width + GAP * (not title):
        return [_flow(head, entries, widths, width, ellipsis)]
    return _columns(title, style, entries, width, most, ellipsis)


def _wide(row: Row) -> int:
    return sum(width_of(text) for text, _ in row)


def _flow(head: Row, entries: Sequence[Entry], widths: list[int], width: int, ellipsis: str) -> Row:
    """One after another; names are cut where that makes room, and what still has none is counted."""
    room = width - _wide(head) - (GAP if head else 0)
    shown = len(entries)
    while shown > 1 and sum(min(one, NARROW) + GAP for one in widths[:shown]) - GAP > room - _more(
        shown, entries
    ):
        shown -= 1
    room -= _more(shown, entries)
    cut = list(widths[:shown])
    while cut and sum(cut) + GAP * (shown - 1) > room and max(cut) > 1:
        cut[cut.index(max(cut))] -= 1
    row = list(head)
    for one, cells, whole in zip(entries, cut, widths, strict=False):
        name = fit(one.name, max(width_of(one.name) - (whole - cells), 0), ellipsis)
        value: Row = [(" " + one.value, "bold")] if one.value else []
        row += [(" " * GAP if row else "", ""), (one.key + " ", one.color), (name, ""), *value]
    if shown < len(entries):
        row.append((f" +{len(entries) - shown}", "dim"))
    return _exactly(row, width)


def _more(shown: int, entries: Sequence[Entry]) -> int:
    """Cells for the number of those that are not shown."""
    return len(f" +{len(entries) - shown}") if shown < len(entries) else 0


def _cut(piece: Row, room: int, ellipsis: str) -> Row:
    """A piece of at most so many cells."""
    out: Row = []
    for text, style in piece:
        cut = fit(text, room, ellipsis)
        out.append((cut, style))
        room -= width_of(cut)
        if cut != text or room <= 0:
            break
    return out


def _columns(
    title: str, style: str, entries: Sequence[Entry], width: int, most: int, ellipsis: str
) -> list[Row]:
    """The lines in columns: key, value, name. A title stands in a row of its own above them, a mark beside them."""
    mark = title if width_of(title) <= 1 else ""
    room = width - (2 if mark else 0)
    value = max(width_of(one.value) for one in entries)
    least = 2 + value + bool(value) + GAP + min(max(width_of(one.name) for one in entries), NARROW - 4)
    rows = most - (not mark and bool(title))
    columns = max(1, min(-(-len(entries) // rows), (room + GAP) // least))
    cell = (room + GAP) // columns
    rows = min(rows, -(-len(entries) // columns))
    shown = entries[: rows * columns]
    out: list[Row] = []
    for number in range(rows):
        row: Row = [(title if number == 0 else " ", style), (" ", "")] if mark else []
        for one in shown[number::rows]:
            row += _cell(one, cell - GAP, value, ellipsis)
            row.append((" " * GAP, ""))
        out.append(_exactly(row, width))
    if title and not mark:
        out.insert(0, _exactly([(fit(title, width, ellipsis), style)], width))
    if len(shown) < len(entries):
        more = f" +{len(entries) - len(shown)}"
        cut = _exactly(out[0], max(width - len(more), 0))
        out[0] = _exactly([*cut, (more, "dim")], width)
    return out


def _cell(one: Entry, cells: int, value: int, ellipsis: str) -> Row:
    """A line in so many cells, its value in `value` of them."""
    texts: Row = [(pad(one.value, value, "right") + " ", "bold")] if value else []
    room = max(cells - 2 - value - bool(value), 0)
    return [(one.key + " ", one.color), *texts, (pad(one.name, room, "left", ellipsis), "")]


def _exactly(row: Row, width: int) -> Row:
    out = _cut(row, width, "")
    return [*out, (" " * (width - _wide(out)), "")]
