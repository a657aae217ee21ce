"""Classifiers of speech: an encoder, then a context over its frames, pooling, a head (emotion notebook)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from labtui.recipe.models.parts import Init, Lstm, Transformer
from labtui.recipe.spec import Headed

Width = Annotated[int, Field(ge=1)]


class Behind(Headed):
    """What stands behind each encoder."""

    dnn: list[Width] = []
    """Widths of fully connected layers on each frame, before the context; each with ReLU and dropout."""
    lstm: Lstm | None = None
    """An LSTM over the frames; absent: none."""
    transformer: Transformer | None = None
    """A Transformer over the frames; absent: none. Not beside an LSTM."""
    pooling: Literal["max", "mean", "last"] = "max"
    """How the frames of a sample become one vector."""
    fc: list[Width] = [128, 128]
    """Widths of the head's hidden layers."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Dropout probability in the fully connected layers."""
    activate_logits: bool = False
    """ReLU and dropout after the head's last layer, too: a flaw of the emotion notebook, which likely
    made folds stick at chance."""
    init: Init = "default"
    """First values of the weights: PyTorch's own, N(0, 0.02), Xavier-normal with gain 0.02 (the notebook's),
    Xavier-uniform, Kaiming-normal for ReLU, or orthogonal; all but the first set biases to 0."""

    @model_validator(mode="after")
    def _one_context(self) -> Self:
        if self.lstm is not None and self.transformer is not None:
            raise ValueError("give lstm or transformer, not both")
        return self


class WavEncoder(Behind):
    """Four strided convolutions over a waveform: 60 frames from 64,000 samples."""

    factory_path: ClassVar[str] = "labtui.zoo.speech:wav_encoder"

    name: Literal["wav_encoder"] = "wav_encoder"
    """Which model."""
    channels: int = Field(32, ge=1)
    """Channels of the first convolution; the frames are twice as wide."""
    sinc: bool = False
    """The first convolution is of sinc filters, of 251 samples (Ravanelli and Bengio 2018)."""
    rate: int = Field(16_000, ge=300)
    """Samples a second, for the cut-offs of sinc filters."""


class SincNet(Behind):
    """SincNet over overlapping windows of a waveform (Ravanelli and Bengio 2018)."""

    factory_path: ClassVar[str] = "labtui.zoo.speech:sincnet"

    name: Literal["sincnet"] = "sincnet"
    """Which model."""
    rate: int = Field(16_000, ge=300)
    """Samples a second."""
    window: float = Field(0.2, gt=0)
    """Length of a window, seconds."""
    shift: float = Field(0.1, gt=0)
    """From the start of one window to that of the next, seconds."""
    segments: int = Field(40, ge=1)
    """At most so many windows of a sample; what comes later is not seen."""
    filters: int = Field(80, ge=1)
    """Sinc filters."""
    kernel: int = Field(251, ge=3)
    """Samples of a sinc filter; odd."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel = {self.kernel} must be odd, so that a filter is symmetric")
        if round(self.rate * self.shift) < 1:
            raise ValueError(f"shift = {self.shift} is less than one sample at rate = {self.rate}")
        # Two convolutions of 5 and three poolings by 3 follow.
        if round(self.rate * self.window) < self.kernel + 74:
            raise ValueError(
                f"window = {self.window} has {round(self.rate * self.window)} samples at rate = "
                f"{self.rate}; with kernel = {self.kernel} it needs {self.kernel + 74}"
            )
        return self


class Frames(Behind):
    """Feature frames as they are, such as ComParE's 130 descriptors, without an encoder."""

    factory_path: ClassVar[str] = "labtui.zoo.speech:frames"

    name: Literal["frames"] = "frames"
    """Which model."""


class EncCNN1d(Behind):
    """Four convolutions over feature frames: one frame for 16."""

    factory_path: ClassVar[str] = "labtui.zoo.speech:enc_cnn1d"

    name: Literal["enc_cnn1d"] = "enc_cnn1d"
    """Which model."""
    channels: int = Field(128, ge=1)
    """Channels of the first convolution; the frames are twice as wide."""
    encoder_dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout probability behind the convolutions."""


class ResNet1d(Behind):
    """The emotion notebook's 1-D ResNet over feature frames: one frame for 8."""

    factory_path: ClassVar[str] = "labtui.zoo.speech:resnet1d"

    name: Literal["resnet1d"] = "resnet1d"
    """Which model."""
    channels: int = Field(64, ge=1)
    """Channels of the first convolution; the blocks have 2, 4, 4 and 2 times as many."""
    version: Literal[1, 2, 3] = 1
    """The notebook's three: 1; 2: the first convolution without bias, with batch norm and ReLU; 3: and
    shortcuts of one frame with batch norm and ReLU."""
    encoder_dropout: float = Field(0.3, ge=0, lt=1)
    """Dropout probability behind the blocks."""


class ResNet18Time(Behind):
    """ResNet-18 with convolutions over time alone: one frame for 32 (He et al. 2016)."""

    factory_path: ClassVar[str] = "labtui.zoo.speech:resnet18_1d"

    name: Literal["resnet18_1d"] = "resnet18_1d"
    """Which model."""
    channels: int = Field(64, ge=1)
    """Channels of the first stage; the frames are eight times as wide."""


class ResNet18Image(Behind):
    """ResNet-18 over a spectrogram, (frames, bins), as an image; its mean over frequency."""

    factory_path: ClassVar[str] = "labtui.zoo.speech:resnet18_2d"

    name: Literal["resnet18_2d"] = "resnet18_2d"
    """Which model."""
    channels: int = Field(64, ge=1)
    """Channels of the first stage; the frames are eight times as wide."""
    keep_time: bool = False
    """The first two layers stride over frequency alone: one frame for 8 instead of 32, for an LSTM."""


SPEECH = (WavEncoder, SincNet, Frames, EncCNN1d, ResNet1d, ResNet18Time, ResNet18Image)
