"""What several families of models are made of."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from labtui.errors import RecipeError

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}


def fully_connected(
    inputs: int, hidden: Sequence[int], outputs: int, output_activation: str = "none"
) -> nn.Sequential:
    """Linear layers with ReLU between them: (N, inputs) -> (N, outputs) logits, or with "softmax"
    probabilities."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), nn.ReLU()]
        inputs = width
    layers.append(nn.Linear(inputs, outputs))
    return nn.Sequential(*layers, *([nn.Softmax(dim=1)] if output_activation == "softmax" else []))


def max_avg(x: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Maxima, then means, over the frames: (N, C, frames) -> (N, 2C).

    Args:
        lengths: (N,) int64 from 1 to frames: what is behind is padding, and not pooled.
    """
    if lengths is None:
        return torch.cat([x.amax(2), x.mean(2)], 1)
    padding = (torch.arange(x.shape[2], device=x.device) >= lengths[:, None])[:, None]
    largest = x.masked_fill(padding, -torch.inf).amax(2)
    return torch.cat([largest, x.masked_fill(padding, 0).sum(2) / lengths[:, None]], 1)


def initialise(model: nn.Module, how: str) -> None:
    """Draw the weights of convolutions and linear layers anew, biases 0.

    Args:
        how: "xavier_uniform" (Glorot and Bengio 2010), "kaiming_normal" (for ReLU; He et al. 2015) or
            "default" (PyTorch's own, which is left as it is).
    """
    if how == "default":
        return
    for layer in model.modules():
        if isinstance(layer, (nn.Linear, nn.Conv1d, nn.Conv2d)):
            if how == "xavier_uniform":
                nn.init.xavier_uniform_(layer.weight)
            else:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def samples_of(shape: tuple[int, ...], model: str) -> int:
    """Samples of a wave, which has one channel: (samples,), (1, samples) or (samples, 1).

    Raises:
        RecipeError: it is no such wave.
    """
    longest = max(shape, default=0)
    if len(shape) not in (1, 2) or torch.Size(shape).numel() != longest:
        raise RecipeError(f"model {model} needs waves of one channel (1, samples), got {shape}")
    return longest


def image_of(shape: tuple[int, ...], model: str, least: tuple[int, int]) -> tuple[int, int]:
    """Height and width of an image of one channel, (1, height, width).

    Raises:
        RecipeError: it is no such image, or one below `least`.
    """
    if len(shape) != 3 or shape[0] != 1 or shape[1] < least[0] or shape[2] < least[1]:
        raise RecipeError(
            f"model {model} needs spectrograms (1, frames, bins) of at least {least[0]} frames and "
            f"{least[1]} bins, got {shape}"
        )
    return shape[1], shape[2]
