"""Data sets of random numbers, in the sizes of the notebooks'."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from labtui.data import Dataset


def _x(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def fnirs(root: Path) -> Dataset:
    """640 recordings of 100 time steps on 5 × 22 channels, 9 labels."""
    y = (_x(640, 9) > 1).float()
    return Dataset(_x(640, 100, 5, 22, 1), y, "multilabel", [f"label {k}" for k in range(9)])


def fault(root: Path) -> Dataset:
    """Windows of 40 Fourier modes, 10 classes."""
    return Dataset(_x(200, 40, 3), torch.arange(200) % 10, "classes", [f"class {k}" for k in range(10)])


def genre(root: Path) -> Dataset:
    """Spectrograms of 128 frames of 513 bins, 8 classes."""
    return Dataset(_x(50, 1, 128, 513), torch.arange(50) % 8, "classes", [f"class {k}" for k in range(8)])
