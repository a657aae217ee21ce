"""The series of a run whose log grows: each look reads only what is new."""

from __future__ import annotations

import os
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from labtui import series
from labtui.files.metriclog import RECORD, VOID
from labtui.files.paths import RunPaths
from labtui.series import Records, Series


class Growing:
    """All series of a run, as `series.read_all` would find them at each `look`.

    Args:
        paths: the run.
    """

    def __init__(self, paths: RunPaths) -> None:
        self.paths = paths
        self._begin()

    def _begin(self) -> None:
        self._offset, self._voided = 0, False
        self._file: tuple[int, int] | None = None
        self._keys_size = -1
        self._names: list[str] = []
        self._columns: dict[int, _Columns] = {}

    def look(self) -> dict[str, Series]:
        """Read what the log grew by. What was returned before stays as it is.

        From the start where that is not enough: another file, a shorter one, or a record that makes
        earlier ones void.
        """
        with suppress(OSError):
            found = os.stat(self.paths.metrics)
            other = (found.st_dev, found.st_ino) != self._file or found.st_size < self._offset
            # Which records a void one spares depends on their names.
            if (self._read_names() and self._voided) or other:
                self._begin()
            self._file = found.st_dev, found.st_ino
            if not self._take(series.records(self.paths, self._offset)):
                self._begin()
                self._file = found.st_dev, found.st_ino
                self._take(series.records(self.paths))
        self._read_names()
        return {
            self._names[key]: column.series()
            for key, column in sorted(self._columns.items())
            if 0 <= key < len(self._names)
        }

    def _take(self, found: Records) -> bool:
        """Keep new records; False where they make earlier ones void."""
        read = len(found)
        if (found["key"] == VOID).any():
            if self._offset:
                return False
            self._voided = True
            self._read_names()
            kept = series.valid(found, self._names)
            found = found if kept is None else found.compress(kept)
        self._offset += read * RECORD
        for key, part in series.by_key(found):
            self._columns.setdefault(key, _Columns()).add(part)
        return True

    def _read_names(self) -> bool:
        """The names, read again when there are more of them; whether there are."""
        with suppress(OSError):
            size = os.stat(self.paths.keys).st_size
            if size != self._keys_size:
                self._keys_size, self._names = size, series.names(self.paths)
                return True
        return False


class _Columns:
    """Steps, times and values of a metric, in arrays with room for more."""

    def __init__(self) -> None:
        self._size = 0
        self._steps: NDArray[np.int64] = np.empty(0, np.int64)
        self._times: NDArray[np.float64] = np.empty(0)
        self._values: NDArray[np.float64] = np.empty(0)

    def add(self, part: Records) -> None:
        """Append records. What `series` has given out is never written over."""
        end = self._size + len(part)
        if end > self._steps.size:
            room = max(end, 2 * self._size, 64) if self._size else end
            self._steps = np.resize(self._steps, room) if self._size else np.empty(room, np.int64)
            self._times = np.resize(self._times, room) if self._size else np.empty(room)
            self._values = np.resize(self._values, room) if self._size else np.empty(room)
        for column, name in ((self._steps, "step"), (self._times, "time"), (self._values, "value")):
            column[self._size : end] = part[name]
        self._size = end

    def series(self) -> Series:
        """What there is."""
        return Series(self._steps[: self._size], self._times[: self._size], self._values[: self._size])
