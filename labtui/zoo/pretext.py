"""What models learn from before, or instead of, classes: masked elements, and triplets (the fault notebook)."""

from __future__ import annotations

import torch
from torch import Tensor

SWAPPED, ZEROED = 0.1, 0.9
"""Of the masked elements: the share that gets another element's value; and of the rest the share that
becomes zero. What is left keeps its value (as in Devlin et al. 2019, 3.1, of whole tokens)."""


def mask(x: Tensor, share: float, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """Hide some elements of a batch, each by a draw of its own.

    Args:
        x: (N, …) as the model would see it.
        share: of the elements, 0.15 in the notebook.
        generator: on x's device.

    Returns:
        What is left of `x`, and where it is to be restored (bool); both of x's shape.
    """

    def draw(below: float) -> Tensor:
        return torch.rand(x.shape, generator=generator, device=x.device) < below

    masked, swapped, zeroed = draw(share), draw(SWAPPED), draw(ZEROED)
    order = torch.randperm(x.numel(), generator=generator, device=x.device)
    others = x.flatten()[order].view_as(x)
    hidden = torch.where(swapped, others, torch.where(zeroed, torch.zeros_like(x), x))
    return torch.where(masked, hidden, x), masked


def batch_hard(embedding: Tensor, y: Tensor, margin: float) -> tuple[Tensor, Tensor]:
    """The triplet loss of each sample's farthest fellow and nearest stranger (Hermans et al. 2017, eq. 5).

    Args:
        embedding: (N, d).
        y: (N,) int64 classes; a sample that is alone in its class, or meets no other class, has no triplet.
        margin: by which strangers are to be farther, 0.05 in the notebook.

    Returns:
        The mean loss over the samples that have a triplet (0 if none has), and the share of their triplets
        that are active, which still have something to teach.
    """
    # Not by matrix products, which lose the small distances that this is about.
    distance = torch.cdist(embedding, embedding, compute_mode="donot_use_mm_for_euclid_dist")
    same = y[:, None] == y
    fellow = same & ~torch.eye(len(y), dtype=torch.bool, device=y.device)
    farthest = distance.masked_fill(~fellow, -torch.inf).amax(1)
    nearest = distance.masked_fill(same, torch.inf).amin(1)
    whole = fellow.any(1) & ~same.all(1)
    losses = torch.where(whole, farthest - nearest + margin, 0.0).clamp(min=0)
    triplets = whole.sum().clamp(min=1)
    return losses.sum() / triplets, (losses.detach() > 0).sum() / triplets
