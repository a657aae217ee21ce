"""All keys of a screen, from the declarations of its commands."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from labtui.cells import pad
from labtui.rows import Row
from labtui.tui.commands import MOVE, Command, bindings
from labtui.tui.widgets.lines import TextView

KEYS, NAME = 10, 15
"""Cells of the keys and of the names; the sentences have what is left."""


class Help(ModalScreen[None]):
    """What every key does, and what settings call it.

    Args:
        groups: whose commands, and they; what has the focus first.
        keys_of: the keys of a command as people read them.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back"),
        Binding("q,question_mark", "dismiss", "back"),
        Binding("slash", "search", "search"),
        *bindings(MOVE),
    ]

    def __init__(
        self, groups: Sequence[tuple[str, Sequence[Command]]], keys_of: Callable[[Command], str]
    ) -> None:
        super().__init__()
        self.groups, self.keys_of = groups, keys_of

    def compose(self) -> ComposeResult:
        """A line to search in, the list."""
        with Vertical(classes="dialog tall"):
            line = Input(placeholder="Keys: / searches", compact=True, select_on_focus=False)
            line.cursor_blink = False
            yield line
            yield TextView(id="help")
            yield Static(
                "esc back   [keys] in labtui.toml changes keys by name", markup=False, classes="hint"
            )

    @property
    def view(self) -> TextView:
        """The list."""
        return self.query_one(TextView)

    def on_mount(self) -> None:
        """Move in the list."""
        self.set_focus(self.view)

    @on(events.Resize)
    @on(Input.Changed)
    def show(self) -> None:
        """Fill the list with what fits the search."""
        word = self.query_one(Input).value.casefold().strip()
        rows: list[Row] = []
        for title, commands in self.groups:
            found = [row for c in commands if word in self._text(c).casefold() for row in self._rows(c)]
            if found:
                rows += [*([[]] if rows else []), [(f" {title}", "head")], *found]
        self.view.show(rows or [[("  Nothing fits.", "dim")]])

    def _text(self, command: Command) -> str:
        return f"{self.keys_of(command)} {command.name} {command.help}"

    def _rows(self, command: Command) -> list[Row]:
        """A command, in as many lines as its sentence needs."""
        room = max(self.view.size.width - KEYS - NAME - 4, 20)
        first, *more = textwrap.wrap(command.help, room) or [""]
        head = [(" " + pad(self.keys_of(command), KEYS), "accent"), (pad(command.name, NAME) + " ", "dim")]
        return [[*head, (first, "")], *([(" " * (KEYS + NAME + 2) + line, "")] for line in more)]

    def on_input_submitted(self) -> None:
        """To the list."""
        self.set_focus(self.view)

    def action_search(self) -> None:
        """To the line."""
        self.set_focus(self.query_one(Input))

    def action_back(self) -> None:
        """From the line to the list; from there back."""
        if self.view.has_focus:
            self.dismiss()
        else:
            self.set_focus(self.view)
