"""Means of a figure by the values of one key, or of two, over all that the cells differ in besides."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labtui.errors import FilterError
from labtui.query.analysis import Analysis
from labtui.query.parameters import Floats, Parameter, bins


class Slice(NamedTuple):
    """One value of a key, or one bin of its values, over all that the cells differ in besides."""

    label: str
    mean: float
    """Of the cells' values."""
    std: float | None
    """Deviation between cells (of the sample); None for one cell."""
    n: int
    """Cells."""
    place: float
    """On the key's scale, 0 to 1; NaN where it has none (`–`, others)."""


def slices(analysis: Analysis, name: str) -> list[Slice]:
    """The metric by the values of one key; the points themselves are the columns of the analysis."""
    found = bins(analysis.parameter(name))
    mean, std, n = _statistics(found.codes, analysis.values, len(found.labels))
    return [
        Slice(label, mean[i], None if math.isnan(std[i]) else std[i], n[i], place)
        for i, (label, place) in enumerate(zip(found.labels, found.centres.tolist(), strict=True))
        if n[i]
    ]


def ranked(analysis: Analysis, name: str) -> list[Slice]:
    """The same from best to worst."""
    sign = 1 if analysis.goal == "min" else -1
    return sorted(slices(analysis, name), key=lambda one: sign * one.mean)


def telling(analysis: Analysis) -> list[str]:
    """The keys by how much of the variance between cells each tells alone (η² adjusted for the number of its
    values, Kelley 1935), the most telling first. Quick, where `importance` takes seconds."""

    values = analysis.values / (np.abs(analysis.values).max() or 1.0)

    def untold(one: Parameter) -> float:
        codes = bins(one).codes
        mean, _, n = _statistics(codes, values, int(codes.max()) + 1)
        free = codes.size - np.count_nonzero(n)
        return float(((values - np.array(mean)[codes]) ** 2).sum()) / free if free else math.inf

    return [one.name for one in sorted(analysis.parameters, key=untold)]


def _statistics(
    codes: NDArray[np.intp], values: Floats, count: int
) -> tuple[list[float], list[float], list[int]]:
    """Mean, sample deviation and number of the values of each code; NaN where there are none."""
    n = np.bincount(codes, minlength=count)
    # In parts of the largest value: the sum of many huge ones has no place among floats.
    size = float(np.abs(values).max(initial=0)) or 1.0
    parts = values / size
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(codes, parts, count) / n
        squares = np.bincount(codes, (parts - mean[codes]) ** 2, count)
        std = np.where(n > 1, np.sqrt(squares / (n - 1)), np.nan)
    return (mean * size).tolist(), (std * size).tolist(), n.tolist()


@dataclass(frozen=True, eq=False)
class Heat:
    """The metric by the values of two keys."""

    x: str
    y: str
    columns: list[str]
    """Labels of the values of x."""
    rows: list[str]
    """Labels of the values of y."""
    mean: Floats
    """(rows, columns) of the cells' values; NaN where there is no cell."""
    std: Floats
    """(rows, columns) sample deviation; NaN for fewer than two cells."""
    n: NDArray[np.intp]
    """(rows, columns) cells."""


def heat(analysis: Analysis, x: str, y: str) -> Heat:
    """The grid of means for two keys; many numbers are put into bins.

    Raises:
        FilterError: the cells do not differ in one of them, or both are one.
    """
    if x == y:
        raise FilterError(f"a heat map is of two different keys, not of {x!r} twice")
    across, down = bins(analysis.parameter(x)), bins(analysis.parameter(y))
    wide, high = len(across.labels), len(down.labels)
    found = _statistics(down.codes * wide + across.codes, analysis.values, wide * high)
    mean, std, n = (np.array(one).reshape(high, wide) for one in found)
    return _trimmed(Heat(x, y, across.labels, down.labels, mean, std, n))


def _trimmed(found: Heat) -> Heat:
    """Without the rows and columns in which there is no cell."""
    rows, columns = np.flatnonzero(found.n.any(axis=1)), np.flatnonzero(found.n.any(axis=0))
    kept = np.ix_(rows, columns)
    across, down = [found.columns[j] for j in columns], [found.rows[i] for i in rows]
    return Heat(found.x, found.y, across, down, found.mean[kept], found.std[kept], found.n[kept])
