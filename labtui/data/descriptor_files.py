"""Files of feature frames: openSMILE's CSV, and numpy's .npy."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labtui.errors import DataError

NOT_FEATURES = re.compile(r"\"?(name|frameIndex|frameTime)\"?", re.IGNORECASE)
"""Columns that openSMILE writes before the features."""


def read_frames(path: Path, width: int) -> NDArray[np.float32]:
    """The frames of one utterance, (frames, width).

    Args:
        path: `.npy` (such as VGGish's, (frames, 128)), or a CSV file with a header and `;` or `,` between
            its cells, whose columns name, frameIndex and frameTime are left out.
        width: features that a frame must have.

    Raises:
        DataError: the file is missing or empty, is cut off, holds NaN, or has another number of features.
    """
    try:
        frames = _numpy(path) if path.suffix == ".npy" else _csv(path)
    except OSError as error:
        raise DataError(
            f"{path}: the features cannot be read ({error.strerror or error}): data.files says where they are"
        ) from None
    except ValueError as error:  # also UnicodeDecodeError
        raise DataError(f"{path}: no table of features ({error}): write it again") from None
    if frames.ndim != 2 or not len(frames):
        raise DataError(f"{path}: no frame in it: leave the utterance out")
    if frames.shape[1] != width:
        raise DataError(f"{path}: frames of {frames.shape[1]} features, expected data.width = {width}")
    if not np.isfinite(frames).all():
        row, column = (int(place[0]) for place in (~np.isfinite(frames)).nonzero())
        raise DataError(f"{path}: feature {column + 1} of frame {row + 1} is NaN or infinite: leave it out")
    return frames


def _numpy(path: Path) -> NDArray[np.float32]:
    """An array of frames; arrays of Python objects, which could run anything, are refused."""
    try:
        with open(path, "rb") as file:
            found = np.load(file, allow_pickle=False)
    except EOFError:
        raise ValueError("the file is empty") from None
    except OSError:
        raise
    except Exception as error:  # a broken file raises almost anything, by where it is broken
        raise ValueError(error) from error
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "fiu":
        raise ValueError("no array of numbers")
    with np.errstate(over="ignore"):  # what is too large is infinite, and named as that
        return found.astype(np.float32)


def _csv(path: Path) -> NDArray[np.float32]:
    """The columns of numbers below a header."""
    with open(path, encoding="utf-8-sig") as file:
        header = file.readline().strip()
        between = ";" if ";" in header else ","
        names = [name.strip() for name in header.split(between)]
        columns = [k for k, name in enumerate(names) if not NOT_FEATURES.fullmatch(name)]
        lines = [line for line in file if line.strip()]
    if not header or not lines:
        raise ValueError(
            "it has no header and frames below it" if not header else "no frame below its header"
        )
    return np.loadtxt(lines, np.float32, comments=None, delimiter=between, usecols=columns, ndmin=2)
