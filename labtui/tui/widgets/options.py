"""The options of a recipe: a list that can be searched, whose values are changed one by one."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from labtui.cells import clean
from labtui.rows import Row
from labtui.tui.commands import Command, bindings
from labtui.tui.widgets.lines import Lines
from labtui.tui.widgets.table import Cells, Column, Table

if TYPE_CHECKING:
    from labtui.recipe.options import Option

COLUMNS = (
    Column(" ", 1),
    Column("option", 28),
    Column("value", 0),
    Column("default", 14, least=120),
    Column("expected", 26, least=100),
    Column("what for", 60, least=150),
)
LINES = 2
"""Of the description of an option, at most."""


class Options(Vertical):
    """The options, and what the one under the cursor is for.

    Args:
        wrong: of an option, what says what is wrong with a value (as `--set` takes it); empty: nothing.
    """

    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("enter", "change", "change", "Give the option another value.", 1),
        Command("backspace,delete", "reset", "reset", "Give the option the recipe's own value again.", 3),
        Command("slash", "find", "find", "Show the options that hold a word.", 3),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    class Changed(Message):
        """An option has another value."""

    def __init__(self, wrong: Callable[[str], Callable[[str], str]]) -> None:
        super().__init__(id="form")
        self.wrong = wrong
        self.changes: dict[str, str] = {}
        """Option to its value where it is another than the recipe's; an empty one removes the option."""
        self.known: dict[str, Option] = {}
        self._own: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """The list, a line to search in, what an option is for."""
        yield Table(COLUMNS, self.cells, id="options", empty="  Reading the recipe …")
        hint = "a word of the option, its value or what it is for"
        line = Input(placeholder=hint, id="find", compact=True, select_on_focus=False)
        line.cursor_blink = False
        yield line
        yield Lines(id="about")

    @property
    def table(self) -> Table:
        """The list."""
        return self.query_one("#options", Table)

    @property
    def line(self) -> Input:
        """The line to search in."""
        return self.query_one("#find", Input)

    @property
    def option(self) -> Option | None:
        """The one under the cursor."""
        return self.known.get(self.table.key or "")

    def cells(self, key: str) -> Cells:
        """A row of the list."""
        option, changed = self.known[key], key in self.changes
        value = self.changes.get(key, option.value)
        style = "accent" if changed else "" if value != option.default else "dim"
        return [
            ("●" if changed else " ", "accent"),
            (clean(key), "accent" if changed else ""),
            (clean(value) if value or not changed else "(removed)", style),
            (clean(option.default), "dim"),
            (clean(option.expected), "dim"),
            (clean(" ".join(option.about.split())), "dim"),
        ]

    def show(self, options: Sequence[Option]) -> None:
        """Show these options, which the recipe has with all changes; none: those of before."""
        if options:
            self.known = {option.key: option for option in options}
            self._own |= {key: one.value for key, one in self.known.items() if key not in self.changes}
        word = self.line.value.casefold()
        self.table.empty = "  Nothing fits; esc shows all." if self.known else "  The recipe is wrong."
        self.table.show(
            [
                key
                for key, one in self.known.items()
                if word in f"{key} {self.changes.get(key, one.value)} {one.about}".casefold()
            ]
        )
        self.show_about()

    def show_about(self) -> None:
        """What the option under the cursor is for."""
        option, rows = self.option, list[Row]()
        if option is not None:
            default = f", {option.default} if it is not there" if option.default else ""
            head: Row = [(clean(option.key), "bold"), (clean(f"  {option.expected}{default}"), "dim")]
            about = textwrap.wrap(clean(" ".join(option.about.split())), max(self.size.width - 4, 20))
            if len(about) > LINES:
                about[LINES - 1] += " …"
            rows = [head, *([(line, "")] for line in about[:LINES])]
        self.query_one("#about", Lines).show(rows)

    @on(Table.Moved, "#options")
    def moved(self) -> None:
        """Another option."""
        self.show_about()

    @on(Table.Opened, "#options")
    def clicked(self) -> None:
        """Clicked twice."""
        self.action_change()

    def action_change(self) -> None:
        """Ask for the value of the option under the cursor; of two it has the other one at once."""
        if (option := self.option) is None or self.line.has_focus:
            return
        value = self.changes.get(option.key, option.value)
        if set(option.values) == {"true", "false"}:
            self.put(option.key, "false" if value == "true" else "true")
        elif option.values:
            from labtui.tui.screens.ask import Choose

            def chosen(names: list[str] | None) -> None:
                if names:
                    self.put(option.key, names[0])

            wide = max(map(len, option.values))
            names = {name: f"{name.ljust(wide)}  {said}".rstrip() for name, said in option.values.items()}
            self.app.push_screen(Choose(option.key, names, [value], several=False), chosen)
        else:
            from labtui.tui.screens.value import EditValue

            def done(text: str | None) -> None:
                if text is not None:
                    self.put(option.key, text.strip())

            self.app.push_screen(EditValue(option, value, self.wrong(option.key)), done)

    def put(self, key: str, value: str) -> None:
        """Give an option a value."""
        if value == self._own.get(key):
            self.changes.pop(key, None)
        else:
            self.changes[key] = value
        self.table.repaint()
        self.post_message(self.Changed())

    def action_reset(self) -> None:
        """Give the option under the cursor the recipe's own value."""
        if self.changes.pop(self.table.key or "", None) is not None:
            self.table.repaint()
            self.post_message(self.Changed())

    def action_find(self) -> None:
        """To the line."""
        self.line.add_class("open")
        self.screen.set_focus(self.line)

    @on(Input.Changed, "#find")
    def typed(self) -> None:
        """Show what fits."""
        self.show(())

    @on(Input.Submitted, "#find")
    def found(self) -> None:
        """Back to the list."""
        self.line.set_class(bool(self.line.value), "open")
        self.screen.set_focus(self.table)

    def clear(self) -> bool:
        """Show all options; whether some were hidden, or the line was open."""
        if not (self.line.has_focus or self.line.value):
            return False
        self.line.value = ""
        self.line.remove_class("open")
        self.screen.set_focus(self.table)
        return True
