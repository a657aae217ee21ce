"""Normalisation of samples, and principal components.

Some norms need one sample, or one batch; what is learnt from data (`constants`, `components`) is learnt from
rows that a data set's `fit` is given, which are the training split's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from labtui.errors import DataError

CHUNK = 16
"""Samples of which `fit` makes rows at once: long waves, of which there is no room for more."""


def standardised(x: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Each sample of (N, …) with mean 0 and deviation 1; a constant one becomes 0.

    Args:
        lengths: (N,) how much along axis 1 is a sample's own. What is behind does not count, and is 0.
    """
    flat, own = _flat(x, lengths)
    count = own.sum(1, keepdim=True)
    centred = (flat - (flat * own).sum(1, keepdim=True) / count) * own
    spread = (centred.square().sum(1, keepdim=True) / count).sqrt()
    return (centred / _or_one(spread)).view_as(x)


def min_max(x: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Each sample of (N, …) from 0 to 1; a constant one becomes 0. `lengths` as for `standardised`."""
    flat, own = _flat(x, lengths)
    low = flat.masked_fill(~own, torch.inf).amin(1, keepdim=True)
    high = flat.masked_fill(~own, -torch.inf).amax(1, keepdim=True)
    return ((flat - low) / _or_one(high - low) * own).view_as(x)


def batch(x: Tensor) -> Tensor:
    """All values of (N, …) together with mean 0 and deviation 1. What is seen of a sample then depends on
    those that happen to be beside it, in evaluation too."""
    return (x - x.mean()) / _or_one(x.std(correction=0))


class Affine(nn.Module):
    """(x - shift) / by, or with a matrix (x - shift) @ by; the constants follow `x` to its device."""

    shift: Tensor
    by: Tensor

    def __init__(self, shift: Tensor, by: Tensor) -> None:
        super().__init__()
        self.register_buffer("shift", shift.to(torch.float32))
        self.register_buffer("by", by.to(torch.float32))

    def forward(self, x: Tensor) -> Tensor:
        """(N, …, D) -> the same shape; with a matrix (D, K), (N, …, K)."""
        if self.shift.device != x.device:
            self.to(x.device)
        moved = x - self.shift
        return moved @ self.by if self.by.ndim == 2 else moved / self.by


def constants(rows: Iterator[Tensor], per_feature: bool) -> Affine:
    """The norm that makes mean 0 and deviation 1 of (n, D) rows, given a part after another.

    Args:
        per_feature: of each of the D columns by itself; else of all values.
    """
    mean, variance, _ = _moments((part if per_feature else part.reshape(-1, 1) for part in rows), False)
    scale = _or_one(variance.sqrt())
    return Affine(mean, scale) if per_feature else Affine(mean[0], scale[0])


def components(rows: Iterator[Tensor], share: float) -> Affine:
    """The fewest principal components (Pearson 1901) of (n, D) rows that keep `share` of the variance,
    the largest first; the largest weight of each is positive.

    Raises:
        DataError: all rows are the same.
    """
    mean, covariance, count = _moments(rows, True)
    values, vectors = torch.linalg.eigh(covariance)
    values, vectors = values.flip(0).clamp(min=0), vectors.flip(1)
    if not values[0] > 0:
        raise DataError(f"no principal components: all {count} rows of the training split are the same")
    kept = int((values.cumsum(0) < share * values.sum()).sum()) + 1
    vectors = vectors[:, :kept]
    return Affine(mean, vectors * vectors.gather(0, vectors.abs().argmax(0, keepdim=True)).sign())


ALONE: dict[str, Callable[[Tensor], Tensor]] = {"sample": standardised, "min_max": min_max, "batch": batch}
"""Norms for which no training split is needed, by what recipes call them."""


def _flat(x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor]:
    """(N, values) of (N, T, …), and which of them are a sample's own."""
    flat = x.flatten(1)
    if lengths is None:
        return flat, torch.ones_like(flat, dtype=torch.bool)
    own = torch.arange(x.shape[1], device=x.device) < lengths.to(x.device)[:, None]
    return flat, own.repeat_interleave(flat.shape[1] // x.shape[1], 1)


def _moments(rows: Iterator[Tensor], crossed: bool) -> tuple[Tensor, Tensor, int]:
    """Mean (D,) and variance (D,) of rows, or covariance (D, D), and their number: in float64, one part
    after another (Chan, Golub and LeVeque 1983)."""
    count, mean, spread = 0, torch.zeros(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    for part in rows:
        part = part.to(torch.float64)
        own, both = part.mean(0), count + len(part)
        centred, away = part - own, own - mean
        within = centred.T @ centred if crossed else centred.square().sum(0)
        between = torch.outer(away, away) if crossed else away.square()
        spread = spread + within + between * (count * len(part) / both)
        mean, count = mean + away * (len(part) / both), both
    return mean, spread / count, count


def _or_one(scale: Tensor) -> Tensor:
    """Scales to divide by: 1 where they are 0."""
    return torch.where(scale > 0, scale, 1)
