"""The notebook of the lab, of a sweep or of a recipe: what is to be done, and the dated journal."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from labtui.files.paths import Noted
from labtui.rows import Row
from labtui.tui.commands import COMMON, MOVE, Command, bindings
from labtui.tui.screens.base import Base
from labtui.tui.want import Want
from labtui.tui.widgets.entries import place_of
from labtui.tui.widgets.keys import Keys
from labtui.tui.widgets.lines import Lines
from labtui.tui.widgets.notebook import Notebook, WantNotes


class NotebookScreen(Base):
    """What is written on one thing; of the lab, on everything in it.

    Args:
        on: what new entries are written on.
    """

    CSS_PATH = Path(__file__).parents[1] / "css" / "sweep.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("escape", "back", "back", "Back to where you were.", 1),
        *COMMON,
    )
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(KEYS), *bindings(MOVE)]

    def __init__(self, on: Noted) -> None:
        super().__init__(f"{on.kind} {on.id}")
        self.on = on

    def compose(self) -> ComposeResult:
        """Title, notebook, keys."""
        yield Lines(id="title")
        yield Notebook()
        yield Keys(self.KEYS)

    @property
    def notebook(self) -> Notebook:
        """What is written."""
        return self.query_one(Notebook)

    def on_mount(self) -> None:
        """The list takes the keys."""
        self.notebook.on = self.on
        title: Row = [(" notebook  ", "title"), (place_of(self.on) + "  ", ""), (self.lab_app.place, "dim")]
        self.query_one("#title", Lines).show([title])
        self.set_focus(self.notebook.entries)

    def wants(self) -> tuple[Want, ...]:
        """What the files say."""
        return (WantNotes(self.slot("files"), self.on),)

    def found(self, name: str, value: Any) -> None:
        """Show it."""
        self.notebook.show(value)
