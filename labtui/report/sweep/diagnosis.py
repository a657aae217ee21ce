"""What the rules see wrong: in the runs beside each other, then in each of them, summed up by rule."""

from __future__ import annotations

from collections.abc import Iterator

from labtui.query.diagnosis import MOST, Seen, by_rule, diagnoses
from labtui.query.group_diagnosis import group_diagnosis
from labtui.report import findings
from labtui.report.blocks import Block, Heading, Table
from labtui.report.document import NotRecorded
from labtui.report.sweep.document import Document
from labtui.report.sweep.judges import judges
from labtui.report.sweep.runs import sorted_runs

NAMED = 3
"""Runs that are named for a finding."""


def section(doc: Document) -> Iterator[Block]:
    """One row a rule that found something: in how many runs, of how many asked, and what in the best of them."""
    yield Heading(2, "Diagnosis")
    pinned = doc.found.baseline
    together = group_diagnosis(doc.rows, [row["id"] for row in pinned.rows] if pinned else ())
    rows = sorted_runs(doc.rows, judges(doc.rows))
    asked = diagnoses((doc.run(row["id"]) for row in rows), MOST)
    rules = by_rule(asked)
    if not rules and not together.asked:
        raise NotRecorded("no rule has enough to look at in any of the runs")
    if together.findings:
        yield "The runs beside each other:"
        yield Table(findings.COLUMNS, [findings.row(one) for one in together.findings])
    lines = [_line(one) for one in rules if one.fired]
    if lines:
        yield f"Each run by itself ({len(asked)} were looked at):"
        yield Table(
            ["rule", "runs", "asked", "what is seen, in the first of them", "what helps", "in"], lines
        )
    fired = {line[0] for line in lines} | {one.rule for one in together.findings}
    if not fired:
        yield "Nothing found."
    if silent := [
        name for name in dict.fromkeys([*together.asked, *(one.rule for one in rules)]) if name not in fired
    ]:
        yield f"Asked, and nothing found ({len(silent)}): {', '.join(silent)}."
    if len(rows) > MOST:
        yield (
            f"*To keep the report quick the best {MOST} of {len(rows)} runs were looked at one by one; "
            "`labtui doctor RUN` asks the rules of any other.*"
        )


def _line(one: Seen) -> list[object]:
    (_, first), ids = one.fired[0], [run_id for run_id, _ in one.fired]
    more = f" and {len(ids) - NAMED} more" if ids[NAMED:] else ""
    asked = len(ids) + len(one.silent)
    return [one.rule, len(ids), asked, first.text, first.advice, ", ".join(ids[:NAMED]) + more]
