"""What the rules see wrong, summed up by rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from labtui.diagnose import Diagnosis
from labtui.query.diagnosis import diagnoses
from labtui.report.blocks import Block, Heading, Table
from labtui.report.document import NotRecorded
from labtui.report.sweep.document import Document
from labtui.report.sweep.judges import judges
from labtui.report.sweep.runs import sorted_runs

MOST = 100
"""Runs that are asked: their series and weights are read, some 20 ms each."""
NAMED = 3
"""Runs that are named for a finding."""


def section(doc: Document) -> Iterator[Block]:
    """One row a rule that found something: in how many runs, of how many asked; and one of them in full."""
    yield Heading(2, "Diagnosis")
    rows = sorted_runs(doc.rows, judges(doc.rows))[:MOST]
    asked = diagnoses((doc.run(row["id"]) for row in rows), MOST)
    counts = Counter(name for found in asked.values() for name in found.asked)
    if not counts:
        raise NotRecorded("no rule has enough to look at in any of the runs")
    lines = list(_lines(asked, counts))
    if lines:
        yield Table(
            ["rule", "runs", "asked", "what is seen, in the first of them", "what helps", "in"], lines
        )
    else:
        yield "Nothing found."
    silent = [name for name in counts if name not in {line[0] for line in lines}]
    if silent:
        yield f"Asked, and nothing found ({len(silent)}): {', '.join(silent)}."
    of = f"the best {len(rows)} of {len(doc.rows)} runs were looked at" if len(rows) < len(doc.rows) else ""
    if of:
        yield f"*To keep the report quick {of}; `labtui doctor RUN` asks the rules of any other.*"


def _lines(asked: dict[str, Diagnosis], counts: Counter[str]) -> Iterator[list[object]]:
    """What most runs have comes first."""
    by: dict[str, list[str]] = {}
    for run_id, found in asked.items():
        for one in found.findings:
            by.setdefault(one.rule, []).append(run_id)
    for rule, ids in sorted(by.items(), key=lambda pair: -len(pair[1])):
        first = next(one for one in asked[ids[0]].findings if one.rule == rule)
        more = f" and {len(ids) - NAMED} more" if ids[NAMED:] else ""
        yield [rule, len(ids), counts[rule], first.text, first.advice, ", ".join(ids[:NAMED]) + more]
