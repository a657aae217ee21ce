"""A sweep on a terminal, line by line: as much of its table as fits, what runs now and what is best first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from rich.text import Text

from labtui import swept
from labtui.cells import fit, pad, width
from labtui.query.progress import TO_COME, Line, Place, Progress
from labtui.query.spread import figure
from labtui.table import clean, number

STYLES = {
    "finished": "green", "running": "bold cyan", "queued": "yellow", "failed": "bold red", "lost": "red",
    "stopped": "yellow", "preempted": "yellow", "to come": "dim", TO_COME: "dim",
}  # fmt: skip
_BEST = 3
"""So many of the best cells are shown in any case."""
_MARKS = 24
"""Cells of a terminal for a sign each; more trainings are counted."""


class Entry(NamedTuple):
    """A line of the table, in parts."""

    number: str
    title: str
    marks: list[tuple[str, str]]
    """Text and style."""
    figure: str
    now: str
    """How far that is which runs."""
    bold: bool = False


def draw(progress: Progress, columns: int, lines: int, why: str = "") -> Text:
    """The screen of a sweep.

    Args:
        columns: cells of a line.
        lines: of the screen; at most one less is used.
        why: what everything waits for.
    """
    head = [swept.counted(progress), *filter(None, [swept.best(progress), why and f"queued: {why}"])]
    text = Text("\n".join(fit(clean(line), columns) for line in head), no_wrap=True, overflow="crop")
    text.append("\n")
    room = lines - len(head) - 2
    if len(progress.lines) == 1:
        entries: list[Entry | None] = [*_trainings(progress, room)]
        hidden = len(progress.lines[0].places) - len(entries)
    else:
        best, now = window(progress, room)
        entries = [_entry(progress, line) for line in best]
        entries += [None] if best else []
        entries += [_entry(progress, line) for line in now]
        hidden = len(progress.lines) - len({line.number for line in [*best, *now]})
    _table(text, entries, columns)
    if hidden:
        text.append(fit(f"… and {hidden:,} more: labtui show {progress.sweep}", columns) + "\n", "dim")
    text.right_crop(1)
    return text


def window(progress: Progress, room: int) -> tuple[list[Line], list[Line]]:
    """Which cells are shown where there is not room for all: the best, and those around what runs now."""
    lines = progress.lines
    if len(lines) <= room:
        return [], list(lines)
    best = _leaders(progress)[: min(_BEST, max(0, room // 4))]
    rest = max(1, room - len(best) - bool(best) - 1)
    at_work: list[int] = []
    for wanted in ("running", "queued", TO_COME):
        found = (n for n, line in enumerate(lines) if any(place.state == wanted for place in line.places))
        if at_work := list(islice(found, rest)):
            break
    at_work = at_work or [len(lines) - 1]
    return best, [lines[place] for place in sorted(_around(at_work, rest, len(lines)))]


def _around(places: Sequence[int], count: int, total: int) -> set[int]:
    """So many of the numbers below `total`: these, a few before them, and then what follows."""
    found = set(places)
    near = [places[0] - 1, places[0] - 2, *range(places[0] + 1, total), *range(places[0] - 3, -1, -1)]
    for place in near:
        if len(found) >= min(count, total):
            break
        if 0 <= place < total:
            found.add(place)
    return found


def _leaders(progress: Progress) -> list[Line]:
    """Cells with a figure, the best first."""
    if progress.goal is None:
        return []
    known = [(line.spread.mean, line) for line in progress.lines if line.spread.mean is not None]
    known.sort(key=lambda pair: pair[0], reverse=progress.goal == "max")
    whole = [line for _, line in known if line.whole]
    return whole or [line for _, line in known]


def _entry(progress: Progress, line: Line) -> Entry:
    marks = [(sign, _style(place)) for sign, place in _signs(line.places)]
    if len(marks) > _MARKS:
        done = sum(place.state == "finished" for place in line.places)
        marks = [(f"{done} of {len(line.places)}", "")]
    now = next((swept.epoch(place) for place in line.places if place.state == "running"), "")
    figures = swept.figures(line) if line.spread.n else ""
    return Entry(str(line.number), clean(line.title), marks, figures, now, line is progress.best)


def _signs(places: Sequence[Place]) -> Iterator[tuple[str, Place | None]]:
    """Signs as in `swept.marks`, each with what it stands for; None for a space."""
    found = iter(places)
    for sign in swept.marks(places):
        yield sign, None if sign == " " else next(found)


def _style(place: Place | None) -> str:
    return STYLES.get(place.state, "") if place else ""


def _trainings(progress: Progress, room: int) -> Iterator[Entry]:
    """A line for each training of the only cell, those that are over first to go."""
    places = progress.lines[0].places
    first = next((n for n, place in enumerate(places) if place.state in ("running", "queued", TO_COME)), 0)
    start = max(0, min(first - 2, len(places) - room)) if len(places) > room else 0
    for place in places[start : start + max(1, room - (len(places) > room))]:
        title = [f"repeat {place.repeat}"] if place.repeat is not None else []
        title += [f"fold {place.fold}"] if place.fold is not None else []
        value = figure(place.row, progress.metric) if place.row and progress.metric else None
        reason = f": {clean(place.reason)}" if place.reason else ""
        state = "to come" if place.state == TO_COME else f"{place.state}{reason}"
        sign = swept.SIGNS.get(place.state, "◦")
        marks = [(f"{sign} {state}", _style(place))]
        yield Entry("", ", ".join(title), marks, "" if value is None else number(value), swept.epoch(place))


def _table(text: Text, entries: Sequence[Entry | None], columns: int) -> None:
    """Add the lines of a table, with a rule for None; titles give way where there is little room."""
    known = [entry for entry in entries if entry]
    if not known:
        return
    numbers = max(width(entry.number) for entry in known)
    signs = max(sum(width(part) for part, _ in entry.marks) for entry in known)
    figures = max(width(entry.figure) for entry in known)
    now = max(width(entry.now) for entry in known)
    taken = [numbers, signs, figures, now]
    room = columns - sum(taken) - 2 * sum(1 for cells in taken if cells)
    titles = max(0, min(room, max(width(entry.title) for entry in known)))
    widths = (numbers, titles, signs, figures, now)
    for entry in entries:
        if entry is None:
            text.append("─" * min(columns, sum(widths) + 2 * sum(map(bool, widths)) - 2) + "\n", "dim")
        else:
            _line(text, entry, widths, columns)


def _line(text: Text, entry: Entry, widths: tuple[int, int, int, int, int], columns: int) -> None:
    numbers, titles, signs, figures, now = widths
    style = "bold" if entry.bold else ""
    gap = sum(width(part) for part, _ in entry.marks)
    parts: list[list[tuple[str, str]]] = [
        [(pad(entry.number, numbers, "right"), style)],
        [(pad(entry.title, titles), style)],
        [*entry.marks, (" " * (signs - gap), "")],
        [(pad(entry.figure, figures), style)],
        [(pad(entry.now, now), "cyan")],
    ]
    shown = [part for part, cells in zip(parts, widths, strict=True) if cells]
    line = Text(no_wrap=True)
    for place, part in enumerate(shown):
        for piece, style in [*([("  ", "")] if place else []), *part]:
            line.append(piece, style)
    line.truncate(columns)
    line.rstrip()
    text.append_text(line)
    text.append("\n")
