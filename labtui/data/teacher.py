"""What a teacher makes of samples: an `.npz` file with `names` (M,), `logits` (M, classes) and, where hidden
layers are to be aligned, `states` (M, layers, width), a vector of each layer.

A run whose recipe says `checkpoints.teacher = true` writes one; another program's can be written so.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from labtui.errors import DataError
from labtui.files.paths import RUN_ID, LabPaths

FILE = "teacher.npz"
"""Among a run's artifacts."""


def extras(teacher: str, lab: Path, names: Sequence[str]) -> dict[str, Tensor]:
    """`teacher_logits` (N, classes) and, if the file has states, `teacher_states` (N, layers, width).

    Args:
        teacher: a file, relative to the lab, or the id of a run.
        names: of the N samples.

    Raises:
        DataError: there is no such file, it is not what it should be, or a sample is not in it.
    """
    if teacher.startswith("@"):
        raise DataError(
            f"data.teacher = {teacher!r}: a reference becomes a run when the run that needs it is started "
            "from the queue; here give a run's id or a file"
        )
    file = LabPaths(lab).run(teacher).artifacts / FILE if RUN_ID.fullmatch(teacher) else lab / teacher
    table = _arrays(file)
    rows = {str(name): row for row, name in enumerate(table["names"])}
    if lacking := [name for name in names if name not in rows]:
        raise DataError(
            f"{file}: the teacher says nothing of {len(lacking)} of {len(names)} samples (first: {lacking[0]}); it "
            f"knows {len(rows)}: it has to see the same corpus"
        )
    order = [rows[name] for name in names]
    return {
        f"teacher_{key}": torch.from_numpy(table[key].astype(np.float32)[order])
        for key in ("logits", "states")
        if key in table
    }


def _arrays(file: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a teacher's file, of the right shapes."""
    try:
        with open(file, "rb") as raw, np.load(raw, allow_pickle=False) as held:
            table = {key: held[key] for key in held.files}
    except FileNotFoundError:
        raise DataError(
            f"data.teacher: there is no {file}; give an .npz file, or the id of a run that had "
            "checkpoints.teacher = true"
        ) from None
    except Exception as error:  # a broken file raises almost anything, by where it is broken
        raise DataError(f"{file}: no readable .npz file ({error}): write it again") from None
    axes = {"names": 1, "logits": 2, **({"states": 3} if "states" in table else {})}
    for key, count in axes.items():
        if key not in table or table[key].ndim != count or len(table[key]) != len(table["names"]):
            shapes = ", ".join(f"{name} {array.shape}" for name, array in table.items()) or "nothing"
            raise DataError(
                f"{file}: expected names (M,), logits (M, classes) and perhaps states (M, layers, width); it "
                f"holds {shapes}"
            )
        if count > 1 and not (np.issubdtype(table[key].dtype, np.number) and np.isfinite(table[key]).all()):
            raise DataError(f"{file}: {key} holds what is no finite number: leave those samples out")
    return table
