"""Scikit-learn's handwritten digits: 1,797 real 8x8 images that come with the dependency."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from labtui.recipe.spec import Part


class Digits(Part):
    """Optical recognition of handwritten digits (Alpaydin and Kaynak 1998), 10 classes."""

    factory_path: ClassVar[str] = "labtui.data.digits:digits"

    name: Literal["digits"] = "digits"
    """Which data set."""
    shift: int = Field(0, ge=0, le=7)
    """Training images are moved by up to this many pixels each way, at random (0: not at all)."""
