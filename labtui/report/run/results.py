"""Best and last, beside what a constant would have scored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labtui.query.checkpoints import holding
from labtui.report.blocks import Block, Heading, Table
from labtui.report.document import NotRecorded, mapping
from labtui.report.run.document import VERBS, Document
from labtui.report.text import code
from labtui.scores import beats, scores, split_of
from labtui.table import markdown, number

MOST_FILES = 2
"""Files with the same weights that are named."""


def baselines(doc: Document) -> dict[str, float]:
    """Metric to what the best constant predictor scored, as far as recorded."""
    found = mapping(doc.facts.get("baseline"))
    return {name: v for name, v in found.items() if isinstance(v, int | float)}


def beaten(doc: Document, metric: str) -> bool | None:
    """Whether the model is better than a constant by its `at_best`; None when that is not known."""
    known = doc.metrics.get(metric)
    return beats(known.at_best if known else None, baselines(doc).get(metric), doc.goal(metric))


def section(doc: Document) -> Iterator[Block]:
    """One row a metric: at the best epoch, at the last, the constant's."""
    yield Heading(2, "Result")
    names = scores(doc.metrics, doc.monitor)
    if not names:
        raise NotRecorded("nothing was logged" if doc.status.over else doc.absence)
    yield _best(doc)
    yield _ending(doc)
    yield from _files(doc)
    last = mapping(doc.facts.get("last_epoch"))
    constants = baselines(doc)
    rows = [_row(doc, name, last, constants) for name in names]
    columns = ("score", "at best", "last", "best constant", "better than it")
    used = 5 if constants else 3
    yield Table(columns[:used], [row[:used] for row in rows])
    yield from _remarks(doc, names, constants)


def _row(doc: Document, name: str, last: dict[str, Any], constants: dict[str, float]) -> tuple[Any, ...]:
    entry = doc.metrics[name]
    newest = last.get(name, entry.last)
    verdict = {True: "yes", False: "NO", None: "–"}[beaten(doc, name)]
    label = doc.named(name) + (" (monitored)" if name == doc.monitor else "")
    newest = newest if isinstance(newest, int | float) else None
    return label, entry.at_best, newest, constants.get(name), verdict


def _best(doc: Document) -> str:
    metric, step = doc.monitor, doc.best_step
    if not metric:
        return "*Best: not recorded, since no metric is monitored; “at best” is then the last value.*"
    if step is None:
        return (
            f"*Best: not recorded. {markdown(metric)} is monitored, but "
            + ("its direction is not known" if metric in doc.metrics else "was not logged")
            + "; “at best” is then the last value.*"
        )
    words = f"Best by {markdown(doc.named(metric))}: {doc.place(step)}."
    if doc.last_step is not None:
        words += f" Last: {doc.place(doc.last_step)}."
    if doc.kind == "recipe" and doc.epoch_at(step) == 0:
        words += " **The best is the untrained model: training did not improve on it.**"
    return words


def _files(doc: Document) -> Iterator[str]:
    """Where the weights of the best and of the last epoch lie."""
    best = holding(doc.run, doc.best_step)[:MOST_FILES]
    last = holding(doc.run, doc.last_step)[:MOST_FILES]
    found = [
        f"of the {word}, {', '.join(code(f'checkpoints/{name}') for name in names)}"
        for word, names in (("best", best), ("last", last))
        if names
    ]
    if found:
        yield f"Weights: {'; '.join(found)}."
    elif doc.kind == "recipe" and doc.best_step is not None and doc.status.over:
        yield "*Weights: none are kept, neither of the best nor of the last.*"


def _ending(doc: Document) -> str:
    """Whether training stopped early."""
    state = doc.status.state
    if doc.kind != "recipe":
        return "*Early stopping: not recorded, it is the program's own affair.*"
    if state != "finished":
        verb = "is still running" if state == "running" else VERBS.get(state, f"is {state}")
        return f"Early stopping: it did not come to that; the run {verb}."
    patience, epochs = doc.options.get("validate.patience"), doc.options.get("train.epochs")
    if patience is None:
        return f"Early stopping: not asked for; all {epochs} epochs were trained."
    reached = doc.epoch_at(doc.last_step) if doc.last_step is not None else None
    if reached is not None and isinstance(epochs, int) and reached < epochs:
        least = doc.options.get("validate.min_delta") or 0
        more = f" by more than {least}" if least else ""
        return (
            f"**Stopped early** after epoch {number(reached)} of {epochs}: {patience} validations in "
            f"a row did not improve {markdown(doc.monitor)}{more}."
        )
    return f"Early stopping: on (patience {patience}), but all {epochs} epochs were trained."


def _remarks(doc: Document, names: list[str], constants: dict[str, float]) -> Iterator[Block]:
    """What the table must not be misread for."""
    if not constants:
        yield f"*Best constant predictor: {_no_constant(doc)}.*"
    elif worse := [name for name in names if beaten(doc, name) is False]:
        listed = ", ".join(markdown(name) for name in worse)
        yield (
            f"**Not better than the best constant predictor:** {listed}. An answer that ignores its "
            "input is as good there."
        )
    else:
        yield "Better than the best constant predictor in every score that both have."
    splits = doc.facts.get("test")
    if splits and not any(split_of(name)[0] == "test" for name in names):
        yield "*Test scores: not recorded; labtui takes them when training has ended by itself.*"
    odd = [f"{markdown(n)} {m.nonfinite}" for n, m in doc.metrics.items() if m.nonfinite]
    if odd:
        yield f"Values that were NaN or infinite: {', '.join(odd)}."


def _no_constant(doc: Document) -> str:
    if doc.options.get("loss.name") == "batch_hard_triplet":
        return "none, since an embedding in one place says nothing"
    if doc.kind != "recipe":
        return "not recorded, since labtui does not see this program's data"
    return (
        f"not recorded, since {doc.absence}"
        if not doc.facts
        else "not recorded, the run's result does not hold it"
    )
