"""How keys and metrics go together: Spearman's rank correlation, and Pearson's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from labtui.query.parameters import Floats, Parameter

LEAST = 3
"""Cells without which nothing correlates."""


class Correlation(NamedTuple):
    """Of a key with a metric over cells that have both."""

    key: str
    metric: str
    spearman: float | None
    """Correlation of ranks, −1 to 1: whether one grows with the other, on whatever scale. None for a
    category of more than two values, fewer than LEAST cells, and where one of the two does not vary."""
    p: float | None
    """Two-sided, of no correlation at all, by Student's distribution (as scipy's `spearmanr`); of many keys
    some are below .05 by chance."""
    pearson: float | None
    """Correlation of the values on the scale that the key and the metric are seen on."""
    n: int
    """Cells that have both."""


def ordered(parameter: Parameter) -> bool:
    """Whether more and less mean something: numbers; truth values and other pairs, as 0 and 1 in the order of
    their labels. The first of two labels is 0."""
    return parameter.kind == "number" or len(parameter.labels) == 2


def correlations(parameters: Sequence[Parameter], metrics: Sequence[Parameter]) -> list[Correlation]:
    """Every key with every metric.

    Args:
        parameters, metrics: columns of the same cells; what is not finite is left out pair by pair.
    """
    found = []
    whole = [_ranks(one.scaled) if np.isfinite(one.scaled).all() else None for one in (*parameters, *metrics)]
    for i, one in enumerate(parameters):
        for j, other in enumerate(metrics, len(parameters)):
            both = np.isfinite(one.scaled) & np.isfinite(other.scaled)
            n = int(both.sum())
            if not ordered(one) or n < LEAST:
                found.append(Correlation(one.name, other.name, None, None, None, n))
                continue
            x, y = one.scaled[both], other.scaled[both]
            mine, theirs = whole[i], whole[j]
            if mine is None or theirs is None:
                mine, theirs = _ranks(x), _ranks(y)
            rho = _pearson(mine, theirs)
            found.append(Correlation(one.name, other.name, rho, _p(rho, n), _pearson(x, y), n))
    return found


def _ranks(values: Floats) -> Floats:
    from scipy.stats import rankdata

    return np.asarray(rankdata(values), np.float64)


def _pearson(x: Floats, y: Floats) -> float | None:
    """None where one does not vary."""
    if x.min() == x.max() or y.min() == y.max():
        return None
    # Scaled, so that squares stay in the range of floats.
    x, y = (v / np.abs(v).max() for v in (x, y))
    x, y = (v - v.mean() for v in (x, y))
    size = float(np.sqrt((x @ x) * (y @ y)))
    return float(np.clip(x @ y / size, -1, 1)) if size > 0 else None


def _p(rho: float | None, n: int) -> float | None:
    from scipy.special import stdtr

    if rho is None:
        return None
    freedom = n - 2
    if abs(rho) >= 1:
        return 0.0
    return float(2 * stdtr(freedom, -abs(rho) * np.sqrt(freedom / ((1 + rho) * (1 - rho)))))
