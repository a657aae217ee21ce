"""Tables that all vibration data have."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from labtui.recipe.spec import Part, Spec


class Augment(Spec):
    """Random changes of training windows, drawn anew each time a window is used."""

    p_none: float = Field(0.1, ge=0, le=1)
    """Probability that a window is left as it is."""
    p_two: float = Field(0.5, ge=0, le=1)
    """Probability, when it is changed, of two changes instead of one."""
    noise: float = Field(0.05, ge=0)
    """Additive noise has a standard deviation drawn from U(0, noise), in the signal's unit."""
    cutout: tuple[int, int] = Field((100, 499), strict=False)
    """Shortest and longest stretch of samples set to zero."""
    crop: int = Field(800, ge=1)
    """Length of a crop whose samples are each repeated to fill the window; divides it."""


class Windows(Part):
    """Windows of recordings, and what a model sees of them. Defaults are the fault notebook's."""

    window: int = Field(1600, ge=16)
    """Samples of one window."""
    per_class: int = Field(280, ge=1)
    """Windows taken from each class, evenly spread over its recordings."""
    features: Literal["fourier", "decimate", "raw"] = "fourier"
    """What the model sees: the largest Fourier modes, every fourth sample, or all samples."""
    modes: int = Field(40, ge=1)
    """Fourier modes kept, in descending order of magnitude."""
    norm: Literal["backward", "ortho"] = "backward"
    """Scale of the Fourier modes, in numpy.fft's words: unscaled, or divided by √window, which puts
    them on the scale of the frequencies beside them and makes short trainings possible."""
    blocks: int = Field(10, ge=2)
    """Contiguous blocks a recording is cut into when split = "time"."""
    augment: Augment | None = None
    """Random changes of training windows; absent: none."""
    on_error: Literal["fail", "skip"] = "fail"
    """A recording that is missing or cannot be used ends the run, or is left out and counted."""

    @model_validator(mode="after")
    def _windows_fit(self) -> Self:
        if self.features == "fourier" and self.modes > self.window // 2 + 1:
            raise ValueError(f"a window of {self.window} has {self.window // 2 + 1} Fourier modes")
        if self.augment is not None:
            short, long = self.augment.cutout
            if not 0 < short <= long <= self.window:
                raise ValueError(f"augment.cutout must be 0 < shortest <= longest <= {self.window}")
            if self.window % self.augment.crop:
                raise ValueError(f"augment.crop must divide window = {self.window}")
        return self
