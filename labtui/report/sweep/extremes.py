"""The best run beside the worst: in which options they differ, what came of each, and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from labtui.errors import LabError
from labtui.files.goals import arrowed
from labtui.query.compare import best_and_worst, options
from labtui.query.rows import look_up
from labtui.query.spread import counted
from labtui.report.blocks import Block, Heading, Picture, Table
from labtui.report.document import NotRecorded
from labtui.report.picture import Curve, Panel, Sheet
from labtui.report.run.curves import Axis
from labtui.report.sweep.document import Document
from labtui.report.sweep.judges import FAMILIES, Judge, direction, families, figures, judges
from labtui.report.text import code, exact, moment, prose
from labtui.scores import split_of
from labtui.table import duration, markdown, number

FILES = tuple(f"best-worst-{n}.png" for n in range(1, 2 * (FAMILIES + 1) + 1))
Fields = Mapping[str, Any]
_HIDDEN = ("resources.", "checkpoints.")
"""Options that change no result."""


def section(doc: Document) -> Iterator[Block]:
    """By each judge; over all runs, then in each family."""
    if doc.folds:
        return
    yield Heading(2, "Best versus worst")
    chosen = judges(doc.rows)
    if not chosen:
        raise NotRecorded("no run monitors or logged a figure of which less or more is better")
    if odd := [key for key in doc.found.keys if key.startswith("loss.")]:
        yield (
            f"The runs differ in {', '.join(map(code, odd))}: their losses are not the same thing, "
            "and tell which run is better only where these are equal."
        )
    scopes: dict[str, Sequence[Fields]] = {"": doc.rows, **families(doc.rows)}
    free, last = list(FILES), dict[str, list[str]]()
    for scope, rows in scopes.items():
        for judge in chosen:
            yield Heading(3, f"By {judge.named}" + (", within one family" if scope else ""), scope)
            ends = _ends(rows, judge)
            if isinstance(ends, str):
                yield f"*Nothing to compare: {prose(ends)}.*"
                continue
            ids = [end["id"] for end in ends]
            if said := next((where for where, known in last.items() if known == ids), ""):
                yield f"The same two runs as {said}."
                continue
            last[f"by {prose(judge.named)}" + (f" in {markdown(scope)}" if scope else "")] = ids
            yield from _beside(doc, ends, chosen, free.pop(0))


def _ends(rows: Sequence[Fields], judge: Judge) -> tuple[Fields, Fields] | str:
    """The best and the worst of the finished runs, or why there are none."""
    try:
        ends = best_and_worst([row for row in rows if counted(row)], judge.metric)
    except LabError:
        return f"fewer than two of these runs have finished with a value of {judge.metric}"
    best, worst = (look_up(row, judge.metric) for row in ends)
    return f"all of these runs have {judge.metric} {number(best)}" if best == worst else ends


def _beside(
    doc: Document, ends: tuple[Fields, Fields], chosen: Sequence[Judge], file: str
) -> Iterator[Block]:
    yield Table(["what", "best", "worst"], [*_who(ends), *_options(ends)])
    yield Table(["figure", "best run", "worst run", "difference"], list(_figures(ends, chosen)))
    if picture := _picture(doc, ends, chosen, file):
        yield picture


def _who(ends: tuple[Fields, Fields]) -> Iterator[list[Any]]:
    yield ["run", *(row["id"] for row in ends)]
    if any(row["title"] for row in ends):
        yield ["cell", *(row["title"] or None for row in ends)]
    yield ["started", *(moment(row["started"]) or None for row in ends)]
    yield ["duration", *(duration(row["duration"]) for row in ends)]


def _options(ends: tuple[Fields, Fields]) -> Iterator[list[Any]]:
    """Those in which the two differ; a dash where a run has no such option."""
    for key, values in options(ends):
        if not key.startswith(_HIDDEN):
            yield [key, *(None if value is None else exact(value) for value in values)]


def _figures(ends: tuple[Fields, Fields], chosen: Sequence[Judge]) -> Iterator[list[Any]]:
    """At the best epoch, and after the last one."""
    names = figures(ends, chosen)
    names += ["train.lr"] if all("train.lr" in row["metrics"] for row in ends) else []
    for aspect, words in (("", "at the best epoch"), (".last", "after the last")):
        for name in names:
            values = [look_up(row, f"{name}{aspect}") for row in ends]
            gap = None if None in values else f"{values[0] - values[1]:+.3g}"
            yield [f"{arrowed(name, direction(ends, name))} {words}", *values, gap]


def _picture(
    doc: Document, ends: tuple[Fields, Fields], chosen: Sequence[Judge], file: str
) -> Picture | None:
    """Losses and scores of both over the epochs, training faint."""
    panels = [panel for judge in chosen if (panel := _panel(doc, ends, judge))]
    if not panels:
        return None
    sheet = Sheet(panels)
    said = "; ".join(_course(ends, judge) for judge in chosen)
    return Picture(
        file, f"Curves of the best and the worst run, training faint. {said}", sheet.picture, sheet.drawn
    )


def _course(ends: tuple[Fields, Fields], judge: Judge) -> str:
    best, worst = (look_up(row, judge.metric) for row in ends)
    return f"{markdown(judge.named)} {number(best)} against {number(worst)} at the best epochs"


def _panel(doc: Document, ends: tuple[Fields, Fields], judge: Judge) -> Panel | None:
    part = judge.metric.rpartition(".")[2]
    curves, label = [], "step"
    for place, (word, row) in enumerate(zip(("best", "worst"), ends, strict=True)):
        one = doc.one(row["id"])
        axis = Axis(one)
        label = axis.label if place == 0 or label == axis.label else "step"
        for name in dict.fromkeys((judge.metric, f"train.{part}")):
            series = one.series.get(name)
            if series is not None and np.isfinite(series.values).sum() > 1:
                order = np.argsort(series.steps, kind="stable")
                x = axis(series.steps[order].astype(float))
                faint = name != judge.metric
                curves.append(
                    Curve(f"{word}, {split_of(name)[0] or name}", x, series.values[order], place, faint)
                )
    title = part + judge.named.removeprefix(judge.metric)
    return Panel(title, curves, label) if curves else None
