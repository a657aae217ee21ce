"""Every command of the screens, declared once: its key, the footer, the palette and the help."""

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
    def keys(self) -> str:
        """The keys as people read them."""
        return " ".join(_SHOWN.get(key, key) for key in self.key.split(","))


_SHOWN = {
    "enter": "⏎", "space": "␣", "slash": "/", "question_mark": "?", "escape": "esc", "tab": "⇥",
    "up": "↑", "down": "↓", "left": "←", "right": "→", "pageup": "PgUp", "pagedown": "PgDn",
    "home": "Home", "end": "End", "left_square_bracket": "[", "right_square_bracket": "]",
    "plus": "+", "minus": "-", "ctrl+p": "^p", "ctrl+s": "^s", "equals_sign": "=",
}  # fmt: skip

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
    Command("q", "quit", "quit", "Close labtui. Runs go on: closing it stops nothing.", 2),
)

RUN = (
    Command("x", "stop", "stop", "Stop runs after their current step; a checkpoint is kept.", 4),
    Command("R", "resume", "resume", "Go on with stopped, failed or lost runs.", 4),
    Command("n", "note", "note", "Add a note to the run.", 6),
    Command("t", "tag", "tag", "Add tags, or remove them with a minus: good -slow.", 6),
    Command("c", "cells", "cells", "The run's sweep: a line a cell, with means.", 6),
)

CHART = (
    Command("y", "scale", "log y", "Logarithmic y axis, or back.", 8),
    Command("left_square_bracket", "metric(-1)", "metric", "The previous metric in the second chart."),
    Command("right_square_bracket", "metric(1)", "metric", "The next metric in the second chart.", 7),
)

LAB = (
    Command("enter", "open", "open", "Open the run.", 1),
    Command("space", "mark", "mark", "Mark the run: charts overlay all marked runs.", 3),
    Command("slash", "filter", "filter", "Show some runs: a word, or state=finished and val.acc>0.9", 3),
    Command("s", "sort(1)", "sort", "Sort by the next column.", 4),
    Command("S", "reverse", "reverse", "Sort the other way round."),
    Command("r", "recipes", "launch", "To the recipes, to launch one; back again.", 3),
    *RUN,
    *CHART,
    Command("escape", "clear", "clear", "Clear the marks, then the filter.", 8),
    *COMMON,
)

RECIPES = (
    Command("enter", "screen.open", "launch", "Set options of the recipe and launch it.", 1),
    Command("r,escape", "screen.runs", "runs", "Back to the runs.", 1),
    *COMMON,
)

ONE = (
    Command("escape", "back", "back", "Back to the runs.", 1),
    Command("tab", "pane(1)", "next pane", "Overview, parameters, log, notes.", 3),
    Command("plus,equals_sign", "zoom(0.5)", "zoom", "Zoom in on the newest steps.", 5),
    Command("minus", "zoom(2)", "out", "Zoom out."),
    Command("left", "pan(-0.25)", "earlier", "Earlier steps, when zoomed in."),
    Command("right", "pan(0.25)", "later", "Later steps, when zoomed in."),
    Command("0", "unzoom", "all", "All steps."),
    *CHART,
    *RUN,
    Command("e", "edit", "edit note", "Change or remove the newest note."),
    *COMMON,
)

CELLS = (
    Command("escape", "back", "back", "Back to the runs.", 1),
    Command("s", "sort", "sort", "Sort by the next figure, the best first.", 3),
    Command("b", "baseline", "baseline", "Compare the others with this cell, or no more.", 2),
    Command("enter", "open", "open", "Open the first run of the cell.", 4),
    *COMMON,
)

LAUNCH = (
    Command("ctrl+s", "launch", "launch", "Launch the runs.", 1),
    Command("escape", "back", "cancel", "Back, without launching.", 1),
)


_OWNERS = {"help": "app.help", "palette": "app.command_palette", "quit": "app.quit"}


def action_of(command: Command) -> str:
    """The command's action with its owner: help, palette and quit are the app's."""
    return _OWNERS.get(command.action, command.action)


def bindings(commands: tuple[Command, ...]) -> list[BindingType]:
    """The commands as Textual bindings."""
    return [Binding(c.key, action_of(c), c.label, show=False) for c in commands]
