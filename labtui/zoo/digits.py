"""The small convolutional network for scikit-learn's digits."""

from __future__ import annotations

from torch import nn

from labtui.errors import RecipeError


def digits_cnn(shape: tuple[int, ...], outputs: int, channels: int, hidden: int, dropout: float) -> nn.Module:
    """Two 3x3 convolutions, pooling, one hidden layer: (N, C, H, W) -> (N, outputs) logits."""
    if len(shape) != 3 or min(shape[1:]) < 2:
        raise RecipeError(f"model digits_cnn needs images (channels, height, width), got {shape}")
    depth, height, width = shape
    return nn.Sequential(
        nn.Conv2d(depth, channels, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(channels, 2 * channels, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(2 * channels * (height // 2) * (width // 2), hidden),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, outputs),
    )
