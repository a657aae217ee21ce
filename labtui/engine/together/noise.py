"""Dropout masks, of each training from its own generator: those that it would draw alone on a CPU."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from labtui.engine.together.functional import Mask


def draw(
    masks: Sequence[Mask],
    rates: Sequence[Sequence[float]],
    generators: Sequence[torch.Generator | None],
    sizes: Sequence[int],
    device: torch.device,
) -> tuple[Tensor, ...]:
    """One tensor (rows, …) for each mask.

    Args:
        rates: of each row the probabilities of its layers with dropout.
        generators: of each row; None: nobody needs its masks any more.
        sizes: of each row its samples; what is beyond them is padding.
    """
    found = [
        torch.ones((len(sizes), *(mask.shape[dimension] for dimension in mask.order)), device=device)
        for mask in masks
    ]
    for row, (generator, own, size) in enumerate(zip(generators, rates, sizes, strict=True)):
        if generator is None:
            continue
        for mask, tensor in zip(masks, found, strict=True):
            if rate := own[mask.layer]:
                part = tensor[row].narrow(mask.order.index(0), 0, size)
                if part.is_contiguous():
                    part.bernoulli_(1 - rate, generator=generator).div_(1 - rate)
                else:  # it would be drawn in another order
                    drawn = torch.empty(part.shape, device=device).bernoulli_(1 - rate, generator=generator)
                    part.copy_(drawn.div_(1 - rate))
    return tuple(
        tensor.permute(0, *(1 + place for place in mask.back))
        for mask, tensor in zip(masks, found, strict=True)
    )
