"""Convolutional networks for waves and spectrograms (the genre notebook).

Sizes, kernels, strides and counts are the notebook's; it used clips of 2^18 samples, and of their
spectrograms 128 frames of 513 mel bins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from labtui.errors import RecipeError
from labtui.recipe.models.parts import Init
from labtui.zoo.blocks import ACTIVATIONS, fully_connected, image_of, initialise, samples_of
from labtui.zoo.parts import pool

Size = TypeVar("Size", int, Tensor)


@dataclass(frozen=True)
class Stage:
    """One convolution over a wave, and the pooling behind it."""

    channels: int
    kernel: int
    stride: int
    padding: int
    pool: int

    def frames(self, samples: Size, pooled: bool) -> Size:
        """Frames that it makes of so many samples or frames."""
        frames = (samples + 2 * self.padding - self.kernel) // self.stride + 1
        return frames // self.pool if pooled else frames


STAGES = (
    Stage(16, 128, 32, 64, pool=4),
    Stage(32, 32, 2, 16, pool=2),
    Stage(64, 16, 2, 8, pool=2),
    Stage(128, 8, 2, 4, pool=1),
)
"""Of a wave of 262,144 samples they make 8193 / 2048, 1025 / 512, 257 / 128 and 65 frames."""


def pooled(x: Tensor, frames: Tensor | None = None) -> Tensor:
    """(N, C, frames) -> (N, 2C): maxima, then means, over a sample's own frames (N,)."""
    return pool(x.transpose(1, 2), frames, "max_mean")


class WaveCNN(nn.Module):
    """Convolutions over a wave, each with batch norm and activation.

    Args:
        layers: how many of `STAGES`.
        pooled: with pooling and dropout after each.
    """

    def __init__(self, layers: int, activation: str, pooled: bool, dropout: float = 0.0) -> None:
        super().__init__()
        self.plan, self.pooled = STAGES[:layers], pooled
        self.channels = self.plan[-1].channels
        stages: list[nn.Module] = []
        before = 1
        for stage in self.plan:
            size = (stage.kernel, stage.stride, stage.padding)
            parts: list[nn.Module] = [
                nn.Conv1d(before, stage.channels, *size),
                nn.BatchNorm1d(stage.channels),
                ACTIVATIONS[activation](),
            ]
            if pooled and stage.pool > 1:
                parts.append(nn.MaxPool1d(stage.pool))
            if dropout:
                parts.append(nn.Dropout(dropout))
            stages.append(nn.Sequential(*parts))
            before = stage.channels
        self.stages = nn.Sequential(*stages)

    def frames(self, samples: Size) -> Size:
        """Frames that are left of so many samples."""
        for stage in self.plan:
            samples = stage.frames(samples, self.pooled)
        return samples

    def forward(self, x: Tensor) -> Tensor:
        """(N, samples), or with a 1 before or behind -> (N, channels, frames)."""
        return self.stages(x.flatten(1)[:, None])  # type: ignore[no-any-return]


class CNN1D(WaveCNN):
    """`WaveCNN`, maximum and mean over the frames, head."""

    def __init__(
        self,
        outputs: int,
        layers: int,
        activation: str,
        dropout: float,
        hidden: Sequence[int],
        output_activation: str,
    ) -> None:
        super().__init__(layers, activation, pooled=True, dropout=dropout)
        self.head = fully_connected(2 * self.channels, hidden, outputs, output_activation)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """A wave (N, samples) -> (N, outputs) logits; `lengths` (N,) in samples, of padded waves."""
        frames = None if lengths is None else self.frames(lengths).clamp(min=1)
        return self.head(pooled(super().forward(x), frames))  # type: ignore[no-any-return]


