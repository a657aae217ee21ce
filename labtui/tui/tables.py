"""The runs table as it is painted: which columns there is room for, and the text of their cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labtui.cells import clean, fit, width
from labtui.rows import Row
from labtui.table import age, cell, duration, moment, number
from labtui.tui.columns import reader
from labtui.tui.grouping import GroupLine
from labtui.tui.snapshot import SAMPLE, Snapshot
from labtui.tui.widgets.table import Cells, Column

SIGNS = {
    "running": ("▶", "accent"), "queued": ("○", "warn"), "finished": ("✓", "good"),
    "failed": ("✗", "bad"), "stopped": ("■", "warn"), "preempted": ("■", "warn"),
    "lost": ("?", "bad"), "idle": ("·", "dim"),
}  # fmt: skip
"""Sign and style of each state."""

_FIXED = {
    "state": ("state", 11, "left", 0), "name": ("name", 0, "left", 0), "value": ("at best", 8, "right", 1),
    "progress": ("epoch", 9, "right", 3), "age": ("age", 4, "right", 3), "metric": ("monitor", 10, "right", 4),
    "id": ("id", 4, "left", 5), "spark": ("trend", 10, "left", 5), "tags": ("tags", 12, "left", 6),
    "duration": ("took", 6, "right", 6), "recipe": ("recipe", 22, "left", 7),
    "train.loss.last": ("train.loss", 10, "right", 8), "sweep": ("sweep", 20, "left", 6),
    "reason": ("reason", 9, "left", 4), "attempt": ("attempt", 7, "right", 4),
    "created": ("created", 16, "left", 4), "started": ("started", 16, "left", 4),
    "ended": ("ended", 16, "left", 4),
}  # fmt: skip
"""Title, cells (0: what is left), side and rank of known columns; where room is short the highest go."""
_CHOSEN, _EPOCH = 2, 5.5
"""Rank of a column that somebody chose, and of the epochs of figures."""
_NAME, _WIDE = 18, 36
"""Cells that a name has at least, where it needs them, and at most while other columns need some."""
_SPREAD = 24
"""Cells of a mean with its deviation and number."""
_WIDEST = 20


@dataclass(frozen=True)
class Part:
    """A column of the table as it is painted: the mark, a column's text, or what stands beside a figure."""

    key: str
    what: str
    """mark, text, epoch or difference."""
    column: Column


Parts = tuple[Part, ...]


def parts(snapshot: Snapshot, columns: Sequence[str], room: int, grouped: bool, compared: bool) -> Parts:
    """The columns that a table of `room` cells shows.

    Args:
        columns: those that were chosen.
        grouped: figures are means with deviations.
        compared: figures have differences beside them.
    """
    if snapshot.judged:  # then it is the head of the value's column, and has none of its own
        columns = [key for key in columns if key != "metric"]
    if "name" not in columns:  # something has to take what is left
        columns = [*columns[:1], "name", *columns[1:]]
    wanted = [part for key in columns for part in _of_column(snapshot, key, grouped, compared)]
    room -= 2 + _name(snapshot, room, grouped) + 1
    chosen = {("name", "text")}
    for part in sorted(wanted, key=_rank):
        place, text = (part.key, part.what), (part.key, "text")
        if place not in chosen and (place == text or text in chosen) and part.column.width < room:
            room -= part.column.width + 1
            chosen.add(place)
    return Part("", "mark", Column("", 1)), *(part for part in wanted if (part.key, part.what) in chosen)


def _of_column(snapshot: Snapshot, key: str, grouped: bool, compared: bool) -> list[Part]:
    """A column's text, and what stands beside a figure."""
    found = [Part(key, "text", _column(snapshot, key, grouped))]
    if key in snapshot.goals and compared:
        found.append(Part(key, "difference", Column("Δ", 8)))
    if key in snapshot.goals and not grouped:
        found.append(Part(key, "epoch", Column("@", 4)))
    return found


def _rank(part: Part) -> float:
    """Which parts go where room is short: the highest."""
    if part.what == "epoch":
        return _EPOCH
    return _FIXED[part.key][3] if part.key in _FIXED else _CHOSEN


