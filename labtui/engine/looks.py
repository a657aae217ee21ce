"""What was seen of a training, look by look, as one artifact."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from labtui.errors import LabError
from labtui.writer import Run

PAUSE = 10.0
"""Seconds between two writes, but for those that checkpoints ask for."""

Array = NDArray[Any]


class Looks:
    """Arrays with a row a look, `steps` among them.

    Args:
        run: keeps them.
        name: of the artifact.
    """

    def __init__(self, run: Run, name: str) -> None:
        self.run, self.name = run, name
        self.rows: dict[str, list[Any]] = {}
        self._unsaved, self._saved = False, -math.inf

    @property
    def last(self) -> int:
        """Step of the last look; -1: there is none."""
        steps = self.rows.get("steps")
        return int(steps[-1]) if steps else -1

    def add(self, row: Mapping[str, Any], fixed: Mapping[str, Array]) -> None:
        """Take a look's row; now and then all of them are kept."""
        for name, value in row.items():
            self.rows.setdefault(name, []).append(value)
        self._unsaved = True
        if time.monotonic() - self._saved >= PAUSE:
            self.save(fixed)

    def save(self, fixed: Mapping[str, Array]) -> None:
        """Keep what was seen, if it is not kept yet. On a full disk it is tried again.

        Args:
            fixed: arrays that there are once.
        """
        if self._unsaved:
            arrays = {name: np.stack(values) for name, values in self.rows.items()}
            with suppress(LabError):
                self.run.artifact(self.name, {**arrays, **fixed})
                self._unsaved = False
            self._saved = time.monotonic()

    def read(self) -> dict[str, Array]:
        """What was kept; what cannot be read was not."""
        return load(self.run.paths.artifacts / f"{self.name}.npz")


def load(file: Path) -> dict[str, Array]:
    """The arrays of a file; none, where it cannot be read."""
    with (
        suppress(OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error),
        np.load(file, allow_pickle=False) as found,
    ):
        return dict(found)
    return {}
