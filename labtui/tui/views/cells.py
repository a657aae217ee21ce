"""The cells of a sweep and how far they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from labtui.cells import clean
from labtui.tui.commands import Command, bindings
from labtui.tui.newest import Failed
from labtui.tui.progress_table import ORDERS, ProgressTable, progress_table
from labtui.tui.views.base import View
from labtui.tui.widgets.table import Cells, Table

TABLE = (
    Command("enter", "screen.open", "open", "Open the run of the cell, or choose among its runs.", 2),
    Command("s", "sort", "sort", "Sort by the next figure, the best first.", 3),
    Command("S", "reverse", "reverse", "Sort the other way round."),
)


"""What the tables of cells understand."""


class CellsView(View):
    """A row a cell: its trainings, its figure, what runs."""

    TITLE = "cells"
    KEYS: ClassVar[tuple[Command, ...]] = TABLE
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self) -> None:
        super().__init__()
        self.order, self.turned = 0, False
        self.shown: ProgressTable | None = None

    def compose(self) -> ComposeResult:
        """The table."""
        yield Table((), self.cells, id="cells", empty="  Reading the sweep …")

    @property
    def takes_keys(self) -> Table:
        """The table."""
        return self.query_one(Table)

    def cells(self, key: str) -> Cells:
        """A row of the table."""
        return self.shown.row(key) if self.shown else []

    def renew(self, hurry: bool = True) -> None:
        """The progress."""
        progress = self.sweep_screen.progress
        if progress is None or not self.size.width:
            return
        room, order, turned = self.size.width - 2, ORDERS[self.order], self.turned
        # Of 100,000 cells it takes a while.
        self.work.ask(lambda: progress_table(progress, room, order, turned), self.made, hurry)

    def made(self, found: ProgressTable | Failed) -> None:
        """Show it."""
        table = self.takes_keys
        if isinstance(found, Failed):
            table.empty = f"  {clean(found)}"
            table.repaint()
            return
        table.empty = "  There are no cells yet."
        self.shown = found
        table.rearrange(found.columns)
        table.sorted_by = found.sorted_by
        table.show(found.keys)

    def on_resize(self) -> None:
        """Other columns have room."""
        self.renew()

    def selected(self) -> Sequence[Any]:
        """Of the cell, or the one training."""
        key = self.takes_keys.key
        return self.shown.runs(key) if self.shown and key is not None else ()

    def action_sort(self) -> None:
        """By the next of the orders."""
        self.order, self.turned = (self.order + 1) % len(ORDERS), False
        self.renew()

    def action_reverse(self) -> None:
        """The other way round."""
        self.turned = not self.turned
        self.renew()
