"""Functional near-infrared spectroscopy of cognitive tasks (the fNIRS notebook)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from labtui.recipe.spec import Part


class FNIRS(Part):
    """Oxy- and deoxyhaemoglobin of 52 channels as a 5x22 map over time, labelled by cognitive load."""

    factory_path: ClassVar[str] = "labtui.data.fnirs:fnirs"

    name: Literal["fnirs"] = "fnirs"
    """Which data set."""
    path: str = "data/fnirs_simulated"
    """Folder of recordings, relative to the lab. `labtui data make fnirs` writes one."""
    recordings: str = Field("*.mat", min_length=1)
    """Which files of the folder are recordings: a pattern, in which `**/` is any folder below."""
    conditions: str = Field("{recording}_conditions.csv", min_length=1)
    """File beside a recording that says which task was when; `{recording}` is the recording's name
    without `.mat`."""
    timesteps: int = Field(100, ge=1)
    """The first so many samples of a task are one sample of the data; shorter tasks are left out."""
    labels: Literal["default3", "default4"] = "default3"
    """Load of working memory, vision and hearing; or of verbal and spatial working memory, vision and
    hearing."""
    coding: Literal["one_hot", "level"] = "one_hot"
    """Each load as three labels (off, low, high), of which one is on; or as a number (0, 1, 2), to be
    regressed."""
    split: Literal["recording", "random"] = "recording"
    """Whether the tasks of a recording stay on one side of a split (honest), or fall on both sides as
    in the notebook (optimistic)."""
    on_error: Literal["fail", "skip"] = "fail"
    """A recording that cannot be used ends the run, or is left out and counted."""
