"""The cells of a sweep: means over folds and repeats, beside a baseline."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from labtui.cells import clean
from labtui.tui.cell_table import CellTable, WantCells
from labtui.tui.commands import COMMON, Command, bindings
from labtui.tui.screens.base import Base
from labtui.tui.want import Want
from labtui.tui.widgets.keys import Keys
from labtui.tui.widgets.lines import Lines
from labtui.tui.widgets.table import Cells, Table

LINES = 5
"""Of the sentences below the table, at most."""


class CellsScreen(Base):
    """One row a cell of the sweep that a run belongs to."""

    CSS_PATH = Path(__file__).parents[1] / "css" / "cells.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("escape", "back", "back", "Back to the runs.", 1),
        Command("s", "sort", "sort", "Sort by the next figure, the best first.", 3),
        Command("b", "baseline", "baseline", "Compare the others with this cell, or no more.", 2),
        Command("enter", "open", "open", "Open the first run of the cell.", 4),
        *COMMON,
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.order = 0
        self.shown = CellTable(key)

    def compose(self) -> ComposeResult:
        """Title, table, what is to be said of it, keys."""
        yield Lines(id="title")
        yield Table((), self.cells, id="cells", empty="  Reading the sweep …")
        yield Lines(id="caption")
        yield Keys(self.KEYS)

    def on_mount(self) -> None:
        """The table takes the keys."""
        self.set_focus(self.table)

    @property
    def table(self) -> Table:
        """The cells."""
        return self.query_one(Table)

    def cells(self, key: str) -> Cells:
        """A row of the table."""
        return (self.shown.lines or {})[key]

    def wants(self) -> tuple[Want, ...]:
        """The cells."""
        return (WantCells(self.slot("cells"), self.key, self.order),)

    def found(self, name: str, value: Any) -> None:
        """Show them."""
        found = self.shown = value
        self.table.empty = "  This run is of no sweep."
        self.table.rearrange(found.columns)
        self.table.sorted_by = (found.sorted_by, True) if found.sorted_by else None
        self.table.show(list(found.lines or {}))
        self.query_one("#title", Lines).show([[(f" {clean(found.sweep)}  ", "title"), (found.about, "dim")]])
        self.show_caption()

    def show_caption(self) -> None:
        """The sentences, as wide as the screen."""
        wide = max(self.size.width - 2, 20)
        lines = [line for said in self.shown.caption for line in textwrap.wrap(clean(said), wide)][:LINES]
        caption = self.query_one("#caption", Lines)
        caption.styles.height = max(len(lines), 1)
        caption.show([[(line, "dim")] for line in lines])

    def on_resize(self) -> None:
        """Sentences break elsewhere."""
        self.show_caption()

    def action_sort(self) -> None:
        """By the next figure, the best first; then as they were made again."""
        self.order = (self.order + 1) % (self.shown.figures + 1)
        self.wish()

    def action_baseline(self) -> None:
        """Pin the cell under the cursor, or take the pin off it."""
        if key := self.table.key:
            self.lab_app.baseline(key, key != self.shown.baseline)

    def action_open(self) -> None:
        """Open the first run of the cell."""
        if self.table.key:
            self.lab_app.open_run(self.table.key)

    @on(Table.Opened)
    def opened(self) -> None:
        """A row was clicked twice."""
        self.action_open()
