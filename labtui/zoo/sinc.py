"""Sinc filters and SincNet (Ravanelli and Bengio 2018, "Speaker recognition from raw waveform")."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from labtui.zoo.parts import within

MIN_LOW, MIN_BAND = 50.0, 50.0
"""Lowest cut-off and narrowest band, Hz."""


class SincConv(nn.Module):
    """Band-pass filters whose two cut-offs are learned: (N, 1, T) -> (N, filters, T').

    h[n] = 2 f₂ sinc(2π f₂ n) − 2 f₁ sinc(2π f₁ n), times a Hamming window (section 2, equations 4–8);
    f₁ = MIN_LOW + |low|, f₂ = f₁ + MIN_BAND + |band|. They start evenly spaced in mel, from 30 Hz
    to half the rate less 100 Hz.

    Args:
        kernel: samples of a filter; odd, so that it is symmetric.
        rate: samples a second.
    """

    moments: Tensor
    window: Tensor

    def __init__(self, filters: int, kernel: int, rate: int, stride: int = 1, padding: int = 0) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding, self.rate = kernel, stride, padding, rate
        mel = torch.linspace(_mel(30.0), _mel(rate / 2 - (MIN_LOW + MIN_BAND)), filters + 1)
        edges = 700 * (10 ** (mel / 2595) - 1)
        self.low = nn.Parameter(edges[:-1].clone())
        self.band = nn.Parameter(edges.diff())
        half = kernel // 2
        # The left half; the right one is its mirror image.
        self.register_buffer("moments", 2 * math.pi * torch.arange(-half, 0.0) / rate, persistent=False)
        points = torch.linspace(0, kernel / 2 - 1, half)
        hamming = 0.54 - 0.46 * torch.cos(2 * math.pi * points / kernel)
        self.register_buffer("window", hamming, persistent=False)

    def filters(self) -> Tensor:
        """(filters, 1, kernel): the filters as they are now, 1 at their middle."""
        low = MIN_LOW + self.low.abs()
        high = (low + MIN_BAND + self.band.abs()).clamp(max=self.rate / 2)
        band = (high - low)[:, None]
        waves = torch.sin(high[:, None] * self.moments) - torch.sin(low[:, None] * self.moments)
        left = waves / (self.moments / 2) * self.window / (2 * band)
        return torch.cat([left, torch.ones_like(band), left.flip(1)], dim=1)[:, None]

    def forward(self, x: Tensor) -> Tensor:
        """As the class says."""
        return nn.functional.conv1d(x, self.filters(), stride=self.stride, padding=self.padding)


def _mel(hertz: float) -> float:
    return 2595 * math.log10(1 + hertz / 700)


class SincNet(nn.Module):
    """SincNet over windows of a signal: (N, T) -> (N, segments, 512), one vector a window.

    Sinc filters, then convolutions of 60×5 and 60×5, each with pooling by 3, layer norm and leaky
    ReLU; layer norm on what enters the first and the fully connected layers; those are 2048, 1024 and
    512 wide, with batch norm (section 4.2). Windows behind a sample's end are not computed.

    Args:
        rate: samples a second.
        window, shift: of the segments, in samples.
        segments: at most so many; what comes later is not seen.
        filters, kernel: of the first layer.
    """

    LEAK = 0.2

    def __init__(self, rate: int, window: int, shift: int, segments: int, filters: int, kernel: int) -> None:
        super().__init__()
        self.size, self.shift, self.most = window, shift, segments
        self.norm = nn.LayerNorm(window)
        layers: list[nn.Module] = []
        channels, length = 1, window
        for width, taps in ((filters, kernel), (60, 5), (60, 5)):
            first = channels == 1
            conv = SincConv(width, taps, rate) if first else nn.Conv1d(channels, width, taps)
            channels, length = width, (length - taps + 1) // 3
            layers += [conv, Rectify()] if first else [conv]
            layers += [nn.MaxPool1d(3), nn.LayerNorm([width, length]), nn.LeakyReLU(self.LEAK)]
        layers += [nn.Flatten(), nn.LayerNorm(channels * length)]
        before = channels * length
        for width in (2048, 1024, 512):
            layers += [nn.Linear(before, width, bias=False), nn.BatchNorm1d(width), nn.LeakyReLU(self.LEAK)]
            before = width
        self.layers, self.width = nn.Sequential(*layers), before

    def forward(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """As the class says; `x` is zero behind the lengths."""
        x = x[:, : self.size + (self.most - 1) * self.shift]
        x = nn.functional.pad(x, (0, max(0, self.size - x.shape[1])))
        pieces = x.unfold(1, self.size, self.shift)
        if lengths is None:
            return self._vectors(pieces.flatten(0, 1)).view(*pieces.shape[:2], -1), None
        counts = ((lengths.to(x.device) - self.size) // self.shift + 1).clamp(1, pieces.shape[1])
        inside = within(counts, pieces.shape[1])
        vectors = self._vectors(pieces[inside])
        frames = vectors.new_zeros(*pieces.shape[:2], self.width)
        frames[inside] = vectors
        return frames, counts

    def _vectors(self, pieces: Tensor) -> Tensor:
        """(M, window) -> (M, 512)."""
        return self.layers(self.norm(pieces)[:, None])  # type: ignore[no-any-return]


class Rectify(nn.Module):
    """Absolute values: what the sinc filters give is rectified before it is pooled."""

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return x.abs()
