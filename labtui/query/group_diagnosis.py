"""What the rules of `labtui.diagnose` have to say of several runs: a sweep, or all runs of a recipe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from labtui.diagnose import Alike, Diagnosis, GroupCase, Member, Rivals, diagnose_group
from labtui.query.aggregate import Aggregate, Group, aggregate, monitored
from labtui.query.spread import Spread, counted, figure

Fields = Mapping[str, Any]


def group_diagnosis(rows: Sequence[Fields], baseline: Sequence[str] = ()) -> Diagnosis:
    """Ask all rules of groups.

    Args:
        rows: of the index: a sweep's, or other runs that stand in one table.
        baseline: ids of the runs that others are compared with (`query.baseline.pinned`); none: no such.
    """
    return diagnose_group(group_case(rows, baseline))


def group_case(rows: Sequence[Fields], baseline: Sequence[str] = ()) -> GroupCase:
    """Runs as the rules look at them; only finished ones count.

    Args:
        rows: of the index.
        baseline: ids of the runs that others are compared with.
    """
    done = [row for row in rows if counted(row)]
    metrics = Counter(filter(None, map(monitored, done)))
    if not metrics:
        return GroupCase("", ())
    metric = metrics.most_common(1)[0][0]
    done = [row for row in done if metric in row["metrics"]]
    table = aggregate(done, metrics=[metric])
    goal = table.columns[0].goal
    alike = [Alike(group.label, [_member(row) for row in group.rows]) for group in table.groups]
    rivals = _rivals(done, table, metric, goal, set(baseline)) if goal else None
    return GroupCase(metric, alike, rivals, {metric: goal} if goal else {})


def _member(row: Fields) -> Member:
    facts = row.get("facts") or {}
    found, samples = facts.get("baseline"), facts.get("val")
    place = [f"{what} {row[what]}" for what in ("repeat", "fold") if row.get(what) is not None]
    scores = {name: figure(row, name) for name in row["metrics"] if name.startswith("val.")}
    return Member(
        row["id"],
        ", ".join(place),
        {name: value for name, value in scores.items() if value is not None},
        {str(key): value for key, value in found.items() if isinstance(value, float)}
        if isinstance(found, dict)
        else {},
        samples if isinstance(samples, int) else 0,
        row.get("fold"),
        f"runs/{row['id']}/checkpoints/best.pt",
    )


def _rivals(
    rows: Sequence[Fields], table: Aggregate, metric: str, goal: str, baseline: set[str]
) -> Rivals | None:
    """The best group beside the baseline, or the worst."""
    known = [group for group in table.groups if group.spreads[metric].n > 1]
    pinned = next((group for group in known if any(row["id"] in baseline for row in group.rows)), None)
    if len(known) < 2:
        return None
    ordered = sorted(known, key=lambda group: group.spreads[metric].mean or 0.0, reverse=goal == "max")
    best = next(group for group in ordered if group is not pinned)
    other = pinned or ordered[-1]
    place = table.groups.index(best)
    compared = aggregate(rows, metrics=[metric], baseline=[other.rows[0]["id"]]).groups[place]
    found = compared.differences.get(metric)
    if found is None or found.difference is None or found.adjusted is None:
        return None
    return Rivals(
        _label(best),
        _label(other),
        found.difference,
        found.adjusted,
        found.word,
        found.test,
        (_figures(best.spreads[metric]), _figures(other.spreads[metric])),
        pinned is not None,
    )


def _label(group: Group) -> str:
    return group.label or "the recipe"


def _figures(found: Spread) -> str:
    return f"{found.mean:.4g} ± {found.std or 0.0:.2g} (n = {found.n})"
