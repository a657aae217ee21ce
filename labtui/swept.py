"""A sweep's progress as people read it; command line and screens share it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from labtui.files.goals import arrowed
from labtui.grouped import Table, spread_text
from labtui.query.progress import PRUNED, TO_COME, Line, Place, Progress
from labtui.query.spread import figure
from labtui.sweep.cells import told
from labtui.table import NOTHING, clean, duration, number

SIGNS = {
    "finished": "✓", "running": "▶", "queued": "○", "failed": "✗", PRUNED: "–", "stopped": "■",
    "preempted": "■", "lost": "?", "idle": "◦", TO_COME: "·",
}  # fmt: skip
"""What stands for a training in each state."""
_MOST_KEYS = 8
"""Of cells with titles: where more keys differ, titles stand for them."""


def marks(places: Sequence[Place]) -> str:
    """A sign for each training of a cell; a space between repeats that have folds."""
    parts = [list(found) for _, found in groupby(places, key=lambda place: place.repeat)]
    gap = " " if any(len(part) > 1 for part in parts) else ""
    return gap.join("".join(SIGNS.get(place.state, "◦") for place in part) for part in parts)


def counted(progress: Progress) -> str:
    """How many trainings are in which state, and how long the rest will take, going by what has run:
    `12 of 24 finished · about 20m00s to go · 2 running · 1 failed · 9 to come`."""
    counts = dict(progress.counts)
    said = [f"{counts.get('finished', 0):,} of {progress.trainings:,} finished"]
    if (eta := progress.eta) is not None:
        said.append(f"about {f'{eta:.0f}s' if eta < 60 else duration(eta)} to go")
    for state in SIGNS:
        if (n := counts.get(state, 0)) and state not in ("finished", TO_COME):
            said.append(f"{n:,} {state}")
    if n := counts.get(TO_COME, 0):
        said.append(f"{n:,} {'to come' if progress.hosts else 'not made'}")
    return " · ".join(said)


def best(progress: Progress) -> str:
    """The best cell with its figure; empty where there is none."""
    if (line := progress.best) is None:
        return ""
    so_far = " so far" if progress.left else ""
    return f"best{so_far}: {clean(progress.metric)} {figures(line)} in {called(line)}"


def figures(line: Line) -> str:
    """Mean and deviation of a cell's trainings, with their number where it has several."""
    if len(line.places) > 1:
        return spread_text(line.spread, len(line.places))
    return number(line.spread.mean)


def called(line: Line) -> str:
    """A cell by its number and title."""
    return f"cell {line.number}: {clean(line.title)}" if line.title else f"cell {line.number}"


def epoch(place: Place) -> str:
    """How far a training is that runs: `epoch 12/40`; of others empty."""
    if place.state != "running" or place.row is None:
        return ""
    done = (place.row["metrics"].get("epoch") or {}).get("last")
    epochs = place.row["params"].get("train.epochs")
    if done is None:
        return ""
    return f"epoch {done:.0f}/{epochs}" if isinstance(epochs, int) else f"epoch {done:.0f}"


def page(progress: Progress) -> list[str]:
    """What there is to say of a sweep above its table."""
    cells = f"{len(progress.lines):,} cell{'s' if len(progress.lines) != 1 else ''}"
    about = [clean(progress.name), clean(progress.recipe), f"{progress.method or 'no definition'}, {cells}"]
    lines = [progress.sweep, " · ".join(filter(None, about))]
    lines += filter(
        None, [counted(progress), best(progress), _budget(progress), *map(_decision, progress.together)]
    )
    if n := len(progress.strays):
        lines.append(
            f"{n:,} run{'s' if n > 1 else ''} of it belong to no cell any more: the sweep was edited"
        )
    return lines


def _budget(progress: Progress) -> str:
    spent = duration(progress.spent) if progress.spent else NOTHING
    made = progress.trainings - progress.counts.get(TO_COME, 0)
    used = [f"{made:,} of {progress.runs:,} runs"] if progress.runs else []
    used += [f"{spent} of {number(progress.hours)} hours"] if progress.hours else []
    return "budget: " + ", ".join(used) if used else ""


def _decision(found: Mapping[str, Any]) -> str:
    """Whether trainings share a process, and why."""
    ratio, said = found.get("ratio"), list[str]()
    if isinstance(ratio, int | float) and ratio:
        said.append(f"{number(ratio, 2)} times as fast together")
    if why := found.get("why"):
        said.append(clean(str(why)))
    how = "trained together" if found.get("together") else "trained one by one"
    return f"{how}: {', '.join(said)}" if said else how


def in_words(progress: Progress) -> Table:
    """One row a cell: what it is, its trainings, its figure. Of a single cell, one row a training."""
    metric = [arrowed(progress.metric, progress.goal)] if _measured(progress) else []
    if len(progress.lines) == 1:
        return _trainings(progress, metric)
    titled, keys = _named(progress)
    if titled and len(keys) > _MOST_KEYS:
        keys = []
    rows = []
    for line in progress.lines:
        row: list[Any] = [line.number, *([line.title] if titled else []), *map(line.values.get, keys)]
        known = line.spread.n or line.spread.nan
        rows.append([*row, marks(line.places), *([figures(line) if known else None] if metric else [])])
    return ["cell", *(["title"] if titled else []), *keys, "runs", *metric], rows


def _trainings(progress: Progress, metric: list[str]) -> Table:
    """One row a training."""
    (line,) = progress.lines
    rows = []
    for place in line.places:
        row = place.row
        value = [figure(row, progress.metric) if row else None] if metric else []
        took = duration(row["duration"]) if row else None
        state = "to come" if place.state == TO_COME else place.state
        rows.append([place.repeat, place.fold, row["id"] if row else None, state, *value, took])
    return ["repeat", "fold", "run", "state", *metric, "duration"], rows


def in_numbers(progress: Progress) -> Table:
    """One row a cell with every number in full, for programs that read tables."""
    _, keys = _named(progress)
    spread = type(progress.lines[0].spread)._fields if progress.lines else ()
    columns = ["cell", "title", *keys, "trainings", *SIGNS, *(f"{progress.metric} {name}" for name in spread)]
    rows = []
    for line in progress.lines:
        states = [place.state for place in line.places]
        counts = [states.count(state) for state in SIGNS]
        values = map(line.values.get, keys)
        rows.append([line.number, line.title, *values, len(states), *counts, *line.spread])
    return columns, rows


def _named(progress: Progress) -> tuple[bool, list[str]]:
    """Whether cells have titles that say more than their values, and the keys of those."""
    keys = dict.fromkeys(key for line in progress.lines for key in line.values)
    named = any(line.name and line.name != told(line.values) for line in progress.lines)
    return named, list(keys)


def _measured(progress: Progress) -> bool:
    """Whether a run has logged what cells are compared by."""
    return any(progress.metric in row["metrics"] for line in progress.lines for row in line.rows)
