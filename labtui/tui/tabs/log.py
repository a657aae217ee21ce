"""The end of a run's log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from labtui.tui.panes import log_rows
from labtui.tui.tabs.text import TextTab
from labtui.tui.want import Eyes, Want, file_stamp


@dataclass(frozen=True)
class WantLog(Want):
    """The end of a run's log: found is a text."""

    run: str

    def stamp(self, eyes: Eyes) -> object:
        """The file's."""
        return file_stamp(eyes.lab.paths.run(self.run).log)

    def look(self, eyes: Eyes, before: str | None) -> str | None:
        """Read it."""
        run = eyes.run(self.run)
        return run.log_tail() if run else None


class LogTab(TextTab):
    """What the program printed; it follows the end while that is in sight."""

    TITLE = "log"

    def wants(self) -> tuple[Want, ...]:
        """The text."""
        return (WantLog(self.slot("text"), self.run),)

    def found(self, name: str, value: Any) -> None:
        """Show it."""
        self.text.follow = True
        self.text.show(log_rows(str(value)))
