"""The line in which a filter is written, with what could stand next below it."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from labtui.cells import clean, width
from labtui.rows import Row
from labtui.tui.commands import Command, bindings
from labtui.tui.completing import Place, Words, candidates, place, taken
from labtui.tui.widgets.line import Line
from labtui.tui.widgets.lines import Lines


class FilterInput(Line):
    """The line itself."""

    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("enter", "submit", "apply", "Show what fits, and back to the runs.", 1),
        Command("tab", "choose(1)", "complete", "Take what could stand here; again: the next.", 1),
        Command("shift+tab", "choose(-1)", "complete back", "Take the one before."),
        Command("escape", "screen.clear", "runs", "Back to the runs.", 1),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def action_choose(self, step: int) -> None:
        """Take what could stand here."""
        line = self.parent
        assert isinstance(line, FilterLine)
        line.choose(step)


class FilterLine(Vertical):
    """The line, and one row of what could stand at its cursor."""

    class Asked(Message):
        """The values of another key are needed, or there is another filter to try."""

    def __init__(self, value: str = "") -> None:
        super().__init__(id="filter-line")
        self.value = value
        self.words = Words()
        self._at = Place(0, "", "", "key")
        self._fit: list[str] = []
        self._before, self._taken, self._chosen = "", "", -1

    def compose(self) -> ComposeResult:
        """The line and the row."""
        hint = "a word, or: state=finished and val.acc>0.9"
        # Not selected on focus: that comes late, and what was typed meanwhile would be replaced.
        line = FilterInput(self.value, placeholder=hint, id="filter", compact=True, select_on_focus=False)
        line.cursor_blink = False
        yield line
        yield Lines(id="candidates")

    def on_mount(self) -> None:
        """A filter from before is to be seen."""
        self.set_class(bool(self.value.strip()), "open")

    @property
    def line(self) -> FilterInput:
        """The line itself."""
        return self.query_one(FilterInput)

    @property
    def asks(self) -> str:
        """The key whose values are wanted; empty: none."""
        return self._at.key

    def show_words(self, found: Words) -> None:
        """What there is to choose from."""
        self.words = found
        if self._chosen < 0:
            self._look()

    def on_descendant_focus(self) -> None:
        """What could stand here is shown while somebody writes."""
        self.add_class("writing")
        self._look()

    def on_descendant_blur(self) -> None:
        """And the row goes."""
        self.remove_class("writing")
        self.set_class(bool(self.line.value.strip()), "open")

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        """Other things could stand here now, unless it was one of them that was taken."""
        if event.value != self._taken:
            self._chosen = -1
            self._look()

    def _look(self) -> None:
        before = self._at
        self._at = place(self.line.value, self.line.cursor_position)
        self._fit = candidates(self._at, self.words)
        self._chosen = -1
        if before.key != self._at.key:
            self.words = self.words._replace(values=())
            self.post_message(self.Asked())
        self._show()

    def choose(self, step: int) -> None:
        """Put the next of what fits into the line, in place of the one before."""
        if self._chosen < 0:
            self._look()
        if not self._fit:
            return
        first = self._chosen < 0
        self._chosen = (
            (self._chosen + step) % len(self._fit) if not first else (0 if step > 0 else -1) % len(self._fit)
        )
        self._before = self.line.value if first else self._before
        self._taken, cursor = taken(self._before, self._at, self._fit[self._chosen])
        self.line.value = self._taken
        self.line.cursor_position = cursor
        self._show()

    def _show(self) -> None:
        """As many as there is room for, the chosen one among them."""
        room, row = self.size.width - 4, Row()
        for number in range(max(self._chosen, 0), len(self._fit)):
            text = clean(self._fit[number])
            room -= width(text) + 2
            if room < 0:
                row.append(("…", "dim"))
                break
            row += [(text, "accent" if number == self._chosen else "dim"), ("  ", "")]
        self.query_one("#candidates", Lines).show([[("  ", ""), *row]])
