"""Classifiers of the time-series literature (Wang, Yan and Oates 2017, "Time series classification from
scratch with deep neural networks: a strong baseline"). Samples are (channels, time)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from labtui.errors import RecipeError
from labtui.zoo.parts import Pooling, Recurrent, Step, Steps, Unit, pool, zeroed

KERNELS = (8, 5, 3)
"""Time steps of the three convolutions in a row, in FCN and in each unit of the ResNet."""


class Convolutional(nn.Module):
    """Steps over time, mean over a sample's own time, linear layer: (N, C, T) -> (N, outputs) logits."""

    def __init__(self, steps: Sequence[nn.Module], width: int, outputs: int) -> None:
        super().__init__()
        self.steps, self.head = Steps(steps), nn.Linear(width, outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """As the class says; `lengths`: (N,) int64 time steps that are a sample's own, None: all."""
        x, lengths = self.steps(zeroed(x, lengths), lengths)
        return self.head(pool(x.transpose(1, 2), lengths, "mean"))  # type: ignore[no-any-return]


class LSTMClassifier(nn.Module):
    """LSTM over time, pooling, dropout, linear layer: (N, C, T) -> (N, outputs) logits."""

    def __init__(
        self, channels: int, outputs: int, lstm: dict[str, Any], pooling: Pooling, dropout: float
    ) -> None:
        super().__init__()
        self.context, self.pooling = Recurrent(channels, **lstm), pooling
        self.dropout, self.head = nn.Dropout(dropout), nn.Linear(self.context.width, outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """As the class says; `lengths`: (N,) int64 time steps that are a sample's own, None: all."""
        states = self.context(zeroed(x, lengths).transpose(1, 2), lengths)[-1]
        pooled = pool(states, lengths, self.pooling)
        return self.head(self.dropout(pooled))  # type: ignore[no-any-return]


def fcn(shape: tuple[int, ...], outputs: int, channels: int) -> Convolutional:
    """Three convolutions with batch norm and ReLU, one frame for each time step."""
    widths = (_channels("fcn", shape), channels, 2 * channels, channels)
    return Convolutional(_steps(widths, activate_last=True), channels, outputs)


def time_resnet(shape: tuple[int, ...], outputs: int, channels: int) -> Convolutional:
    """Three residual units of three convolutions each."""
    before, units = _channels("time_resnet", shape), []
    for width in (channels, 2 * channels, 2 * channels):
        around = nn.BatchNorm1d(width)
        shortcut = Step(around) if before == width else Step(nn.Conv1d(before, width, 1), around)
        steps = _steps((before, width, width, width), activate_last=False)
        units.append(Unit(steps, shortcut, nn.ReLU()))
        before = width
    return Convolutional(units, before, outputs)


def time_lstm(
    shape: tuple[int, ...], outputs: int, lstm: dict[str, Any], pooling: Pooling, dropout: float
) -> LSTMClassifier:
    """An LSTM over the time steps."""
    return LSTMClassifier(_channels("time_lstm", shape), outputs, lstm, pooling, dropout)


def _steps(widths: tuple[int, ...], activate_last: bool) -> list[Step]:
    """Convolutions between `widths`, each with batch norm and ReLU (the last one's if asked for)."""
    steps = []
    for number, ((before, after), kernel) in enumerate(zip(pairwise(widths), KERNELS, strict=True)):
        active = activate_last or number < len(KERNELS) - 1
        rest: tuple[nn.Module, ...] = (nn.BatchNorm1d(after), *((nn.ReLU(),) if active else ()))
        steps.append(Step(nn.Conv1d(before, after, kernel, padding=kernel // 2), *rest, same=True))
    return steps


def _channels(model: str, shape: tuple[int, ...]) -> int:
    if len(shape) != 2:
        raise RecipeError(f"model {model} needs time series (channels, time), got samples of shape {shape}")
    return shape[0]
