"""Tables that several models have."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from labtui.recipe.spec import Spec

Init = Literal["default", "normal", "xavier_normal", "xavier_uniform", "kaiming_normal", "orthogonal"]
"""First values of the weights: PyTorch's own, N(0, 0.02), Xavier-normal with gain 0.02, Xavier-uniform,
Kaiming-normal for ReLU, or orthogonal; all but the first set biases to 0."""


class Lstm(Spec):
    """A stack of LSTMs over frames."""

    hidden: int = Field(128, ge=1)
    """Units of each direction."""
    layers: int = Field(1, ge=1)
    """LSTMs, one on top of the other."""
    bidirectional: bool = True
    """Also from a sample's end to its start."""


class Transformer(Spec):
    """Transformer encoder layers over frames, without positions (Vaswani et al. 2017, section 3)."""

    d_model: int = Field(256, ge=1)
    """Width of a frame inside; frames of another width are embedded first."""
    nhead: int = Field(4, ge=1)
    """Attention heads; divides d_model."""
    d_hid: int = Field(256, ge=1)
    """Units of each feed-forward block."""
    nlayers: int = Field(1, ge=1)
    """Encoder layers."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout probability inside the layers."""

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.d_model % self.nhead:
            raise ValueError(f"nhead = {self.nhead} must divide d_model = {self.d_model}")
        return self
