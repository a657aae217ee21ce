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
    """The title in a row of its own, the lines below it in columns: key, value, name."""
    value = max(width_of(one.value) for one in entries)
    name = max(width_of(one.name) for one in entries)
    rows = most - 1
    wanted = -(-len(entries) // rows)
    full = 2 + value + bool(value) + name + GAP
    columns = max(1, min(wanted, (width + GAP) // min(full, 2 + value + bool(value) + 10 + GAP)))
    cell = (width + GAP) // columns
    rows = min(rows, -(-len(entries) // columns))
    shown = entries[: rows * columns]
    more = f" +{len(entries) - len(shown)}" if len(shown) < len(entries) else ""
    head = fit(title, max(width - len(more), 0), ellipsis)
    out: list[Row] = [[(head, style), (pad(more, width - width_of(head)), "dim")]]
    for number in range(rows):
        row: Row = []
        for one in shown[number::rows]:
            texts = [(pad(one.value, value, "right") + " ", "bold")] if value else []
            room = max(cell - GAP - 2 - sum(len(text) for text, _ in texts), 0)
            row += [
                (one.key + " ", one.color),
                *texts,
                (pad(one.name, room, "left", ellipsis), ""),
                (" " * GAP, ""),
            ]
        out.append(_exactly(row, width))
    return out


def _exactly(row: Row, width: int) -> Row:
    out = _cut(row, width, "")
    return [*out, (" " * (width - _wide(out)), "")]
