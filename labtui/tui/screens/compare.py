"""Runs beside each other: what differs in their recipes and figures, and their charts in one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from labtui.cells import clean
from labtui.tui.commands import COMMON, Command, bindings
from labtui.tui.compare_table import (
    NAME,
    WIDEST,
    Compared,
    CompareTable,
    WantCompared,
    columns,
    compare_table,
)
from labtui.tui.screens.base import WIDE, Base
from labtui.tui.want import Want
from labtui.tui.widgets.charts import MOST, ChartGrid
from labtui.tui.widgets.keys import Keys
from labtui.tui.widgets.lines import Lines
from labtui.tui.widgets.table import Cells, Table

TALL = 36
"""Lines of a screen from which table and charts are shown both."""


class CompareScreen(Base):
    """Some runs, or the best and the worst of them.

    Args:
        runs: their ids, in order; without `ends` at most `MOST`.
        ends: compare the best with the worst of them.
    """

    CSS_PATH = Path(__file__).parents[1] / "css" / "compare.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("escape", "back", "back", "Back to the runs.", 1),
        Command("tab,shift+tab", "turn", "charts", "To the charts of these runs, and back to the table.", 2),
        Command("left,h", "run(-1)", "run left", "To the run on the left."),
        Command("right,l", "run(1)", "run right", "To the run on the right.", 5),
        Command("b", "baseline", "baseline", "Compare the others with this run.", 3),
        Command("a", "every", "all keys", "All keys of the recipes, or those that differ.", 3),
        Command("less_than_sign,shift+left", "shift(-1)", "move left", "Move the run to the left."),
        Command("greater_than_sign,shift+right", "shift(1)", "move right", "Move the run to the right.", 6),
        Command("d", "drop", "drop", "Leave the run out of the comparison.", 5),
        Command("enter", "open", "open", "Open the run.", 4),
        Command("B", "ends", "best and worst", "The best beside the worst, by any metric.", 5),
        *COMMON,
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self, runs: Sequence[str], ends: bool = False) -> None:
        super().__init__("ends" if ends else "runs")
        self.runs = tuple(runs) if ends else tuple(runs[:MOST])
        self.ends, self.metric, self.every = ends, "", False
        self.at, self.first, self.base = 0, 0, 0
        self.shown = Compared()
        self.table = CompareTable([], {}, {}, 1, [])
        self._colors: dict[str, int] = {}

    def compose(self) -> ComposeResult:
        """Title, table, charts, keys."""
        yield Lines(id="title")
        yield Table((), self.cells, id="compared", empty="  Comparing …")
        yield ChartGrid(self.slot, self.wish)
        yield Keys(self.KEYS)

    def on_mount(self) -> None:
        """The table takes the keys."""
        self.set_focus(self.lines)

    @property
    def lines(self) -> Table:
        """The table."""
        return self.query_one("#compared", Table)

    @property
    def charts(self) -> ChartGrid:
        """The charts."""
        return self.query_one(ChartGrid)

    @property
    def ids(self) -> list[str]:
        """The runs in their order."""
        return [str(row["id"]) for row in self.shown.rows]

    def wants(self) -> tuple[Want, ...]:
        """The runs, and their charts."""
        own = WantCompared(self.slot("runs"), self.runs, self.ends, self.metric)
        return (own, *self.charts.wants(self.ids, self._colors))

    def found(self, name: str, value: Any) -> None:
        """Show the runs, or a chart that was drawn."""
        if not isinstance(value, Compared):
            self.charts.found(name, value)
            return
        before = self.ids
        self.shown = value
        self.at, self.base = (self._still(before, place) for place in (self.at, self.base))
        for key in self.ids:
            self._colors.setdefault(key, len(self._colors))
        self.lines.empty = f"  {clean(value.problem)}" if value.problem else "  These runs are gone."
        self.show_runs()
        if before != self.ids:
            self.wish()

    def _still(self, before: Sequence[str], place: int) -> int:
        """Where a run stands now that stood in a place, or the first."""
        key = before[place] if place < len(before) else ""
        return self.ids.index(key) if key in self.ids else 0

    def show_runs(self) -> None:
        """The columns that have room, the one under the cursor among them."""
        rows = self.shown.rows
        room = max(self.size.width - 3, 20)
        title = "best and worst" if self.ends else "compare"
        by = f" by {clean(self.metric)}" if self.metric else ""
        said = f"{len(rows)} runs" + (f" of {len(self.runs):,}" if self.ends else "")
        if not rows:
            self.lines.rearrange(())
            self.lines.show([])
        else:
            name = WIDEST if self.size.width >= WIDE else NAME
            self.table = compare_table(rows, self._colors, self.base, self.every, name)
            self.first = min(self.first, self.at)
            while self.at >= self.first + self.table.fitting(room, self.first):
                self.first += 1
            count = self.table.fitting(room, self.first)
            last = min(self.first + count, len(rows))
            if last - self.first < len(rows):
                said += f" · {self.first + 1} to {last} in sight"
            self.lines.rearrange(columns(self.table, rows, self.first, count, self.at, self.base))
            self.lines.show(self.table.keys)
            said += f" · beside {clean(rows[self.base]['name'])} {rows[self.base]['id'][-4:]}"
        self.query_one("#title", Lines).show([[(f" {title}{by}  ", "title"), (said, "dim")]])

    def cells(self, key: str) -> Cells:
        """A line of the table: its key, then the runs in sight."""
        head = key.startswith(" ")
        label = (self.table.labels[key], "head" if head else "dim")
        shown = self.table.cells[key][self.first : self.first + len(self.lines.columns) - 2]
        return [label, *shown, ("", "")]

    def on_resize(self) -> None:
        """Other columns have room; charts stand below where there is room for both."""
        self.set_class(self.size.height >= TALL, "-both")
        self.show_runs()

    def action_turn(self) -> None:
        """From the table to the charts, or back."""
        charts = self.lines.has_focus
        self.set_class(charts, "-charts")
        self.set_focus(self.charts if charts else self.lines)
        self.call_after_refresh(self.wish)

    def action_run(self, step: int) -> None:
        """To the next run, or the one before."""
        self.at = max(0, min(self.at + step, len(self.shown.rows) - 1))
        self.show_runs()

    def action_baseline(self) -> None:
        """Compare the others with the run under the cursor."""
        self.base = self.at
        self.show_runs()

    def action_every(self) -> None:
        """All keys, or those that differ."""
        self.every = not self.every
        self.show_runs()

    def action_shift(self, step: int) -> None:
        """Move the run under the cursor."""
        runs, other = self.ids, self.at + step
        if 0 <= other < len(runs):
            runs[self.at], runs[other] = runs[other], runs[self.at]
            self._compare(runs)

    def action_drop(self) -> None:
        """Leave the run under the cursor out."""
        runs = self.ids
        if len(runs) <= 2:
            self.lab_app.say("two runs at least are compared")
            return
        del runs[self.at]
        self._compare(runs)

    def _compare(self, runs: Sequence[str]) -> None:
        """These runs, in this order."""
        by = {row["id"]: row for row in self.shown.rows}
        self.runs, self.ends = tuple(runs), False
        self.found("runs", Compared([by[key] for key in runs], metrics=self.shown.metrics))
        self.wish()

    def action_open(self) -> None:
        """Open the run under the cursor."""
        if self.shown.rows:
            self.lab_app.open_run(self.ids[self.at])

    def on_table_opened(self) -> None:
        """A line was clicked twice."""
        self.action_open()

    def action_ends(self) -> None:
        """The best and the worst of the runs that are compared, by a metric that the user chooses."""
        from labtui.tui.screens.ask import Choose

        options = {"": "what they monitor", **{name: name for name in self.shown.metrics}}

        def chosen(keys: list[str] | None) -> None:
            if keys:
                self.ends, self.metric = True, keys[0]
                self.at = self.base = self.first = 0
                self.wish()

        self.app.push_screen(Choose("Best and worst by", options, [self.metric], several=False), chosen)
