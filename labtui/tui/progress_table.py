"""The trainings of a sweep as rows for the screen: a row a cell, or of a single cell a row a training. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labtui import swept
from labtui.cells import clean, width
from labtui.files.goals import arrowed
from labtui.files.toml import short_keys
from labtui.query.progress import TO_COME, Fields, Line, Place, Progress
from labtui.query.spread import figure
from labtui.rows import Row
from labtui.sweep.cells import told
from labtui.table import duration, number
from labtui.tui.widgets.table import Cells, Column

STYLES = {
    "finished": "good", "running": "accent", "queued": "warn", "failed": "bad", "lost": "bad", "stopped": "warn",
    "preempted": "warn",
}  # fmt: skip
"""Of states; the others are dim."""
ORDERS = ("", "figure", "state")
"""By what cells are sorted; empty: as they were made."""
_FIRST = (
    "running",
    "failed",
    "lost",
    "stopped",
    "preempted",
    "queued",
    "idle",
    TO_COME,
    "pruned",
    "finished",
)
"""Sorted by state, what asks for a look comes first."""
_MARKS = 24
"""Signs for a cell's trainings; more are counted."""
_NOW = 13
"""Cells for how far what runs is: `epoch 120/400`."""
_LEAST = 16
"""Cells of a title, however narrow the screen."""
_SAMPLE = 2000
"""Cells that are measured: their texts are about as wide as all."""


@dataclass(frozen=True, eq=False)
class ProgressTable:
    """Rows that are made when they come in sight."""

    columns: tuple[Column, ...]
    keys: Sequence[str]
    row: Callable[[str], Cells]
    runs: Callable[[str], Sequence[Fields]]
    """The runs behind a row."""
    sorted_by: tuple[int, bool] | None = None


def progress_table(progress: Progress, room: int, order: str = "", reverse: bool = False) -> ProgressTable:
    """The rows of a sweep.

    Args:
        room: cells of a line; where there is room, each key has a column.
        order: one of ORDERS.
        reverse: the other way round.
    """
    if len(progress.lines) == 1:
        return _trainings(progress)
    lines = {str(line.number): line for line in progress.lines}
    several = max((len(line.places) for line in lines.values()), default=1) > 1
    shown = _sample(progress.lines)
    numbers = width(max(lines, key=len, default="")) if lines else 1
    head = arrowed(clean(progress.metric), progress.goal)
    figures = max([width(head) + 2, *(width(swept.figures(line)) for line in shown)])
    runs = max([4, *(width(_runs(line, several)[0]) for line in shown)])
    fixed = [Column("#", max(numbers, 2), "right")]
    aligned = "left" if several else "right"  # "(8 of 10)" is longer than "(10)"
    rest = [Column("runs" if several else "state", runs), Column(head, figures, aligned), Column("now", 0)]
    taken = sum(column.width + 1 for column in (*fixed, *rest)) + _NOW
    named = _named(shown, room - taken)

    def row(key: str) -> Cells:
        line = lines[key]
        best = line is progress.best
        cells: Cells = [(key, "dim")]
        cells += [(text, "bold" if best else "") for text in named.texts(line)]
        known = line.spread.n or line.spread.nan
        now = next(filter(None, map(swept.epoch, line.places)), "best" if best else "")
        figure = swept.figures(line) if known else ""
        return [
            *cells, _runs(line, several), (figure, "good" if best else ""), (now, "good" if best else "accent"),
        ]  # fmt: skip

    columns = (*fixed, *named.columns, *rest)
    at = {"figure": len(columns) - 2, "state": len(columns) - 3}.get(order, 0)
    ordered, descending = _ordered(progress, order, reverse)
    return ProgressTable(
        columns, ordered, row, lambda key: lines[key].rows, (at, descending) if order or reverse else None
    )


@dataclass(frozen=True)
class _Named:
    """How cells are told apart: by a column a key, or by a title."""

    columns: tuple[Column, ...]
    keys: tuple[str, ...] = ()

    def texts(self, line: Line) -> list[str]:
        if not self.keys:
            return [clean(line.title)]
        return [_value(line.values, key) for key in self.keys]


