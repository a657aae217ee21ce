"""Transformers for bearing signals (the fault notebook)."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from labtui.recipe.spec import Headed, ModelPart


class Encoder(ModelPart):
    """The encoder that all of them have (Vaswani et al. 2017)."""

    d_model: int = Field(140, ge=1)
    """Width of a token."""
    nhead: int = Field(20, ge=1)
    """Attention heads; divides d_model."""
    d_hid: int = Field(300, ge=1)
    """Units of each feed-forward block."""
    nlayers: int = Field(6, ge=1)
    """Encoder layers."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Dropout probability, after the positions and inside the layers."""
    max_len: int = Field(500, ge=2)
    """Longest sequence, class token included, that has a sinusoidal position."""

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.d_model % self.nhead:
            raise ValueError(f"nhead = {self.nhead} must divide d_model = {self.d_model}")
        return self


class TransformerCls(Encoder, Headed):
    """Encoder with a learned class token (Vaswani et al. 2017; Devlin et al. 2019, section 3)."""

    factory_path: ClassVar[str] = "labtui.zoo.transformer:TransformerCls"

    name: Literal["transformer_cls"] = "transformer_cls"
    """Which model."""


class TransformerBase(Encoder, Headed):
    """Encoder whose tokens are classified all together, flattened; for sequences of one length."""

    factory_path: ClassVar[str] = "labtui.zoo.transformer:TransformerBase"

    name: Literal["transformer_base"] = "transformer_base"
    """Which model."""


class TransformerMask(Encoder):
    """Encoder that reconstructs its input, to be trained on masked elements; `transformer_cls` then
    starts from it with `new_head = true`."""

    factory_path: ClassVar[str] = "labtui.zoo.transformer:TransformerMask"

    name: Literal["transformer_mask"] = "transformer_mask"
    """Which model."""


class TransformerTriplet(Encoder):
    """Encoder that gives an embedding, to be trained on triplets; for sequences of one length."""

    factory_path: ClassVar[str] = "labtui.zoo.transformer:TransformerTriplet"

    name: Literal["transformer_triplet"] = "transformer_triplet"
    """Which model."""
    d_lin: int = Field(512, ge=1)
    """Units of the hidden layer over the flattened tokens."""
    d_out: int = Field(64, ge=1)
    """Values of an embedding."""
