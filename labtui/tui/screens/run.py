"""One run: charts, what came out, parameters, log and notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from labtui.rows import Row
from labtui.tui.commands import MOVE, ONE, bindings
from labtui.tui.feed import Detail, News
from labtui.tui.panes import log_rows, note_rows, overview_rows, parameter_rows, title_row
from labtui.tui.screens.base import RunActions
from labtui.tui.widgets.chart import Chart
from labtui.tui.widgets.keys import Keys
from labtui.tui.widgets.lines import Lines, TextView

PANES = ("overview", "parameters", "log", "notes")


class RunScreen(RunActions):
    """Everything about one run. Narrow screens show one pane at a time, wide ones all four."""

    COMMANDS_HERE = ONE
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(ONE), *bindings(MOVE)]

    def __init__(self) -> None:
        super().__init__()
        self.key, self.pane = "", PANES[0]
        self.add_class(self.pane)
        self.detail: Detail | None = None

    def open(self, key: str) -> None:
        """Show another run. The screen is kept: laying it out anew takes longer than reading a run."""
        self.window = (0.0, 1.0)
        if key == self.key:
            return
        self.key, self.detail = key, None
        if self.is_mounted:
            for lines in (*self.query(Chart), self.query_one("#title", Lines)):
                lines.show([])
            for view in self.query(TextView):
                view.show([])

    def compose(self) -> ComposeResult:
        """Title, charts, panes, keys."""
        yield Lines(id="title")
        with Horizontal(id="charts"):
            yield Chart(id="loss")
            yield Chart(id="other")
        yield Lines(id="tabs")
        with Horizontal(id="panes"):
            yield self._pane("overview")
            yield self._pane("parameters")
            with Vertical(id="right"):
                yield self._pane("log")
                yield self._pane("notes")
        yield Keys(ONE)

    def _pane(self, name: str) -> TextView:
        view = TextView(id=name)
        view.border_title = name
        view.follow = name == "log"
        return view

    def on_mount(self) -> None:
        """Hear of what is new."""
        self.show_tabs()
        self.watch(self.app, "news", self.show_news, init=False)

    def targets(self) -> Sequence[str]:
        """This run."""
        return [self.key]

    def show_news(self, news: News | None) -> None:
        """Show what changed."""
        if news is None:
            return
        if news.snapshot is not None and self.detail and self.key not in news.snapshot.place:
            self.key, self.detail = "", None
            self.lab_app.say("the run was removed")
            if self.app.screen is self:
                self.action_back()
        if news.detail is not None and news.detail.id == self.key:
            self.detail = news.detail
            self.show_detail()
        self.show_drawn(news.drawn)

    def show_detail(self) -> None:
        """All texts of the run."""
        detail = self.detail
        if detail is None:
            return
        self.query_one("#title", Lines).show([title_row(detail, self.lab_app.now())])
        for name, rows in (
            ("overview", overview_rows(detail, self.lab_app.now())),
            ("parameters", parameter_rows(detail)),
            ("log", log_rows(detail)),
            ("notes", note_rows(detail)),
        ):
            self.query_one(f"#{name}", TextView).show(rows)

    def show_tabs(self) -> None:
        """Which pane is open; where it gets the keys."""
        row: Row = [(" ", "")]
        for name in PANES:
            row += [(f" {name} ", "title" if name == self.pane else "dim"), (" ", "")]
        self.query_one("#tabs", Lines).show([row])
        self.set_focus(self.query_one(f"#{self.pane}", TextView))

    def wish(self) -> None:
        """Tell the feed what is on the screen."""
        if self.app.screen is not self or not self.is_mounted:
            return
        self.lab_app.feed.ask(run=self.key, visible=(self.key,), pictures=self.pictures(), cells="")

    def action_back(self) -> None:
        """Back to the runs."""
        self.app.pop_screen()

    def action_pane(self, step: int) -> None:
        """The next pane."""
        self.remove_class(self.pane)
        self.pane = PANES[(PANES.index(self.pane) + step) % len(PANES)]
        self.add_class(self.pane)
        self.show_tabs()

    def action_zoom(self, factor: float) -> None:
        """Show a part of the steps: half as many, or twice as many, ending where it ended."""
        start, end = self.window
        size = min(max((end - start) * factor, 1 / 1024), 1.0)
        self.window = (max(end - size, 0.0), max(end, size))
        self.wish()

    def action_pan(self, part: float) -> None:
        """Earlier or later steps."""
        start, end = self.window
        move = max(-start, min(part * (end - start), 1.0 - end))
        self.window = (start + move, end + move)
        self.wish()

    def action_unzoom(self) -> None:
        """All steps."""
        self.window = (0.0, 1.0)
        self.wish()

    def action_edit(self) -> None:
        """Change the newest note; an empty one removes it."""
        notes = self.detail.notes.get("notes", []) if self.detail else []
        if not notes:
            self.lab_app.say("there is no note yet; n adds one")
            return
        from labtui.tui.screens.ask import Prompt

        def done(text: str | None) -> None:
            if text is not None:
                self.lab_app.write("edit", [self.key], text.strip())

        self.app.push_screen(Prompt("Newest note (empty removes it)", str(notes[-1]["text"])), done)
