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


class TransformerCls(nn.Module):
    """Encoder whose learned class token is classified (Devlin et al. 2019, section 3).

    (N, seq, d_in) -> (N, outputs) logits. Post-norm ReLU layers; tokens are scaled by √d_model.
    """

    positions: Tensor

    def __init__(
        self,
        d_in: int,
        outputs: int,
        d_model: int,
        nhead: int,
        d_hid: int,
        nlayers: int,
        dropout: float,
        max_len: int,
    ) -> None:
        super().__init__()
        self.d_model = d_model
        self.embed = nn.Linear(d_in, d_model)
        self.token = nn.Parameter(torch.randn(d_model))
        self.register_buffer("positions", sinusoids(max_len, d_model), persistent=False)
        self.dropout = nn.Dropout(dropout)
        layer = nn.TransformerEncoderLayer(d_model, nhead, d_hid, dropout, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, nlayers, enable_nested_tensor=False)
        self.head = nn.Linear(d_model, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, seq, d_in) -> (N, outputs) logits."""
        tokens = self.embed(x) * math.sqrt(self.d_model)
        tokens = torch.cat([self.token.expand(len(x), 1, -1), tokens], dim=1)
        tokens = self.dropout(tokens + self.positions[: tokens.shape[1]])
        return self.head(self.encoder(tokens)[:, 0])  # type: ignore[no-any-return]


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
    if len(shape) != 2:
        raise RecipeError(f"model transformer_cls needs sequences (length, channels), got {shape}")
    if shape[0] + 1 > max_len:
        raise RecipeError(
            f"model.max_len = {max_len} is too short for a sequence of {shape[0]} and the class "
            f"token: set model.max_len = {shape[0] + 1}"
        )
    return TransformerCls(shape[1], outputs, d_model, nhead, d_hid, nlayers, dropout, max_len)
