"""A case from what a run keeps: for readers, who find it on the disk, and for the worker, which still has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labtui.diagnose.case import Case
from labtui.files.toml import flatten
from labtui.series import Series


def read(
    recipe: Mapping[str, Any],
    facts: Mapping[str, Any],
    series: Mapping[str, Series],
    artifact: Callable[[str], Any],
    reason: str = "",
    best: Any = None,
    over: bool = False,
) -> Case:
    """A run as the rules look at it.

    Args:
        recipe: its tables.
        facts: what is known of model and data, as `result.json` has it.
        series: metrics by name.
        artifact: an artifact by name; None where there is none.
        reason: why the run failed, if it did.
        best: what the run says of its best weights, as `result.json` has it.
        over: whether the training came to its end.
    """
    validate, confusion = _mapping(recipe.get("validate")), artifact("confusion")
    return Case(
        series=series,
        monitor=str(validate.get("monitor") or "val.loss"),
        goals={str(key): str(goal) for key, goal in _mapping(recipe.get("goals")).items()},
        baseline=_numbers(facts.get("baseline")),
        samples={
            name: int(facts[name]) for name in ("train", "val", "test") if isinstance(facts.get(name), int)
        },
        confusion=_mapping({"matrix": confusion} if isinstance(confusion, list) else confusion),
        weights=_mapping(artifact("weights")),
        activations=_mapping(artifact("activations")),
        inputs=_mapping(artifact("inputs")),
        reason=reason,
        options=flatten(recipe),
        layers=_leaves(artifact("layers")),
        outputs=_mapping(artifact("outputs")),
        best=_mapping(best),
        over=over,
    )


def _leaves(found: Any) -> list[str]:
    """Types of the layers that hold no others, in the order of the layer table."""
    rows = _mapping(found).get("rows")
    rows = [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
    depths = [depth if isinstance(depth := row.get("depth"), int) else 0 for row in rows]
    return [
        str(row.get("type"))
        for row, depth, after in zip(rows, depths, [*depths, 0][1:], strict=True)
        if after <= depth
    ]


def _mapping(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else {}


def _numbers(found: Any) -> dict[str, float]:
    """Whatever of a mapping is a number."""
    return {
        str(key): float(value)
        for key, value in _mapping(found).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
