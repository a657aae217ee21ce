"""Samples of different lengths, end to end: what a batch of them takes is padded to the longest of it, not
to the longest of all."""

from __future__ import annotations

from typing import overload

import torch
from torch import Tensor


class Ragged:
    """Samples in place of a tensor of them.

    Args:
        values: (total, …) all samples end to end, time first.
        lengths: (N,) int64, of each along time; at least 1 each.
    """

    def __init__(self, values: Tensor, lengths: Tensor) -> None:
        if int(lengths.sum()) != len(values):
            raise ValueError(f"lengths add up to {int(lengths.sum())}, but there are {len(values)} values")
        self.values, self.lengths = values, lengths
        self._starts = lengths.cumsum(0) - lengths

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def shape(self) -> torch.Size:
        """(N, longest, …): of all samples as one batch."""
        return torch.Size((len(self), int(self.lengths.max()), *self.values.shape[1:]))

    @property
    def dtype(self) -> torch.dtype:
        """Of the values."""
        return self.values.dtype

    @property
    def device(self) -> torch.device:
        """Where the values are."""
        return self.values.device

    @property
    def nbytes(self) -> int:
        """Bytes that the values take."""
        return self.values.nbytes

    def to(self, device: torch.device) -> Ragged:
        """The same there."""
        return Ragged(self.values.to(device), self.lengths.to(device))

    @overload
    def __getitem__(self, at: int) -> Tensor: ...
    @overload
    def __getitem__(self, at: Tensor) -> Ragged: ...
    def __getitem__(self, at: int | Tensor) -> Tensor | Ragged:
        """One sample (its length, …), or those at int64 places."""
        if isinstance(at, int):
            start = int(self._starts[at])
            return self.values[start : start + int(self.lengths[at])]
        parts = [self.values[s : s + n] for s, n in zip(*self._spans(at), strict=True)]
        return Ragged(torch.cat(parts), self.lengths[at])

    def index_select(self, dim: int, at: Tensor) -> Tensor:
        """(n, longest of them, …) the samples at int64 places, with zeros behind shorter ones.

        On a GPU this waits for the longest one's length.
        """
        lengths = self.lengths[at]
        steps = torch.arange(int(lengths.max()), device=self.device)
        there = steps < lengths[:, None]
        places = (self._starts[at][:, None] + steps).clamp(max=len(self.values) - 1)
        batch = self.values[places]
        return batch.masked_fill_(~there.view(*there.shape, *[1] * (batch.ndim - 2)), 0)

    def _spans(self, at: Tensor) -> tuple[list[int], list[int]]:
        return self._starts[at].tolist(), self.lengths[at].tolist()
