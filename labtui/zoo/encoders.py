"""Convolutional encoders: from a sample over time to frames (N, T', width), and their lengths.

Each has `width`, and `forward(x, lengths)` with `x` zero behind the lengths.
"""

from __future__ import annotations

from typing import Any, Literal

from torch import Tensor, nn

from labtui.zoo.parts import Step, Steps, Unit, at_least
from labtui.zoo.sinc import SincConv

CONV: dict[int, type[Any]] = {1: nn.Conv1d, 2: nn.Conv2d}
NORM: dict[int, type[Any]] = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d}
POOL: dict[int, type[Any]] = {1: nn.MaxPool1d, 2: nn.MaxPool2d}


class Frames(nn.Module):
    """No encoder: the sample's own frames, (N, T, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """`x` itself."""
        return x, lengths


class WavEncoder(nn.Module):
    """Four convolutions of 15 samples over a waveform: (N, T) -> (N, T', 2h).

    1→h stride 5, h→2h, 2h→4h and 4h→2h stride 6, the first with 1600 zeros at both ends; batch norm
    and leaky ReLU (0.3) after all but the last. 64,000 samples give 13438, 2238, 371 and 60 frames.

    Args:
        h: channels of the first layer.
        sinc: the rate (Hz) if the first layer is of sinc filters, 251 samples each and centred on
            the same samples; None: free filters.
    """

    def __init__(self, h: int, sinc: int | None) -> None:
        super().__init__()
        first: nn.Module = nn.Conv1d(1, h, 15, stride=5, padding=1600)
        if sinc is not None:
            first = SincConv(h, 251, sinc, stride=5, padding=1600 + (251 - 15) // 2)
        self.steps = Steps(
            [
                Step(first, nn.BatchNorm1d(h), nn.LeakyReLU(0.3)),
                Step(nn.Conv1d(h, 2 * h, 15, stride=6), nn.BatchNorm1d(2 * h), nn.LeakyReLU(0.3)),
                Step(nn.Conv1d(2 * h, 4 * h, 15, stride=6), nn.BatchNorm1d(4 * h), nn.LeakyReLU(0.3)),
                Step(nn.Conv1d(4 * h, 2 * h, 15, stride=6)),
            ]
        )
        self.width = 2 * h

    def forward(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """As the class says."""
        x, lengths = self.steps(x[:, None], lengths)
        return x.transpose(1, 2), lengths


class EncCNN1d(nn.Module):
    """Four convolutions over feature frames: (N, T, d_in) -> (N, T/16, 2h).

    Kernels 10, 5, 5, 3 and strides 4, 2, 2, 1 with h, 2h, 4h, 2h channels; batch norm and leaky ReLU
    (0.3) after all but the last, dropout at the end.
    """

    def __init__(self, d_in: int, h: int, dropout: float) -> None:
        super().__init__()
        self.steps = Steps(
            [
                Step(nn.Conv1d(d_in, h, 10, 4, 4), nn.BatchNorm1d(h), nn.LeakyReLU(0.3)),
                Step(nn.Conv1d(h, 2 * h, 5, 2, 2), nn.BatchNorm1d(2 * h), nn.LeakyReLU(0.3)),
                Step(nn.Conv1d(2 * h, 4 * h, 5, 2, 2), nn.BatchNorm1d(4 * h), nn.LeakyReLU(0.3)),
                Step(nn.Conv1d(4 * h, 2 * h, 3, 1, 1)),
            ]
        )
        self.dropout = nn.Dropout(dropout)
        self.width = 2 * h

    def forward(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """As the class says."""
        x, lengths = self.steps(*at_least(x.transpose(1, 2), lengths, 2))
        return self.dropout(x.transpose(1, 2)), lengths


class ResNet1d(nn.Module):
    """The emotion notebook's 1-D ResNet over feature frames: (N, T, d_in) -> (N, T/8, 2h).

    A convolution d_in→h of 10 frames, stride 2; four blocks of 2h, 4h, 4h, 2h channels, the first two
    with stride 2; each of two residual units, whose first one has a convolution as shortcut; leaky
    ReLU (0.3), dropout at the end. The kernels are inferred, not certain: 5 and 3 frames in each
    unit, 8 (stride 2) or 3 (stride 1) in the shortcut fit the notebook's number of parameters.

    Args:
        version: 1 as above; 2: the first convolution without bias, with batch norm and ReLU; 3: and
            shortcuts of one frame, with batch norm and ReLU.
    """

    def __init__(self, d_in: int, h: int, version: Literal[1, 2, 3], dropout: float) -> None:
        super().__init__()
        after = (nn.BatchNorm1d(h), nn.ReLU()) if version > 1 else ()
        stem = Step(nn.Conv1d(d_in, h, 10, stride=2, padding=4, bias=version == 1), *after)
        units: list[nn.Module] = []
        before = h
        for width, stride in ((2 * h, 2), (4 * h, 2), (4 * h, 1), (2 * h, 1)):
            units += [self._unit(before, width, stride, self._shortcut(before, width, stride, version))]
            units += [self._unit(width, width, 1, None)]
            before = width
        self.steps = Steps([stem, *units])
        self.dropout = nn.Dropout(dropout)
        self.width = before

    def _unit(self, before: int, width: int, stride: int, shortcut: Step | None) -> Unit:
        first = nn.Conv1d(before, width, 5, stride, padding=2)
        second = nn.Conv1d(width, width, 3, padding=1)
        steps = [
            Step(first, nn.BatchNorm1d(width), nn.LeakyReLU(0.3)),
            Step(second, nn.BatchNorm1d(width)),
        ]
        return Unit(steps, shortcut, nn.LeakyReLU(0.3))

    def _shortcut(self, before: int, width: int, stride: int, version: int) -> Step:
        if version == 3:
            return Step(nn.Conv1d(before, width, 1, stride), nn.BatchNorm1d(width), nn.ReLU())
        taps = 8 if stride == 2 else 3
        return Step(nn.Conv1d(before, width, taps, stride, padding=taps // 2), same=True)

    def forward(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """As the class says."""
        x, lengths = self.steps(*at_least(x.transpose(1, 2), lengths, 2))
        return self.dropout(x.transpose(1, 2)), lengths


class ResNet18(nn.Module):
    """ResNet-18 (He et al. 2016, table 1) over time, or over time and frequency.

    dims = 1: (N, T, d_in) -> (N, T/32, 8h); dims = 2: (N, T, F), one channel -> the same, after the mean
    over frequency.

    Args:
        h: channels of the first of four stages; each has twice those of the one before.
        keep_time: with dims = 2, stem and pooling stride over frequency alone, which leaves T/8 frames.
    """

    def __init__(self, dims: Literal[1, 2], d_in: int, h: int, keep_time: bool) -> None:
        super().__init__()
        self.dims = dims
        early = (1, 2) if keep_time else (2,) * dims
        stem = CONV[dims](d_in if dims == 1 else 1, h, 7, early, padding=3, bias=False)
        steps: list[nn.Module] = [
            Step(stem, NORM[dims](h), nn.ReLU()),
            # Behind a ReLU, zeros behind a sample's end do what the pooling's own -inf does.
            Step(POOL[dims](3, early, padding=1)),
        ]
        before = h
        for stage in range(4):
            width = h * 2**stage
            steps += [self._unit(before, width, 2 if stage else 1), self._unit(width, width, 1)]
            before = width
        self.steps = Steps(steps)
        self.width = before

    def _unit(self, before: int, width: int, stride: int) -> Unit:
        conv, norm = CONV[self.dims], NORM[self.dims]
        first = conv(before, width, 3, stride, padding=1, bias=False)
        second = conv(width, width, 3, padding=1, bias=False)
        shortcut = None
        if before != width:
            shortcut = Step(conv(before, width, 1, stride, bias=False), norm(width))
        steps = [Step(first, norm(width), nn.ReLU()), Step(second, norm(width))]
        return Unit(steps, shortcut, nn.ReLU())

    def forward(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """As the class says."""
        x, lengths = self.steps(x.transpose(1, 2) if self.dims == 1 else x[:, None], lengths)
        x = x if self.dims == 1 else x.mean(3)
        return x.transpose(1, 2), lengths
