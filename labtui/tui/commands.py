"""A command of a screen or a widget is declared once: its key, the footer, the palette and the help.

Each screen, and each widget that takes keys, declares its own as `KEYS`; here stand those that
several share.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True)
class Command:
    """Something a key does.

    Args:
        key: Textual's name of the key; several with commas.
        action: the screen's action.
        label: one or two words, for the footer.
        help: one sentence, for palette and help.
        rank: the footer keeps lower ranks where room is short; 0: never in the footer.
    """

    key: str
    action: str
    label: str
    help: str
    rank: int = 0

    @property
    def name(self) -> str:
        """What settings call it, to give it other keys."""
        return self.label.replace(" ", "-")


def listed(keys: str) -> list[str]:
    """Keys with commas between them, as Textual names each; none where one is empty."""
    if not all(key.strip() for key in keys.split(",")):
        return []
    return [one.key for one in Binding.make_bindings([Binding(keys, "")])]


def readable(keys: str, ascii: bool = False) -> str:
    """Keys with commas between them as people read them."""
    return " ".join((_WORDS if ascii else {}).get(key) or _SHOWN.get(key, key) for key in keys.split(","))


_SHOWN = {
    "enter": "⏎", "space": "␣", "slash": "/", "question_mark": "?", "escape": "esc", "tab": "⇥",
    "up": "↑", "down": "↓", "left": "←", "right": "→", "pageup": "PgUp", "pagedown": "PgDn",
    "shift+up": "⇧↑", "shift+down": "⇧↓", "delete": "Del", "shift+left": "⇧←", "shift+right": "⇧→", "shift+tab": "⇧⇥", "comma": ",", "home": "Home", "end": "End", "left_square_bracket": "[", "right_square_bracket": "]",
    "plus": "+", "minus": "-", "ctrl+p": "^p", "ctrl+s": "^s", "ctrl+r": "^r", "ctrl+n": "^n",
    "backspace": "⌫", "ctrl+space": "^␣", "f2": "F2", "equals_sign": "=",
    "less_than_sign": "<", "greater_than_sign": ">",
}  # fmt: skip
_WORDS = {
    "enter": "Enter", "space": "Space", "tab": "Tab", "up": "Up", "down": "Down", "left": "Left", "right": "Right",
    "backspace": "Backspace", "ctrl+space": "^Space", "shift+left": "Shift-Left", "shift+right": "Shift-Right", "shift+tab": "Shift-Tab",
}  # fmt: skip
"""Where there are no signs for them."""


def in_words(text: str) -> str:
    """A text with words for the signs of keys: Enter for ⏎."""
    for key, word in sorted(_WORDS.items(), key=lambda one: -len(_SHOWN[one[0]])):
        text = text.replace(_SHOWN[key], word)
    return text


MOVE = (
    Command("up,k", "move(-1)", "up", "One line up."),
    Command("down,j", "move(1)", "down", "One line down."),
    Command("pageup", "page(-1)", "page up", "One page up."),
    Command("pagedown", "page(1)", "page down", "One page down."),
    Command("home,g", "first", "first", "To the first line."),
    Command("end,G", "last", "last", "To the last line."),
)
"""What every list and text understands."""

COMMON = (
    Command("question_mark", "help", "help", "All keys of this screen.", 2),
    Command("ctrl+p", "palette", "commands", "Find a command by its name.", 9),
    Command("Q", "queue", "queue", "GPUs, what runs on them, and what waits.", 7),
    Command("N", "notebook", "notebook", "What is to be done in the lab, and its dated journal."),
    Command("comma", "settings", "settings", "Theme, refresh, ASCII drawing, bell; and whose keys count."),
    Command("q", "quit", "quit", "Close labtui. Runs go on: closing it stops nothing.", 2),
)

RUN = (
    Command("x", "stop", "stop", "Stop runs after their current step; a checkpoint is kept.", 4),
    Command("R", "resume", "resume", "Go on with stopped, failed or lost runs.", 4),
    Command("n", "note", "note", "Add a note to the run.", 6),
    Command("t", "tag", "tag", "Add tags, or remove them with a minus: good -slow.", 6),
    Command("E", "again", "again", "Launch the run's recipe once more, with changes.", 7),
    Command("p", "report", "report", "The report of the run, or of all marked: read, save, copy it.", 6),
    Command("delete", "remove", "remove", "Remove runs with all that they wrote, after asking."),
    Command("w", "sweep", "sweep", "The run’s sweep: its cells, means, what made them good.", 6),
    Command("W", "sweeps", "sweeps", "All sweeps of the lab, to open one."),
)
"""What every screen with selected runs can do with them."""


_OWNERS = {
    "help": "app.help", "palette": "app.command_palette", "quit": "app.quit", "queue": "app.queue",
    "settings": "app.settings", "notebook": "app.notebook",
}  # fmt: skip


def action_of(command: Command) -> str:
    """The command's action with its owner: what is everywhere is the app's."""
    return _OWNERS.get(command.action, command.action)


def bindings(commands: tuple[Command, ...]) -> list[BindingType]:
    """The commands as Textual bindings."""
    return [Binding(c.key, action_of(c), c.label, show=False, id=c.name) for c in commands]
