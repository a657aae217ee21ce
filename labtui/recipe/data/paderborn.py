"""Rolling-bearing vibration in the form of the Paderborn University recordings."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from labtui.recipe.data.vibration import Windows

Condition = Literal["N15_M07_F10", "N09_M07_F10", "N15_M01_F10", "N15_M07_F04"]


class Paderborn(Windows):
    """Three conditions at 64 kHz: healthy, damage on the outer ring, damage on the inner ring (Lessmeier,
    Kimotho, Zimmer and Sextro 2016)."""

    factory_path: ClassVar[str] = "labtui.data.paderborn:paderborn"

    name: Literal["paderborn"] = "paderborn"
    """Which data set."""
    path: str = "data/paderborn_simulated"
    """Folder of `.mat` files, relative to the lab; they may lie in folders of it, one for each bearing, as
    its archives unpack. `labtui data make paderborn` writes one."""
    bearings: list[Annotated[str, Field(pattern=r"^K[0AI]\d\d$")]] = []
    """Codes of the bearings that are used (K001, KA04, KI21, …); none: all that are there. Bearings with
    damage on both rings (KB23, …) are of no class and never used."""
    conditions: list[Condition] = Field(["N15_M07_F10"], min_length=1)
    """Operating conditions whose recordings are used: speed (N15: 1500 rpm), torque (M07: 0.7 Nm) and
    radial force (F10: 1000 N). The default is the data set's own base setting."""
    rate: int = Field(64_000, ge=1000, le=64_000)
    """Samples a second; signals of 64 kHz are resampled to less. A window of 1600 samples is 25 ms of 64
    kHz, two passages of a ball over a damage; the notebook does not tell its own."""
    split: Literal["random", "time", "recording", "bearing"] = "bearing"
    """Which windows stay together in a split: none (optimistic, as in the notebook), blocks of time, whole
    recordings (a bearing's others are on the other side: it is told apart by what is its own), or all
    recordings of a bearing (honest: it asks about bearings that were never seen)."""
