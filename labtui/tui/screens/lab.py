"""The first screen: all runs, the recipes, and charts of the runs that are selected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widgets import Input

from labtui.rows import Row
from labtui.tui.commands import COMMON, RUN, Command, bindings
from labtui.tui.feed import News
from labtui.tui.listing import Shown
from labtui.tui.screens.base import RunActions
from labtui.tui.snapshot import Snapshot
from labtui.tui.tables import RECIPE_COLUMNS, RUN_COLUMNS, SIGNS, SORTS, recipe_cells, run_cells
from labtui.tui.want import Want
from labtui.tui.widgets.charts import CHARTS, ChartKeys, Charts
from labtui.tui.widgets.keys import Keys
from labtui.tui.widgets.lines import LINES, Lines
from labtui.tui.widgets.table import Cells, Table

SETTLED = 0.12
"""Seconds the cursor rests before its run's charts are read: moving stays free of the disk."""
TYPED = 0.01
"""Seconds without a key before a filter that is being typed is tried."""


class Recipes(Table):
    """The recipes; its keys come before the screen's."""

    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("enter", "screen.open", "launch", "Set options of the recipe and launch it.", 1),
        Command("r,escape", "screen.runs", "runs", "Back to the runs.", 1),
        *COMMON,
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)


class LabScreen(ChartKeys, RunActions):
    """Runs, recipes, charts."""

    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("enter", "open", "open", "Open the run.", 1),
        Command("space", "mark", "mark", "Mark the run: charts overlay all marked runs.", 3),
        Command("slash", "filter", "filter", "Show some runs: a word, or state=finished and val.acc>0.9", 3),
        Command("s", "sort(1)", "sort", "Sort by the next column.", 4),
        Command("S", "reverse", "reverse", "Sort the other way round."),
        Command("r", "recipes", "launch", "To the recipes, to launch one; back again.", 3),
        *RUN,
        *CHARTS,
        Command("escape", "clear", "clear", "Clear the marks, then the filter.", 8),
        *COMMON,
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self) -> None:
        super().__init__()
        self.marked: list[str] = []
        self.recipes: dict[str, dict[str, Any]] = {}
        self.sort, self.reverse = 0, True
        self._resting: Timer | None = None
        self._snapshot = Snapshot()

    def compose(self) -> ComposeResult:
        """Status, tables, filter, charts, keys."""
        yield Lines(id="status")
        with Horizontal(id="tables"):
            yield Table(RUN_COLUMNS, self.run_cells, id="runs", empty="  Reading the lab …")
            yield Recipes(RECIPE_COLUMNS, self.recipe_cells, id="recipes", empty="  No recipes here.")
        # Not selected on focus: that comes late, and what was typed meanwhile would be replaced.
        hint = "a word, or: state=finished and val.acc>0.9"
        line = Input(placeholder=hint, id="filter", compact=True, select_on_focus=False)
        line.cursor_blink = False
        yield line
        yield Charts(self.slot, self.wish, places=2)
        yield Keys(self.KEYS)

    def on_mount(self) -> None:
        """The runs take the keys."""
        self.runs.sorted_by = (SORTS[self.sort][1], self.reverse)
        self.set_focus(self.runs)
        self.show_status()

    @property
    def runs(self) -> Table:
        """The table of runs."""
        return self.query_one("#runs", Table)

    @property
    def commands(self) -> tuple[Command, ...]:
        """Those of the list that has the focus."""
        return Recipes.KEYS if isinstance(self.focused, Recipes) else self.KEYS

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Over the recipes, the keys of runs do nothing."""
        declared = {command.action.partition("(")[0] for command in self.KEYS}
        here = {c.action.partition("(")[0].removeprefix("screen.") for c in self.commands}
        return action not in declared or action in here

    def run_cells(self, key: str) -> Cells:
        """A row of the runs table."""
        mark = self.marked.index(key) % LINES + 1 if key in self.marked else 0
        return run_cells(self._snapshot, key, mark, self.lab_app.now())

    def recipe_cells(self, key: str) -> Cells:
        """A row of the recipes table."""
        return recipe_cells(self.recipes[key])

    def targets(self) -> Sequence[str]:
        """The marked runs, or else the one under the cursor."""
        return self.marked or ([self.runs.key] if self.runs.key else [])

    def show_news(self, news: News) -> None:
        """Show what changed on the disk."""
        if news.snapshot is not None:
            self._snapshot = news.snapshot
            self.marked = [key for key in self.marked if key in news.snapshot.place]
            self.runs.empty = (
                "  No run fits the filter; esc clears it." if news.snapshot.place
                else "  No runs yet: press r, choose a recipe, and launch it."
            )  # fmt: skip
            self.runs.show(news.snapshot.keys)
            self.show_status()
        if news.recipes is not None:
            self.recipes = {recipe["path"]: recipe for recipe in news.recipes}
            self.query_one("#recipes", Table).show(list(self.recipes))
        if news.trouble is not None:
            self.show_status()
        if news.snapshot is not None:
            self.wish()

    def tick(self) -> None:
        """Ages grow: paint the lines where the text did."""
        self.runs.repaint()

    def show_status(self) -> None:
        """Counts by state, the lab, and what is wrong with the filter or the disk."""
        counts = self._snapshot.counts()
        row: Row = [(" labtui  ", "title")]
        trouble = self._snapshot.problem or self.lab_app.trouble
        if trouble:
            row.append((trouble + "  ", "bad"))
        else:
            for state, (_, style) in SIGNS.items():
                if counts.get(state):
                    row += [(f"{counts[state]} ", "bold"), (f"{state}  ", style)]
            if len(self.runs.keys) != len(self._snapshot.place):
                row.append((f"{len(self.runs.keys)} shown  ", "warn"))
        row.append((self.lab_app.place, "dim"))
        self.query_one("#status", Lines).show([row])

    @property
    def charts(self) -> Charts:  # type: ignore[override]
        """The charts."""
        return self.query_one(Charts)

    def wants(self) -> tuple[Want, ...]:
        """The charts of the selected runs."""
        return self.charts.wants(self.targets())

    def found(self, name: str, value: Any) -> None:
        """A chart was drawn."""
        self.charts.found(name, value)

    def wish(self) -> None:
        """Tell the feed what is on the screen."""
        if self.in_front:
            line = self.query_one("#filter", Input).value
            shown = Shown(line, SORTS[self.sort][0], self.reverse, tuple(self.runs.in_sight))
            self.lab_app.feed.ask(shown=shown, wants=self.wants())

    @on(Table.Moved, "#runs")
    def moved(self) -> None:
        """Wait for the cursor to rest before its charts are drawn."""
        self._wish_later(SETTLED)

    def _wish_later(self, seconds: float) -> None:
        if self._resting:
            self._resting.stop()
        self._resting = self.set_timer(seconds, self.wish)

    def action_open(self) -> None:
        """Open the run or the recipe under the cursor."""
        table = self.focused if isinstance(self.focused, Table) else self.runs
        if table.key:
            self.open(table, table.key)

    def open(self, table: Table, key: str) -> None:
        """Open a run, or a recipe to launch it."""
        if table.id == "runs":
            self.lab_app.open_run(key)
        else:
            self.lab_app.open_recipe(self.recipes[key])

    @on(Table.Opened)
    def opened(self, message: Table.Opened) -> None:
        """A row was clicked twice."""
        self.open(message.table, message.key)

    def action_mark(self) -> None:
        """Mark the run under the cursor, or unmark it, and step on."""
        key = self.runs.key
        if key is None:
            return
        if key in self.marked:
            self.marked.remove(key)
        else:
            self.marked.append(key)
        self.runs.repaint()
        self.runs.action_move(1)
        self.wish()

    def action_filter(self) -> None:
        """To the filter line."""
        line = self.query_one("#filter", Input)
        line.add_class("open")
        self.set_focus(line)  # at once: `Widget.focus` lets the next key pass first

    @on(Input.Changed, "#filter")
    def typed(self) -> None:
        """Filter when typing pauses."""
        self._wish_later(TYPED)

    @on(Input.Submitted, "#filter")
    def filtered(self, event: Input.Submitted) -> None:
        """Filter, and back to the runs."""
        event.input.set_class(bool(event.value.strip()), "open")
        self.set_focus(self.runs)
        self.wish()

    def action_clear(self) -> None:
        """Leave the filter line, or clear the marks, or the filter: one at a time."""
        line = self.query_one("#filter", Input)
        if line.has_focus:
            self.set_focus(self.runs)
        elif self.marked:
            self.marked = []
            self.runs.repaint()
        else:
            line.value = ""
        line.set_class(bool(line.value), "open")
        self.wish()

    def action_sort(self, step: int) -> None:
        """Sort by the next column; first its natural way."""
        self.sort = (self.sort + step) % len(SORTS)
        self.reverse = SORTS[self.sort][2]
        self._sorted()

    def action_reverse(self) -> None:
        """The other way round."""
        self.reverse = not self.reverse
        self._sorted()

    def _sorted(self) -> None:
        self.runs.sorted_by = (SORTS[self.sort][1], self.reverse)
        self.runs.repaint()
        self.wish()

    def action_recipes(self) -> None:
        """To the recipes."""
        self.add_class("-recipes")
        self.set_focus(self.query_one("#recipes", Table))

    def action_runs(self) -> None:
        """Back to the runs."""
        self.remove_class("-recipes")
        self.set_focus(self.runs)
