"""What the rules of `labtui.diagnose` have to say of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from labtui.diagnose import Case, Diagnosis, Finding, diagnose, read
from labtui.files.atomic import read_json
from labtui.query.lab import Run
from labtui.series import Series

MOST = 200
"""Runs of which the rules are asked where nobody says how many: some seconds of work."""
_NOT_BEGUN = ("queued", "idle")


def case(run: Run, series: Mapping[str, Series] | None = None) -> Case:
    """A run as the rules look at it.

    Args:
        run: with its row.
        series: its metrics, if they are known.
    """
    row = run.row
    known = run.all_series() if series is None else series
    return read(
        run.recipe(),
        row.get("facts") or {},
        known,
        run.artifact,
        str(row.get("reason") or ""),
        _best(run),
        row.get("state") == "finished",
    )


def _best(run: Run) -> Any:
    """What the newest attempt says of its best weights; that of one before says nothing once training goes on."""
    result = read_json(run.paths.result) or {}
    return result.get("best") if result.get("attempt") == run.row.fields["attempt"] else None


def diagnosis(run: Run, series: Mapping[str, Series] | None = None) -> Diagnosis:
    """Ask all rules of a run."""
    return diagnose(case(run, series))


def diagnoses(runs: Iterable[Run], most: int = MOST) -> dict[str, Diagnosis]:
    """Ask all rules of several runs, by their ids.

    Args:
        runs: in the order in which they are asked; those that have not begun are passed over, and so are those
            that are gone meanwhile.
        most: of so many; the rest is not looked at.
    """
    found: dict[str, Diagnosis] = {}
    for run in runs:
        if len(found) >= most:
            break
        if run.row.fields["state"] not in _NOT_BEGUN:
            with suppress(OSError):
                found[run.id] = diagnosis(run)
    return found


class Seen(NamedTuple):
    """One rule over all runs of which it was asked."""

    rule: str
    fired: list[tuple[str, Finding]]
    """Ids of the runs with it, in the order in which they were asked."""
    silent: list[str]
    """Ids of those without it."""


def by_rule(found: Mapping[str, Diagnosis]) -> list[Seen]:
    """What several runs' diagnoses (by their ids) have in common: every rule that was asked, the commonest finding
    first."""
    known: dict[str, Seen] = {}
    for run_id, one in found.items():
        fired = {finding.rule: finding for finding in one.findings}
        for rule in one.asked:
            seen = known.setdefault(rule, Seen(rule, [], []))
            if rule in fired:
                seen.fired.append((run_id, fired[rule]))
            else:
                seen.silent.append(run_id)
    return sorted(known.values(), key=lambda one: -len(one.fired))
