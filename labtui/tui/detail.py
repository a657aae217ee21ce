"""What there is to say of one run, but its charts and its log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from labtui.tui.want import Eyes, Want, file_stamp

LAST_WORDS = 4096
"""Bytes of the log's end that may tell of an end which nothing else explains."""


@dataclass(frozen=True)
class Detail:
    """A run at one moment."""

    id: str
    row: dict[str, Any] = field(default_factory=dict)
    message: str = ""
    result: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    words: str = ""
    """The end of the log of a run that failed or was lost."""


@dataclass(frozen=True)
class WantDetail(Want):
    """The detail of a run: found is a `Detail`."""

    run: str

    def stamp(self, eyes: Eyes) -> object:
        """The row's metrics and state, why it waits, and the files that tell more."""
        run = eyes.run(self.run)
        if run is None:
            return None
        paths = run.paths
        files = [file_stamp(path) for path in (paths.notes, paths.result, paths.verdict)]
        ended = run.row["state"] in ("failed", "lost")
        return (
            repr(run.row["metrics"]), run.row["state"], run.row["tags"], self._waits(eyes, run.row["state"]),
            files, ended and file_stamp(paths.log),
        )  # fmt: skip

    def look(self, eyes: Eyes, before: Detail | None) -> Detail | None:
        """Read it."""
        run = eyes.run(self.run)
        if run is None:
            return None
        status, state = run.status(), run.row["state"]
        words = run.log_tail(LAST_WORDS) if state in ("failed", "lost") else ""
        said = status.message or self._waits(eyes, state)
        return Detail(self.run, dict(run.row), said, dict(status.result), run.notes(), words)

    def _waits(self, eyes: Eyes, state: str) -> str:
        if state != "queued":
            return ""
        from labtui.launch import why_waiting

        return why_waiting(eyes.lab.paths, eyes.lab.paths.run(self.run))
