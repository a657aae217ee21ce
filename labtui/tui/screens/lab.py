"""The first screen: all runs, the recipes, charts of the runs that are selected, and the machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widgets import Input

from labtui.tui.commands import COMMON, RUN, Command, bindings
from labtui.tui.completing import WantWords, Words
from labtui.tui.feed import News
from labtui.tui.marks import Marks
from labtui.tui.screens.base import RunActions
from labtui.tui.snapshot import Snapshot
from labtui.tui.sparks import WantSparks
from labtui.tui.tables import status_row
from labtui.tui.want import Want
from labtui.tui.widgets.charts import CHARTS, MOST, ChartKeys, Charts
from labtui.tui.widgets.filter import FilterInput, FilterLine
from labtui.tui.widgets.keys import Keys
from labtui.tui.widgets.lines import Lines
from labtui.tui.widgets.machine import MachineLine
from labtui.tui.widgets.recipes import Recipes, RecipeTable
from labtui.tui.widgets.runs import RunsTable
from labtui.tui.widgets.table import Table

SETTLED = 0.12
"""Seconds the cursor rests before its run's charts are read: moving stays free of the disk."""
TYPED = 0.01
"""Seconds without a key before a filter that is being typed is tried."""
SPARK = 10
"""Cells of a small line."""


