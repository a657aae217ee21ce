"""Autoencoders of spectrograms, and classifiers on what they keep (the genre notebook)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from labtui.recipe.spec import Headed, ModelPart, Widths


class Plain(ModelPart):
    """What `ae` and the classifier on it have."""

    latent: int = Field(64, ge=1)
    """Values that the encoder keeps."""


class Residual(ModelPart):
    """What `res_ae` and the classifier on it have."""

    channels: int = Field(8, ge=1)
    """Filters of each convolution."""
    units: int = Field(512, ge=1)
    """Units between the convolutions and the values that are kept."""
    latent: int = Field(32, ge=1)
    """Values that the encoder keeps."""


class OnLatent(Headed):
    """What classifiers on an encoder have. With the autoencoder's run as `path`, `new_head = true`
    leaves its decoder out, and `freeze` keeps its encoder as it is."""

    hidden: Widths = [64]
    """Units of the hidden layers of the head."""
    output_activation: Literal["none", "softmax"] = "none"
    """After the last layer. The notebook's softmax is flawed together with cross-entropy, which takes one
    itself: with 8 classes the loss cannot fall below 1.274, and gradients are small."""


class AE(Plain):
    """Three strided convolutions, the mean over the image, and the mirror of that."""

    factory_path: ClassVar[str] = "labtui.zoo.autoencoder:ae"

    name: Literal["ae"] = "ae"
    """Which model."""


class ResAE(Residual):
    """Three convolutions with skips through pooling, two linear layers, and the mirror of that."""

    factory_path: ClassVar[str] = "labtui.zoo.autoencoder:res_ae"

    name: Literal["res_ae"] = "res_ae"
    """Which model."""


class AECls(Plain, OnLatent):
    """Classifier on the latent space of `ae`."""

    factory_path: ClassVar[str] = "labtui.zoo.autoencoder:ae_cls"

    name: Literal["ae_cls"] = "ae_cls"
    """Which model."""


class ResAECls(Residual, OnLatent):
    """Classifier on the latent space of `res_ae`."""

    factory_path: ClassVar[str] = "labtui.zoo.autoencoder:res_ae_cls"

    name: Literal["res_ae_cls"] = "res_ae_cls"
    """Which model."""
