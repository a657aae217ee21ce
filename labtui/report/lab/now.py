"""What runs and what waits."""

from __future__ import annotations

from collections.abc import Iterator

from labtui.query.spread import figure
from labtui.report.blocks import Block, Heading, Table
from labtui.report.lab.document import Document
from labtui.report.lab.overview import count
from labtui.report.text import code, moment
from labtui.table import markdown

MOST = 20
"""Runs, and sweeps, that are listed."""


def section(doc: Document) -> Iterator[Block]:
    """Runs under way and queued, sweeps with trainings to come; nothing where nothing is."""
    rows = [row for state in ("running", "queued") for row in doc.rows if row["state"] == state]
    sweeps = [one for one in doc.sweeps if one.left]
    if not rows and not sweeps:
        return
    yield Heading(2, "Running and waiting")
    if rows:
        shown = []
        for row in rows[:MOST]:
            family = doc.of_run[row["id"]]
            reached = figure(row, "epoch.last")
            started = moment(row["started"]) or None
            so_far = figure(row, f"{family.metric}.best") if family.metric else None
            shown.append(
                [row["state"], doc.title(family), started, reached, family.metric or None, so_far, row["id"]]
            )
        yield Table(("state", "model", "started", "epoch", "monitored", "best so far", "run"), shown)
    if len(rows) > MOST:
        yield f"*And {len(rows) - MOST} more.*"
    lines = [
        f"- {markdown(one.name)} {code(one.sweep)}: {count(one.left, 'training')} of {one.trainings} to come"
        + ("." if one.hosts else f"; `labtui resume {one.sweep}` goes on with it.")
        for one in sweeps[-MOST:]
    ]
    if lines:
        yield "\n".join(["Sweeps that are not done:", "", *lines])
