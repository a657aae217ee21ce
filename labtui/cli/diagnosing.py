"""What `labtui doctor RUN` says: what the rules see wrong with runs, on what evidence, and what helps."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labtui.cli.app import Format, print_json, show, terminal_width
from labtui.table import clean

if TYPE_CHECKING:
    from labtui.diagnose import Diagnosis
    from labtui.query import Lab

WIDE = 100
"""Columns where nobody looks at a terminal."""


@dataclass(frozen=True)
class Diagnosed:
    """What was asked of something."""

    name: str
    """A run's id, or what several runs are called together."""
    state: str
    found: Diagnosis


def diagnosed(lab: Lab, reference: str) -> list[Diagnosed]:
    """The runs that a reference means, and, where it means several, first what the rules on groups see.

    Args:
        reference: of a run, a sweep, or a recipe all of whose runs are meant.

    Raises:
        RunNotFound: there is nothing of such a name.
    """
    from labtui.errors import RunNotFound
    from labtui.query.baseline import pinned
    from labtui.query.diagnosis import diagnosis
    from labtui.query.group_diagnosis import group_diagnosis

    try:
        runs, name = lab.group(reference), lab.sweep(reference)
    except RunNotFound:
        name, runs = lab.of_recipe(reference)
        if not runs:
            raise
    found = []
    if name:
        rows = [run.row.fields for run in runs]
        first = pinned(lab.paths, name, rows) if lab.sweep(name) else ()
        together = group_diagnosis(rows, first)
        found.append(Diagnosed(name, f"{len(runs)} runs", together))
    return found + [Diagnosed(run.id, str(run.row.fields["state"]), diagnosis(run)) for run in runs]


def tell(found: list[Diagnosed], format: Format) -> None:
    """Print what was found in the wanted form."""
    if format is Format.json:
        print_json([_plain(one) for one in found])
        return
    if format is Format.table:
        print("\n".join(_lines(found, (terminal_width() or WIDE))))
        return
    rows = [
        [one.name, finding.rule, finding.text, "; ".join(finding.evidence), finding.advice]
        for one in found
        for finding in one.found.findings
    ]
    show(["run", "rule", "finding", "evidence", "advice"], rows, format)


def _plain(one: Diagnosed) -> dict[str, Any]:
    findings = [
        {"rule": f.rule, "finding": f.text, "evidence": list(f.evidence), "advice": f.advice}
        for f in one.found.findings
    ]
    silent = {f["rule"] for f in findings}
    return {
        "run": one.name,
        "state": one.state,
        "findings": findings,
        "silent": [name for name in one.found.asked if name not in silent],
        "not_asked": list(one.found.unasked),
    }


def _lines(found: list[Diagnosed], width: int) -> Iterator[str]:
    for at, one in enumerate(found):
        if at:
            yield ""
        yield from _one(one, width, short=len(found) > 1)


def _one(one: Diagnosed, width: int, short: bool) -> Iterator[str]:
    """One run's or group's; among several in short, without the rules that are silent."""
    plain = _plain(one)
    number = len(one.found.findings)
    seen = f"{number} finding{'s' if number > 1 else ''}" if number else "nothing found"
    if not one.found.asked:
        seen = "too little is recorded"
    yield clean(f"{one.name}  {one.state}: {seen}")
    for finding in one.found.findings:
        yield from _wrapped("  ! ", f"{finding.rule}: {finding.text}", width)
        for line in finding.evidence:
            yield from _wrapped("    · ", line, width)
        yield from _wrapped("    → ", finding.advice, width)
    if short:
        return
    if plain["silent"]:
        yield from _wrapped("  silent: ", ", ".join(plain["silent"]), width)
    if one.found.unasked:
        yield from _wrapped("  too little is recorded for: ", ", ".join(one.found.unasked), width)


def _wrapped(first: str, text: str, width: int) -> list[str]:
    indent = " " * min(len(first), 6)
    return textwrap.wrap(clean(text), width, initial_indent=first, subsequent_indent=indent)
