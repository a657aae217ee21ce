"""What one step is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from torch import Tensor


@dataclass(slots=True)
class Batch:
    """Samples as the model sees them, and what is to come of them."""

    x: Tensor
    """(n, …)."""
    y: Tensor
    """(n, …) targets."""
    lengths: Tensor | None = None
    """(n,) int64, of what the model sees along time; None: all of it."""
    extras: dict[str, Tensor] = field(default_factory=dict)
    """(n, …) each: further targets."""

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, part: slice) -> Batch:
        """A part of the samples."""
        return Batch(
            self.x[part],
            self.y[part],
            None if self.lengths is None else self.lengths[part],
            {name: extra[part] for name, extra in self.extras.items()},
        )

    def pieces(self, count: int) -> Sequence[Batch]:
        """The samples in so many parts that are as equal as can be."""
        if count == 1:
            return (self,)
        size, more = divmod(len(self), count)
        ends = [size * k + min(k, more) for k in range(count + 1)]
        return [self[begin:end] for begin, end in pairwise(ends)]
