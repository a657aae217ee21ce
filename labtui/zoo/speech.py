"""Classifiers of speech and of other long samples (the emotion notebook).

Each is an encoder, then optional fully connected layers, an LSTM or a Transformer over frames, pooling
over time, and a fully connected head. `forward(x, lengths)` takes the lengths of padded samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypedDict, Unpack

from torch import Tensor, nn

from labtui.errors import RecipeError
from labtui.recipe.models.parts import Init
from labtui.zoo.blocks import activated, fully_connected, initialise
from labtui.zoo.encoders import EncCNN1d, Frames, ResNet1d, ResNet18, WavEncoder
from labtui.zoo.parts import FrameTransformer, Pooling, Recurrent, pool, zeroed
from labtui.zoo.sinc import SincNet


class Behind(TypedDict):
    """What stands behind the encoder: the options of `recipe.models.speech.Behind`."""

    dnn: list[int]
    lstm: dict[str, Any] | None
    transformer: dict[str, Any] | None
    pooling: Pooling
    fc: list[int]
    dropout: float
    activate_logits: bool
    init: Init


@dataclass
class Exposed:
    """Logits and what led to them, for a student that is aligned with a teacher's layers."""

    logits: Tensor
    """(N, outputs)."""
    states: list[Tensor]
    """(N, T, width) after each Transformer layer, or after the LSTM."""
    pooled: Tensor
    """(N, width): what the head sees."""
    lengths: Tensor | None
    """(N,) int64: frames of `states` that are a sample's own; None: all."""


class SpeechClassifier(nn.Module):
    """Encoder, context over frames, pooling, head: (N, *shape) -> (N, outputs) logits.

    Args:
        encoder: gives frames (N, T, encoder.width).
        shape: of one sample, with time first, whatever stands before it being 1.
        behind: as in `recipe.models.speech.Behind`.
    """

    def __init__(self, encoder: nn.Module, shape: tuple[int, ...], outputs: int, behind: Behind) -> None:
        super().__init__()
        self.shape, self.pooling = shape, behind["pooling"]
        self.encoder = encoder
        widths = [int(encoder.width), *behind["dnn"]]  # type: ignore[arg-type]
        self.dnn = activated(widths, behind["dropout"])
        self.context: Recurrent | FrameTransformer | None = None
        if behind["lstm"] is not None:
            self.context = Recurrent(widths[-1], **behind["lstm"])
        elif behind["transformer"] is not None:
            self.context = FrameTransformer(widths[-1], **behind["transformer"])
        width = widths[-1] if self.context is None else self.context.width
        if behind["activate_logits"]:  # the notebook's flaw: no negative logits, and some set to zero
            self.head = activated([width, *behind["fc"], outputs], behind["dropout"])
        else:
            self.head = fully_connected(width, behind["fc"], outputs, dropout=behind["dropout"])
        initialise(self, behind["init"])

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits.

        Args:
            x: (N, *shape); the time of a batch may differ from shape's.
            lengths: (N,) int64, samples or frames of `x` that are a sample's own, at least 1; None: all.
        """
        return self.expose(x, lengths).logits

    def expose(self, x: Tensor, lengths: Tensor | None = None) -> Exposed:
        """Logits, and the hidden states that led to them; as `forward`."""
        if x.ndim > len(self.shape) + 1:  # (N, 1, …): one channel
            x = x.squeeze(1)
        x, lengths = self.encoder(zeroed(x, lengths, axis=1), lengths)
        x = self.dnn(x)
        states = [x] if self.context is None else self.context(x, lengths)
        pooled = pool(states[-1], lengths, self.pooling)
        return Exposed(self.head(pooled), states, pooled, lengths)


def wav_encoder(
    shape: tuple[int, ...], outputs: int, channels: int, sinc: bool, rate: int, **behind: Unpack[Behind]
) -> SpeechClassifier:
    """Four strided convolutions over a waveform, the first optionally of sinc filters."""
    shape = _time("wav_encoder", shape, 1)
    return SpeechClassifier(WavEncoder(channels, rate if sinc else None), shape, outputs, behind)


def sincnet(
    shape: tuple[int, ...],
    outputs: int,
    rate: int,
    window: float,
    shift: float,
    segments: int,
    filters: int,
    kernel: int,
    **behind: Unpack[Behind],
) -> SpeechClassifier:
    """SincNet over windows of a waveform; `window` and `shift` in seconds."""
    shape = _time("sincnet", shape, 1)
    encoder = SincNet(rate, round(rate * window), round(rate * shift), segments, filters, kernel)
    return SpeechClassifier(encoder, shape, outputs, behind)


def frames(shape: tuple[int, ...], outputs: int, **behind: Unpack[Behind]) -> SpeechClassifier:
    """Feature frames as they are, without an encoder."""
    shape = _time("frames", shape, 2)
    return SpeechClassifier(Frames(shape[1]), shape, outputs, behind)


def enc_cnn1d(
    shape: tuple[int, ...], outputs: int, channels: int, encoder_dropout: float, **behind: Unpack[Behind]
) -> SpeechClassifier:
    """Four convolutions over feature frames."""
    shape = _time("enc_cnn1d", shape, 2)
    return SpeechClassifier(EncCNN1d(shape[1], channels, encoder_dropout), shape, outputs, behind)


def resnet1d(
    shape: tuple[int, ...],
    outputs: int,
    channels: int,
    version: Literal[1, 2, 3],
    encoder_dropout: float,
    **behind: Unpack[Behind],
) -> SpeechClassifier:
    """The notebook's 1-D ResNet over feature frames."""
    shape = _time("resnet1d", shape, 2)
    encoder = ResNet1d(shape[1], channels, version, encoder_dropout)
    return SpeechClassifier(encoder, shape, outputs, behind)


def resnet18_1d(
    shape: tuple[int, ...], outputs: int, channels: int, **behind: Unpack[Behind]
) -> SpeechClassifier:
    """ResNet-18 over feature frames."""
    shape = _time("resnet18_1d", shape, 2)
    return SpeechClassifier(ResNet18(1, shape[1], channels, keep_time=False), shape, outputs, behind)


def resnet18_2d(
    shape: tuple[int, ...], outputs: int, channels: int, keep_time: bool, **behind: Unpack[Behind]
) -> SpeechClassifier:
    """ResNet-18 over a spectrogram as an image of one channel."""
    shape = _time("resnet18_2d", shape, 2)
    return SpeechClassifier(ResNet18(2, 1, channels, keep_time), shape, outputs, behind)


def _time(model: str, shape: tuple[int, ...], axes: int) -> tuple[int, ...]:
    """A sample's shape without a leading axis of one channel.

    Raises:
        RecipeError: what is left is no waveform (time) or feature frames (time, features).
    """
    rest = shape[1:] if len(shape) == axes + 1 and shape[0] == 1 else shape
    if len(rest) != axes:
        wanted = "waveforms (samples)" if axes == 1 else "feature frames (frames, features)"
        raise RecipeError(f"model {model} needs {wanted}, got samples of shape {shape}")
    return rest
