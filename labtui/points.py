"""Points of a line: their place in a range, and the few of them that a chart needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labtui.axis import Range

Floats = NDArray[np.float64]


def decimate(x: ArrayLike, y: ArrayLike, columns: int, span: Range | None = None) -> tuple[Floats, Floats]:
    """First, last, and lowest and highest point of each of so many columns, in the order of x.

    Args:
        x, y: shape (n,). Points that are not finite are dropped; x need not be sorted.
        columns: equal parts of the span, >= 1.
        span: from and to of the columns; absent: the range of x. A fixed one keeps the columns,
            and with them the picture, in their places while a run grows.

    Returns:
        x and y of the points kept, at most 2·columns + 2; all points where there are no more.
    """
    xs, ys = np.asarray(x, np.float64), np.asarray(y, np.float64)
    keep = np.isfinite(xs) & np.isfinite(ys)
    if not keep.all():
        xs, ys = xs[keep], ys[keep]
    xs, ys = ordered(xs, ys)
    if xs.size <= 2 * columns + 2:
        return xs, ys
    starts = np.r_[0, np.searchsorted(xs, _edges(columns, span or (xs[0], xs[-1])))]
    starts = np.unique(starts[starts < xs.size])
    counts = np.diff(np.r_[starts, xs.size])
    picked = [np.array([0, xs.size - 1])]
    for extreme in (np.minimum, np.maximum):
        hits = np.flatnonzero(ys == np.repeat(extreme.reduceat(ys, starts), counts))
        picked.append(hits[np.searchsorted(hits, starts)])
    index = np.unique(np.concatenate(picked))
    return xs[index], ys[index]


def column_of(xs: Floats, columns: int, span: Range | None = None) -> NDArray[np.intp]:
    """Which of so many equal parts of the span each of the sorted, finite values lies in."""
    return np.searchsorted(_edges(columns, span or (xs[0], xs[-1])), xs, "right")


def _edges(columns: int, span: Range) -> Floats:
    """Where each column but the first begins; in halves, since the range of floats may overflow."""
    low, high = span[0] / 2, span[1] / 2
    if not high > low:
        return np.empty(0)
    return np.asarray(2 * (low + (high - low) * (np.arange(1, columns) / columns)), np.float64)


def part_of(values: Floats, limits: Range) -> Floats:
    """Values as parts of a range; in halves, since the range of floats may overflow."""
    low = limits[0] / 2
    return np.asarray((values / 2 - low) / (limits[1] / 2 - low), np.float64)


def ema(values: ArrayLike, weight: float) -> Floats:
    """Exponential moving average, free of the bias of its start, as in Adam and TensorBoard.

    Args:
        values: shape (n,). Those that are not finite stay as they are, and count for no other.
        weight: of what came before, in [0, 1); 0 smooths nothing.

    Returns:
        Shape (n,): m_t / (1 - weight^t), with m_t = weight·m_(t-1) + (1 - weight)·v_t and m_0 = 0
        (Kingma and Ba, Adam, 2015, section 3).
    """
    found = np.array(values, np.float64)
    finite = np.isfinite(found)
    good = found[finite] if not finite.all() else found
    if weight <= 0 or not good.size:
        return found
    block = 64
    powers = weight ** np.arange(block + 1)
    lags = np.subtract.outer(np.arange(block), np.arange(block))
    kernel = np.where(lags >= 0, (1 - weight) * powers[np.abs(lags)], 0.0)
    size = -(-good.size // block) * block
    padded = np.zeros(size)
    padded[: good.size] = good
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        inner = padded.reshape(-1, block) @ kernel.T
        before, carried = 0.0, []
        for end in inner[:, -1].tolist():  # what earlier blocks leave for the values of each
            carried.append(before)
            before = end + before * float(powers[-1])
        inner += np.multiply.outer(carried, powers[1:])
        means = inner.ravel()[: good.size]
        biased = min(good.size, 1 + int(-40 / np.log(weight)))  # beyond these weight^t is less than a digit
        means[:biased] /= 1 - weight ** np.arange(1.0, biased + 1)
    found[finite] = means
    return found


def ordered(x: ArrayLike, *others: ArrayLike) -> tuple[Floats, ...]:
    """Arrays of one length in the order of the first."""
    xs, rest = np.asarray(x, np.float64), [np.asarray(other, np.float64) for other in others]
    if np.any(xs[1:] < xs[:-1]):
        order = np.argsort(xs, kind="stable")
        return xs[order], *(other[order] for other in rest)
    return xs, *rest


def window(x: Floats, y: Floats, limits: Range) -> tuple[Floats, Floats]:
    """The part of a line between two x, cut where it crosses them."""
    x, y = ordered(x, y)
    inside = (x >= limits[0]) & (x <= limits[1])
    edges = [edge for edge in limits if x[0] < edge < x[-1]]
    xs, ys = np.r_[x[inside], edges], np.r_[y[inside], np.interp(edges, x, y)]
    order = np.argsort(xs, kind="stable")
    return xs[order], ys[order]
