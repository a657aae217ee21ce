"""A run's log: its end as it grows, any other place of it, and what is searched for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from labtui.cells import clean
from labtui.rows import Row
from labtui.table import size
from labtui.tui.logreader import LogReader, Page
from labtui.tui.tabs.base import Tab
from labtui.tui.want import Eyes, Want, file_stamp
from labtui.tui.widgets.lines import Lines
from labtui.tui.widgets.log import LogView


@dataclass(frozen=True)
class WantLog(Want):
    """Whether a run's log changed: found is its stamp. It is read by a thread of its own."""

    run: str

    def stamp(self, eyes: Eyes) -> object:
        """The file's."""
        return file_stamp(eyes.lab.paths.run(self.run).log)

    def look(self, eyes: Eyes, before: object) -> object:
        """The same."""
        return self.stamp(eyes)


class FindLine(Input):
    """What is to be searched for."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "cancel")]

    class GivenUp(Message):
        """Nothing is to be searched for."""

    def action_give_up(self) -> None:
        """Back to the log."""
        self.post_message(self.GivenUp())


class LogTab(Tab):
    """What the program printed; it follows the end while that is in sight."""

    TITLE = "log"

    class Read(Message):
        """Something was read."""

        def __init__(self, page: Page) -> None:
            super().__init__()
            self.page = page

        def can_replace(self, message: Message) -> bool:
            """Only the newest page counts, beside places that are to be gone to."""
            return isinstance(message, LogTab.Read) and not message.page.sight.go

    def __init__(self) -> None:
        super().__init__()
        self.reader = LogReader(lambda page: self.post_message(self.Read(page)))
        self.searched = ""
        self._opened = ""

    def compose(self) -> ComposeResult:
        """The log; below it where one is, or what is searched for."""
        yield LogView(id="log-view")
        yield Lines(id="log-status")
        line = FindLine(placeholder="search, Enter", id="log-find", compact=True)
        line.cursor_blink = False
        yield line

    def on_mount(self) -> None:
        """Begin to read."""
        self.run_worker(self.reader.loop, thread=True, name="log", group="log")

    def on_unmount(self) -> None:
        """Nothing is read any more."""
        self.reader.stop()

    @property
    def view(self) -> LogView:
        """The lines."""
        return self.query_one(LogView)

    @property
    def line(self) -> FindLine:
        """What is searched for, while it is typed."""
        return self.query_one(FindLine)

    def wants(self) -> tuple[Want, ...]:
        """Whether it changed."""
        return (WantLog(self.slot("file"), self.run),)

    def found(self, name: str, value: Any) -> None:
        """It changed."""
        self._open()
        self.reader.look()

    def clear(self) -> None:
        """Another run."""
        self.view.clear()
        self._opened = self.searched = ""
        self.on_find_line_given_up()
        if self.display:
            self._open()

    def enter(self) -> None:
        """The lines take the keys."""
        self.screen.set_focus(self.view)
        self._open()

    def _open(self) -> None:
        """Read the log of the run, once."""
        if self.run and self._opened != self.run:
            self._opened = self.run
            self.reader.open(self._path, self.view.sight())

    @property
    def _path(self) -> Path:
        """The log of the run."""
        return self.run_screen.lab_app.lab.paths.run(self.run).log

    def on_log_tab_read(self, message: Read) -> None:
        """Show what was read."""
        # A page of the run before may still have been on its way.
        if self._opened and message.page.path == self._path:
            self.view.show(message.page)
            self.show_status()

    @on(LogView.Wanted)
    def read(self, message: LogView.Wanted) -> None:
        """Read other lines."""
        self.reader.see(message.sight)

    @on(LogView.Moved)
    def show_status(self) -> None:
        """Where one is, and what was found."""
        self.query_one("#log-status", Lines).show([status_row(self.view)])

    @on(LogView.Asked)
    def search(self, message: LogView.Asked) -> None:
        """Begin, continue or end a search."""
        if message.what == "find":
            self.line.display = True
            self.query_one("#log-status").display = False
            self.screen.set_focus(self.line)
        elif message.what == "end":
            if self.searched:
                self.searched = ""
                self.reader.find("", None)
            else:
                self.run_screen.action_back()
        elif not self.searched:
            self.run_screen.lab_app.say("nothing is searched for; / begins a search")
        else:
            self.reader.step(1 if message.what == "next" else -1)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Search from what is in sight on; where the end is followed, from there upwards."""
        event.stop()
        view = self.view
        at = None if view.at_end or not view.page.lines else view.page.lines[view.in_sight[0]].start
        self.searched = event.value
        self.reader.find(event.value, at)
        self.on_find_line_given_up()

    def on_find_line_given_up(self) -> None:
        """Back to the log."""
        self.line.display = False
        self.query_one("#log-status").display = True
        if self.display and self.screen.focused is self.line:
            self.screen.set_focus(self.view)


def status_row(view: LogView) -> Row:
    """Which lines are in sight, of how many; whether the end is followed; what was found."""
    page = view.page
    if page.problem:
        return [(f" {clean(page.problem)}", "bad")]
    if not page.lines:
        return [(" nothing was printed", "dim")]
    first, last = view.in_sight
    if page.first is None or page.total is None:
        share = 100 * page.lines[last - 1].end / page.size
        row: Row = [(f" {share:.0f} % of {size(page.size)}", "dim")]
    else:
        low, high = page.first + first + 1, page.first + last
        row = [(f" {low:,}–{high:,} of {page.total:,} lines, {size(page.size)}", "dim")]
    row += [("  following", "accent")] if view.follow else [("  f follows", "dim")]
    if view.wrap:
        row.append(("  wrapped", "dim"))
    elif view.left:
        row.append((f"  from column {view.left + 1}", "dim"))
    if page.text:
        found = f"{page.hit:,} of {page.hits:,}" if page.hits else "nowhere" if page.searched else "…"
        row += [("  /", "dim"), (clean(page.text), "match"), (f" {found}", "" if page.hits else "warn")]
        if page.hits and not page.searched:
            row.append(("…", "dim"))
    return row
