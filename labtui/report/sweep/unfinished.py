"""What of a sweep is not done, and why; what was gone on with."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from labtui.query.progress import OVER, TO_COME, standing
from labtui.report.blocks import Block, Heading, Table
from labtui.report.sweep.document import Document
from labtui.report.text import code, fence

SHOWN = 20
Fields = Mapping[str, Any]


def section(doc: Document) -> Iterator[Block]:
    """Runs that have not finished, cells of which there is no run, and how to go on; then runs that were resumed."""
    yield Heading(2, "Not done")
    broken = [row for row in doc.rows if standing(row) not in OVER]
    missing = {sweep: found.counts.get(TO_COME, 0) for sweep, found in doc.progress.items()}
    missing = {sweep: n for sweep, n in missing.items() if n}
    if not broken and not missing:
        yield "Nothing: every cell has finished."
    if broken:
        columns = ("cell", "state", "reason", "what it said", "run")
        rows = [(row["title"] or None, row["state"], row["reason"] or None, _message(doc, row), row["id"])
                for row in broken[:SHOWN]]  # fmt: skip
        used = [place for place in range(len(columns)) if any(line[place] is not None for line in rows)]
        yield Table([columns[place] for place in used], [[line[place] for place in used] for line in rows])
        if left := broken[SHOWN:]:
            yield f"And {len(left)} more; the table of all runs has them."
    for sweep, n in missing.items():
        was = "was" if n == 1 else "were"
        yield f"{n} of {doc.progress[sweep].trainings} trainings of {code(sweep)} {was} never made."
    if sweeps := dict.fromkeys([*(row["sweep"] for row in broken if row["sweep"]), *missing]):
        yield "What is not done is made, and what is finished stays, with:"
        yield fence("\n".join(f"labtui resume {shlex.quote(sweep)}" for sweep in sweeps), "sh")
    yield from _resumed(doc)


def _message(doc: Document, row: Fields) -> str | None:
    """What a run's result says."""
    return doc.one(row["id"]).status.message.split("\n")[0] or None


def _resumed(doc: Document) -> Iterator[Block]:
    again = [row for row in doc.rows if (row["attempt"] or 1) > 1]
    if again:
        names = ", ".join(f"{code(row['id'])} (attempt {row['attempt']})" for row in again[:SHOWN])
        more = f" and {len(again) - SHOWN} more" if again[SHOWN:] else ""
        yield f"Gone on with after an end: {names}{more}."
