"""The 3-D convolutional networks of the fNIRS notebook."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from labtui.recipe.spec import ModelPart


class CNN3D(ModelPart):
    """Convolutions of one voxel, some of them pooled, and one linear layer; linear but for the pooling."""

    factory_path: ClassVar[str] = "labtui.zoo.cnn3d:cnn3d"

    name: Literal["cnn3d"] = "cnn3d"
    """Which model."""
    channels: list[Annotated[int, Field(ge=1)]] = Field([1], min_length=1)
    """Filters of each convolution. One of a single filter over time weighs the time steps."""
    pools: int = Field(1, ge=0)
    """So many convolutions, from the first on, are followed by max-pooling by 2."""
    time: Literal["channels", "depth"] = "channels"
    """Time steps are the input's channels, which the first convolution mixes; or its depth, which only
    pooling sees."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Dropout probability before the linear layer."""
    output_activation: Literal["none", "sigmoid"] = "none"
    """What follows the linear layer. Losses that take logits apply a sigmoid themselves: with one here
    it is applied twice, which is the notebook's flaw."""

    @model_validator(mode="after")
    def _pools_follow_convolutions(self) -> Self:
        if self.pools > len(self.channels):
            raise ValueError(
                f"pools = {self.pools} for {len(self.channels)} convolutions: at most one follows each"
            )
        return self
