"""Folds of one configuration: early stopping and the last epoch, per fold and as mean ± deviation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from labtui.grouped import column_name, difference_text, members, plus_minus
from labtui.query.aggregate import Column, Group, observed
from labtui.query.difference import differences
from labtui.query.repeats import fold_of, repeats
from labtui.query.rows import look_up
from labtui.query.spread import counted, figure, spread_of
from labtui.report.blocks import Block, Heading, Table
from labtui.report.sweep.document import Document, column, over
from labtui.report.text import prose
from labtui.scores import beats, split_of
from labtui.table import duration, markdown, number

Rows = Sequence[Mapping[str, Any]]

FAR = 3.0
"""Deviations of the other folds from which on a fold is named as one that lies apart."""


def section(doc: Document) -> Iterator[Block]:
    """Both protocols, every fold, and what their spread says; nothing where there are other configurations."""
    if not doc.folds:
        return
    (group,) = doc.found.groups
    count = len({repr(fold_of(row)) for row in group.rows})
    yield Heading(2, f"{count} folds")
    scores = [one for one in doc.found.columns if not one.key.endswith(".last")]
    if not scores:
        yield "*Not recorded: no run monitors a metric that was logged.*"
        return
    yield _protocols(doc, group, scores)
    if (left := len(group.rows) - group.states.get("finished", 0)) > 0:
        yield f"Not in the means: {left} of {len(group.rows)} runs, which have not finished ({prose(members(group))})."
    yield Heading(3, "Each fold")
    yield _each(group, scores)
    yield "\n".join(f"- {line}" for line in _said(doc, group, scores))


def _protocols(doc: Document, group: Group, scores: Sequence[Column]) -> Table:
    """Early stopping and the last epoch; how far they are apart where the metric is the monitored one."""
    rows = [
        ["early stopping", over(group.rows, "epoch"), *(over(group.rows, one.key) for one in scores)],
        ["last epoch", over(group.rows, "epoch.last"), *(over(group.rows, f"{one.key}.last") for one in scores)],
    ]  # fmt: skip
    return Table(["taken at", "epoch", *(column_name(one) for one in scores)], rows)


def _each(group: Group, scores: Sequence[Column]) -> Table:
    """One row a fold."""
    rounds = repeats(group.rows)
    several = len(rounds) > 1
    rows = []
    for one in rounds:
        for row in one.rows:
            ended = counted(row)
            values = [look_up(row, key) if ended else None for key in _keys(scores)]
            first = [one.number] if several else []
            state = [] if _all_finished(group) else [row["state"]]
            rows.append([*first, fold_of(row), *state, *values, duration(row["duration"]), row["id"]])
    heads = [*(["repeat"] if several else []), "fold", *([] if _all_finished(group) else ["state"])]
    named = ["best epoch", *(column_name(column(group.rows, key)) for key in _keys(scores)[1:])]
    return Table([*heads, *named, "time", "run"], rows)


def _keys(scores: Sequence[Column]) -> list[str]:
    """Best epoch, the first figure by both protocols, and the others at the best epoch."""
    first, *others = [one.key for one in scores]
    return ["epoch", first, f"{first}.last", *others]


def _all_finished(group: Group) -> bool:
    return set(group.states) == {"finished"}


def _said(doc: Document, group: Group, scores: Sequence[Column]) -> Iterator[str]:
    """What may be read out of the folds, as lines of markdown."""
    first = scores[0]
    yield from _ends(group, first)
    yield from _stopping(doc, group)
    yield from _constant(group, scores)


def _ends(group: Group, first: Column) -> Iterator[str]:
    """The lowest and the highest fold, beside the deviation; and who lies apart."""
    known = [
        (value, row) for row in group.rows if counted(row) and (value := figure(row, first.key)) is not None
    ]
    found = spread_of(group.rows, first.key)
    if len(known) < 2 or found.std is None or found.mean is None:
        return
    (low, lowest), (high, highest) = (end(known, key=lambda pair: pair[0]) for end in (min, max))
    yield (
        f"Folds lie {number(high - low, 2)} apart: from {number(low)} (fold {fold_of(lowest)}) to {number(high)} "
        f"(fold {fold_of(highest)}), around {prose(plus_minus(found.mean, found.std))}. A difference to another "
        "configuration that is smaller than this deviation says nothing unless the same folds are compared in pairs."
    )
    for value, row in known:
        others = spread_of([other for _, other in known if other is not row], first.key)
        if (
            others.std
            and others.mean is not None
            and abs(value - others.mean) > FAR * others.std
            and others.n > 2
        ):
            yield f"**Fold {fold_of(row)} lies apart**: {number(value)}, where the others have {prose(plus_minus(others.mean, others.std))}."


def _stopping(doc: Document, group: Group) -> Iterator[str]:
    """What the best epoch is better by than the last, fold by fold; tested only where the figure itself did not
    pick the epoch."""
    one = column(group.rows, doc.metric)
    keys = one.key, f"{one.key}.last"
    rows = [row for row in group.rows if all(figure(row, key) is not None for key in keys)]
    # Each training is beside itself, also where others are of the same fold and seed.
    best, last = (
        [each._replace(repeat=place) for place, each in enumerate(observed(rows, key))] for key in keys
    )
    found = differences([best], last, one.goal)[0]
    if found.difference is None:
        return
    said = f"Early stopping beside the last epoch, in {markdown(one.key)} of the same folds: "
    if split_of(one.key)[0] == "test":
        yield (
            said + prose(difference_text(found)) + (f", {found.test}, n = {found.n}." if found.test else ".")
        )
        return
    if not found.difference:
        yield f"The best epoch was the last one in {'every fold' if len(best) > 1 else 'the fold'}, by {markdown(one.key)}."
        return
    yield (
        f"{said}{prose(f'{found.difference:+.2g}')}. The epoch is picked by this very figure, so that it flatters: "
        "scores on test data would not (`validate.test_fold = true`)."
    )


def _constant(group: Group, scores: Sequence[Column]) -> Iterator[str]:
    """Folds that are no better than an answer that ignores its input."""
    for one in scores:
        stuck = []
        for row in group.rows:
            constants = row["facts"].get("baseline")
            constant = constants.get(one.key) if isinstance(constants, Mapping) else None
            known = constant if isinstance(constant, int | float) else None
            if counted(row) and beats(figure(row, one.key), known, one.goal) is False:
                stuck.append(f"fold {fold_of(row)}")
        if stuck:
            yield f"**Not better than the best constant predictor** in {markdown(one.key)}: {', '.join(stuck)}."
