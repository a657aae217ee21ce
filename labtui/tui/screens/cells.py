"""The cells of a sweep: means over folds and repeats, beside a baseline."""

from __future__ import annotations

import textwrap
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from labtui.cells import clean
from labtui.tui.cell_table import CellTable
from labtui.tui.commands import CELLS, bindings
from labtui.tui.feed import News
from labtui.tui.screens.base import Base
from labtui.tui.widgets.keys import Keys
from labtui.tui.widgets.lines import Lines
from labtui.tui.widgets.table import Cells, Table

LINES = 5
"""Of the sentences below the table, at most."""


class CellsScreen(Base):
    """One row a cell of the sweep that a run belongs to."""

    COMMANDS_HERE = CELLS
    BINDINGS: ClassVar[list[BindingType]] = bindings(CELLS)

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key, self.order = key, 0
        self.found = CellTable(key)

    def compose(self) -> ComposeResult:
        """Title, table, what is to be said of it, keys."""
        yield Lines(id="title")
        yield Table((), self.cells, id="cells", empty="  Reading the sweep …")
        yield Lines(id="caption")
        yield Keys(CELLS)

    def on_mount(self) -> None:
        """Hear of what is new."""
        self.set_focus(self.table)
        self.watch(self.app, "news", self.show_news, init=False)
        self.show_news(News(cells=self.lab_app.cells))  # what does not change is told once

    @property
    def table(self) -> Table:
        """The cells."""
        return self.query_one(Table)

    def cells(self, key: str) -> Cells:
        """A row of the table."""
        return (self.found.lines or {})[key]

    def show_news(self, news: News | None) -> None:
        """Show what changed."""
        if news is None or news.cells is None or news.cells.run != self.key:
            return
        found = self.found = news.cells
        self.table.empty = "  This run is of no sweep."
        self.table.rearrange(found.columns)
        self.table.sorted_by = (found.sorted_by, True) if found.sorted_by else None
        self.table.show(list(found.lines or {}))
        self.query_one("#title", Lines).show([[(f" {clean(found.sweep)}  ", "title"), (found.about, "dim")]])
        self.show_caption()

    def show_caption(self) -> None:
        """The sentences, as wide as the screen."""
        wide = max(self.size.width - 2, 20)
        lines = [line for said in self.found.caption for line in textwrap.wrap(clean(said), wide)][:LINES]
        caption = self.query_one("#caption", Lines)
        caption.styles.height = max(len(lines), 1)
        caption.show([[(line, "dim")] for line in lines])

    def on_resize(self) -> None:
        """Sentences break elsewhere."""
        self.show_caption()

    def on_screen_resume(self) -> None:
        """What this screen shows counts again."""
        self.wish()

    def wish(self) -> None:
        """Tell the feed what is on the screen."""
        self.lab_app.feed.ask(cells=self.key, order=self.order, run="", pictures=())

    def action_back(self) -> None:
        """Back to the runs."""
        self.app.pop_screen()

    def action_sort(self) -> None:
        """By the next figure, the best first; then as they were made again."""
        self.order = (self.order + 1) % (self.found.figures + 1)
        self.wish()

    def action_baseline(self) -> None:
        """Pin the cell under the cursor, or take the pin off it."""
        if key := self.table.key:
            self.lab_app.baseline(key, key != self.found.baseline)

    def action_open(self) -> None:
        """Open the first run of the cell."""
        if self.table.key:
            self.lab_app.open_run(self.table.key)

    @on(Table.Opened)
    def opened(self) -> None:
        """A row was clicked twice."""
        self.action_open()
