"""What the rules of `labtui.diagnose` have to say of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labtui.diagnose import Case, Diagnosis, diagnose
from labtui.query.lab import Run
from labtui.series import Series


def case(run: Run, series: Mapping[str, Series] | None = None) -> Case:
    """A run as the rules look at it.

    Args:
        run: with its row.
        series: its metrics, if they are known.
    """
    row = run.row
    facts, recipe = row.get("facts") or {}, run.recipe()
    weights, confusion = run.artifact("weights"), run.artifact("confusion")
    validate = recipe.get("validate") or {}
    return Case(
        series=run.all_series() if series is None else series,
        monitor=str(validate.get("monitor") or "val.loss"),
        goals={str(key): str(goal) for key, goal in (recipe.get("goals") or {}).items()},
        baseline=_numbers(facts.get("baseline")),
        samples={
            name: int(facts[name]) for name in ("train", "val", "test") if isinstance(facts.get(name), int)
        },
        confusion=_mapping({"matrix": confusion} if isinstance(confusion, list) else confusion),
        weights=_mapping(weights),
        reason=str(row.get("reason") or ""),
    )


def diagnosis(run: Run, series: Mapping[str, Series] | None = None) -> Diagnosis:
    """Ask all rules of a run."""
    return diagnose(case(run, series))


def _mapping(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _numbers(found: Any) -> dict[str, float]:
    """Whatever of a mapping is a number."""
    return {
        str(key): float(value)
        for key, value in _mapping(found).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
