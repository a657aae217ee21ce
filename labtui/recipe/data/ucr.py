"""Data sets of the UCR/UEA time-series archive."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from labtui.recipe.spec import Part


class Ucr(Part):
    """A problem of the UCR/UEA archive in `.ts` files, with its official split."""

    factory_path: ClassVar[str] = "labtui.data.ucr:ucr"

    name: Literal["ucr"] = "ucr"
    """Which data set."""
    path: str = "data/ucr"
    """Folder that holds a folder for each problem, relative to the lab."""
    problem: str = Field("GunPoint", min_length=1)
    """The problem: `<path>/<problem>/<problem>_TRAIN.ts` and `_TEST.ts`."""
    norm: Literal["none", "sample"] = "none"
    """Values as they are in the file, or each channel of each sample with mean 0 and deviation 1. Most
    problems of the archive with one channel are normalised already."""
