"""Networks for short videos (the gesture notebook)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from labtui.recipe.models.parts import Init
from labtui.recipe.spec import Headed, Widths


class Video(Headed):
    """What both have."""

    channels: Annotated[Widths, Field(min_length=1)] = [16, 32, 64, 128]
    """Filters of the convolutions; each halves the image."""
    dropout: float = Field(0.5, ge=0, lt=1)
    """Dropout probability before the last layer."""
    init: Init = "default"
    """First values of the weights, as in `cnn1d`; Keras' are Xavier-uniform."""


class Conv3D(Video):
    """Convolutions over time and image together; each halves the number of frames, too."""

    factory_path: ClassVar[str] = "labtui.zoo.video:Conv3D"

    name: Literal["conv3d"] = "conv3d"
    """Which model."""
    hidden: int = Field(128, ge=1)
    """Units of the layer over what the convolutions give."""


class Conv2DRNN(Video):
    """Convolutions over each frame, and a recurrent layer over the frames."""

    factory_path: ClassVar[str] = "labtui.zoo.video:Conv2DRNN"

    name: Literal["conv2d_rnn"] = "conv2d_rnn"
    """Which model."""
    cell: Literal["gru", "lstm"] = "gru"
    """The recurrent layer."""
    units: int = Field(64, ge=1)
    """Its units."""
