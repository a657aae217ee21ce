"""The footer: the commands of a screen that there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual import events
from textual.message import Message
from textual.widgets import Static

from labtui.cells import width
from labtui.tui.commands import Command, in_words
from labtui.tui.widgets.lines import Lines


class Hint(Static):
    """The keys of a dialog."""

    def __init__(self, text: str) -> None:
        super().__init__(text, markup=False, classes="hint")
        self.text = text

    def on_mount(self) -> None:
        """In words, where there are no signs."""
        app: Any = self.app
        if app.ascii_only:
            self.update(in_words(self.text))


class Keys(Lines):
    """One row of keys and what they do; those of the lowest rank last out."""

    class Clicked(Message):
        """Somebody clicked a command."""

        def __init__(self, command: Command) -> None:
            super().__init__()
            self.command = command

    def __init__(self, commands: Sequence[Command]) -> None:
        super().__init__(classes="keys")
        self.commands = commands
        self._places: list[tuple[int, int, Command]] = []

    def change(self, commands: Sequence[Command]) -> None:
        """Other commands, since the focus is elsewhere."""
        self.commands = commands
        self.on_resize()

    def on_resize(self) -> None:
        """Choose the commands that fit and show them in the order of their declaration."""
        room, chosen = self.size.width - 1, set[Command]()
        for command in sorted((c for c in self.commands if c.rank), key=lambda c: c.rank):
            needed = width(self._key(command)) + width(command.label) + 3
            if needed <= room + 2:
                room -= needed
                chosen.add(command)
        row, at = [(" ", "")], 1
        self._places = []
        for command in self.commands:
            if command in chosen:
                text = f" {command.label}  "
                end = at + width(self._key(command)) + len(text)
                self._places.append((at, end - 2, command))
                row += [(self._key(command), "accent"), (text, "dim")]
                at = end
        self.show([row])

    def on_click(self, event: events.Click) -> None:
        """A click is as good as the key."""
        for start, end, command in self._places:
            if start <= event.x < end:
                self.post_message(self.Clicked(command))

    def _key(self, command: Command) -> str:
        """The first of its keys."""
        app: Any = self.app
        return str(app.keys_of(command)).split()[0]
