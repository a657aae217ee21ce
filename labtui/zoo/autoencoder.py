"""Autoencoders of spectrograms, and classifiers on what they keep (the genre notebook).

Spectrograms lie between 0 and 1, since both decoders end in a sigmoid: scale them so. The tables that
describe the two leave some of it out; what is inferred here gives the notebook's parameter counts.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from labtui.zoo.blocks import fully_connected, image_of

Size = tuple[int, int]

CHANNELS = (1, 8, 16, 32)
PADDING = (1, 1, 0)
"""Of the convolutions of `AE`, kernel 3 and stride 2: 128×513 becomes 64×257, 32×129, 15×64."""


class AEEncoder(nn.Module):
    """Strided convolutions, the mean over the image, two linear layers."""

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.stages = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(before, after, 3, 2, padding), nn.BatchNorm2d(after), nn.ReLU())
                for before, after, padding in zip(CHANNELS[:-1], CHANNELS[1:], PADDING, strict=True)
            )
        )
        self.units = fully_connected(CHANNELS[-1], [latent], latent)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, frames, bins) -> (N, latent)."""
        return self.units(self.stages(x).mean((2, 3)))  # type: ignore[no-any-return]


class AEDecoder(nn.Module):
    """`AEEncoder` backwards: each value is spread over the image first.

    Args:
        size: frames and bins.
    """

    def __init__(self, size: Size, latent: int) -> None:
        super().__init__()
        self.units = nn.Sequential(fully_connected(latent, [latent], CHANNELS[-1]), nn.ReLU())
        self.sizes = [size]
        for padding in PADDING:
            height, width = ((n + 2 * padding - 3) // 2 + 1 for n in self.sizes[-1])
            self.sizes.append((height, width))
        self.stages = nn.ModuleList(
            nn.ConvTranspose2d(before, after, 3, 2, padding)
            for before, after, padding in zip(CHANNELS[:0:-1], CHANNELS[-2::-1], PADDING[::-1], strict=True)
        )
        self.after = nn.ModuleList(
            nn.Sequential(nn.BatchNorm2d(channels), nn.Sigmoid() if channels == 1 else nn.ReLU())
            for channels in CHANNELS[-2::-1]
        )

    def forward(self, latent: Tensor) -> Tensor:
        """(N, latent) -> (N, 1, frames, bins) between 0 and 1."""
        *sizes, smallest = self.sizes
        x = F.interpolate(self.units(latent)[:, :, None, None], smallest)
        for stage, after, size in zip(self.stages, self.after, reversed(sizes), strict=True):
            x = after(stage(x, output_size=size))
        return x


def convolution(before: int, after: int, stride: int = 1) -> nn.Sequential:
    """Convolution with batch norm and sigmoid: to the same size, or by its stride smaller, rounded down."""
    size = (3, stride, 1 if stride == 1 else 0)
    return nn.Sequential(nn.Conv2d(before, after, *size), nn.BatchNorm2d(after), nn.Sigmoid())


class Shrink(nn.Module):
    """A convolution to a quarter of the size; what comes in passes it by through pooling."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.learned = convolution(channels, channels, stride=4)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H / 4, W / 4), rounded down."""
        height, width = (n // 4 * 4 for n in x.shape[2:])
        x = x[:, :, :height, :width]  # so that both ways round alike
        return self.learned(x) + F.avg_pool2d(x, 4)  # type: ignore[no-any-return]


class Grow(nn.Module):
    """`Shrink` backwards: the image enlarged, and what a convolution adds to it."""

    def __init__(self, channels: int, size: Size) -> None:
        super().__init__()
        self.learned = convolution(channels, channels)
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, *size)."""
        x = F.interpolate(x, self.size)
        return self.learned(x) + x  # type: ignore[no-any-return]


class ResEncoder(nn.Module):
    """Three convolutions, two of them with skips, and two linear layers.

    Args:
        size: frames and bins; (128, 513) becomes (32, 128), then (8, 32).
    """

    def __init__(self, size: Size, channels: int, units: int, latent: int) -> None:
        super().__init__()
        values = channels * (size[0] // 16) * (size[1] // 16)
        self.stages = nn.Sequential(convolution(1, channels), Shrink(channels), Shrink(channels))
        self.units = fully_connected(values, [units], latent)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, frames, bins) -> (N, latent)."""
        return self.units(self.stages(x).flatten(1))  # type: ignore[no-any-return]


class ResDecoder(nn.Module):
    """`ResEncoder` backwards; the spectrogram is the mean of the last convolution's channels."""

    def __init__(self, size: Size, channels: int, units: int, latent: int) -> None:
        super().__init__()
        small, smallest = ((size[0] // by, size[1] // by) for by in (4, 16))
        self.image = (channels, *smallest)
        self.units = fully_connected(latent, [units], channels * smallest[0] * smallest[1])
        self.stages = nn.Sequential(
            Grow(channels, small), Grow(channels, size), convolution(channels, channels)
        )

    def forward(self, latent: Tensor) -> Tensor:
        """(N, latent) -> (N, 1, frames, bins) between 0 and 1."""
        x = self.stages(self.units(latent).unflatten(1, self.image))
        return x.mean(1, keepdim=True)  # type: ignore[no-any-return]


class Autoencoder(nn.Module):
    """Encoder and decoder: (N, 1, frames, bins) -> the same shape."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, frames, bins) -> (N, 1, frames, bins), reconstructed."""
        return self.decoder(self.encoder(x))  # type: ignore[no-any-return]


class OnLatent(nn.Module):
    """An autoencoder's encoder, and a head on what it keeps. The head is labtui's choice, since no record
    tells it."""

    def __init__(
        self, auto: Autoencoder, latent: int, hidden: Sequence[int], outputs: int, output_activation: str
    ) -> None:
        super().__init__()
        self.encoder = auto.encoder
        self.head = fully_connected(latent, hidden, outputs, output_activation)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, frames, bins) -> (N, outputs) logits."""
        return self.head(self.encoder(x))  # type: ignore[no-any-return]


def ae(shape: tuple[int, ...], outputs: int, latent: int) -> Autoencoder:
    """The notebook's AE: 24,419 parameters by default.

    Args:
        outputs: not used: a sample is reconstructed, whatever its classes are.
    """
    size = image_of(shape, "ae", least=(9, 9))
    return Autoencoder(AEEncoder(latent), AEDecoder(size, latent))


def res_ae(shape: tuple[int, ...], outputs: int, channels: int, units: int, latent: int) -> Autoencoder:
    """The notebook's ResAE: 2,136,120 parameters by default, on (1, 128, 513).

    Args:
        outputs: not used: a sample is reconstructed, whatever its classes are.
    """
    size = image_of(shape, "res_ae", least=(16, 16))
    return Autoencoder(*(part(size, channels, units, latent) for part in (ResEncoder, ResDecoder)))


def ae_cls(
    shape: tuple[int, ...], outputs: int, latent: int, hidden: Sequence[int], output_activation: str
) -> OnLatent:
    """Classifier on the latent space of `ae`."""
    return OnLatent(ae(shape, outputs, latent), latent, hidden, outputs, output_activation)


def res_ae_cls(
    shape: tuple[int, ...],
    outputs: int,
    channels: int,
    units: int,
    latent: int,
    hidden: Sequence[int],
    output_activation: str,
) -> OnLatent:
    """Classifier on the latent space of `res_ae`."""
    auto = res_ae(shape, outputs, channels, units, latent)
    return OnLatent(auto, latent, hidden, outputs, output_activation)
