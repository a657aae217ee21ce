"""Transformers for bearing signals (the fault notebook)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from labtui.errors import RecipeError


def sinusoids(length: int, width: int) -> Tensor:
    """Sinusoidal positions (Vaswani et al. 2017, 3.5): (length, width)."""
    position = torch.arange(length)[:, None]
    rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    table = torch.zeros(length, width)
    table[:, 0::2] = torch.sin(position * rate)
    table[:, 1::2] = torch.cos(position * rate)[:, : width // 2]
    return table


class Encoder(nn.Module):
    """Post-norm ReLU encoder over tokens that are scaled by √d_model (Vaswani et al. 2017, 3.1 to 3.5).

    Args:
        shape: (seq, d_in) of a sample.
        token: put a learned token before the sequence (Devlin et al. 2019, section 3).
    """

    positions: Tensor

    def __init__(
        self,
        shape: tuple[int, ...],
        d_model: int,
        nhead: int,
        d_hid: int,
        nlayers: int,
        dropout: float,
        max_len: int,
        token: bool,
    ) -> None:
        super().__init__()
        if len(shape) != 2:
            raise RecipeError(f"a transformer needs sequences (length, channels), got {shape}")
        if shape[0] + token > max_len:
            raise RecipeError(
                f"model.max_len = {max_len} is too short for a sequence of {shape[0]}"
                f"{' and the class token' if token else ''}: set model.max_len = {shape[0] + token}"
            )
        self.d_model = d_model
        self.embed = nn.Linear(shape[1], d_model)
        self.token = nn.Parameter(torch.randn(d_model)) if token else None
        self.register_buffer("positions", sinusoids(max_len, d_model), persistent=False)
        self.dropout = nn.Dropout(dropout)
        layer = nn.TransformerEncoderLayer(d_model, nhead, d_hid, dropout, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, nlayers, enable_nested_tensor=False)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
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
        return self.layers(tokens, src_key_padding_mask=padding)  # type: ignore[no-any-return]


class TransformerCls(nn.Module):
    """Encoder whose learned class token is classified."""

    def __init__(self, encoder: Encoder, outputs: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.d_model, outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(N, seq, d_in) -> (N, outputs) logits; `lengths` (N,) of padded samples."""
        return self.head(self.encoder(x, lengths)[:, 0])  # type: ignore[no-any-return]


class TransformerMask(nn.Module):
    """Encoder whose tokens are decoded to the input again, one by one. The class token is there for the
    classifier that starts from here."""

    def __init__(self, encoder: Encoder, d_in: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = nn.Linear(encoder.d_model, d_in)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(N, seq, d_in), masked -> (N, seq, d_in), reconstructed; `lengths` (N,) of padded samples."""
        return self.decoder(self.encoder(x, lengths)[:, 1:])  # type: ignore[no-any-return]


class TransformerFlat(nn.Module):
    """Encoder whose tokens go into the head all together: the sequence has one length.

    Args:
        head: (N, seq · d_model) -> (N, outputs).
    """

    def __init__(self, encoder: Encoder, head: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        """(N, seq, d_in) -> (N, outputs)."""
        return self.head(self.encoder(x).flatten(1))  # type: ignore[no-any-return]


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
    encoder = Encoder(shape, d_model, nhead, d_hid, nlayers, dropout, max_len, token=True)
    return TransformerCls(encoder, outputs)


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
    encoder = Encoder(shape, d_model, nhead, d_hid, nlayers, dropout, max_len, token=False)
    return TransformerFlat(encoder, nn.Linear(shape[0] * d_model, outputs))


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
    encoder = Encoder(shape, d_model, nhead, d_hid, nlayers, dropout, max_len, token=True)
    return TransformerMask(encoder, shape[1])


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
    encoder = Encoder(shape, d_model, nhead, d_hid, nlayers, dropout, max_len, token=False)
    head = nn.Sequential(nn.Linear(shape[0] * d_model, d_lin), nn.ReLU(), nn.Linear(d_lin, d_out))
    return TransformerFlat(encoder, head)
