"""The training log: one row an epoch, as a notebook would print it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtui.cells import clean, fit, pad, width
from labtui.report.blocks import Block, Heading, Table
from labtui.report.document import NotRecorded
from labtui.report.run.document import Document
from labtui.scores import SPLITS, split_of
from labtui.series import Series
from labtui.table import NOTHING, duration, number

MOST = 61
"""Rows of the log that are shown (epoch 0 and sixty more); of a longer log the first, the last,
the best, and some between."""
WIDEST, WHOLE = 26, 92
"""Cells of a column's title, and of a row: what a page shows without scrolling."""


@dataclass
class Log:
    """What was logged, one row an epoch (or, where no epochs were logged, a validation or step)."""

    steps: NDArray[np.int64]
    """(n,) ascending."""
    epochs: NDArray[np.float64] | None
    """(n,) or None where no epochs were logged."""
    columns: dict[str, list[float | None]]
    """Metric to its value of each row; None where it has none."""

    def __len__(self) -> int:
        return len(self.steps)


def gather(doc: Document) -> Log:
    """The log of a run.

    Raises:
        NotRecorded: there are no metrics.
    """
    series = {name: s for name, s in doc.series.items() if len(s.steps)}
    epochs = series.pop("epoch", None)
    if not series:
        raise NotRecorded("nothing was logged" if doc.status.over else doc.absence)
    if epochs is not None:
        leading = [epochs]
    else:
        # The validations of a program that counts steps only, or else all its steps.
        held = [s for name, s in series.items() if split_of(name)[0] not in ("", "train", "test")]
        monitored = series.get(doc.monitor)
        leading = held or ([monitored] if monitored else list(series.values()))
    steps = np.unique(np.concatenate([s.steps for s in leading]))
    return Log(
        steps,
        None if epochs is None else np.array(_at(epochs, steps), dtype=float),
        {name: _at(s, steps) for name, s in series.items()},
    )


def _at(series: Series, steps: NDArray[np.int64]) -> list[float | None]:
    """The newest value of each row: since the row before it, and up to its step."""
    order = np.argsort(series.steps, kind="stable")
    known, values = series.steps[order], series.values[order]
    place = np.searchsorted(known, steps, side="right") - 1
    there = place >= 0
    there[1:] &= known[place[1:]] > steps[:-1]
    found = values[place].tolist()
    return [value if ok else None for value, ok in zip(found, there.tolist(), strict=True)]


def section(doc: Document) -> Iterator[Block]:
    """The log, thinned, and where it lies in full."""
    yield Heading(2, "Training")
    log = gather(doc)
    names = _chosen(doc, log)
    rows = _kept(doc, log, names)
    yield _table(doc, log, names, rows)
    link = doc.beside.attach_csv("log.csv", *_full(log))
    left, unit = len(log) - len(rows), "rows" if log.epochs is None else "epochs"
    shown = f"{left:,} of {len(log):,} {unit} are left out here. " if left else ""
    yield f"{shown}In full, with {len(log.columns)} metrics: [log.csv]({link})."
    yield from _remarks(doc, log)


def _chosen(doc: Document, log: Log) -> list[str]:
    """Losses, the monitored metric, then what else was measured on validation data."""
    wanted = ["train.loss", "val.loss", doc.monitor]
    wanted += [name for name in log.columns if split_of(name)[0] not in ("", "train", "test")]
    if not any(split_of(name)[0] for name in log.columns):
        wanted += log.columns
    found = [name for name in dict.fromkeys(wanted) if name in log.columns]
    return found or list(log.columns)


def _kept(doc: Document, log: Log, names: list[str]) -> list[int]:
    """Which rows are shown."""
    if len(log) <= MOST:
        return list(range(len(log)))
    monitored = log.columns.get(doc.monitor, [])
    rows = [i for i, value in enumerate(monitored) if value is not None]
    rows = rows if len(rows) > 1 else list(range(len(log)))
    room = MOST - 3
    every = next(m * 10**power for power in range(20) for m in (1, 2, 5) if len(rows) <= m * 10**power * room)
    kept = {0, len(log) - 1, *rows[::every]}
    if (best := _best_row(doc, log)) is not None:
        kept.add(best)
    return sorted(kept)


