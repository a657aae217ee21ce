"""Small questions: yes or no, one line of text, some of a list."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from labtui.cells import clean
from labtui.tui.commands import MOVE, bindings
from labtui.tui.widgets.keys import Hint
from labtui.tui.widgets.line import Line
from labtui.tui.widgets.table import Cells, Column, Table


class Confirm(ModalScreen[bool]):
    """A question that only `y` answers with yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes"),
        Binding("n,escape,q", "answer(False)", "no"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self.question = question

    def compose(self) -> ComposeResult:
        """The question and the two keys."""
        with Vertical(classes="dialog"):
            yield Static(clean(self.question), markup=False)
            yield Hint("y yes   n no")

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)


class Prompt(ModalScreen[str | None]):
    """One line of text; None when it was given up."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "cancel")]

    def __init__(self, title: str, value: str = "") -> None:
        super().__init__()
        self.heading, self.value = title, value

    def compose(self) -> ComposeResult:
        """The title and the line."""
        with Vertical(classes="dialog"):
            yield Static(clean(self.heading), markup=False)
            line = Line(self.value, select_on_focus=False)
            line.cursor_blink = False
            yield line
            yield Hint("⏎ save   esc cancel")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the text."""
        self.dismiss(event.value)

    def action_give_up(self) -> None:
        """Close without."""
        self.dismiss(None)


class Choose(ModalScreen[list[str] | None]):
    """Some of a list, or one of it; None when it was given up.

    Args:
        title: what is asked for.
        options: key to how it is called; any text.
        chosen: keys that are in it already.
        several: False closes with the first that is taken.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", "cancel"),
        Binding("enter", "take", "done", priority=True),
        Binding("space", "choose", "choose"),
        Binding("slash", "search", "search"),
        *bindings(MOVE),
    ]
    HINT = ""
    """Its keys, where there are more than those of all."""

    def __init__(
        self, title: str, options: dict[str, str], chosen: Collection[str] = (), several: bool = True
    ) -> None:
        super().__init__()
        self.heading, self.options, self.several = title, options, several
        self.chosen = [key for key in options if key in chosen]

    def compose(self) -> ComposeResult:
        """The title, a line to search in, the list."""
        with Vertical(classes="dialog tall"):
            yield Static(clean(self.heading), markup=False)
            line = Input(placeholder="/ searches", compact=True, select_on_focus=False)
            line.cursor_blink = False
            yield line
            yield Table((Column("", 3), Column("", 0)), self._cells, id="options", empty="  Nothing fits.")
            keys = "␣ choose   ⏎ done" if self.several else "⏎ take"
            hint = self.HINT or f"{keys}   / search   esc cancel"
            yield Hint(hint)

    @property
    def table(self) -> Table:
        """The list."""
        return self.query_one(Table)

    @property
    def line(self) -> Input:
        """The line to search in."""
        return self.query_one(Input)

    def on_mount(self) -> None:
        """The list takes the keys, with the cursor on what is chosen."""
        self.table.show(list(self.options))
        if self.chosen:
            self.table.select(self.chosen[0])
        self.set_focus(self.table)

    def _cells(self, key: str) -> Cells:
        sign = (" ●" if key in self.chosen else " ○") if self.several else ""
        return [(sign, "accent"), (clean(self.options[key]), "")]

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what fits."""
        word = event.value.casefold()
        self.table.show([key for key, name in self.options.items() if word in name.casefold()])

    def on_table_opened(self) -> None:
        """A row was clicked twice."""
        self.action_choose() if self.several else self.action_take()

    def action_search(self) -> None:
        """To the line."""
        self.set_focus(self.line)

    def action_choose(self) -> None:
        """Take the row under the cursor in, or out."""
        key = self.table.key
        if key is None or not self.several:
            return
        if key in self.chosen:
            self.chosen.remove(key)
        else:
            self.chosen.append(key)
        self.table.repaint()
        self.table.action_move(1)

    def action_take(self) -> None:
        """From the line to the list; from the list close with what is chosen."""
        if not self.table.has_focus:
            self.set_focus(self.table)
        elif self.several:
            self.dismiss(self.chosen)
        elif self.table.key is not None:
            self.dismiss([self.table.key])

    def action_give_up(self) -> None:
        """Close without."""
        self.dismiss(None)
