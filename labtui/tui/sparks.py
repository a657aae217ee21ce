"""Small lines of the monitored metric for the runs in sight; the feed reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from labtui.tui.want import Eyes, Want

_KEPT = 1000
"""Lines of runs that were in sight before."""


class Spark(NamedTuple):
    """A run's line, and of what it was drawn."""

    size: int
    metric: str
    text: str


@dataclass(frozen=True)
class WantSparks(Want):
    """Lines of some runs: found is run id to `Spark`, those of runs that were in sight before among them.

    Args:
        runs: ids.
        width: cells.
        ascii: for terminals without blocks.
    """

    runs: tuple[str, ...]
    width: int
    ascii: bool = False

    def stamp(self, eyes: Eyes) -> object:
        """Sizes of their logs, and what is monitored."""
        return [(eyes.grown(key), eyes.snapshot.of(key, "metric")) for key in self.runs]

    def look(self, eyes: Eyes, before: dict[str, Spark] | None) -> dict[str, Spark]:
        """Draw those whose log grew."""
        found = dict(list((before or {}).items())[-_KEPT:])
        for key in self.runs:
            size, metric = eyes.grown(key), str(eyes.snapshot.of(key, "metric") or "")
            known = found.get(key)
            if known is None or known[:2] != (size, metric) or len(known.text) not in (0, self.width):
                found[key] = Spark(size, metric, self._draw(eyes, key, metric) if size > 0 else "")
        return found

    def _draw(self, eyes: Eyes, key: str, metric: str) -> str:
        from labtui.chart import spark
        from labtui.series import read

        values = read(eyes.lab.paths.run(key), metric).values
        return spark(values, self.width, self.ascii) if len(values) > 1 else ""
