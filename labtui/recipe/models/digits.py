"""The small convolutional network for scikit-learn's digits."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from labtui.recipe.spec import ModelPart


class DigitsCNN(ModelPart):
    """Two 3x3 convolutions, one pooling, one hidden layer: enough for 8x8 images."""

    factory_path: ClassVar[str] = "labtui.zoo.digits:digits_cnn"

    name: Literal["digits_cnn"] = "digits_cnn"
    """Which model."""
    channels: int = Field(32, ge=1)
    """Filters of the first convolution; the second has twice as many."""
    hidden: int = Field(128, ge=1)
    """Units of the hidden layer."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Dropout probability before and after the hidden layer."""
