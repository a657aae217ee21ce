"""Scikit-learn's handwritten digits."""

from __future__ import annotations

from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import Tensor

from labtui.data import Dataset


def digits(root: Path, shift: int) -> Dataset:
    """1,797 images, (1, 8, 8), grey values 0..1, 10 classes (Alpaydin and Kaynak 1998).

    Args:
        root: unused; the images come with scikit-learn.
        shift: training images move by up to this many pixels each way, uniformly.
    """
    table = load_digits()
    return Dataset(
        x=torch.from_numpy(table.images).to(torch.float32)[:, None] / 16,
        y=torch.from_numpy(table.target).to(torch.int64),
        task="classes",
        classes=[str(name) for name in table.target_names],
        transform=Shift(shift) if shift else None,
        facts={
            "source": "scikit-learn load_digits (Alpaydin and Kaynak 1998)",
            "normalisation": "grey values 0..16 divided by 16",
            "augmentation": f"shifts of up to {shift} px" if shift else "none",
        },
    )


class Shift:
    """Random shifts of images, each image its own; what moves in is black."""

    def __init__(self, most: int) -> None:
        self.most = most

    def __call__(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """(N, C, H, W) -> the same shape; unchanged without a generator."""
        if generator is None:
            return x
        n, _, height, width = x.shape
        moves = torch.randint(0, 2 * self.most + 1, (2, n), generator=generator, device=generator.device).to(
            x.device
        )
        padded = torch.nn.functional.pad(x, [self.most] * 4)
        rows = moves[0][:, None] + torch.arange(height, device=x.device)
        columns = moves[1][:, None] + torch.arange(width, device=x.device)
        sample = torch.arange(n, device=x.device)[:, None, None]
        moved = padded.permute(0, 2, 3, 1)[sample, rows[:, :, None], columns[:, None, :]]
        return moved.permute(0, 3, 1, 2)
