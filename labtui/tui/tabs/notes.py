"""Notes and to-dos of a run, and what is written on its sweep, its recipe and the lab."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult

from labtui.tui.commands import Command
from labtui.tui.tabs.base import Tab
from labtui.tui.want import Want
from labtui.tui.widgets.notebook import Notebook, WantNotes


class NotesTab(Tab):
    """A notebook; what is new in it is written on the run."""

    TITLE = "notes"
    KEYS: ClassVar[tuple[Command, ...]] = ()

    def compose(self) -> ComposeResult:
        """The notebook."""
        yield Notebook()

    @property
    def notebook(self) -> Notebook:
        """The notebook."""
        return self.query_one(Notebook)

    def wants(self) -> tuple[Want, ...]:
        """What the files say."""
        return (WantNotes(self.slot("file"), self.run_screen.lab_app.lab.paths.run(self.run)),)

    def found(self, name: str, value: Any) -> None:
        """Show it."""
        self.notebook.show(value)

    def clear(self) -> None:
        """Another run."""
        self.notebook.show(None)

    def enter(self) -> None:
        """The list takes the keys."""
        self.notebook.on = self.run_screen.lab_app.lab.paths.run(self.run)
        self.screen.set_focus(self.notebook.entries)