class SpectrogramCNN(nn.Module):
    """Three convolutions over time, of four frames each; the first sees all bins at once."""

    def __init__(
        self, bins: int, channels: int, activation: str, residual: bool, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.channels, self.residual = channels, residual

        def stage(before: int, width: int, padding: int) -> nn.Sequential:
            convolution = nn.Conv2d(before, channels, (4, width), padding=(padding, 0))
            parts = [convolution, nn.BatchNorm2d(channels), ACTIVATIONS[activation]()]
            return nn.Sequential(*parts, *([nn.Dropout2d(dropout)] if dropout else []))

        self.first = stage(1, bins, 0)
        self.second = stage(channels, 1, 2)
        self.third = stage(channels, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, frames, bins) -> (N, channels, frames - 3)."""
        first = self.first(x)
        third = self.third(self.second(first))
        return (first + third if self.residual else third).squeeze(3)  # type: ignore[no-any-return]


class CNN2D(SpectrogramCNN):
    """`SpectrogramCNN`, maximum and mean over the frames, head."""

    def __init__(
        self,
        bins: int,
        outputs: int,
        channels: int,
        activation: str,
        residual: bool,
        dropout: float,
        hidden: Sequence[int],
        output_activation: str,
    ) -> None:
        super().__init__(bins, channels, activation, residual, dropout)
        self.head = fully_connected(2 * channels, hidden, outputs, output_activation)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(N, 1, frames, bins) -> (N, outputs) logits; `lengths` (N,) in frames, of padded samples."""
        frames = None if lengths is None else (lengths - 3).clamp(min=1)
        return self.head(pooled(super().forward(x), frames))  # type: ignore[no-any-return]


class STN(CNN2D):
    """`CNN2D` behind a spatial transformer (Jaderberg et al. 2015): a small network looks at the
    spectrogram and gives an affine map, by which it is resampled. It begins as the identity.

    Args:
        shape: frames and bins.
        skip: add the spectrogram itself to the resampled one. The notebook only says that there was a
            residual version; that its skip is here is inferred.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        outputs: int,
        channels: int,
        activation: str,
        residual: bool,
        dropout: float,
        hidden: Sequence[int],
        output_activation: str,
        skip: bool,
    ) -> None:
        super().__init__(
            shape[1], outputs, channels, activation, residual, dropout, hidden, output_activation
        )
        self.skip = skip
        self.look = nn.Sequential(
            *(nn.Conv2d(1, 8, 7), nn.MaxPool2d(2), nn.ReLU()),
            *(nn.Conv2d(8, 10, 5), nn.MaxPool2d(2), nn.ReLU()),
        )
        height, width = (((size - 6) // 2 - 4) // 2 for size in shape)
        self.map = nn.Sequential(nn.Linear(10 * height * width, 32), nn.ReLU(), nn.Linear(32, 6))

    def begin_as_identity(self) -> None:
        """Let the map be the identity, whatever the spectrogram."""
        last = self.map[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        with torch.no_grad():
            last.bias.copy_(torch.eye(2, 3).flatten())

    def resample(self, x: Tensor) -> Tensor:
        """(N, 1, frames, bins) -> the same shape, moved, turned and scaled."""
        affine = self.map(self.look(x).flatten(1)).view(-1, 2, 3)
        grid = F.affine_grid(affine, list(x.shape), align_corners=False)
        return F.grid_sample(x, grid, align_corners=False)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(N, 1, frames, bins) -> (N, outputs) logits; `lengths` (N,) in frames, of padded samples."""
        seen = self.resample(x)
        return super().forward(x + seen if self.skip else seen, lengths)


class MixNet(nn.Module):
    """Branches for a wave and for its spectrogram, put side by side before the head.

    Args:
        samples, frames, bins: of the wave, and of the spectrogram behind it.
        pool: frames of the wave's branch that are pooled into one.
    """

    def __init__(
        self,
        samples: int,
        frames: int,
        bins: int,
        outputs: int,
        wave: WaveCNN,
        spectrogram: SpectrogramCNN,
        pool: int,
        dropout: float,
        hidden: Sequence[int],
        output_activation: str,
    ) -> None:
        super().__init__()
        self.samples, self.image, self.pool = samples, (1, frames, bins), pool
        self.wave, self.spectrogram = wave, spectrogram
        self.dropout = nn.Dropout(dropout)
        values = 2 * wave.channels * (wave.frames(samples) // pool) + 2 * spectrogram.channels
        self.head = fully_connected(values, hidden, outputs, output_activation)

    def forward(self, x: Tensor) -> Tensor:
        """(N, samples + frames · bins) -> (N, outputs) logits."""
        wave = self.wave(x[:, : self.samples])
        parts = [F.max_pool1d(wave, self.pool), F.avg_pool1d(wave, self.pool)]
        spectrogram = self.spectrogram(x[:, self.samples :].reshape(-1, *self.image))
        values = torch.cat([*(part.flatten(1) for part in parts), pooled(spectrogram)], 1)
        return self.head(self.dropout(values))  # type: ignore[no-any-return]


def cnn1d(
    shape: tuple[int, ...],
    outputs: int,
    layers: int,
    activation: str,
    init: Init,
    dropout: float,
    hidden: Sequence[int],
    output_activation: str,
) -> CNN1D:
    """The notebook's CNN1D: 159,128 parameters by default, with 8 classes."""
    model = CNN1D(outputs, layers, activation, dropout, hidden, output_activation)
    left = samples = samples_of(shape, "cnn1d")
    for stage in model.plan:
        left = stage.frames(left, pooled=True)
        if left < 1:
            raise RecipeError(f"model cnn1d pools all {samples} samples away: take longer clips")
    initialise(model, init)
    return model


def cnn2d(
    shape: tuple[int, ...],
    outputs: int,
    channels: int,
    activation: str,
    init: Init,
    residual: bool,
    dropout: float,
    hidden: Sequence[int],
    output_activation: str,
) -> CNN2D:
    """The notebook's CNN2D: 1,252,162 parameters by default, on 513 bins with 8 classes."""
    _, bins = image_of(shape, "cnn2d", least=(4, 1))
    model = CNN2D(bins, outputs, channels, activation, residual, dropout, hidden, output_activation)
    initialise(model, init)
    return model


def stn(
    shape: tuple[int, ...],
    outputs: int,
    channels: int,
    activation: str,
    init: Init,
    residual: bool,
    dropout: float,
    hidden: Sequence[int],
    output_activation: str,
    skip: bool,
) -> STN:
    """The notebook's STN: 2,365,842 parameters by default, on (1, 128, 513) with 8 classes."""
    image = image_of(shape, "stn", least=(18, 18))
    model = STN(image, outputs, channels, activation, residual, dropout, hidden, output_activation, skip)
    initialise(model, init)
    model.begin_as_identity()
    return model


def mixnet(
    shape: tuple[int, ...],
    outputs: int,
    frames: int,
    bins: int,
    layers: int,
    channels: int,
    activation: str,
    init: Init,
    residual: bool,
    pool: int,
    dropout: float,
    hidden: Sequence[int],
    output_activation: str,
) -> MixNet:
    """The notebook's MixNet: 1,498,200 parameters by default, on 262,144 samples and 8 classes."""
    if len(shape) != 1 or shape[0] <= frames * bins:
        raise RecipeError(
            f"model mixnet needs rows of a wave and its spectrogram of model.frames = {frames} by "
            f"model.bins = {bins}, more than {frames * bins} numbers, got {shape}"
        )
    samples = shape[0] - frames * bins
    wave = WaveCNN(layers, activation, pooled=False)
    if (there := wave.frames(samples)) < pool:
        raise RecipeError(
            f"model.pool = {pool} is more than the {there} frames that are left of {samples} samples: "
            f"set it to {max(there, 1)} or less, or take longer clips"
        )
    if frames < 4:
        raise RecipeError(f"model.frames = {frames} is too few for convolutions of 4 frames")
    spectrogram = SpectrogramCNN(bins, channels, activation, residual)
    model = MixNet(
        samples, frames, bins, outputs, wave, spectrogram, pool, dropout, hidden, output_activation
    )
    initialise(model, init)
    return model
