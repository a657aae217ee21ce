"""Rolling-bearing vibration in the form of the Case Western Reserve University recordings."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from labtui.recipe.data.vibration import Windows


class Bearings(Windows):
    """Ten conditions at 12 kHz: normal; inner-race, ball and outer-race faults of three sizes."""

    factory_path: ClassVar[str] = "labtui.data.bearings:bearings"

    name: Literal["bearings"] = "bearings"
    """Which data set."""
    path: str = "data/bearings_cwru"
    """Folder of `.mat` files, relative to the lab. `labtui data make bearings` writes one."""
    loads: list[Annotated[int, Field(ge=0, le=3)]] = Field([0], min_length=1)
    """Motor loads (hp) whose recordings are used; each class needs one recording for each. The
    fault notebook uses 0 alone."""
    split: Literal["random", "time", "recording"] = "random"
    """Which windows stay together in a split: none (windows of one stretch of signal fall on both
    sides: optimistic), blocks of time, or whole recordings (both honest; recordings need several
    loads)."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.split == "recording" and len(set(self.loads)) < 2:
            raise ValueError(
                'split = "recording" needs two or more loads: one recording of each class '
                "cannot be on both sides of a split"
            )
        return self
