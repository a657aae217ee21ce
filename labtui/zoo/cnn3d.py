"""The 3-D convolutional networks of the fNIRS notebook."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from labtui.errors import RecipeError


class TimeAsDepth(nn.Module):
    """(N, time, height, width, 1) -> (N, 1, time, height, width)."""

    def forward(self, x: Tensor) -> Tensor:
        """The same values, time being the first of three dimensions of one channel."""
        return x.movedim(-1, 1)


def cnn3d(
    shape: tuple[int, ...],
    outputs: int,
    channels: list[int],
    pools: int,
    time: Literal["channels", "depth"],
    dropout: float,
    output_activation: Literal["none", "sigmoid"],
) -> nn.Sequential:
    """(N, time, height, width, 1) -> (N, outputs).

    Experiment 006 on (100, 5, 22, 1), 9 outputs: 308 parameters. 001 to 005 have `channels` 5, 2, 1 and
    two pools: on (20, 5, 22, 1), 12 outputs, 192.
    """
    if len(shape) != 4 or shape[3] != 1:
        raise RecipeError(f"model cnn3d needs maps over time (time, height, width, 1), got {shape}")
    steps, height, width, _ = shape
    layers: list[nn.Module] = []
    if time == "depth":
        layers, depth, size, pool = [TimeAsDepth()], 1, (steps, height, width), (2, 2, 2)
    else:
        depth, size, pool = steps, (height, width, 1), (2, 2, 1)
    for number, filters in enumerate(channels):
        layers.append(nn.Conv3d(depth, filters, 1))
        depth = filters
        if number < pools:
            layers.append(nn.MaxPool3d(pool))
            size = (size[0] // pool[0], size[1] // pool[1], size[2] // pool[2])
    if 0 in size:
        raise RecipeError(f"model.pools = {pools} leaves nothing of a sample of shape {shape}: set fewer")
    layers.append(nn.Flatten())
    if dropout:
        layers.append(nn.Dropout(dropout))
    layers.append(nn.Linear(depth * size[0] * size[1] * size[2], outputs))
    if output_activation == "sigmoid":
        layers.append(nn.Sigmoid())
    return nn.Sequential(*layers)
