"""Which of the logged metrics are results, in which order, and whether they beat a constant answer."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

SPLITS = {
    "train": "Train",
    "val": "Validation",
    "valid": "Validation",
    "validation": "Validation",
    "test": "Test",
}
"""Splits as metrics name them, and as people do."""
ORDER = ("test", "val", "valid", "validation", "", "train")
PACES = ("train.samples_per_s", "train.data_share")
"""What tells of the machine, and differs each time."""
NOT_SCORES = (*PACES, "train.lr", "train.grad_norm", "train.step_loss", "epoch")

_SPLIT = re.compile(rf"({'|'.join(SPLITS)})[._/](.+)", re.DOTALL)


def split_of(metric: str) -> tuple[str, str]:
    """A metric's split, as SPLITS has it, and the rest of its name: `val.acc` as val and acc."""
    found = _SPLIT.fullmatch(metric)
    return (found[1], found[2]) if found else ("", metric)


def scores(metrics: Iterable[str], monitor: str) -> list[str]:
    """The metrics that are results: test first, and what is monitored first in each split."""
    found = [name for name in metrics if name not in NOT_SCORES and not name.startswith("sys.")]

    def rank(name: str) -> tuple[int, bool]:
        split, part = split_of(name)
        return ORDER.index(split), part != split_of(monitor)[1]

    return sorted(found, key=rank)


def beats(value: float | None, constant: float | None, goal: str | None) -> bool | None:
    """Whether a score is better than the best constant answer's; None where that is not known.

    Args:
        goal: "min" or "max".
    """
    if constant is None or value is None or goal is None:
        return None
    return value > constant if goal == "max" else value < constant


def clearance(metric: str, constant: float, samples: int | None = None, std: float | None = None) -> float:
    """How far from the best constant answer's figure is more than chance.

    Args:
        metric: its name; of a share of samples (no loss, from 0 to 1) the standard error is known.
        samples: of the split.
        std: deviation of the figure over repeats or folds.

    Returns:
        2.5 standard errors of a share; else the deviation; else a hundredth of the constant's figure.
    """
    share = not metric.endswith("loss") and 0 <= constant <= 1
    if share and samples:
        return 2.5 * math.sqrt(constant * (1 - constant) / samples)
    return 0.01 * abs(constant) if std is None else std
