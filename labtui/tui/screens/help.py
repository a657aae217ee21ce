"""All keys of a screen, from the declarations of its commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from labtui.cells import pad
from labtui.rows import Row
from labtui.tui.commands import MOVE, Command, bindings
from labtui.tui.widgets.lines import TextView


class Help(ModalScreen[None]):
    """What every key does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss", "back"),
        *bindings(MOVE),
    ]

    def __init__(self, commands: Sequence[Command], keys_of: Callable[[Command], str]) -> None:
        super().__init__()
        self.keys_of = keys_of
        self.commands = [*commands, *(c for c in MOVE if c not in commands)]

    def compose(self) -> ComposeResult:
        """The list."""
        with Vertical(classes="dialog tall"):
            yield Static("Keys", classes="title")
            yield TextView(id="help")
            yield Static("esc back", markup=False, classes="hint")

    def on_mount(self) -> None:
        """Fill the list and move in it."""
        view = self.query_one(TextView)
        view.show([self._row(command) for command in self.commands])
        self.set_focus(view)

    def _row(self, command: Command) -> Row:
        return [(" " + pad(self.keys_of(command), 10), "accent"), (command.help, "")]
