"""Rolling-bearing vibration in the form of the Case Western Reserve University recordings.

MATLAB v5 files of one recording each, at 12 kHz; the file's number says which of ten conditions it
is. Windows are cut from the drive-end channel.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Unpack

from labtui.data import Dataset, mat, windows
from labtui.data.skip import each
from labtui.data.windows import Options, Recording
from labtui.errors import DataError

RATE = 12_000
"""Samples a second."""

CLASSES = {
    "normal": 97,
    "inner .007": 105,
    "inner .014": 169,
    "inner .021": 209,
    "ball .007": 118,
    "ball .014": 185,
    "ball .021": 222,
    "outer .007": 130,
    "outer .014": 197,
    "outer .021": 234,
}
"""Condition (fault's place and diameter in inch) to the number of its recording at 0 hp; those at
1, 2 and 3 hp follow it."""

_FILE = re.compile(r"(\d+)(@6)?(_Normal)?(_[0-3])?\.mat", re.IGNORECASE)
_KEY = re.compile(r"X(\d+)_DE_time")


def bearings(root: Path, path: str, loads: list[int], **options: Unpack[Options]) -> Dataset:
    """Windows of bearing vibration, 10 classes; the options are those of `recipe.data.Bearings`.

    `x` is (10 · per_class, window): raw windows; features follow augmentation on the device.

    Raises:
        DataError: a folder, file or class is missing, or a file is not what it should be.
    """
    folder = root / path
    paths = _paths(folder)
    wanted = [
        (label, name, first + load)
        for label, (name, first) in enumerate(CLASSES.items())
        for load in sorted(set(loads))
    ]

    def read(row: tuple[int, str, int]) -> Recording:
        label, name, number = row
        if number not in paths:
            raise DataError(f"{folder}: class {name!r} lacks its recording {number}.mat")
        return windows.long_enough(_read(paths[number], label, name, number), options)

    found, left_out = each(wanted, read, options["on_error"])
    simulated = any(recording.simulated for recording in found)
    facts: dict[str, str | int | float] = {
        "source": "simulated (McFadden and Smith 1984)" if simulated else "CWRU, drive end",
        "recordings left out": left_out,
    }
    return windows.dataset(folder, found, list(CLASSES), RATE, facts, **options)


def _paths(folder: Path) -> dict[int, Path]:
    """The recordings in a folder by their number.

    Raises:
        DataError: no such folder.
    """
    try:
        files = sorted(folder.iterdir())
    except OSError as error:
        raise DataError(
            f"{folder}: {error.strerror}. Put CWRU recordings there (97_Normal_0.mat, 105_0.mat, "
            f"…), or write simulated ones: labtui data make bearings --out {folder}"
        ) from error
    return {int(m[1]): file for file in files if (m := _FILE.fullmatch(file.name))}


def _read(path: Path, label: int, name: str, number: int) -> Recording:
    """The drive-end signal of a file."""
    table = mat.load(path)
    # some files carry a neighbour's signal too, so the number counts
    key = next((key for key in table if (m := _KEY.fullmatch(key)) and int(m[1]) == number), None)
    if key is None:
        raise DataError(f"{path}: no X{number:03d}_DE_time in it; it holds {mat.held(table)}")
    # one bearing in all its recordings, under different loads
    return Recording(path, label, name, mat.signal(path, key, table[key]), "simulator" in table)
