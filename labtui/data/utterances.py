"""Utterances read once, into a file that all runs map into memory: hundreds of a sweep's runs would spend
minutes each on a corpus of tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from labtui.data.mapped import mapped, side_by_side, stamp
from labtui.data.ragged import Ragged
from labtui.data.skip import OnError, recall, usable
from labtui.errors import DataError
from labtui.files.tell import tell

FORMAT = 1
"""Counted up when the same options come to mean other values."""


def load(
    files: Sequence[Path], read: Callable[[Path], Tensor], how: Sequence[Any], cache: Path, on_error: OnError
) -> tuple[Ragged, list[int], int]:
    """The files that can be used, their places among `files`, and how many cannot be used.

    Args:
        read: a file to (T, …) float32.
        how: all that `read` depends on beside the file, as JSON takes it.
        cache: the folder that such files are kept in.

    Raises:
        DataError: a file cannot be used and is not to be skipped, none can, or the cache's folder cannot be
            written or is full.
    """

    def write(out: IO[bytes]) -> dict[str, Any]:
        tell(f"labtui: reading {len(files)} utterances, once for all runs: {cache}")
        found: dict[str, Any] = {"places": [], "lengths": [], "shape": [], "left_out": []}
        made = side_by_side(range(len(files)), lambda place: read(files[place]))
        for place, values in usable(made, on_error, found["left_out"]):
            out.write(np.ascontiguousarray(values.numpy()).data)
            found["places"].append(place)
            found["lengths"].append(len(values))
            found["shape"] = list(values.shape[1:])
        return found

    named = [FORMAT, *how, [[str(file), *stamp(file)] for file in files]]
    values, about = mapped(cache, "utterances", named, write, np.float32)
    recall(about["left_out"], on_error)
    if not about["places"]:
        raise DataError(f"none of {len(files)} utterances can be used, the first of them {files[0]}")
    ragged = Ragged(values.view(-1, *about["shape"]), torch.tensor(about["lengths"]))
    return ragged, about["places"], len(about["left_out"])
