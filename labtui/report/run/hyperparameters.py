"""The table that every notebook begins with, then every other option."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labtui.report.blocks import Block, Heading, Table
from labtui.report.document import NotRecorded
from labtui.report.run.document import Document
from labtui.report.text import exact
from labtui.run import params_of
from labtui.table import number

MAIN = {
    "epochs": ("train.epochs", "params.epochs", "params.num_epochs"),
    "batch size": ("train.batch_size", "params.batch_size"),
    "loss": ("loss.name", "loss.factory", "params.loss", "params.criterion"),
    "optimizer": ("optimizer.name", "params.optimizer"),
    "learning rate": ("optimizer.lr", "params.lr", "params.learning_rate"),
    "schedule": ("schedule.name", "params.schedule", "params.scheduler"),
    "seed": ("train.seed", "params.seed"),
}
"""Label to the keys that may hold it."""


def section(doc: Document) -> Iterator[Block]:
    """The main ones first."""
    yield Heading(2, "Hyper-parameters")
    if not doc.recipe:
        raise NotRecorded(doc.absence)
    rows: list[tuple[str, str]] = []
    used = {"validate.monitor"}
    missing = []
    for label, keys in MAIN.items():
        key = next((key for key in keys if key in doc.options), None)
        if key is None:
            missing.append(label)
            continue
        used.add(key)
        rows.append((label, exact(doc.options[key]) + (_rates(doc) if label == "schedule" else "")))
    monitor = doc.named(doc.monitor) if doc.monitor else "not recorded: no metric is monitored"
    rows.append(("accuracy (monitored)", monitor))
    yield Table(("hyp-params", "value"), rows)
    if missing:
        yield f"*Not recorded: {', '.join(missing)}. {_why(doc)}*"
    others = [
        (key.removeprefix("params."), exact(value))
        for key, value in params_of(doc.recipe).items()
        if key not in used and not key.startswith("origin.")
    ]
    if others:
        yield "All other options of the resolved recipe:"
        yield Table(("option", "value"), others)


def _rates(doc: Document) -> str:
    """The learning rates that were used."""
    logged: Any = doc.series.get("train.lr")
    if logged is None or not len(logged.values) or (logged.values == logged.values[0]).all():
        return ""
    first, last, high = logged.values[0], logged.values[-1], logged.values.max()
    peak = f", highest {number(float(high))}" if high > max(first, last) else ""
    return f" (rate after the first epoch {number(float(first))}, last {number(float(last))}{peak})"


def _why(doc: Document) -> str:
    if doc.kind == "script":
        return "A script's options are those it gives to `labtui.init(params=…)`."
    if doc.kind == "command":
        return "A command's options are those in its recipe's `[params]`."
    return "The recipe does not say."
