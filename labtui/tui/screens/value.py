"""One line for the value of an option, checked while it is typed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from labtui.cells import clean
from labtui.tui.widgets.keys import Hint
from labtui.tui.widgets.line import Line

if TYPE_CHECKING:
    from labtui.recipe.options import Option


class EditValue(ModalScreen[str | None]):
    """A value that fits, as `--set` takes it; None when it was given up.

    Args:
        option: what is set.
        value: what it is at the moment.
        wrong: what is wrong with a value; empty: nothing.
    """

    CSS_PATH = Path(__file__).parents[1] / "css" / "launch.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "cancel")]

    def __init__(self, option: Option, value: str, wrong: Callable[[str], str]) -> None:
        super().__init__()
        self.option, self.value, self.wrong = option, value, wrong

    def compose(self) -> ComposeResult:
        """What it is for, the line, what is wrong."""
        with Vertical(classes="dialog"):
            yield Static(clean(f"{self.option.key}: {self.option.expected}"), markup=False)
            about = "\n".join(map(clean, self.option.about.splitlines()))
            yield Hint(about)
            line = Line(self.value, select_on_focus=False)
            line.cursor_blink = False
            yield line
            yield Static("", markup=False, id="wrong")
            yield Hint("⏎ set   empty: as if it were not there   esc cancel")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what is wrong with it."""
        self._tell(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with a value that fits."""
        if not self._tell(event.value):
            self.dismiss(event.value)

    def _tell(self, value: str) -> str:
        problem = self.wrong(value.strip())
        self.query_one("#wrong", Static).update(clean(problem))
        return problem

    def action_give_up(self) -> None:
        """Close without."""
        self.dismiss(None)
