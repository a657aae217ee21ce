"""The best model: which run it is, at which epoch, and in which file its weights lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from labtui.query.aggregate import monitored
from labtui.query.checkpoints import holding
from labtui.query.lab import Run, ordered
from labtui.query.rows import look_up
from labtui.report.blocks import Block, Heading, Table
from labtui.report.document import NotRecorded
from labtui.report.sweep.document import Document
from labtui.report.sweep.judges import Judge, judges
from labtui.report.sweep.runs import sorted_runs
from labtui.report.text import code, prose
from labtui.table import number

Fields = Mapping[str, Any]


class Model(NamedTuple):
    """The weights that are best by something."""

    by: str
    judge: Judge
    run: Run
    value: float
    epoch: float | None
    files: Sequence[str]
    """That hold them; none: no file does."""
    free: bool
    """Whether any epoch might have been chosen, and not only the one of the monitored metric."""


def section(doc: Document) -> Iterator[Block]:
    """One row a figure; then where the file, the epoch and the run that are best are not one."""
    yield Heading(2, "Best model")
    found = list(models(doc))
    if not found:
        raise NotRecorded("no run has finished with a figure of which less or more is better")
    tests, titled = _tests(found), any(one.run.row["title"] for one in found)
    rows = [
        [
            one.by, one.value, one.epoch,
            *(None if one.free else look_up(one.run.row.fields, name) for name in tests),
            *([one.run.row["title"] or None] if titled else []), one.run.id, _held(one),
        ]
        for one in found
    ]  # fmt: skip
    yield Table(
        [
            "best by",
            "figure",
            "epoch",
            *tests,
            *(["cell"] if titled else []),
            "run",
            "file with these weights",
        ],
        rows,
    )
    yield from _remarks(found)


def models(doc: Document) -> Iterator[Model]:
    """The best weights by each judge: at the epoch that the monitored metric chose, and at any epoch."""
    chosen = judges(doc.rows)
    done = [dict(row) for row in sorted_runs(doc.rows, chosen) if row["state"] == "finished"]
    for judge in chosen:
        own = [row for row in done if monitored(row) == judge.metric]
        if best := _first(done, judge, judge.metric):
            where = "" if len(own) == len(done) else ", at the epoch of the monitored metric"
            yield _model(doc, best, judge, judge.named + (" (monitored)" if judge.monitored else "") + where)
        key = f"{judge.metric}.best"
        free = _first(done, judge, key) if len(own) < len(done) else None
        if free and (best is None or look_up(free, key) != look_up(best, judge.metric)):
            yield _model(doc, free, judge, f"{judge.named}, at any epoch", free=True)


def _first(rows: Sequence[dict[str, Any]], judge: Judge, key: str) -> Fields | None:
    most = judge.goal == "max"  # of equal ones the first by all judges
    found = ordered(rows[::-1] if most else rows, key, descending=most)
    return found[0] if found and look_up(found[0], key) is not None else None


def _model(doc: Document, row: Fields, judge: Judge, by: str, free: bool = False) -> Model:
    one = doc.one(row["id"])
    key = f"{judge.metric}.best" if free else judge.metric
    step = look_up(row, f"{judge.metric if free else monitored(row)}.best_step")
    epoch = None if step is None else one.epoch_at(step)
    return Model(by, judge, one.run, float(look_up(row, key)), epoch, holding(one.run, step), free)


def _held(one: Model) -> str:
    if not one.files:
        return "none"
    return ", ".join(f"checkpoints/{name}" for name in one.files[:2])


def _tests(found: Sequence[Model]) -> list[str]:
    """The judges' figures on test data."""
    names = dict.fromkeys(f"test.{one.judge.metric.partition('.')[2]}" for one in found)
    return [name for name in names if any(name in one.run.row.metrics for one in found)]


def _remarks(found: Sequence[Model]) -> Iterator[str]:
    """What a name such as "the best model" would hide."""
    kept = [one for one in found if not one.free]
    if not any(all(look_up(one.run.row.fields, by.judge.metric) == by.value for by in kept) for one in kept):
        parts = [f"{code(one.run.id)} by {prose(one.judge.named)} ({_beside(one, kept)})" for one in kept]
        yield f"**No run is best by all figures:** {'; '.join(parts)}."
    for one in found:
        if one.free:
            yield from _lost(one)


def _beside(one: Model, others: Sequence[Model]) -> str:
    """A run's figures by all judges."""
    judges = dict.fromkeys(other.judge for other in others)
    known = [(judge.metric, look_up(one.run.row.fields, judge.metric)) for judge in judges]
    return ", ".join(f"{prose(name)} {number(value)}" for name, value in known)


def _lost(one: Model) -> Iterator[str]:
    """A best figure that no file holds, or another than the one that is called the best."""
    row, metric = one.run.row.fields, one.judge.metric
    watched = monitored(row)
    at_best = look_up(row, metric)
    if at_best is None or at_best == one.value:
        return
    chosen = (
        f"`best.pt` of that run was chosen by {prose(watched)}, and has {prose(metric)} {number(at_best)}"
    )
    figure = f"{prose(one.judge.named)} {number(one.value)}"
    epoch = "" if one.epoch is None else f" (epoch {number(one.epoch)})"
    if one.files:
        yield f"**`best.pt` is not the best by {prose(metric)}:** {figure}{epoch} of {code(one.run.id)} lies in " \
            f"{code(one.files[0])}; {chosen}."  # fmt: skip
    else:
        wanted = code(f'checkpoints.also_best = ["{metric}"]')
        yield f"**No file holds the best {prose(metric)}:** {figure}{epoch} of {code(one.run.id)} is gone; " \
            f"{chosen}. {wanted} keeps such weights, too."  # fmt: skip
