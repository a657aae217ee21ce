"""Transformers for bearing signals (the fault notebook)."""

from __future__ import annotations

import math
from typing import TypedDict, Unpack

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


class Sizes(TypedDict):
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

    def __init__(self, shape: tuple[int, ...], token: bool, **sizes: Unpack[Sizes]) -> None:
        super().__init__()
        max_len, dropout = sizes["max_len"], sizes["dropout"]
        if len(shape) != 2:
            raise RecipeError(f"a transformer needs sequences (length, channels), got {shape}")
        if shape[0] + token > max_len:
            raise RecipeError(
                f"model.max_len = {max_len} is too short for a sequence of {shape[0]}"
                f"{' and the class token' if token else ''}: set model.max_len = {shape[0] + token}"
            )
        self.d_model = sizes["d_model"]
        self.embed = nn.Linear(shape[1], self.d_model)
        self.token = nn.Parameter(torch.randn(self.d_model)) if token else None
        self.register_buffer("positions", sinusoids(max_len, self.d_model), persistent=False)
        self.dropout = nn.Dropout(dropout)
        layer = nn.TransformerEncoderLayer(
            self.d_model, sizes["nhead"], sizes["d_hid"], dropout, batch_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, sizes["nlayers"], enable_nested_tensor=False)

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
    """The notebook's Transformer_cls, whose learned class token is classified: 985,870 parameters by
    default, on (40, 3) with 10 outputs."""

    def __init__(self, shape: tuple[int, ...], outputs: int, **sizes: Unpack[Sizes]) -> None:
        super().__init__(shape, token=True, **sizes)
        self.head = nn.Linear(self.d_model, outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(N, seq, d_in) -> (N, outputs) logits; `lengths` (N,) of padded samples."""
        return self.head(self.encode(x, lengths)[:, 0])  # type: ignore[no-any-return]


class TransformerMask(Encoder):
    """The notebook's Transformer_mask, whose tokens are decoded to the input again, one by one: 134,145
    parameters with 64/16/128/4 on sequences of one channel. The class token is there for the classifier
    that starts from here.

    Args:
        outputs: not used: a sample is reconstructed, whatever its classes are.
    """

    def __init__(self, shape: tuple[int, ...], outputs: int, **sizes: Unpack[Sizes]) -> None:
        super().__init__(shape, token=True, **sizes)
        self.decoder = nn.Linear(self.d_model, shape[1])

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(N, seq, d_in), masked -> (N, seq, d_in), reconstructed; `lengths` (N,) of padded samples."""
        return self.decoder(self.encode(x, lengths)[:, 1:])  # type: ignore[no-any-return]


class TransformerFlat(Encoder):
    """Encoder whose tokens go into fully connected layers all together: the sequence has one length.

    Args:
        hidden: units of the layers before the last.
    """

    def __init__(
        self, shape: tuple[int, ...], outputs: int, hidden: list[int], **sizes: Unpack[Sizes]
    ) -> None:
        super().__init__(shape, token=False, **sizes)
        self.head = fully_connected(shape[0] * self.d_model, hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, seq, d_in) -> (N, outputs)."""
        return self.head(self.encode(x).flatten(1))  # type: ignore[no-any-return]


class TransformerBase(TransformerFlat):
    """The notebook's Transformer_base: logits from the flattened sequence (inferred from its name and
    from the siblings; no record tells its head)."""

    def __init__(self, shape: tuple[int, ...], outputs: int, **sizes: Unpack[Sizes]) -> None:
        super().__init__(shape, outputs, [], **sizes)


class TransformerTriplet(TransformerFlat):
    """The notebook's Transformer_triplet: 3,884,864 parameters by default, on (40, 3).

    Args:
        outputs: not used: an embedding has `d_out` values, whatever the classes are.
    """

    def __init__(
        self, shape: tuple[int, ...], outputs: int, d_lin: int, d_out: int, **sizes: Unpack[Sizes]
    ) -> None:
        super().__init__(shape, d_out, [d_lin], **sizes)
