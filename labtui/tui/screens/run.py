"""One run: a tab for each of its sides; wide screens keep a summary beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal

from labtui.tui.commands import COMMON, MOVE, RUN, Command, bindings
from labtui.tui.detail import Detail, WantDetail
from labtui.tui.diagnosing import WantDiagnosis, badge
from labtui.tui.feed import News
from labtui.tui.panes import overview_rows, title_row
from labtui.tui.screens.base import RunActions
from labtui.tui.tabs.all import TABS
from labtui.tui.tabs.base import Tab
from labtui.tui.want import Want
from labtui.tui.widgets.keys import Keys
from labtui.tui.widgets.lines import Lines, TextView, tabs_row

if TYPE_CHECKING:
    from labtui.diagnose import Diagnosis


class RunScreen(RunActions):
    """Everything about one run."""

    CSS_PATH = Path(__file__).parents[1] / "css" / "run.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("escape", "back", "back", "Back to the runs.", 1),
        Command("tab", "turn(1)", "next tab", "The next tab.", 3),
        Command("shift+tab", "turn(-1)", "previous tab", "The previous tab."),
        *(
            Command(str(number), f"tab({number - 1})", tab.TITLE, f"The tab “{tab.TITLE}”.")
            for number, tab in enumerate(TABS, 1)
        ),
        *RUN,
        *COMMON,
    )
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(KEYS), *bindings(MOVE)]

    def __init__(self) -> None:
        super().__init__()
        self.open_tab = 0
        self.detail: Detail | None = None
        self.diagnosis: Diagnosis | None = None
        self._tabs: dict[int, Tab] = {}

    def open(self, key: str) -> None:
        """Show another run. The screen is kept: laying it out anew takes longer than reading a run."""
        if key == self.key:
            return
        self.key, self.detail, self.diagnosis = key, None, None
        if self.is_mounted:
            self.query_one("#title", Lines).show([])
            self.query_one("#side", TextView).show([])
            for tab in self._tabs.values():
                tab.clear()

    def compose(self) -> ComposeResult:
        """Title, tabs, the open one, keys."""
        yield Lines(id="title")
        yield Lines(id="tabs")
        with Horizontal(id="body"):
            yield Container(id="open")
            yield TextView(id="side")
        yield Keys(self.KEYS)

    def on_mount(self) -> None:
        """The first tab."""
        self.call_later(self.action_tab, self.open_tab)

    @property
    def tab(self) -> Tab | None:
        """The open tab, once it is laid out."""
        tab = self._tabs.get(self.open_tab)
        return tab if tab is not None and tab.is_mounted else None

    def targets(self) -> Sequence[str]:
        """This run."""
        return [self.key]

    def wants(self) -> tuple[Want, ...]:
        """The detail, and what the open tab shows."""
        detail = WantDetail(self.slot("detail"), self.key)
        shown = self.tab.wants() if self.tab else ()
        # Rules are asked when the rest is there: no opening waits for them.
        rules = (WantDiagnosis(self.slot("diagnosis.rules"), self.key),) if self.detail else ()
        return (detail, *shown, *rules)

    def show_news(self, news: News) -> None:
        """Leave a run that was removed."""
        if news.snapshot is not None and self.detail and self.key not in news.snapshot.place:
            self.key, self.detail = "", None
            self.lab_app.say("the run was removed")
            self.action_back()

    def found(self, name: str, value: Any) -> None:
        """Of the screen's own, or of a tab."""
        if isinstance(value, Detail):
            first, self.detail = self.detail is None, value
            self.show_detail()
            if first:
                self.wish()
            return
        if name == "diagnosis.rules":
            self.diagnosis = value
            self.show_detail()
        title, _, rest = name.partition(".")
        for tab in self._tabs.values():
            if title == tab.TITLE and tab.is_mounted:
                tab.found(rest, value)

    def show_detail(self) -> None:
        """Title, summary and tabs."""
        if self.detail is None:
            return
        now = self.lab_app.now()
        self.query_one("#title", Lines).show([title_row(self.detail, now, badge(self.diagnosis))])
        side = self.query_one("#side", TextView)
        side.show(overview_rows(self.detail, now, room=max(side.size.width - 3, 30)))
        if self.tab:
            self.tab.show_detail(self.detail)

    def show_tabs(self) -> None:
        """Which tab is open."""
        row = tabs_row([tab.TITLE for tab in TABS], self.open_tab, self.size.width)
        self.query_one("#tabs", Lines).show([row])

    def on_resize(self) -> None:
        """Other tabs have room."""
        self.show_tabs()

    async def action_tab(self, number: int) -> None:
        """Open a tab; it is made the first time."""
        for tab in self._tabs.values():
            tab.display = False
        self.open_tab = number % len(TABS)
        if self.open_tab not in self._tabs:
            self._tabs[self.open_tab] = TABS[self.open_tab]()
            await self.query_one("#open").mount(self._tabs[self.open_tab])
        tab = self._tabs[self.open_tab]
        tab.display = True
        self.show_tabs()
        tab.enter()
        self.show_detail()
        self.wish()

    async def action_turn(self, step: int) -> None:
        """The next tab, or the one before."""
        await self.action_tab(self.open_tab + step)
