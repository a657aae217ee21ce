"""Random changes of waves in training, batched on the training device."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad


@dataclass(frozen=True)
class Augment:
    """A transform: in training each wave faster or slower, in another place, and with noise. The options are
    those of `recipe.data.speech.Augment`, with `shift` in samples."""

    speed: float
    shift: int
    noise: float

    def __call__(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """(N, T) -> (N, T + shift), on x's device, each wave somewhere in it; in evaluation in the middle.
        What becomes longer is cut off at the end, and what is left empty is zero."""
        if generator is None:
            return pad(x, (self.shift // 2, self.shift - self.shift // 2))
        n, time = len(x), x.shape[1] + self.shift

        def drawn(*shape: int, low: float = 0.0) -> Tensor:
            """Numbers from `low` to 1, evenly."""
            u = torch.rand(*shape, generator=generator, device=generator.device).to(x.device)
            return low + (1 - low) * u

        if self.speed or self.shift:
            faster = ((1 + self.speed) ** drawn(n, 1, low=-1)).to(x.dtype)
            later = self.shift * drawn(n, 1)
            x = _at(x, (torch.arange(time, device=x.device) - later) * faster)
        if self.noise:
            level = self.noise * drawn(n, 1)
            x = x + level * torch.randn(n, time, generator=generator, device=generator.device).to(x)
        return x

    def frames(self, lengths: Tensor) -> Tensor:
        """Lengths of waves to what becomes of them."""
        return lengths + self.shift


def _at(x: Tensor, place: Tensor) -> Tensor:
    """Values of (N, T) at real places (N, K), linearly between two samples, 0 outside."""
    left = place.floor()
    share = place - left
    index = left.long()
    last = x.shape[1] - 1
    before, after = x.gather(1, index.clamp(0, last)), x.gather(1, (index + 1).clamp(0, last))
    inside = (place >= 0) & (place <= last)
    return (before + share * (after - before)).masked_fill(~inside, 0)
