"""Rolling-bearing vibration in the form of the Paderborn University recordings.

Lessmeier, Kimotho, Zimmer and Sextro, "Condition monitoring of bearing damage in electromechanical drive
systems by using motor current signals of electric motors: a benchmark data set for data-driven
classification", European Conference of the PHM Society, 2016; KAt-DataCenter, CC BY-NC 4.0.

MATLAB v5 files of one measurement each, `N15_M07_F10_K001_1.mat`: operating condition, bearing, number.
They hold a struct of the file's name, whose field Y is an array of structs with the fields Name, Data and
Raster, one for each signal; `vibration_1`, the acceleration of the bearing's housing, has 64 kHz. The
bearing's code says its condition: K0 healthy, KA damage on the outer ring, KI on the inner one.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from labtui.data import Dataset, mat, windows
from labtui.data.skip import each
from labtui.data.sound import resampled
from labtui.data.windows import Options, Recording
from labtui.errors import DataError

RATE = 64_000
"""Samples a second of `vibration_1`."""
SIGNAL = "vibration_1"
CLASSES = {"K0": "healthy", "KA": "outer ring", "KI": "inner ring"}
"""Beginning of a bearing's code to its class."""

_FILE = re.compile(r"(N\d\d_M\d\d_F\d\d)_(K[0AI]\d\d)_(\d+)\.mat")


def paderborn(
    root: Path,
    path: str,
    bearings: list[str],
    conditions: list[str],
    rate: int,
    **options: Unpack[Options],
) -> Dataset:
    """Windows of bearing vibration, 3 classes; the options are those of `recipe.data.Paderborn`.

    `x` is (3 · per_class, window): raw windows; features follow augmentation on the device.

    Raises:
        DataError: a folder, bearing or class is missing, or a file is not what it should be.
    """
    folder = root / path
    paths = _paths(folder, bearings, conditions)

    def read(file: Path) -> Recording:
        return windows.long_enough(_read(file, rate), options)

    found, left_out = each(paths, read, options["on_error"])
    simulated = any(recording.simulated for recording in found)
    facts: dict[str, str | int | float] = {
        "source": "simulated (McFadden and Smith 1984)" if simulated else "Paderborn University, KAt",
        "recordings left out": left_out,
        "bearings": ", ".join(sorted({recording.bearing for recording in found})),
        "operating conditions": ", ".join(conditions),
    }
    return windows.dataset(folder, found, list(CLASSES.values()), rate, facts, **options)


def _paths(folder: Path, bearings: list[str], conditions: list[str]) -> list[Path]:
    """The measurements to be read, by bearing, condition and number.

    Raises:
        DataError: no such folder, nothing in it, or a bearing that is asked for is not there.
    """
    if not folder.is_dir():
        raise DataError(
            f"{folder}: no such folder. Put the unpacked archives of the bearings there (K001, KA04, …), or "
            f"write simulated recordings: labtui data make paderborn --out {folder}"
        )
    named = [(m, file) for file in folder.rglob("*.mat") if (m := _FILE.fullmatch(file.name))]
    rows = sorted((m[2], m[1], int(m[3]), file) for m, file in named if m[1] in conditions)
    if lacking := sorted(set(bearings) - {row[0] for row in rows}):
        raise DataError(
            f"{folder}: no recordings of {', '.join(lacking)} under {', '.join(conditions)}: look at "
            "data.bearings and data.conditions"
        )
    if not rows:
        raise DataError(
            f"{folder}: no file like {conditions[0]}_K001_1.mat in it or in its folders: look at data.path "
            "and data.conditions"
        )
    return [file for bearing, _, _, file in rows if not bearings or bearing in bearings]


def _read(path: Path, rate: int) -> Recording:
    """The vibration of one measurement, at `rate` samples a second."""
    table = mat.load(path)
    struct = table.get(path.stem)
    if not isinstance(struct, dict) or "Y" not in struct:
        raise DataError(f"{path}: no struct {path.stem} with a field Y in it; it holds {mat.held(table)}")
    signals = {str(one["Name"]): one for one in _structs(struct["Y"]) if {"Name", "Data"} <= one.keys()}
    if SIGNAL not in signals:
        names = ", ".join(signals) or "nothing"
        raise DataError(f"{path}: no signal {SIGNAL} in {path.stem}.Y; it holds {names}")
    signal = mat.signal(path, SIGNAL, signals[SIGNAL]["Data"])
    bearing = path.stem.split("_")[3]
    label = list(CLASSES).index(bearing[:2])
    return Recording(path, label, bearing, resampled(signal, RATE, rate), "simulator" in table)


def _structs(value: Any) -> list[dict[str, Any]]:
    """An array of structs; a single one is loaded without its array."""
    return [one for one in np.atleast_1d(value).tolist() if isinstance(one, dict)]
