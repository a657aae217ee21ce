"""What the figures of several runs have in common: mean, deviation, median, and who is not in them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from labtui.query.rows import look_up

STATS = ("mean", "median", "min", "max")
"""The numbers of a spread that a listing may show and sort by."""


class Spread(NamedTuple):
    """One figure of a group of runs. What could not be counted is counted here, never dropped."""

    mean: float | None = None
    """Arithmetic mean; None without a value."""
    std: float | None = None
    """Deviation of the sample (n − 1 in the denominator); None for fewer than two values."""
    n: int = 0
    """Values that are in it."""
    min: float | None = None
    """Smallest value."""
    max: float | None = None
    """Largest value."""
    median: float | None = None
    """The middle value, or the mean of the middle two."""
    nan: int = 0
    """Members whose value is NaN or infinite."""
    missing: int = 0
    """Members that never had such a figure."""
    unfinished: int = 0
    """Members that have not finished, and whose figures do not count."""


def spread(values: Sequence[float], **left_out: int) -> Spread:
    """Statistics of finite values.

    Args:
        values: any number of them, also none.
        left_out: `nan`, `missing` and `unfinished`.
    """
    if not values:
        return Spread(**left_out)
    n, ordered = len(values), sorted(values)
    median = _middle(ordered[(n - 1) // 2], ordered[n // 2])
    mean, std = moments(values)
    return Spread(mean, std, n, ordered[0], ordered[-1], median, **left_out)


def _middle(low: float, high: float) -> float:
    return low if low == high else low / 2 + high / 2


def moments(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and sample deviation of one value or more; the deviation of one is None."""
    scaled, shift = unit(values)
    mean = math.fsum(scaled) / len(scaled)
    if len(scaled) < 2:
        return values[0], None
    squares = math.fsum([(value - mean) ** 2 for value in scaled])
    return back(mean, shift), back(math.sqrt(squares / (len(scaled) - 1)), shift)


def unit(values: Sequence[float]) -> tuple[list[float], int]:
    """Values over a power of two, which is exact, so that none is above 1; and the power. The squares of
    neither huge nor tiny values then leave the range of floats."""
    shift = math.frexp(max(map(abs, values)))[1]
    return [math.ldexp(value, -shift) for value in values], shift


def back(value: float, shift: int) -> float:
    """A value times a power of two; infinite where that is too large."""
    try:
        return math.ldexp(value, shift)
    except OverflowError:
        return math.copysign(math.inf, value)


def figure(row: Mapping[str, Any], key: str) -> float | None:
    """A figure of a row as a finite number; None where it is none."""
    value = look_up(row, key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def counted(row: Mapping[str, Any], unfinished: bool = False) -> bool:
    """Whether a run's figures count: a training cut short says little of its recipe."""
    return unfinished or row["state"] == "finished"


def spread_of(rows: Iterable[Mapping[str, Any]], key: str, unfinished: bool = False) -> Spread:
    """The spread of one figure over runs.

    Args:
        key: of the query language, such as `val.acc` (at the monitored metric's best epoch),
            `val.acc.last`, `test.loss.min`, `facts.parameters`, `duration`.
        unfinished: count the figures of runs, too, that have not finished.
    """
    values, left_out = [], {"nan": 0, "missing": 0, "unfinished": 0}
    for row in rows:
        if not counted(row, unfinished):
            left_out["unfinished"] += 1
        elif (value := figure(row, key)) is not None:
            values.append(value)
        else:
            known = key in row["metrics"] or key.rpartition(".")[0] in row["metrics"]
            left_out["nan" if known or look_up(row, key) is not None else "missing"] += 1
    return spread(values, **left_out)
