"""Videos of hand gestures as folders of images (the gesture notebook)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from labtui.recipe.spec import Part

Pixels = Annotated[int, Field(ge=1)]


class Gestures(Part):
    """Folders of 30 images each, listed with their labels in train.csv and val.csv."""

    factory_path: ClassVar[str] = "labtui.data.gestures:gestures"

    name: Literal["gestures"] = "gestures"
    """Which data set."""
    path: str = "data/gestures_simulated"
    """Folder with `train.csv`, `val.csv` and the folders `train` and `val`, relative to the lab.
    `labtui data make gestures` writes one."""
    classes: list[str] = Field(["Left", "Right", "Stop", "Down", "Up"], min_length=2)
    """What the labels 0, 1, 2, … mean."""
    frames: int = Field(30, ge=1)
    """Images taken from each video, evenly spread from its first to its last; the notebook's videos have
    30."""
    size: tuple[Pixels, Pixels] = Field((120, 120), strict=False)
    """Height and width in pixels to which images of any size are brought."""
    fit: Literal["crop", "stretch"] = "crop"
    """How another shape becomes this one: by what is cut off at both ends, or by distortion."""
    cache: str = "runs/.labtui/cache"
    """Folder for the decoded images (one byte a value), relative to the lab. They are made once for each
    choice of the options above and used by all runs; whatever is in it may be removed."""
    on_error: Literal["fail", "skip"] = "fail"
    """A video that cannot be used ends the run, or is left out and counted."""
