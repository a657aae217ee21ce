"""Networks for short videos, (colours, frames, height, width) (the gesture notebook).

Their originals are Keras models of which the run table tells the number of layers, 21 and 4, as Keras
counts them: an activation that a layer has as an option is no layer of its own. The rest is inferred.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from labtui.errors import RecipeError
from labtui.recipe.models.parts import Init
from labtui.zoo.blocks import initialise


class Dense(nn.Linear):
    """A linear layer with ReLU, one layer as Keras counts."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs) -> (N, outputs)."""
        return torch.relu(super().forward(x))


class Conv3D(nn.Sequential):
    """The notebook's Conv3D: stages of convolution, ReLU, batch norm and pooling, a dense layer, and the head.

    By default, with 5 classes, 555,493 parameters on 16 frames of 64×64, and 1,096,165 on 30 of 120×120. The
    options are those of `recipe.models.video.Conv3D`.

    Raises:
        RecipeError: videos of this shape are too small.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        channels: Sequence[int],
        hidden: int,
        dropout: float,
        init: Init,
    ) -> None:
        super().__init__()
        _check(shape, "conv3d", 2 ** len(channels), least_frames=2 ** len(channels))
        for number, (before, after) in enumerate(pairwise([shape[0], *channels]), 1):
            stage = (
                nn.Conv3d(before, after, 3, padding=1),
                nn.ReLU(),
                nn.BatchNorm3d(after),
                nn.MaxPool3d(2),
            )
            self.add_module(f"stage{number}", nn.Sequential(*stage))
        self.flatten = nn.Flatten()
        self.dense = Dense(channels[-1] * halved(shape[1:], len(channels)), hidden)
        self.norm = nn.BatchNorm1d(hidden)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, outputs)
        initialise(self, init)


class TimeDistributed(nn.Module):
    """A network for images, over each frame of a video by itself."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, frames, H, W) -> (N, frames, values)."""
        images = x.transpose(1, 2)
        return self.network(images.flatten(0, 1)).unflatten(0, images.shape[:2])  # type: ignore[no-any-return]


class Conv2DRNN(nn.Module):
    """The notebook's Conv2D+RNN: convolutions over each frame, which are taken to be those of `Conv3D` without
    time, a recurrent layer, and the head on its last state. Options and errors are as there."""

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        channels: Sequence[int],
        cell: str,
        units: int,
        dropout: float,
        init: Init,
    ) -> None:
        super().__init__()
        _check(shape, "conv2d_rnn", 2 ** len(channels), least_frames=1)
        stages = [
            layer
            for before, after in pairwise([shape[0], *channels])
            for layer in (
                *(nn.Conv2d(before, after, 3, padding=1), nn.ReLU()),
                *(nn.BatchNorm2d(after), nn.MaxPool2d(2)),
            )
        ]
        self.frames = TimeDistributed(nn.Sequential(*stages, nn.Flatten()))
        values = channels[-1] * halved(shape[2:], len(channels))
        self.rnn = {"gru": nn.GRU, "lstm": nn.LSTM}[cell](values, units, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(units, outputs)
        initialise(self, init)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(N, colours, frames, H, W) -> (N, outputs) logits; `lengths` (N,) in frames, of padded videos."""
        states = self.rnn(self.frames(x))[0]
        ends = states.shape[1] - 1 if lengths is None else lengths - 1
        last = states[torch.arange(len(x), device=x.device), ends]
        return self.head(self.dropout(last))  # type: ignore[no-any-return]


def halved(sizes: Sequence[int], times: int) -> int:
    """Values that are left of a volume of these sizes, each halved and rounded down so many times."""
    return torch.Size(size >> times for size in sizes).numel()


def _check(shape: tuple[int, ...], model: str, least: int, least_frames: int) -> None:
    if len(shape) != 4 or shape[1] < least_frames or min(shape[2:]) < least:
        raise RecipeError(
            f"model {model} needs videos (colours, frames, height, width) of at least {least_frames} frames "
            f"of {least}×{least}, got {shape}: take larger ones, or fewer model.channels"
        )
