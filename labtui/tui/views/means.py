"""The cells of a sweep with means over folds and repeats, beside a baseline."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from labtui.cells import clean
from labtui.tui.commands import Command, bindings
from labtui.tui.mean_table import MeanTable, mean_table
from labtui.tui.newest import Failed
from labtui.tui.views.base import View
from labtui.tui.views.cells import TABLE
from labtui.tui.widgets.lines import Lines
from labtui.tui.widgets.table import Cells, Table

LINES = 5
"""Of the sentences below the table, at most."""


class MeansView(View):
    """A row a cell: its figures, their differences to the baseline's."""

    TITLE = "means"
    KEYS: ClassVar[tuple[Command, ...]] = (
        *TABLE,
        Command("b", "baseline", "baseline", "Compare the others with this cell, or no more.", 2),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self) -> None:
        super().__init__()
        self.order, self.turned = 0, False
        self.shown = MeanTable()
        self._asked: object = None

    def compose(self) -> ComposeResult:
        """The table, and what is to be said of it."""
        yield Table((), self.cells, id="means", empty="  Comparing the cells …")
        yield Lines(id="caption")

    @property
    def takes_keys(self) -> Table:
        """The table."""
        return self.query_one(Table)

    def cells(self, key: str) -> Cells:
        """A row of the table."""
        return self.shown.lines[key]

    def renew(self, hurry: bool = True) -> None:
        """Have it made, where anything has changed."""
        screen = self.sweep_screen
        known, metric, order, turned = screen.known, screen.metric, self.order, self.turned
        if known is None:
            return
        asked = (known.sweep, known.states, metric, order, turned)
        if asked != self._asked:
            self._asked = asked
            paths = screen.lab_app.lab.paths
            self.work.ask(lambda: mean_table(paths, known.rows, metric, order, turned), self.made, hurry)

    def made(self, found: MeanTable | Failed) -> None:
        """Show it."""
        table = self.takes_keys
        if isinstance(found, Failed):
            table.empty = f"  {clean(found)}"
            found = MeanTable()
        elif not found.lines:
            table.empty = "  There are no runs yet."
        self.shown = found
        table.rearrange(found.columns)
        table.sorted_by = found.sorted_by
        table.show(list(found.lines))
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

    def selected(self) -> Sequence[Any]:
        """Of the cell."""
        return self.shown.runs.get(self.takes_keys.key or "", ())

    def action_sort(self) -> None:
        """By the next figure, the best first; then as they were made again."""
        self.order, self.turned = (self.order + 1) % (self.shown.figures + 1), False
        self.renew()

    def action_reverse(self) -> None:
        """The other way round."""
        self.turned = not self.turned
        self.renew()

    def action_baseline(self) -> None:
        """Pin the cell under the cursor, or take the pin off it."""
        if key := self.takes_keys.key:
            self.sweep_screen.lab_app.baseline(key, key != self.shown.baseline)