def _name(snapshot: Snapshot, room: int, grouped: bool) -> int:
    """Cells that are kept for names: as many as they have, within reason."""
    read = reader("label")
    lines = snapshot.groups.values()
    texts = [line.label for line in lines][:SAMPLE] if grouped else map(read, snapshot.sample)
    widest = max((len(clean(text)) for text in texts), default=0) + (2 if grouped else 0)
    return max(_NAME, min(widest, room // 3, _WIDE))


def _column(snapshot: Snapshot, key: str, grouped: bool) -> Column:
    if key in _FIXED:
        title, cells, side, _ = _FIXED[key]
        title = snapshot.judged or title if key == "value" else title
    else:
        title, side, cells = key, *_content(snapshot, key)
    if grouped and key in snapshot.goals:
        cells = max(cells, _SPREAD)
    return Column(clean(title), cells, side)


def _content(snapshot: Snapshot, key: str) -> tuple[str, int]:
    """Side and cells of a column of which only its values are known."""
    read = reader(key)
    sample = [value for row in snapshot.sample if (value := read(row)) is not None]
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in sample)
    widest = max((width(_plain(v)) for v in sample), default=0)
    return "right" if sample and numbers else "left", min(max(widest, min(width(key), 12), 4), _WIDEST)


def status_row(found: Snapshot, shown: int, marked: int, trouble: str = "") -> Row:
    """Counts of all runs by state, or what is wrong.

    Args:
        shown, marked: how many runs the table shows, and are marked.
        trouble: what is wrong with the disk.
    """
    row: Row = [(" labtui  ", "title")]
    if trouble := found.problem or trouble:
        return [*row, (trouble + "  ", "bad")]
    counts, groups = found.counts(), len(found.groups)
    for state, (_, style) in SIGNS.items():
        if counts.get(state):
            row += [(f"{counts[state]} ", "bold"), (f"{state}  ", style)]
    if shown != len(found.place):
        row.append((f"{shown} shown  ", "warn"))
    if groups:
        row.append((f"{groups} group{'s' if groups > 1 else ''}  ", "warn"))
    if marked:
        row.append((f"{marked} marked  ", "accent"))
    return row


def run_cells(
    shown: Parts, snapshot: Snapshot, key: str, now: float, mark: str = "", baseline: str = "",
    member: bool = False, spark: str = "",
) -> Cells:  # fmt: skip
    """The cells of a run.

    Args:
        mark: the style of its mark; empty: it is not marked.
        baseline: id of the run that it is compared with.
        member: it stands below its group.
        spark: its monitored metric in small.
    """
    found: Cells = []
    for part in shown:
        if part.what == "mark":
            sign = "◆" if key == baseline else "●" if mark else " "
            found.append((sign, mark or ("accent" if key == baseline else "")))
        elif part.what == "epoch":
            epoch = snapshot.of(key, f"@{part.key}")
            found.append(("" if epoch is None else f"@{epoch:.0f}", "dim"))
        elif part.what == "difference":
            found.append(difference(snapshot, part.key, key, baseline))
        elif part.key == "spark":
            found.append((spark, mark or "dim"))
        else:
            text, style = _TEXTS.get(part.key, _any(part.key))(snapshot, key, now)
            found.append(("  " + text if member and part.key == "name" else text, style))
    return found


def group_cells(shown: Parts, line: GroupLine, opened: bool, mark: str = "") -> Cells:
    """The cells of a group."""
    found: Cells = []
    for part in shown:
        if part.what == "mark":
            found.append(("●" if mark else " ", mark))
        elif part.what == "difference":
            found.append(line.differences.get(part.key, ("", "")))
        elif part.key == "name":
            found.append((clean(f"{'▾' if opened else '▸'} {line.label}"), "bold"))
        elif part.key == "state":
            found.append(_states(line.states))
        else:
            found.append((clean(line.texts.get(part.key, "")), "" if part.key in line.ranks else "dim"))
    return found


def _states(states: Mapping[str, int]) -> tuple[str, str]:
    """How many runs are in each state, coloured by the one that asks for most attention."""
    told = [(sign, style, states[state]) for state, (sign, style) in SIGNS.items() if state in states]
    styles = [style for _, style, _ in told]
    style = next((one for one in ("bad", "accent", "warn") if one in styles), "good")
    return " ".join(f"{sign}{count}" for sign, _, count in told), style


def difference(snapshot: Snapshot, column: str, key: str, baseline: str) -> tuple[str, str]:
    """How a run's figure differs from the baseline's, and the style: better, worse, or nobody knows."""
    if key == baseline:
        return "baseline", "accent"
    mine, base = snapshot.of(key, column), snapshot.of(baseline, column)
    goal = snapshot.of(key, "goal") if column == "value" else snapshot.goals.get(column)
    if column == "value" and snapshot.of(key, "metric") != snapshot.of(baseline, "metric"):
        return "", ""
    return beside(mine, base, goal)


def beside(mine: Any, base: Any, goal: str | None) -> tuple[str, str]:
    """How a figure differs from another, and the style: better, worse, or nobody knows; empty without both."""
    if not (_finite(mine) and _finite(base)):
        return "", ""
    found = mine - base
    if not found:
        return "=", "dim"
    better = {"max": found > 0, "min": found < 0}.get(str(goal))
    style = "dim" if better is None else "good" if better else "bad"
    return f"{'+' if found > 0 else ''}{number(found, 2)}", style


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value - value == 0


Text = Callable[[Snapshot, str, float], tuple[str, str]]


def _state(snapshot: Snapshot, key: str, now: float) -> tuple[str, str]:
    state = snapshot.of(key, "state")
    sign, style = SIGNS.get(state, ("·", "dim"))
    return clean(f"{sign} {(snapshot.of(key, 'reason') if state == 'failed' else '') or state}"), style


def _progress(snapshot: Snapshot, key: str, now: float) -> tuple[str, str]:
    epoch, epochs = snapshot.of(key, "progress"), snapshot.of(key, "train.epochs")
    return ("" if epoch is None else f"{epoch:.0f}" + (f"/{cell(epochs)}" if epochs else "")), "dim"


def _took(snapshot: Snapshot, key: str, now: float) -> tuple[str, str]:
    """How long it trained; in whole minutes while it does, so that the table rests."""
    started = snapshot.of(key, "started")
    if snapshot.of(key, "state") == "running" and started is not None:
        return since(now - started), "dim"
    found = snapshot.of(key, "duration")
    return ("" if found is None else duration(found)), "dim"


def since(seconds: float) -> str:
    """In minutes at least: a table whose ages count seconds would never rest."""
    return "now" if seconds < 60 else age(seconds)


def _moment(column: str) -> Text:
    def text(snapshot: Snapshot, key: str, now: float) -> tuple[str, str]:
        when = snapshot.of(key, column)
        return ("" if when is None else moment(when)), "dim"

    return text


def short_recipe(path: str) -> str:
    """A recipe's file without what they all have."""
    return path.removeprefix("recipes/").removesuffix(".toml")


def _any(column: str) -> Text:
    def text(snapshot: Snapshot, key: str, now: float) -> tuple[str, str]:
        value = snapshot.of(key, column)
        return _plain(value), "" if isinstance(value, int | float) or column in snapshot.goals else "dim"

    return text


def _plain(value: Any) -> str:
    """A number with four decimals where that says enough, so that a column reads well."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4f}" if 1e-2 <= abs(value) < 100 else number(value)
    return fit(cell(value), 200)


_TEXTS: dict[str, Text] = {
    "state": _state,
    "name": lambda snapshot, key, now: (clean(snapshot.of(key, "label") or ""), ""),
    "value": lambda snapshot, key, now: (_plain(snapshot.of(key, "value")), ""),
    "progress": _progress,
    "recipe": lambda snapshot, key, now: (clean(short_recipe(snapshot.of(key, "recipe") or "")), "dim"),
    "duration": _took,
    "age": lambda snapshot, key, now: (since(now - (snapshot.of(key, "created") or now)), "dim"),
    "id": lambda snapshot, key, now: (clean(key[-4:]), "dim"),
    **{name: _moment(name) for name in ("created", "started", "ended")},
}
