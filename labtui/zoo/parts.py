"""What models over time share; each honours the lengths of padded samples.

`lengths` is (N,) int64, in frames of the tensor beside it; None: no sample is padded. Frames behind a
sample's end are set to zero before each layer that pads and so could see them: zeros are what the sample
has there alone, so that padding never changes a result in evaluation. In training BatchNorm takes its
statistics over all frames, padded ones included, as the notebooks' programs did.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

Pooling = Literal["max", "mean", "max_mean", "last"]


def within(lengths: Tensor, time: int) -> Tensor:
    """(N,) lengths -> (N, time) bool: which frames belong to each sample."""
    return torch.arange(time, device=lengths.device) < lengths[:, None]


def zeroed(x: Tensor, lengths: Tensor | None, axis: int = 2) -> Tensor:
    """`x` with zeros behind each sample's end; time is `axis`, the batch is axis 0."""
    if lengths is None:
        return x
    inside = within(lengths.to(x.device), x.shape[axis])
    shape = [len(x)] + [1] * (x.ndim - 1)
    shape[axis] = x.shape[axis]
    # Not a product: padding may be NaN.
    return x.masked_fill(~inside.view(shape), 0)


def at_least(x: Tensor, lengths: Tensor | None, least: int) -> tuple[Tensor, Tensor | None]:
    """(N, C, T) with zeros behind until T is `least`: the shortest that a convolution can take."""
    if x.shape[2] < least:
        x = nn.functional.pad(x, (0, least - x.shape[2]))
    return x, None if lengths is None else lengths.clamp(min=least)


def pool(x: Tensor, lengths: Tensor | None, how: Pooling) -> Tensor:
    """(N, T, C) -> (N, C): each channel's maximum, mean or last value over a sample's own frames; "max_mean":
    maxima, then means, (N, 2C)."""
    if how == "max_mean":
        return torch.cat([pool(x, lengths, "max"), pool(x, lengths, "mean")], 1)
    # Means at least in single precision, which mixed precision would not keep by itself.
    precise = torch.promote_types(x.dtype, torch.float32)
    if lengths is None:
        return x[:, -1] if how == "last" else x.amax(1) if how == "max" else x.mean(1, dtype=precise)
    lengths = lengths.to(x.device)
    if how == "last":
        return x[torch.arange(len(x), device=x.device), lengths - 1]
    behind = ~within(lengths, x.shape[1])[..., None]
    if how == "max":
        return x.masked_fill(behind, float("-inf")).amax(1)
    return x.masked_fill(behind, 0).sum(1, dtype=precise) / lengths[:, None]


class Step(nn.Module):
    """A convolution (or pooling) along axis 2, and what follows it, for samples that end early.

    (N, C, T, …), lengths -> (N, C', T', …), lengths. What follows acts on each frame by itself.

    Args:
        layer: `nn.Conv1d` or the like; one without kernel_size, stride and padding acts on each frame.
        after: norm, activation, …
        same: one frame for each stride begun, also where an even kernel gives one more.
    """

    def __init__(self, layer: nn.Module, *after: nn.Module, same: bool = False) -> None:
        super().__init__()
        self.layer, self.after, self.same = layer, nn.Sequential(*after), same
        geometry = {"kernel_size": 1, "stride": 1, "padding": 0}
        sizes: list[Any] = [getattr(layer, name, default) for name, default in geometry.items()]
        self.kernel, self.stride, self.padding = (s[0] if isinstance(s, tuple) else s for s in sizes)

    def forward(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """As the class says."""
        time = x.shape[2]
        # Without padding, frames before the end are made of frames before the end.
        x = self.after(self.layer(zeroed(x, lengths) if self.padding else x))
        x = x[:, :, : self._frames(time)] if self.same else x
        return x, None if lengths is None else self._frames(lengths)

    def _frames(self, time: Any) -> Any:
        """How many frames come of `time` (int or Tensor) frames."""
        if self.same:
            return (time + self.stride - 1) // self.stride
        return (time + 2 * self.padding - self.kernel) // self.stride + 1


class Steps(nn.ModuleList):
    """`Step`s and `Unit`s, one after the other."""

    def forward(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """As `Step`."""
        for step in self:
            x, lengths = step(x, lengths)
        return x, lengths


class Unit(nn.Module):
    """A residual unit (He et al. 2016, section 3): activation of the steps' output plus the shortcut's.

    Args:
        shortcut: absent: the input itself.
    """

    def __init__(self, steps: Sequence[Step], shortcut: Step | None, activation: nn.Module) -> None:
        super().__init__()
        self.steps, self.shortcut, self.activation = Steps(steps), shortcut, activation

    def forward(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """As `Step`."""
        around = x if self.shortcut is None else self.shortcut(x, lengths)[0]
        x, lengths = self.steps(x, lengths)
        return self.activation(x + around), lengths


class Recurrent(nn.Module):
    """A stack of (bi)LSTMs over frames: (N, T, width) -> [(N, T, self.width)], the last layer's states."""

    def __init__(self, width: int, hidden: int, layers: int, bidirectional: bool) -> None:
        super().__init__()
        self.lstm = nn.LSTM(width, hidden, layers, batch_first=True, bidirectional=bidirectional)
        self.width = hidden * (1 + bidirectional)

    def forward(self, x: Tensor, lengths: Tensor | None) -> list[Tensor]:
        """As the class says; the backward direction starts at each sample's own end."""
        if lengths is None:
            return [self.lstm(x)[0]]
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=x.shape[1])
        return [states]


class FrameTransformer(nn.Module):
    """Post-norm ReLU encoder layers over frames, without positions (Vaswani et al. 2017, section 3).

    (N, T, width) -> the states after each layer, (N, T, d_model) each. Frames of another width than
    d_model are embedded first.
    """

    def __init__(
        self, width: int, d_model: int, nhead: int, d_hid: int, nlayers: int, dropout: float
    ) -> None:
        super().__init__()
        self.embed = nn.Identity() if width == d_model else nn.Linear(width, d_model)
        # One by one, so that each layer starts from weights of its own.
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(d_model, nhead, d_hid, dropout, batch_first=True)
            for _ in range(nlayers)
        )
        self.width = d_model

    def forward(self, x: Tensor, lengths: Tensor | None) -> list[Tensor]:
        """As the class says; no frame sees another sample's padding, nor its own."""
        behind = None if lengths is None else ~within(lengths.to(x.device), x.shape[1])
        states = [self.embed(x)]
        for layer in self.layers:
            states.append(layer(states[-1], src_key_padding_mask=behind))
        return states[1:]
