"""The head of a lab's report."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

from labtui.notes import problem
from labtui.query.families import Family
from labtui.report import notes
from labtui.report.blocks import Block, Heading
from labtui.report.lab.document import Document
from labtui.report.text import code, moment, prose
from labtui.table import duration

NOTES = 5
"""Notes on the lab as a whole, or on a model, that stand beside its figures; the journal has all."""
STATES = ("finished", "running", "queued", "failed", "stopped", "preempted", "lost", "idle")


def section(doc: Document) -> Iterator[Block]:
    """The lab's name; how many runs of how many models, from when to when, and what became of them."""
    yield Heading(1, "Lab", os.path.basename(os.path.abspath(doc.lab.paths.root)))
    yield "\n".join(_counted(doc))
    if trouble := problem(doc.lab.paths):
        yield f"*The notes on the lab are missing here: {prose(trouble)}.*"
    yield from noted(doc, None)


def noted(doc: Document, family: Family | None) -> Iterator[Block]:
    """The newest notes on a family, or on the lab as a whole; nothing where there is none."""
    own = [entry for entry in doc.written if entry.kind == "notes" and doc.whose(entry) is family]
    yield from notes.journal(sorted(own, key=lambda entry: entry.time or 0.0)[-NOTES:], doc.lab.paths)


def _counted(doc: Document) -> Iterator[str]:
    rows = doc.rows
    if not rows:
        yield "No runs yet: `labtui run RECIPE` starts one; `labtui recipes` lists what there is to run."
        return
    sweeps = {row["sweep"] for row in rows} - {""}
    recipes = {recipe for family in doc.families for recipe in family.recipes}
    parts = [
        count(len(rows), "run"),
        f"of {count(len(doc.families), 'model family', 'model families')}",
        f"from {count(len(recipes), 'recipe')}" + (f" and {count(len(sweeps), 'sweep')}" if sweeps else ""),
    ]
    yield " ".join(parts) + f": {states(Counter(str(row['state']) for row in rows))}."
    first, last = rows[0], rows[-1]
    took = duration(sum(row["duration"] or 0.0 for row in rows if row["ended"]))
    if first is last:
        yield f"It is {code(last['id'])}, made {moment(last['created'])}, and took {took}."
        return
    yield (
        f"The first was made {moment(first['created'])}, the newest, {code(last['id'])}, {moment(last['created'])}. "
        f"Together they took {took}."
    )


def states(found: Counter[str]) -> str:
    """`3 finished, 1 failed`."""
    return ", ".join(f"{found[state]} {state}" for state in STATES if found[state])


def count(n: int, what: str, many: str = "") -> str:
    """`1 run`, `2 runs`."""
    return f"{n} {what if n == 1 else many or what + 's'}"
