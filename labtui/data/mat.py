"""MATLAB v5 files, in which recordings come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from labtui.errors import DataError


def load(path: Path) -> dict[str, Any]:
    """The variables of a file: structs as dicts, struct arrays as arrays of them, one-row matrices flat.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        table: dict[str, Any] = loadmat(path, simplify_cells=True)
    except Exception as error:  # a broken file raises almost anything, by where it is broken
        raise DataError(
            f"{path}: not a readable MATLAB v5 file ({type(error).__name__}: {error}): fetch it again, or "
            "save it with MATLAB's -v7 or older"
        ) from error
    return table


def held(table: dict[str, Any]) -> str:
    """What variables there are, for messages."""
    return ", ".join(name for name in table if not name.startswith("__")) or "nothing"


def signal(path: Path, name: str, value: Any) -> NDArray[np.float32]:
    """A signal as (samples,) of finite numbers.

    Args:
        path, name: where it is from, for messages.

    Raises:
        DataError: it is anything else.
    """
    array = np.asarray(value)
    # doubles that are whole may be loaded as integers
    if array.squeeze().ndim > 1 or array.dtype.kind not in "fiu":
        raise DataError(
            f"{path}: {name} is {array.dtype} of shape {array.shape}, expected the numbers of one channel"
        )
    with np.errstate(over="ignore"):  # what is too large is infinite, and named as that
        array = array.ravel().astype(np.float32)
    if bad := np.count_nonzero(~np.isfinite(array)):
        raise DataError(
            f"{path}: {name} holds {bad} NaN or infinite samples: fetch the file again, take the recording "
            'out of the folder, or leave it out with data.on_error = "skip"'
        )
    return array