class LabScreen(ChartKeys, RunActions):
    """Runs, recipes, charts, the machine."""

    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("enter", "open", "open", "Open the run; of a group, show its runs or hide them.", 1),
        Command("space", "mark", "mark", "Mark the run: charts overlay all marked runs.", 3),
        Command("a", "mark_all", "mark all", "Mark all runs that are shown; again: none."),
        Command("shift+down,J", "extend(1)", "mark down", "Mark this run and the next."),
        Command("shift+up,K", "extend(-1)", "mark up", "Mark this run and the one before."),
        Command("slash", "filter", "filter", "Show some runs: a word, or state=finished and val.acc>0.9", 2),
        Command("s", "sort", "sort", "Sort by the next column.", 4),
        Command("S", "reverse", "reverse", "Sort the other way round."),
        Command("v", "columns", "columns", "Choose the columns: any option, any metric.", 5),
        Command("greater_than_sign", "skip(1)", "columns right", "Go on to columns further right."),
        Command("less_than_sign", "skip(-1)", "columns left", "Back to columns further left."),
        Command("o", "group", "group", "Put runs together by sweep, recipe or options, with means.", 5),
        Command("b", "baseline", "baseline", "Show differences to this run, or no longer.", 6),
        Command("C", "compare", "compare", "The marked runs beside each other: options, figures, charts.", 5),
        Command(
            "B", "ends", "best and worst", "The best of the marked runs, or of all shown, beside the worst."
        ),
        Command(
            "P", "lab_report", "report on all", "The whole lab's report: where we are, where we are going."
        ),
        Command("r", "recipes", "launch", "To the recipes, to launch one; back again.", 3),
        *RUN,
        *CHARTS,
        Command("escape", "clear", "clear", "Clear the marks, then the filter.", 8),
        *COMMON,
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self) -> None:
        super().__init__()
        self.marked = Marks()
        self.recipes: dict[str, dict[str, Any]] = {}
        self.arranged = self.lab_app.arranged
        self._resting: Timer | None = None
        self._snapshot = Snapshot()
        self._asking = ""
        """For which dialog the keys of all runs are wanted."""

    def compose(self) -> ComposeResult:
        """Status, tables, filter, charts, machine, keys."""
        yield Lines(id="status")
        with Horizontal(id="tables"):
            yield RunsTable(self.arranged, self.marked)
            yield Recipes(self.arranged.turned)
        yield FilterLine(self.arranged.filter)
        yield Charts(self.slot, self.wish, places=2)
        yield MachineLine(self.lab_app.lab.paths)
        yield Keys(self.KEYS)

    def on_mount(self) -> None:
        """The runs take the keys."""
        self.set_focus(self.runs)
        self.show_status()

    @property
    def runs(self) -> RunsTable:
        """The table of runs."""
        return self.query_one(RunsTable)

    @property
    def line(self) -> FilterInput:
        """The filter line."""
        return self.query_one(FilterInput)

    @property
    def commands(self) -> tuple[Command, ...]:
        """Those of the list or line that has the focus."""
        own = isinstance(self.focused, RecipeTable | FilterInput)
        return self.focused.KEYS if own else self.KEYS  # type: ignore[union-attr]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Over the recipes, the keys of runs do nothing."""
        declared = {command.action.partition("(")[0] for command in self.KEYS}
        here = {c.action.partition("(")[0].removeprefix("screen.") for c in self.commands}
        return action not in declared or action in here

    def targets(self) -> Sequence[str]:
        """The marked runs, or else the one under the cursor, or all of its group."""
        return self.runs.targets

    def show_news(self, news: News) -> None:
        """Show what changed on the disk."""
        if news.snapshot is not None:
            self._snapshot = news.snapshot
            self.marked.keep(news.snapshot.place)
            self.runs.show_snapshot(news.snapshot)
        if news.recipes is not None:
            self.recipes = {recipe["path"]: recipe for recipe in news.recipes}
        if news.snapshot is not None or news.recipes is not None:
            files = None if news.snapshot is None else news.snapshot.columns["recipe"]
            self.query_one(Recipes).show(self.recipes, files)
            self.show_status()
        if news.trouble is not None:
            self.show_status()
        if news.snapshot is not None:
            self.wish()

    def tick(self) -> None:
        """Ages grow: paint the lines where the text did."""
        self.runs.repaint()

    def show_status(self) -> None:
        """Counts by state, the lab, what is wrong with the filter or the disk; and the machine."""
        shown, marked = len(self.runs.shown_runs), len(self.marked)
        row = status_row(self._snapshot, shown, marked, self.lab_app.trouble)
        self.query_one("#status", Lines).show([[*row, (self.lab_app.place, "dim")]])
        counts = self._snapshot.counts()
        states = zip(self._snapshot.place, self._snapshot.columns["state"], strict=True)
        running = [key for key, state in states if state == "running"] if counts.get("running") else []
        if self.lab_app.news is not None:  # nothing that is not asked for comes before the first picture
            self.machine.show_queue(running, counts.get("queued", 0))

    @property
    def machine(self) -> MachineLine:
        """The line that tells of the machine."""
        return self.query_one(MachineLine)

    @property
    def charts(self) -> Charts:  # type: ignore[override]
        """The charts."""
        return self.query_one(Charts)

    def wants(self) -> tuple[Want, ...]:
        """Charts of the selected runs, small lines of those in sight, words for what is being written."""
        found: list[Want] = [*self.charts.wants(self.targets()[:MOST], self.marked.colors)]
        if self.runs.sparked:
            in_sight = self.runs.runs_in_sight
            found.append(WantSparks(self.slot("sparks"), in_sight, SPARK, self.lab_app.ascii_only))
        if self.line.has_focus or self._asking:
            found.append(WantWords(self.slot("words"), self.query_one(FilterLine).asks))
        return tuple(found)

    def found(self, name: str, value: Any) -> None:
        """A chart was drawn, runs were looked at, or keys were gathered."""
        if name == "sparks":
            self.runs.sparks = value
            self.runs.repaint()
        elif name == "words":
            self.query_one(FilterLine).show_words(value)
            self._ask_now(value)
        else:
            self.charts.found(name, value)

    def wish(self) -> None:
        """Tell the feed what is on the screen."""
        if self.in_front:
            shown = replace(self.arranged.shown, visible=self.runs.runs_in_sight)
            self.lab_app.feed.ask(shown=shown, wants=self.wants())

    def change(self, **changes: Any) -> None:
        """Arrange the runs otherwise, and keep that."""
        arranged = replace(self.arranged, **changes)
        if arranged != self.arranged:
            self.arranged = arranged
            self.lab_app.keep(arranged)
            self.runs.show_arranged(arranged)
        self.wish()

    def action_cursor(self, step: int) -> None:
        """Open or close the group under the cursor; where there is none, move the charts' own."""
        if self.runs.fold(step < 0):
            self.wish()
        else:
            super().action_cursor(step)

    @on(Table.Moved, "#runs")
    def moved(self) -> None:
        """Wait for the cursor to rest before its charts are drawn."""
        self._later(SETTLED, self.wish)

    def _later(self, seconds: float, do: Any) -> None:
        if self._resting:
            self._resting.stop()
        self._resting = self.set_timer(seconds, do)

    def action_open(self) -> None:
        """Open the run under the cursor; open or close a group."""
        key = self.runs.key
        if key in self._snapshot.groups:
            self.runs.fold()
            self.wish()
        elif key is not None:
            self.lab_app.open_run(key)

    @on(Table.Opened, "#runs")
    def opened(self, message: Table.Opened) -> None:
        """A row was clicked twice."""
        self.action_open()

    def action_mark(self) -> None:
        """Mark the run under the cursor, or unmark it, and step on."""
        self.runs.mark(1)
        self._marked()

    def action_extend(self, rows: int) -> None:
        """Mark the run under the cursor and the next."""
        self.runs.extend(rows)
        self._marked()

    def action_mark_all(self) -> None:
        """Mark all that are shown, or none."""
        self.runs.mark_all()
        self._marked()

    def _marked(self) -> None:
        self.show_status()
        self.wish()

    def action_filter(self) -> None:
        """To the filter line."""
        self.query_one(FilterLine).add_class("open")
        self.set_focus(self.line)  # at once: `Widget.focus` lets the next key pass first
        self.wish()

    @on(Input.Changed, "#filter")
    def typed(self) -> None:
        """Filter when typing pauses."""
        self._later(TYPED, lambda: self.change(filter=self.line.value))

    @on(FilterLine.Asked)
    def asked(self) -> None:
        """Values of another key are wanted."""
        self.wish()

    @on(Input.Submitted, "#filter")
    def filtered(self) -> None:
        """Filter, and back to the runs."""
        self.set_focus(self.runs)
        self.change(filter=self.line.value)

    def action_clear(self) -> None:
        """Leave the filter line, or clear the marks, or the filter: one at a time."""
        if self.line.has_focus:
            self.set_focus(self.runs)
        elif self.marked:
            self.marked.clear()
            self.runs.repaint()
            self._marked()
        else:
            self.line.value = ""
            self.query_one(FilterLine).remove_class("open")
        self.change(filter=self.line.value)

    def action_sort(self) -> None:
        """Sort by the next column, first its natural way."""
        none = ("spark", "id")  # by them nothing else is sorted than by the value, and by age
        shown = [part.key for part in self.runs.parts if part.what == "text" and part.key not in none]
        at = shown.index(self.arranged.sort) + 1 if self.arranged.sort in shown else 0
        self._sort(shown[at % len(shown)])

    def _sort(self, key: str) -> None:
        """The best, the longest, the newest first; words from their beginning."""
        self.change(sort=key, reverse=self._snapshot.largest_first(key))

    @on(RunsTable.HeadClicked, "#runs")
    def head_clicked(self, message: RunsTable.HeadClicked) -> None:
        """Sort by a column; again: the other way round."""
        part = self.runs.parts[message.number]
        if part.key == self.arranged.sort:
            self.action_reverse()
        elif part.key:
            self._sort(part.key)

    def action_reverse(self) -> None:
        """The other way round."""
        self.change(reverse=not self.arranged.reverse)

    def action_baseline(self) -> None:
        """Compare with the run under the cursor, or with none."""
        key = self.runs.key
        if key is not None and key not in self._snapshot.groups:
            self.change(baseline="" if key == self.arranged.baseline else key)

    def action_compare(self) -> None:
        """The marked runs beside each other, or those of a group."""
        keys = list(self.targets())
        if not 2 <= len(keys) <= MOST:
            self.lab_app.say(
                f"mark 2 to {MOST} runs to compare them (space marks); B takes the best and the worst"
            )
            return
        self._compare(keys, ends=False)

    def action_ends(self) -> None:
        """The best beside the worst of the marked runs, or of all that are shown."""
        self._compare(list(self.marked) or list(self.runs.shown_runs), ends=True)

    def _compare(self, keys: Sequence[str], ends: bool) -> None:
        from labtui.tui.screens.compare import CompareScreen

        self.app.push_screen(CompareScreen(keys, ends))

    def action_skip(self, columns: int) -> None:
        """Show columns that had no room."""
        self.runs.skip(columns)

    def action_columns(self) -> None:
        """Choose columns, once it is known which there are."""
        self._asking = "columns"
        self.wish()

    def action_group(self) -> None:
        """Choose by what runs are put together, once it is known what there is."""
        self._asking = "group"
        self.wish()

    def _ask_now(self, words: Words) -> None:
        """The dialog for which the keys were wanted."""
        what, self._asking = self._asking, ""
        if not what or not self.in_front:
            return
        from labtui.tui.screens.columns import ChooseColumns, choose_groups

        def done(keys: list[str] | None) -> None:
            if keys is not None:
                self.change(**{what: tuple(keys)})

        chosen = getattr(self.arranged, what)
        dialog = (ChooseColumns if what == "columns" else choose_groups)(words, chosen)
        self.app.push_screen(dialog, done)

    def action_recipes(self) -> None:
        """To the recipes."""
        self.add_class("-recipes")
        self.set_focus(self.query_one(RecipeTable))

    def action_lab_report(self) -> None:
        """The report on the lab."""
        from labtui.tui.screens.report import ReportScreen

        self.app.push_screen(ReportScreen())

    @on(Recipes.Left)
    def action_runs(self) -> None:
        """Back to the runs."""
        self.remove_class("-recipes")
        self.set_focus(self.runs)

    @on(Recipes.Chosen)
    def launch(self, message: Recipes.Chosen) -> None:
        """Launch a recipe."""
        self.lab_app.open_recipe(self.recipes[message.path])

    @on(Recipes.Turned)
    def turned(self) -> None:
        """Keep which folders are open."""
        self.change(turned=tuple(sorted(self.query_one(Recipes).turned)))
