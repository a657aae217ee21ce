"""What several families of models are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from labtui.errors import RecipeError
from labtui.recipe.models.parts import Init

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}
DRAWS: dict[str, Callable[[Tensor], Tensor]] = {
    "normal": partial(nn.init.normal_, std=0.02),
    "xavier_normal": partial(nn.init.xavier_normal_, gain=0.02),
    "xavier_uniform": nn.init.xavier_uniform_,
    "kaiming_normal": partial(nn.init.kaiming_normal_, nonlinearity="relu"),
    "orthogonal": nn.init.orthogonal_,
}


def activated(widths: Sequence[int], dropout: float | None = None) -> nn.Sequential:
    """Linear layers between `widths`, each followed by ReLU and, if any is given, dropout:
    (…, widths[0]) -> (…, widths[-1])."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
        if dropout is not None:
            layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers)


def fully_connected(
    inputs: int,
    hidden: Sequence[int],
    outputs: int,
    output_activation: str = "none",
    dropout: float | None = None,
) -> nn.Sequential:
    """`activated` hidden layers and a linear one: (N, inputs) -> (N, outputs) logits, or with "softmax"
    probabilities."""
    widths = [inputs, *hidden]
    end = [nn.Softmax(dim=1)] if output_activation == "softmax" else []
    return nn.Sequential(*activated(widths, dropout), nn.Linear(widths[-1], outputs), *end)


def initialise(model: nn.Module, how: Init) -> None:
    """Draw all weight matrices and kernels anew, and set all biases to 0.

    normal: N(0, 0.02); xavier_normal: with gain 0.02, as the emotion notebook has it; xavier_uniform: with
    gain 1 (Glorot and Bengio 2010); kaiming_normal: for ReLU, by fan-in (He et al. 2015); orthogonal: gain 1
    (Saxe et al. 2014); default: PyTorch's values stay.
    """
    if how == "default":
        return
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "bias" in name.rpartition(".")[2]:
                weight.zero_()
            elif weight.ndim > 1:  # not the scales of norms, nor the cut-offs of sinc filters
                DRAWS[how](weight)


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
