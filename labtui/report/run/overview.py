"""The head of a report: what it is of, and how it ended, in one line."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from labtui.report.blocks import Block, Heading
from labtui.report.run.document import Document
from labtui.report.run.reproduce import part_of
from labtui.report.run.results import baselines, beaten
from labtui.report.splits import caveat
from labtui.report.text import code, fence, moment, prose
from labtui.scores import scores
from labtui.table import duration, markdown, number

TRACE = 15
"""Lines of a traceback's end that are shown."""


def section(doc: Document) -> Iterator[Block]:
    """Title, state, outcome, what that is worth, what the rules see; why it failed; description, tags."""
    row = doc.run.row
    yield Heading(1, "Experiment", str(row.name))
    yield " ".join([_state(doc), *_score(doc)])
    if worth := _worth(doc):
        yield worth
    if seen := _seen(doc):
        yield seen
    if part := part_of(doc):
        sweep = code(f"labtui report {shlex.quote(str(doc.origin['sweep']))}")
        yield f"One run of several: {part}. Of all of them tells {sweep}."
    if doc.simulated:
        yield "**Simulated data:** labtui made them up, and the figures say nothing about real ones."
    if rule := caveat(doc.options):
        yield f"**Optimistic:** {rule}"
    if doc.status.message:
        yield "> " + prose(doc.status.message)
    if trace := str(doc.status.result.get("traceback") or ""):
        lines = trace.rstrip().split("\n")
        yield fence("\n".join(["…"] * (len(lines) > TRACE) + lines[-TRACE:]))
    if description := str(doc.recipe.get("description") or "").strip():
        yield prose(description)
    if row.tags:
        yield "Tags: " + ", ".join(code(str(tag)) for tag in row.tags)


def _worth(doc: Document) -> str:
    """Whether the model is better than an answer that ignores its input; empty where that is not known."""
    metric = doc.monitor
    better = beaten(doc, metric)
    if better is None:
        return ""
    constant = f"the best constant predictor has {markdown(metric)} {number(baselines(doc)[metric])}"
    if not better:
        return f"**Not better than a constant:** {constant} on the same data."
    worse = [name for name in scores(doc.metrics, metric) if beaten(doc, name) is False]
    but = f" **But it is no better in {', '.join(map(markdown, worse))}.**" if worse else ""
    return f"Better than a constant: {constant} on the same data.{but}"


def _seen(doc: Document) -> str:
    """What the rules say, in short."""
    found = doc.diagnosis
    if not found.asked:
        return ""
    if not found.findings:
        return f"Diagnosis: none of {len(found.asked)} rules found anything."
    lines = [f"- **{prose(one.rule)}:** {prose(one.text)}" for one in found.findings]
    return "\n".join([f"**Diagnosis** ({len(lines)}; evidence and advice below):", "", *lines])


def _state(doc: Document) -> str:
    status = doc.status
    words = f"**{status.state.capitalize()}**"
    if status.reason:
        words += f" ({markdown(status.reason)})"
    if status.state == "running":
        words += f": a report of a training under way, {_reached(doc)}."
    elif status.state == "lost":
        seen = f", seen last {moment(status.ended)}" if status.ended else ""
        words += (
            f" {_reached(doc)}: its process is gone and left no result (killed, or the machine went "
            f"down{seen}). `labtui resume` goes on from the last checkpoint, if there is one."
        )
    elif status.state == "queued":
        words += ": it waits to be started."
    elif status.state == "idle":
        words += ": a copied or restored directory, in which nothing was started."
    else:
        took = f" in {duration(doc.run.row.duration)}" if doc.run.row.duration is not None else ""
        words += f" {_reached(doc)}{took}."
    return words


def _reached(doc: Document) -> str:
    """How far it came."""
    step = doc.last_step
    if step is None:
        return "before anything was logged"
    epoch = doc.epoch_at(step)
    if epoch is None:
        return f"at step {step}"
    epochs = doc.options.get("train.epochs")
    asked = f" of {epochs}" if doc.kind == "recipe" and isinstance(epochs, int) else ""
    return f"after epoch {number(epoch)}{asked}"


def _score(doc: Document) -> Iterator[str]:
    """The monitored metric's best, and its test figure with the same weights."""
    metric, step = doc.monitor, doc.best_step
    if step is None:
        return
    best = doc.metrics[metric].best
    way = {"min": "less is better", "max": "more is better"}.get(doc.goal(metric) or "", "")
    which = f" ({way})" if way else ""
    yield f"{markdown(doc.named(metric))} **{number(best)}** at its best{which}, {doc.place(step)}."
    test = "test." + metric.partition(".")[2]
    if test != metric and test in doc.metrics:
        yield f"{markdown(doc.named(test))} **{number(doc.metrics[test].at_best)}** with those weights."
