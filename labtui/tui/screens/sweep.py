"""A sweep: how far it is, its cells beside a baseline, and what made them good."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container

from labtui import swept
from labtui.cells import clean, fit
from labtui.query import Lab
from labtui.query.progress import TO_COME, Progress
from labtui.query.sweeps import Watch
from labtui.rows import Row
from labtui.tui.commands import COMMON, MOVE, Command, bindings
from labtui.tui.drawings import Analyst, wrapped
from labtui.tui.newest import Failed, Newest
from labtui.tui.progress_table import bar, called
from labtui.tui.screens.base import WIDE, Base
from labtui.tui.sweep_rows import SweepRows, WantSweep
from labtui.tui.tables import SIGNS
from labtui.tui.views.all import VIEWS
from labtui.tui.views.base import View
from labtui.tui.want import Want
from labtui.tui.widgets.keys import Keys
from labtui.tui.widgets.lines import Lines, tabs_row
from labtui.tui.widgets.table import Table

SHARE = 0.2
"""Of its time the worker that watches the trainings works at most: of 100,000 a look takes .2 s."""
TALL = 30
"""Lines of a screen from which all is said of the sweep that there is to say."""
TROUBLE = 3
"""Lines of what is wrong with it."""
BAR = 24
"""Cells of the bar of trainings; half of them on a narrow screen."""


class SweepScreen(Base):
    """A sweep, named by its id or by one of its runs."""

    CSS_PATH = Path(__file__).parents[1] / "css" / "sweep.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("escape", "back", "back", "Back to the runs.", 1),
        Command("tab", "turn(1)", "next view", "The next view.", 3),
        Command("shift+tab", "turn(-1)", "previous view", "The previous view."),
        *(
            Command(str(number), f"view({number - 1})", view.TITLE, f"The view “{view.TITLE}”.")
            for number, view in enumerate(VIEWS, 1)
        ),
        Command("f", "figure", "figure", "Choose the figure that cells are compared by.", 4),
        Command("right_square_bracket", "metric(1)", "metric", "The next figure."),
        Command("left_square_bracket", "metric(-1)", "previous metric", "The previous figure."),
        Command("R", "resume", "resume", "Go on with all of the sweep that is not done.", 4),
        Command("x", "stop", "stop", "Stop the whole sweep; checkpoints are kept.", 4),
        Command("n", "note", "note", "What is written on the sweep; add a note, or something to do.", 7),
        Command("p", "report", "report", "The sweep's report, to read, to save and to copy.", 6),
        Command("W", "sweeps", "sweeps", "All sweeps of the lab, to open one.", 7),
        *COMMON,
    )
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(KEYS), *bindings(MOVE)]

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.open_view = 0
        self.known: SweepRows | None = None
        self.progress: Progress | None = None
        self.trouble = ""
        self.metric = ""
        self.analyst = Analyst(self.lab_app.lab.paths)
        self._watching = Newest(self, "sweep", SHARE)
        self._watch: Watch | None = None
        self._views: dict[int, View] = {}

    def compose(self) -> ComposeResult:
        """Title, views, what is to be said of the sweep, the open view, keys."""
        yield Lines(id="title")
        yield Lines(id="tabs")
        yield Lines(id="about")
        yield Container(id="open")
        yield Keys(self.KEYS)

    def on_mount(self) -> None:
        """The first view."""
        self.call_later(self.action_view, self.open_view)

    def on_unmount(self) -> None:
        """Begin nothing more."""
        self._watching.stop()

    @property
    def view(self) -> View | None:
        """The open view, once it is laid out."""
        view = self._views.get(self.open_view)
        return view if view is not None and view.is_mounted else None

    def wants(self) -> tuple[Want, ...]:
        """The sweep's runs."""
        return (WantSweep(self.slot("rows"), self.key),)

    def found(self, name: str, value: Any) -> None:
        """Count what has changed."""
        if not isinstance(value, SweepRows):
            return
        first = self.known is None
        known = self.known = value
        for part in ("#tabs", "#open"):  # a run alone has nothing to view
            self.query_one(part).display = bool(known.sweep)
        if not known.sweep:
            self.show_about()
            return
        self._watching.ask(lambda: self._look(known), self.looked, hurry=first)
        if self.view:
            self.view.renew(hurry=first)

    def _look(self, known: SweepRows) -> Progress:
        """In the worker: what the definition and the runs say."""
        if self._watch is None:
            self._watch = Watch(Lab(self.lab_app.lab.paths), known.sweep)
        return self._watch.update(known.rows)

    def looked(self, found: Progress | Failed) -> None:
        """Show what was counted."""
        if isinstance(found, Failed):
            self.trouble = found
        else:
            # Of a sweep of an early labtui the title says that it has no definition.
            self.progress, self.trouble = found, found.problem if found.broken else ""
        self.show_about()
        if self.view:
            self.view.renew(hurry=False)

    def show_about(self) -> None:
        """Title, and how the sweep stands."""
        if self.known and not self.known.sweep:
            self.query_one("#title", Lines).show([[(" this run is of no sweep", "warn")]])
            self.query_one("#about", Lines).show([[(" W lists the sweeps of the lab", "dim")]])
            return
        found = self.progress or Progress(self.known.sweep if self.known else "")
        sweep, about, *_ = swept.page(found)
        self.query_one("#title", Lines).show([[(f" {clean(sweep)}  ", "title"), (about, "dim")]])
        rows: list[Row] = []
        if self.progress:
            room = self.size.width - 2
            state, *more = swept.page(found)[2:]
            cells = BAR if room >= WIDE - 2 else BAR // 2
            rows.append([(" ", ""), *bar(found, cells), ("  " + fit(state, room - cells - 2), "")])
            best = more.pop(0) if found.best else ""
            rows += [[(" " + fit(best, room), "good")]] if best else []
            if self.size.height >= TALL:
                rows += [[(" " + fit(clean(line), room), "dim")] for line in more]
        rows += [[(" " + line, "bad")] for line in wrapped(self.trouble, self.size.width - 2)[:TROUBLE]]
        lines = self.query_one("#about", Lines)
        lines.styles.height = max(len(rows), 1)
        lines.show(rows)

    def show_tabs(self) -> None:
        """Which view is open, and by which figure cells are compared."""
        row = tabs_row([view.TITLE for view in VIEWS], self.open_view, self.size.width)
        if self.metric:
            row += [("   by ", "dim"), (fit(clean(self.metric), 24), "accent")]
        self.query_one("#tabs", Lines).show([row])

    def on_resize(self) -> None:
        """More or less of it has room."""
        self.show_about()
        self.show_tabs()

    async def action_view(self, number: int) -> None:
        """Open a view; it is made the first time."""
        for view in self._views.values():
            view.display = False
        self.open_view = number % len(VIEWS)
        if self.open_view not in self._views:
            self._views[self.open_view] = VIEWS[self.open_view]()
            await self.query_one("#open").mount(self._views[self.open_view])
        view = self._views[self.open_view]
        view.display = True
        self.set_focus(view.takes_keys)
        self.show_tabs()
        view.renew()

    async def action_turn(self, step: int) -> None:
        """The next view, or the one before."""
        await self.action_view(self.open_view + step)

    def action_open(self) -> None:
        """Open the run of the cell under the cursor; of several, one that the user chooses."""
        rows = list(self.view.selected()) if self.view else []
        if len(rows) == 1:
            self.lab_app.open_run(rows[0]["id"])
        elif rows:
            self._choose_run(rows)
        elif isinstance(self.focused, Table):
            self.lab_app.say("this cell has no runs yet")

    def _choose_run(self, rows: Sequence[Any]) -> None:
        from labtui.query.progress import Place
        from labtui.tui.screens.ask import Choose

        options = {}
        for row in rows:
            place = Place(row["key"], row["repeat"], row["fold"], row)
            words = [SIGNS.get(row["state"], ("·", ""))[0], row["state"], *called(place), row["id"][-4:]]
            options[row["id"]] = "  ".join(words)

        def chosen(keys: list[str] | None) -> None:
            if keys:
                self.lab_app.open_run(keys[0])

        self.app.push_screen(Choose("Which run?", options, several=False), chosen)

    def on_table_opened(self) -> None:
        """A row was clicked twice."""
        self.action_open()

    @property
    def figures(self) -> list[str]:
        """What cells can be compared by: metrics at the best epoch, and at the last."""
        rows = self.known.rows if self.known else []
        names = dict.fromkeys(name for row in rows for name in row["metrics"] if name != "epoch")
        return [figure for name in names for figure in (name, f"{name}.last")]

    def action_figure(self) -> None:
        """Choose what cells are compared by."""
        from labtui.tui.screens.ask import Choose

        options = {"": "what the recipe monitors", **{name: name for name in self.figures}}

        def chosen(keys: list[str] | None) -> None:
            if keys:
                self._compare_by(keys[0])

        self.app.push_screen(Choose("Compare cells by", options, [self.metric], several=False), chosen)

    def action_metric(self, step: int) -> None:
        """By the next figure."""
        known = ["", *self.figures]
        at = known.index(self.metric) if self.metric in known else 0
        self._compare_by(known[(at + step) % len(known)])

    def _compare_by(self, metric: str) -> None:
        self.metric = metric
        self.show_tabs()
        if self.view:
            self.view.renew()

    def action_sweeps(self) -> None:
        """All sweeps of the lab, in the place of this one."""
        from labtui.tui.screens.sweeps import SweepsScreen

        below = self.app.screen_stack[-2]
        self.app.pop_screen()
        if not isinstance(below, SweepsScreen):
            self.lab_app.open_sweeps()

    def action_report(self) -> None:
        """The sweep's report."""
        if self.known and self.known.sweep:
            from labtui.tui.screens.report import ReportScreen

            self.app.push_screen(ReportScreen(self.known.sweep))

    def action_resume(self) -> None:
        """Go on with what is not done, after asking."""
        found = self.progress
        if found is None or not found.sweep:
            return
        waiting = found.counts.get(TO_COME, 0) if found.hosts else 0
        left = found.left - found.going - waiting
        over = {"running", "queued", "finished", "pruned", *([TO_COME] if found.hosts else [])}
        parts = [f"{n:,} {_said(state)}" for state, n in found.counts.items() if n and state not in over]
        what = "1 training is" if left == 1 else f"{left:,} trainings are"
        if left > 0:
            said = f"Resume the sweep? {what} not done: {', '.join(parts)}."
        else:
            said = "All of the sweep is done or goes on. Make what is new in its recipe since?"
        self._confirm(said, lambda: self.lab_app.resume_sweep(found.sweep))

    def action_note(self) -> None:
        """The sweep's notes."""
        if self.known and self.known.sweep:
            self.lab_app.open_notebook(self.lab_app.lab.paths.sweep(self.known.sweep))

    def action_stop(self) -> None:
        """Stop all of it, after asking."""
        found = self.progress
        if found is None or not (found.going or found.hosts):
            self.lab_app.say("nothing to stop: no training of this sweep runs or waits")
            return
        going = [f"{found.counts.get(state, 0):,} {state}" for state in ("running", "queued")]
        come = found.counts.get(TO_COME, 0)
        said = (
            f"Stop the whole sweep ({', '.join(going)}, {come:,} to come)? Checkpoints are kept; R resumes."
        )
        self._confirm(said, lambda: self.lab_app.stop_sweep(found.sweep))

    def _confirm(self, question: str, do: Any) -> None:
        from labtui.tui.screens.ask import Confirm

        self.app.push_screen(Confirm(question), lambda yes: do() if yes else None)


def _said(state: str) -> str:
    return "not made" if state == TO_COME else state