def _named(lines: Sequence[Line], room: int) -> _Named:
    keys = list(dict.fromkeys(key for line in lines for key in line.values))
    titled = any(line.name and line.name != told(line.values) for line in lines)
    heads = [clean(head) for head in short_keys(keys)]
    wide = [
        max([width(head), *(width(_value(line.values, key)) for line in lines)])
        for key, head in zip(keys, heads, strict=True)
    ]
    if titled or not keys or sum(wide) + len(wide) > room:
        longest = max([width("cell"), *(width(clean(line.title)) for line in lines)])
        return _Named((Column("cell", max(min(longest, room - 1), _LEAST)),))
    columns = [Column(head, cells) for head, cells in zip(heads, wide, strict=True)]
    return _Named(tuple(columns), tuple(keys))


def _value(values: Mapping[str, Any], key: str) -> str:
    """A value as titles have it, of a table such as an optimiser its options too."""
    return clean(told({key: values[key]}).partition("=")[2]) if key in values else ""


def _sample(lines: Sequence[Line]) -> Sequence[Line]:
    return lines[:: max(1, len(lines) // _SAMPLE)]


def _runs(line: Line, several: bool) -> tuple[str, str]:
    """How the trainings of a cell stand, in the colour of the one that asks for a look first."""
    states = [place.state for place in line.places]
    first = min(states, key=_rank, default=TO_COME)
    style = STYLES.get(first, "dim")
    if not several and line.places:
        return _state(line.places[0]), style
    if len(states) > _MARKS:
        return f"{states.count('finished')} of {len(states)}", style
    return swept.marks(line.places), style


def _state(place: Place) -> str:
    """A training's state with its sign."""
    said = clean(place.reason or place.state).replace("_", " ")
    return f"{swept.SIGNS.get(place.state, '◦')} {said}"


def _rank(state: str) -> int:
    return _FIRST.index(state) if state in _FIRST else len(_FIRST)


def _ordered(progress: Progress, order: str, reverse: bool) -> tuple[list[str], bool]:
    """Keys of the cells in an order, and whether the largest come first; without a figure last either way."""
    lines = list(progress.lines)
    descending = reverse
    if order == "state":
        lines.sort(key=lambda line: min((_rank(p.state) for p in line.places), default=99), reverse=reverse)
    elif order == "figure":
        descending = (progress.goal != "min") is not reverse
        known = [line for line in lines if line.spread.mean is not None]
        known.sort(key=lambda line: line.spread.mean or 0.0, reverse=descending)
        lines = [*known, *(line for line in lines if line.spread.mean is None)]
    elif reverse:
        lines.reverse()
    return [str(line.number) for line in lines], descending


def _trainings(progress: Progress) -> ProgressTable:
    """A row a training of the only cell."""
    (line,) = progress.lines
    places = {str(n): place for n, place in enumerate(line.places)}
    head = arrowed(clean(progress.metric), progress.goal)

    def row(key: str) -> Cells:
        place = places[key]
        found = place.row
        value = figure(found, progress.metric) if found and progress.metric else None
        took = duration(found["duration"]) if found and found["duration"] is not None else ""
        return [
            (" ".join(called(place)) or "the only one", ""),
            (_state(place), STYLES.get(place.state, "dim")),
            ("" if value is None else number(value), ""),
            (took, "dim"),
            (swept.epoch(place), "accent"),
            (clean(found["id"][-4:]) if found else "", "dim"),
        ]

    columns = (
        Column("training", 0), Column("state", 14), Column(head, max(width(head), 8), "right"),
        Column("duration", 9, "right"), Column("now", 13), Column("id", 4),
    )  # fmt: skip

    def runs(key: str) -> Sequence[Fields]:
        found = places[key].row
        return [found] if found else []

    return ProgressTable(columns, list(places), row, runs)


def called(place: Place) -> list[str]:
    """Which repeat and fold a training is."""
    parts = (("repeat", place.repeat), ("fold", place.fold))
    return [f"{name} {n}" for name, n in parts if n is not None]


def bar(progress: Progress, cells: int) -> Row:
    """How the trainings stand, as a bar of so many cells."""
    total = progress.trainings
    if not total or cells < 1:
        return []
    row: Row = []
    done, used = 0, 0
    for states, sign, style in _BAR:
        done += sum(progress.counts.get(state, 0) for state in states)
        upto = min(cells, -(-done * cells // total)) if done < total else cells
        row += [(sign * (upto - used), style)] if upto > used else []
        used = max(used, upto)
    return [*row, ("░" * (cells - used), "dim")] if used < cells else row


_BAR = (
    (("finished",), "█", "good"), (("pruned",), "▓", "dim"), (("failed", "lost"), "█", "bad"),
    (("stopped", "preempted", "idle"), "▓", "warn"), (("running",), "▓", "accent"), (("queued",), "▒", "warn"),
)  # fmt: skip
