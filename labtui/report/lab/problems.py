"""Problems seen: what the rules of the diagnosis say over the runs of each model, and what goes with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from labtui.query.aggregate import hyperparameters
from labtui.query.diagnosis import Seen, by_rule
from labtui.query.families import Family
from labtui.query.parameters import written
from labtui.report.blocks import Block, Heading, Table
from labtui.report.lab.document import Document
from labtui.report.lab.overview import count
from labtui.report.text import code, prose
from labtui.table import markdown

SHOWN = 3
"""Runs, and options, that are named for one rule."""


def section(doc: Document) -> Iterator[Block]:
    """Rules by how many runs have them; then each with an example, what helps, and the options that go with it."""
    yield Heading(2, "Problems seen")
    yield from _unfinished(doc)
    found = [one for one in by_rule(doc.diagnosed) if one.fired]
    asked = len(doc.diagnosed)
    if not asked:
        yield "*No run has begun: there is nothing to look at.*"
        return
    begun = sum(row["state"] not in ("queued", "idle") for row in doc.rows)
    which = "all" if asked == begun else f"the best of each model and the newest, {asked} of {begun}"
    yield f"The rules of the diagnosis were asked of {count(asked, 'run')} ({which})" + (
        "." if found else ": none has anything to say."
    )
    if not found:
        return
    rows = [[one.rule, len(one.fired), len(one.fired) + len(one.silent), _models(doc, one)] for one in found]
    yield Table(("problem", "runs", "asked", "models (runs of those asked)"), rows)
    for one in found:
        yield from _told(doc, one)


def _unfinished(doc: Document) -> Iterator[str]:
    """Runs that ended otherwise than they should."""
    by: dict[str, list[str]] = {}
    for row in doc.rows:
        if row["state"] in ("failed", "lost", "preempted"):
            why = f" ({row['reason']})" if row["reason"] else ""
            by.setdefault(f"{row['state']}{why}", []).append(str(row["id"]))
    for why, ids in by.items():
        more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
        newest = ", ".join(map(code, ids[::-1][:SHOWN]))
        yield f"{count(len(ids), 'run')} {markdown(why)}: {newest}{more}."


def _models(doc: Document, one: Seen) -> str:
    """How many runs of which model have it, of how many asked."""
    with_it = Counter(doc.title(doc.of_run[run_id]) for run_id, _ in one.fired)
    without = Counter(doc.title(doc.of_run[run_id]) for run_id in one.silent)
    return ", ".join(f"{name} {n} of {n + without[name]}" for name, n in with_it.most_common())


def _told(doc: Document, one: Seen) -> Iterator[Block]:
    """A rule: an example with its evidence, where else, what helps, what goes with it."""
    example, finding = one.fired[0]
    yield Heading(3, "Problem", one.rule)
    lines = [f"- For example {code(example)}: {prose(finding.text)}."]
    lines += [f"  - {prose(evidence)}" for evidence in finding.evidence]
    if others := [other for other, _ in one.fired[1:]]:
        more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
        lines.append(f"- Also: {', '.join(map(code, others[:SHOWN]))}{more}.")
    lines.append(f"- What helps: {prose(finding.advice)}.")
    for family in doc.families:
        lines += [f"- In {markdown(doc.title(family))}, {words}" for words in _apart(doc, family, one)]
    yield "\n".join(lines)


def _apart(doc: Document, family: Family, one: Seen) -> Iterator[str]:
    """Options that tell a family's runs with a problem from those without: which change made it go away."""
    rows = {row["id"]: row for row in family.rows}
    with_it = [rows[run_id] for run_id, _ in one.fired if run_id in rows]
    without = [rows[run_id] for run_id in one.silent if run_id in rows]
    if not with_it or not without:
        return
    found = []
    for key in hyperparameters([*with_it, *without]):
        bad, good = (list(map(_value(key), rows)) for rows in (with_it, without))
        few = len({*bad, *good}) < len(bad) + len(good) or len(bad) + len(good) == 2
        if few and not set(bad) & set(good):
            found.append(f"{code(key)} is {_listed(bad)} with it and {_listed(good)} without")
    if not found:
        yield f"no option alone tells the {count(len(with_it), 'run')} with it from the {len(without)} without."
    else:
        more = f", and {count(len(found) - SHOWN, 'more option')} like that" if len(found) > SHOWN else ""
        runs = f"{len(with_it)} with, {len(without)} without"
        yield f"it goes with an option ({runs}): {'; '.join(found[:SHOWN])}{more}."


def _value(key: str) -> Any:
    return lambda row: written(row["params"][key]) if key in row["params"] else "absent"


def _listed(values: Sequence[str]) -> str:
    found = list(dict.fromkeys(values))
    more = f" or {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return " or ".join(markdown(value) for value in found[:SHOWN]) + more
