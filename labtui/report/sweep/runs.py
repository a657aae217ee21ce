"""Every run in one table, the best first; in full beside the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from labtui.files.goals import arrowed
from labtui.files.toml import short_keys
from labtui.query.lab import ordered
from labtui.query.rows import look_up
from labtui.report.blocks import Block, Heading, Table
from labtui.report.sweep.document import Document
from labtui.report.sweep.judges import Judge, direction, figures, judges
from labtui.report.text import prose
from labtui.table import duration

SHOWN = 50
"""Runs of the table; of more, the best ones."""
KEYS = 8
"""Options of the table; the first ones in the recipe's order."""
MODEL = "model.name"
FILES = ("runs.csv",)
Fields = Mapping[str, Any]


def section(doc: Document) -> Iterator[Block]:
    """What it is, its figures at the best epoch, how long it took; then the same of what has not finished."""
    if doc.folds:
        return  # each is a line of its own section
    yield Heading(2, "Overall runs")
    chosen = judges(doc.rows)
    rows = sorted_runs(doc.rows, chosen)
    done = [row for row in rows if row["state"] == "finished"]
    yield _said(chosen)
    if done:
        yield _table(doc, done[:SHOWN], figures(doc.rows, chosen))
    if others := rows[len(done) :]:
        yield "Not finished; their figures are those so far:" if done else "None has finished:"
        yield _table(doc, others[:SHOWN], figures(doc.rows, chosen), ended=False)
    link = doc.beside.attach_csv("runs.csv", *_full(doc, rows))
    left = max(len(done) - SHOWN, 0) + max(len(others) - SHOWN, 0)
    shown = f"{left:,} of {len(rows):,} runs are left out here. " if left else ""
    hidden = len(doc.found.keys) - len(_keys(doc)[:KEYS])
    more = f", and {hidden} more option{'s' if hidden > 1 else ''}" if hidden else ""
    yield f"{shown}In full, with figures at the best epoch and the last{more}: [runs.csv]({link})."


def sorted_runs(rows: Sequence[Fields], chosen: Sequence[Judge]) -> list[Fields]:
    """The best first, by the score, where that is the same by the loss; those that have not finished at the end."""
    found = [dict(row) for row in rows if row["state"] == "finished"]
    for judge in chosen:
        most = judge.goal == "max"
        found = ordered(found[::-1] if most else found, judge.metric, descending=most)  # stable
    return [*found, *(row for row in rows if row["state"] != "finished")]


def _said(chosen: Sequence[Judge]) -> str:
    """What stands in the table."""
    said = "Options are those in which the runs differ."
    if chosen:
        said += (
            " Figures are those of the epoch that the monitored metric chose (early stopping), the best of each "
            f"column in bold. Sorted by {prose(chosen[-1].named)}, the best first."
        )
    return said


def _table(doc: Document, rows: Sequence[Fields], names: Sequence[str], ended: bool = True) -> Table:
    """Some of the runs.

    Args:
        names: metrics.
        ended: whether all have finished, and the best can be told.
    """
    keys = _keys(doc)[:KEYS]
    extra = [name for name in ("title", "repeat", "fold") if _tells(doc.rows, name)]
    last = ["duration", *([] if ended else ["state"]), "run"]
    names = [name for name in names if any(look_up(row, name) is not None for row in rows)]
    goals = {name: direction(doc.rows, name) for name in names}
    heads = [arrowed(name, goals[name]) for name in names]
    best = [(head, goal) for head, goal in zip(heads, goals.values(), strict=True) if goal and ended]
    lines = [
        [row[name] for name in extra] + [row["params"].get(key) for key in keys]
        + [look_up(row, name) for name in names]
        + [duration(row["duration"]), *([] if ended else [_state(row)]), row["id"]]
        for row in rows
    ]  # fmt: skip
    return Table([*extra, *_apart(short_keys(keys), [*extra, *last]), *heads, *last], lines, best)


def _keys(doc: Document) -> list[str]:
    """Options in which the runs differ, but for those that only go with the model, which stands there."""
    return [key for key in doc.found.keys if not _goes_with_model(doc.rows, key)]


def _goes_with_model(rows: Sequence[Fields], key: str) -> bool:
    """Whether all runs of one model have one value of an option."""
    known: dict[str, set[str]] = {}
    for row in rows:
        known.setdefault(str(row["params"].get(MODEL)), set()).add(repr(row["params"].get(key)))
    alone = key.startswith(("data.", "model.", "loss.")) and key != MODEL
    return alone and len(known) > 1 and all(len(values) == 1 for values in known.values())


def _tells(rows: Sequence[Fields], name: str) -> bool:
    """Whether a field says something of runs that the options do not."""
    if name == "title":
        return any(row["title"] and "=" not in str(row["title"]) for row in rows)
    return any(row[name] is not None for row in rows)


def _apart(keys: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Names of columns, none of them twice."""
    return [f"{key} (option)" if key in taken else key for key in keys]


def _state(row: Fields) -> str:
    reason = f" ({row['reason']})" if row["reason"] else ""
    again = f", attempt {row['attempt']}" if (row["attempt"] or 1) > 1 else ""
    return f"{row['state']}{reason}{again}"


def _full(doc: Document, rows: Sequence[Fields]) -> tuple[list[str], Iterator[Sequence[Any]]]:
    """Header and rows of the CSV: every option that differs, every metric by both protocols."""
    fields = ("id", "title", "repeat", "fold", "state", "reason", "attempt", "created", "duration")
    metrics = dict.fromkeys(name for row in rows for name in row["metrics"] if not name.startswith("sys."))
    keys = doc.found.keys
    aspects = [f"{name}{aspect}" for name in metrics for aspect in ("", ".last", ".best", ".best_step")]
    lines = (
        [
            *(row[f] for f in fields),
            *(row["params"].get(k) for k in keys),
            *(look_up(row, a) for a in aspects),
        ]
        for row in rows
    )
    return [*fields, *keys, *aspects], lines
