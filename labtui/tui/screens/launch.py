"""Launch a recipe: options to change, the check's answer while one types, the number of runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.timer import Timer
from textual.widgets import Input, Static, TextArea

from labtui.cells import clean
from labtui.errors import LabtuiError
from labtui.tui import acts
from labtui.tui.commands import Command, bindings
from labtui.tui.screens.base import Base
from labtui.tui.widgets.keys import Keys

CHECKING = "still checking"
PAUSE = 0.2
"""Seconds without a key before what was typed is checked."""


class LaunchScreen(Base):
    """One recipe with options. Nothing is launched before the check is content."""

    CSS_PATH = Path(__file__).parents[1] / "css" / "launch.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("ctrl+s", "launch", "launch", "Launch the runs.", 1),
        Command("escape", "back", "cancel", "Back, without launching.", 1),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self, recipe: dict[str, Any]) -> None:
        super().__init__()
        self.recipe = recipe
        self.problems = CHECKING
        self._typing: Timer | None = None

    def compose(self) -> ComposeResult:
        """The form."""
        with Vertical(id="form"):
            yield Static(clean(self.recipe["name"]), markup=False, classes="title")
            about = "\n".join(map(clean, self.recipe["description"].strip().splitlines()))
            yield Static(about, markup=False, classes="hint")
            yield Static("\nOptions, one a line: train.epochs=3", markup=False)
            area = TextArea(id="overrides", show_line_numbers=False, tab_behavior="focus")
            area.cursor_blink = False
            yield area
            repeats = Input(placeholder="repeats: as the recipe", id="repeats", type="integer", compact=True)
            repeats.cursor_blink = False
            yield repeats
            yield Static("checking …", markup=False, id="problems")
        yield Keys(self.KEYS)

    def on_mount(self) -> None:
        """Check the recipe as it is."""
        self.set_focus(self.query_one(TextArea))
        self.check()

    @on(TextArea.Changed)
    @on(Input.Changed)
    def changed(self) -> None:
        """Check when typing pauses."""
        self.problems = CHECKING
        if self._typing:
            self._typing.stop()
        self._typing = self.set_timer(PAUSE, self.check)

    @property
    def overrides(self) -> list[str]:
        """The lines that are set."""
        return [line for line in self.query_one(TextArea).text.splitlines() if line.strip()]

    @property
    def repeats(self) -> int:
        """How often each training is repeated; 0: as the recipe says."""
        text = self.query_one("#repeats", Input).value
        return int(text) if text.isdigit() else 0

    def check(self) -> None:
        """Check in a worker: pydantic is not loaded yet the first time."""
        path, overrides, repeats = self.recipe["path"], self.overrides, self.repeats
        lab = self.lab_app.lab.paths

        def work() -> None:
            try:
                count, problems = acts.count(lab, path, overrides, repeats), ""
            except (LabtuiError, OSError) as error:
                count, problems = 0, str(error)
            self.app.call_from_thread(self.checked, count, problems)

        self.run_worker(work, thread=True, name="check", group="check", exclusive=True)

    def checked(self, count: int, problems: str) -> None:
        """Show what the check found."""
        self.problems = problems
        answer = self.query_one("#problems", Static)
        answer.set_class(bool(problems), "bad")
        answer.set_class(not problems, "good")
        runs = "1 run" if count == 1 else f"{count} runs"
        text = "\n".join(map(clean, problems.splitlines())) or f"✓ {runs}; ctrl+s launches"
        answer.update(text)

    def action_launch(self) -> None:
        """Launch, and back to the runs."""
        if self.problems:
            self.lab_app.say("not launched: " + self.problems, "error")
            return
        self.lab_app.launch(self.recipe["path"], self.overrides, self.repeats)
        self.dismiss()

    def action_back(self) -> None:
        """Back without launching."""
        self.dismiss()
