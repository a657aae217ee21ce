"""Which way a metric is better. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

Goal = Literal["min", "max"]

ARROWS = {"max": " ↑", "min": " ↓"}
"""What stands behind a metric's name: the way it gets better."""

LOWER = "loss mse mae rmse hamming error err mer wer perplexity distance"
HIGHER = "acc accuracy uar f1 recall precision subset_acc auc map r2 score"

GOALS: dict[str, Goal] = {name: "min" for name in LOWER.split()}
GOALS |= {name: "max" for name in HIGHER.split()}


def arrowed(metric: str, goal: str | None) -> str:
    """A metric's name with an arrow the way it gets better; as it is where that is not known."""
    return metric + ARROWS.get(goal or "", "")


def goal_of(metric: str, extra: Mapping[str, str] | None = None) -> Goal | None:
    """Whether less ("min") or more ("max") of a metric is better; None when that is not known.

    Args:
        metric: its name, such as `val.acc`; the part after the last dot (or slash) counts, and in
            names of other programs any word of it, the last one first (`val_loss`, `f1_weighted`).
        extra: directions of further metrics (the recipe's `goals`), by full name or last part.
    """
    part = re.split(r"[./]", metric)[-1]
    for name in (metric, part):
        given = (extra or {}).get(name)
        if given == "min" or given == "max":
            return "min" if given == "min" else "max"
    words = part.lower().split("_")
    return next((GOALS[w] for w in (part.lower(), *reversed(words)) if w in GOALS), None)
