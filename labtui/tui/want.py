"""What a screen wants to know of the disk. The feed's thread looks, so that no key waits for a disk.

A screen asks for wants, each in a slot of its own; the feed asks each for its stamp, which must be cheap, and
looks where the stamp is another than at the last look. What was found goes to the screen when it differs from
what was found before.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labtui.query import Lab
from labtui.query.lab import Run
from labtui.tui.snapshot import Snapshot

if TYPE_CHECKING:
    from labtui.growing import Growing
    from labtui.series import Series

Stamp = tuple[int, int]


@dataclass(frozen=True)
class Want(ABC):
    """Something that a screen shows. Wants of the same fields are the same want.

    Args:
        slot: names the place on the screen: "<screen>.<name>".
    """

    slot: str

    @property
    def drawn_runs(self) -> Sequence[str]:
        """Ids of the runs whose series it reads: they are kept as long as it is wanted."""
        return ()

    @abstractmethod
    def stamp(self, eyes: Eyes) -> object:
        """Equal as long as a look would find the same; cheap, and of values that can be compared."""

    @abstractmethod
    def look(self, eyes: Eyes, before: Any) -> Any:
        """What is found; None tells nothing.

        Args:
            before: what was found last in this slot, perhaps by another want; None: nothing.
        """


class Eyes:
    """What wants look with, in the feed's thread only.

    Args:
        lab: read by the feed alone.
    """

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.snapshot = Snapshot()
        self.changes = 0
        """Grows whenever a row of the index changed."""
        self._growing: dict[str, Growing] = {}

    def run(self, key: str) -> Run | None:
        """A run with its row as the index has it; None for an unknown one."""
        row = self.lab.index.row(key) if key else None
        return Run(self.lab.paths.run(key), row) if row else None

    def rows(self, sweep: str) -> list[dict[str, Any]]:
        """The rows of a sweep, oldest first."""
        return [row for row in self.lab.index.rows if row["sweep"] == sweep != ""]

    def grown(self, key: str) -> int:
        """Bytes of a run's metric log; -1 where there is none."""
        return file_stamp(self.lab.paths.run(key).metrics)[0]

    def series(self, key: str) -> dict[str, Series]:
        """All series of a run by name; only what its log grew by is read."""
        from labtui.growing import Growing

        if key not in self._growing:
            self._growing[key] = Growing(self.lab.paths.run(key))
        return self._growing[key].look()

    def keep(self, wanted: Sequence[Want]) -> None:
        """Let go of the series that none of these wants reads."""
        read = {key for want in wanted for key in want.drawn_runs}
        self._growing = {key: known for key, known in self._growing.items() if key in read}


def file_stamp(path: Path) -> Stamp:
    """Size and time of a file, (-1, -1) where there is none."""
    with suppress(OSError):
        found = os.stat(path)
        return found.st_size, found.st_mtime_ns
    return -1, -1