def _best_row(doc: Document, log: Log) -> int | None:
    """The row in which the monitored metric was best."""
    if doc.best_step is None:
        return None
    return min(int(np.searchsorted(log.steps, doc.best_step)), len(log) - 1)


def _table(doc: Document, log: Log, names: list[str], rows: list[int]) -> Table:
    """The kept rows, and how a notebook would print them."""
    places = log.steps if log.epochs is None else log.epochs
    columns = ["Step" if log.epochs is None else "Epoch", *(_title(doc, name) for name in names)]
    goals = [(_title(doc, name), goal) for name in names if (goal := doc.goal(name))]
    values = [(number(places[i].item()), *(log.columns[name][i] for name in names)) for i in rows]
    return Table(columns, values, goals, _text(doc, log, names, rows))


def _text(doc: Document, log: Log, names: list[str], rows: list[int]) -> str:
    if log.epochs is None:
        columns = [["Step", *(str(log.steps[i]) for i in rows)]]
    else:
        columns = [["Epoch", *(number(float(log.epochs[i])) for i in rows)]]
    widths = [max(map(width, columns[0]))]
    for name in names:
        values = [log.columns[name][i] for i in rows]
        column = [fit(clean(_title(doc, name)), WIDEST), *_formatted(values)]
        widths.append(max(map(width, column)))
        if len(columns) > 1 and sum(widths) + 3 * len(columns) > WHOLE:
            del widths[-1]
            break
        columns.append(column)
    best = _best_row(doc, log)
    marks = ["", *("  ← best" if i == best else "" for i in rows)]
    return "\n".join(
        "   ".join(pad(t, w, "right") for t, w in zip(row, widths, strict=True)) + mark
        for row, mark in zip(zip(*columns, strict=True), marks, strict=True)
    )


def _title(doc: Document, name: str) -> str:
    """`val.loss` as a notebook heads it: Validation Loss."""
    split, rest = split_of(name)
    words = rest.replace("_", " ")
    title = f"{SPLITS[split]} {words[:1].upper()}{words[1:]}" if split else name
    return title + doc.named(name)[len(name) :]


def _formatted(values: list[float | None]) -> list[str]:
    """One column with the same number of decimals in each row, where that shows enough."""
    sizes = [abs(v) for v in values if v is not None and math.isfinite(v)]
    high = max(sizes, default=0.0)
    if high >= 1e6 or 0 < high < 1e-3:
        return [NOTHING if v is None else number(v, 5) for v in values]
    decimals = 4 - max(0, math.floor(math.log10(high))) if high else 1
    decimals = max(decimals, 1)

    def text(value: float | None) -> str:
        if value is None:
            return NOTHING
        small = value != 0 and abs(value) < 10.0 ** (1 - decimals)
        return number(value, 3) if small or not math.isfinite(value) else f"{value:.{decimals}f}"

    return [text(v) for v in values]


def _full(log: Log) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    """Header and rows of the log as CSV: numbers in full."""
    head = ["step"] if log.epochs is None else ["step", "epoch"]
    first = [log.steps.tolist()] if log.epochs is None else [log.steps.tolist(), log.epochs.tolist()]
    rows = zip(*first, *log.columns.values(), strict=True)
    return head + [clean(name) for name in log.columns], rows


def _remarks(doc: Document, log: Log) -> Iterator[Block]:
    """What the figures are, and how long they took."""
    said = []
    if doc.kind == "recipe" and log.steps[0] == 0:
        said.append("Epoch 0 is the untrained model.")
    if sums := doc.sums:
        sizes = ", ".join(f"{n} {name}" for name, n in sums.items())
        said.append(f"Losses are sums over the samples of a split ({sizes}).")
    if pace := _pace(doc):
        said.append(pace)
    if said:
        yield " ".join(said)


def _pace(doc: Document) -> str:
    """How long an epoch took, where labtui trained."""
    epochs = doc.series.get("epoch")
    if epochs is None or len(epochs.times) < 3:
        return ""
    middle = float(np.median(np.diff(epochs.times)))
    steps = doc.facts.get("steps_per_epoch")
    of = f" of {steps} steps" if isinstance(steps, int) else ""
    return f"An epoch{of} took {duration(middle)} (median)."
