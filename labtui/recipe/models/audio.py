"""Convolutional networks for waves and spectrograms (the genre notebook)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from labtui.recipe.models.parts import Init
from labtui.recipe.spec import Headed, Widths


class AudioCNN(Headed):
    """What all of them have."""

    activation: Literal["relu", "sigmoid"] = "relu"
    """After each convolution."""
    init: Init = "default"
    """First values of the weights: PyTorch's own, N(0, 0.02), Xavier-normal with gain 0.02, Xavier-uniform,
    Kaiming-normal for ReLU, or orthogonal; all but the first set biases to 0."""
    output_activation: Literal["none", "softmax"] = "none"
    """After the last layer. The notebook's softmax is flawed together with cross-entropy, which takes one
    itself: with 8 classes the loss cannot fall below 1.274, and gradients are small."""


class CNN1D(AudioCNN):
    """Strided convolutions over a wave, maximum and mean over time, fully connected layers."""

    factory_path: ClassVar[str] = "labtui.zoo.audio:cnn1d"

    name: Literal["cnn1d"] = "cnn1d"
    """Which model."""
    layers: Literal[3, 4] = 4
    """Convolutions: 16, 32, 64 and, with four, 128 filters."""
    dropout: float = Field(0.2, ge=0, lt=1)
    """Dropout probability after each convolution."""
    hidden: Widths = [128, 64]
    """Units of the hidden layers of the head."""


class SpectrogramCNN(AudioCNN):
    """What the two on spectrograms alone have."""

    init: Init = "xavier_uniform"
    """First values of the weights, as in `cnn1d`; the notebook's for these is Xavier's."""
    channels: int = Field(256, ge=1)
    """Filters of each convolution."""
    residual: bool = True
    """Add what the first convolution gives to what the third gives."""
    dropout: float = Field(0.2, ge=0, lt=1)
    """Probability that a whole channel is dropped, after each convolution."""
    hidden: Widths = [300, 150]
    """Units of the hidden layers of the head."""


class CNN2D(SpectrogramCNN):
    """Convolutions over a spectrogram, the first across all its bins, so that time alone is left."""

    factory_path: ClassVar[str] = "labtui.zoo.audio:cnn2d"

    name: Literal["cnn2d"] = "cnn2d"
    """Which model."""


class STN(SpectrogramCNN):
    """`cnn2d` behind a spatial transformer, which moves, turns and scales the spectrogram first
    (Jaderberg et al. 2015)."""

    factory_path: ClassVar[str] = "labtui.zoo.audio:stn"

    name: Literal["stn"] = "stn"
    """Which model."""
    skip: bool = False
    """Add the spectrogram to the transformed one: the notebook's residual version."""


class MixNet(AudioCNN):
    """The convolutions of `cnn1d` and of `cnn2d` side by side, without inner pooling and dropout.

    A sample is a wave and, behind it, its spectrogram, frame by frame: one row of numbers.
    """

    factory_path: ClassVar[str] = "labtui.zoo.audio:mixnet"
    beside: ClassVar[frozenset[str]] = Headed.beside | {"wave_path", "spectrogram_path"}
    branches: ClassVar[Mapping[str, str]] = {"wave_path": "wave", "spectrogram_path": "spectrogram"}

    name: Literal["mixnet"] = "mixnet"
    """Which model."""
    wave_path: str | None = Field(None, min_length=1)
    """Weights for the wave's branch, from a trained `cnn1d`: as `path`."""
    spectrogram_path: str | None = Field(None, min_length=1)
    """Weights for the spectrogram's branch, from a trained `cnn2d`: as `path`."""
    frames: int = Field(128, ge=1)
    """Frames of the spectrogram."""
    bins: int = Field(513, ge=1)
    """Bins of each frame, mel or not."""
    layers: Literal[3, 4] = 4
    """Convolutions of the wave's branch."""
    channels: int = Field(256, ge=1)
    """Filters of each convolution of the spectrogram's branch."""
    residual: bool = True
    """In the spectrogram's branch, add what the first convolution gives to what the third gives."""
    pool: int = Field(125, ge=1)
    """Frames of the wave's branch that are pooled into one."""
    dropout: float = Field(0.5, ge=0, lt=1)
    """Dropout probability before the head."""
    hidden: Widths = [128]
    """Units of the hidden layers of the head."""

    @model_validator(mode="after")
    def _one_start(self) -> Self:
        if self.path and (self.wave_path or self.spectrogram_path):
            raise ValueError("give `path`, or `wave_path` and `spectrogram_path`: weights come from one side")
        return self
