"""Transformers for bearing signals (the fault notebook)."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from labtui.errors import RecipeError
from labtui.zoo.blocks import fully_connected


def sinusoids(length: int, width: int) -> Tensor:
    """Sinusoidal positions (Vaswani et al. 2017, 3.5): (length, width)."""
    position = torch.arange(length)[:, None]
    rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    table = torch.zeros(length, width)
    table[:, 0::2] = torch.sin(position * rate)
    table[:, 1::2] = torch.cos(position * rate)[:, : width // 2]
    return table


class Sizes(NamedTuple):
    """An encoder's options, as its spec explains them."""

    d_model: int
    nhead: int
    d_hid: int
    nlayers: int
    dropout: float
    max_len: int


class Encoder(nn.Module):
    """Post-norm ReLU layers over tokens that are scaled by √d_model (Vaswani et al. 2017, 3.1 to 3.5).

    Args:
        shape: (seq, d_in) of a sample.
        token: put a learned token before the sequence (Devlin et al. 2019, section 3).
    """

    positions: Tensor

    def __init__(self, shape: tuple[int, ...], sizes: Sizes, token: bool) -> None:
        super().__init__()
        if len(shape) != 2:
            raise RecipeError(f"a transformer needs sequences (length, channels), got {shape}")
        if shape[0] + token > sizes.max_len:
            raise RecipeError(
                f"model.max_len = {sizes.max_len} is too short for a sequence of {shape[0]}"
                f"{' and the class token' if token else ''}: set model.max_len = {shape[0] + token}"
            )
        self.d_model, nhead, d_hid, nlayers, dropout, max_len = sizes
        self.embed = nn.Linear(shape[1], self.d_model)
        self.token = nn.Parameter(torch.randn(self.d_model)) if token else None
        self.register_buffer("positions", sinusoids(max_len, self.d_model), persistent=False)
        self.dropout = nn.Dropout(dropout)
        layer = nn.TransformerEncoderLayer(self.d_model, nhead, d_hid, dropout, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, nlayers, enable_nested_tensor=False)

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(N, seq, d_in) -> (N, seq, d_model), or (N, 1 + seq, d_model) with the token.

        Args:
            lengths: (N,) int64, of samples that were padded at their end; padding is not attended to.
        """
        tokens = self.embed(x) * math.sqrt(self.d_model)
        if self.token is not None:
            tokens = torch.cat([self.token.expand(len(x), 1, -1), tokens], dim=1)
        padding = None
        if lengths is not None:
            ends = lengths[:, None] + (self.token is not None)
            padding = torch.arange(tokens.shape[1], device=x.device) >= ends
        tokens = self.dropout(tokens + self.positions[: tokens.shape[1]])
        return self.encoder(tokens, src_key_padding_mask=padding)  # type: ignore[no-any-return]


class TransformerCls(Encoder):
    """Encoder whose learned class token is classified."""

    def __init__(self, shape: tuple[int, ...], sizes: Sizes, outputs: int) -> None:
        super().__init__(shape, sizes, token=True)
        self.head = nn.Linear(self.d_model, outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(N, seq, d_in) -> (N, outputs) logits; `lengths` (N,) of padded samples."""
        return self.head(self.encode(x, lengths)[:, 0])  # type: ignore[no-any-return]


class TransformerMask(Encoder):
    """Encoder whose tokens are decoded to the input again, one by one. The class token is there for the
    classifier that starts from here."""

    def __init__(self, shape: tuple[int, ...], sizes: Sizes) -> None:
        super().__init__(shape, sizes, token=True)
        self.decoder = nn.Linear(self.d_model, shape[1])

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(N, seq, d_in), masked -> (N, seq, d_in), reconstructed; `lengths` (N,) of padded samples."""
        return self.decoder(self.encode(x, lengths)[:, 1:])  # type: ignore[no-any-return]


class TransformerFlat(Encoder):
    """Encoder whose tokens go into fully connected layers all together: the sequence has one length.

    Args:
        hidden: units of the layers before the last.
    """

    def __init__(self, shape: tuple[int, ...], sizes: Sizes, hidden: list[int], outputs: int) -> None:
        super().__init__(shape, sizes, token=False)
        self.head = fully_connected(shape[0] * self.d_model, hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, seq, d_in) -> (N, outputs)."""
        return self.head(self.encode(x).flatten(1))  # type: ignore[no-any-return]


def transformer_cls(
    shape: tuple[int, ...],
    outputs: int,
    d_model: int,
    nhead: int,
    d_hid: int,
    nlayers: int,
    dropout: float,
    max_len: int,
) -> TransformerCls:
    """The notebook's Transformer_cls: 985,870 parameters by default, on (40, 3) with 10 outputs."""
    return TransformerCls(shape, Sizes(d_model, nhead, d_hid, nlayers, dropout, max_len), outputs)


def transformer_base(
    shape: tuple[int, ...],
    outputs: int,
    d_model: int,
    nhead: int,
    d_hid: int,
    nlayers: int,
    dropout: float,
    max_len: int,
) -> TransformerFlat:
    """The notebook's Transformer_base: logits from the flattened sequence (inferred from its name and
    from the siblings; no record tells its head)."""
    return TransformerFlat(shape, Sizes(d_model, nhead, d_hid, nlayers, dropout, max_len), [], outputs)


def transformer_mask(
    shape: tuple[int, ...],
    outputs: int,
    d_model: int,
    nhead: int,
    d_hid: int,
    nlayers: int,
    dropout: float,
    max_len: int,
) -> TransformerMask:
    """The notebook's Transformer_mask: 134,145 parameters with 64/16/128/4 on sequences of one channel.

    Args:
        outputs: not used: a sample is reconstructed, whatever its classes are.
    """
    return TransformerMask(shape, Sizes(d_model, nhead, d_hid, nlayers, dropout, max_len))


def transformer_triplet(
    shape: tuple[int, ...],
    outputs: int,
    d_model: int,
    nhead: int,
    d_hid: int,
    nlayers: int,
    dropout: float,
    max_len: int,
    d_lin: int,
    d_out: int,
) -> TransformerFlat:
    """The notebook's Transformer_triplet: 3,884,864 parameters by default, on (40, 3).

    Args:
        outputs: not used: an embedding has `d_out` values, whatever the classes are.
    """
    return TransformerFlat(shape, Sizes(d_model, nhead, d_hid, nlayers, dropout, max_len), [d_lin], d_out)
