"""Launch a recipe: its options or its text to change, what the check says, what a launch would mean."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.timer import Timer
from textual.widgets import TextArea

from labtui.cells import clean
from labtui.errors import LabtuiError
from labtui.files.paths import EDITED
from labtui.launcher import source_of
from labtui.rows import Row
from labtui.tui import acts
from labtui.tui.commands import COMMON, Command, bindings
from labtui.tui.draft import Checked, Draft, WantEarlier, outlook
from labtui.tui.screens.base import Base
from labtui.tui.want import Want
from labtui.tui.widgets.editor import Completion, Editor
from labtui.tui.widgets.keys import Keys
from labtui.tui.widgets.lines import Lines
from labtui.tui.widgets.options import Options
from labtui.tui.widgets.problems import Problems
from labtui.tui.widgets.table import Table

if TYPE_CHECKING:
    from labtui.forecast import Earlier

PAUSE = 0.2
"""Seconds without a key before what was typed is checked."""
HINT = 2
"""Lines of what is said of the cursor's line."""
LAUNCH = (
    Command("ctrl+r", "screen.launch", "launch", "Queue the runs, and go back to all runs.", 1),
    Command("ctrl+p", "palette", "commands", "Find a command by its name.", 9),
)
"""What can be done while the text is edited, too."""


class LaunchScreen(Base):
    """One recipe with options. Nothing is launched before the check is content.

    Args:
        path: the recipe's file: one of the lab's, or a run's own.
    """

    CSS_PATH = Path(__file__).parents[1] / "css" / "launch.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("escape", "back", "back", "Leave without launching.", 1),
        LAUNCH[0],
        Command("e", "edit", "edit recipe", "Edit the recipe's text.", 2),
        Command(
            "m",
            "model",
            "model size",
            "Build the model, in a process of its own, and count its parameters.",
            4,
        ),
        *COMMON,
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path
        self.saved = ""
        """What the file held when it was read last."""
        self.checked: Checked | None = None
        self.earlier: Earlier | None = None
        """What the lab's runs say of the time it takes, and of the queue; None: not known yet."""
        self._typing: Timer | None = None
        self._model = ""

    def compose(self) -> ComposeResult:
        """Title, options or text, what is wrong, what a launch would mean, keys."""
        yield Lines(id="title")
        yield Options(self.wrong)
        yield Lines(id="hint")
        yield Problems()
        yield Lines(id="outlook")
        yield Keys(self.KEYS)
        yield Completion()

    def on_mount(self) -> None:
        """Check the recipe as it is."""
        self.set_focus(self.form.table)
        self.show_title()
        self.query_one("#outlook", Lines).show([[("  checking …", "dim")]])
        self.check()

    @property
    def form(self) -> Options:
        """The options."""
        return self.query_one(Options)

    @property
    def editor(self) -> Editor | None:
        """The editor, once it was opened."""
        return next(iter(self.query(Editor)), None)

    @property
    def problems(self) -> Problems:
        """What is wrong."""
        return self.query_one(Problems)

    @property
    def commands(self) -> tuple[Command, ...]:
        """While the text is edited its letters are letters."""
        return (*Editor.KEYS, *LAUNCH) if isinstance(self.focused, Editor) else super().commands

    @property
    def text(self) -> str:
        """The recipe as the user has it."""
        return self.editor.text if self.editor else self.saved

    @property
    def draft(self) -> Draft:
        """The launch as it is at the moment."""
        return Draft(self.path, self.text if self.text != self.saved else None, dict(self.form.changes))

    @property
    def name(self) -> str:
        """The recipe's file as people call it."""
        paths = self.lab_app.lab.paths
        base = next((one for one in (paths.recipes, paths.root) if self.path.is_relative_to(one)), Path("/"))
        return str(self.path.relative_to(base))

    def wants(self) -> tuple[Want, ...]:
        """How long its earlier runs took; those of a run's own recipe are those of where that came from."""
        lab = self.lab_app.lab.paths
        known = [source_of(lab, self.path)]
        if self.path.parent.parent == lab.runs:
            came = str(self.lab_app.snapshot.of(self.path.parent.name, "recipe") or "")
            known += [came.removesuffix(EDITED)] if came else []
        return (WantEarlier(self.slot("earlier"), tuple(known)),)

    def found(self, name: str, value: Any) -> None:
        """Runs came, went or ended."""
        if name == "earlier" and value != self.earlier:
            self.earlier = value
            self.check()

    def wrong(self, key: str) -> Callable[[str], str]:
        """What says what is wrong with a value of an option."""
        from labtui.tui.launching import wrong

        return wrong(self.draft, self.text, key)

    @on(Options.Changed)
    @on(TextArea.Changed)
    def changed(self) -> None:
        """Check when typing pauses."""
        self.checked, self._model = None, ""
        self.show_title()
        if self._typing:
            self._typing.stop()
        self._typing = self.set_timer(PAUSE, self.check)

    def check(self) -> None:
        """Check in a worker: pydantic is not loaded yet the first time."""
        draft, lab, earlier = self.draft, self.lab_app.lab.paths, self.earlier

        def work() -> None:
            from labtui.forecast import Earlier
            from labtui.recipe.read import read_text
            from labtui.tui.launching import check

            try:
                disk = read_text(draft.path)
            except (LabtuiError, OSError):
                disk = ""  # the check says why
            found = check(lab, draft, earlier or Earlier())
            self.app.call_from_thread(self.found_out, draft, disk, found)

        self.run_worker(work, thread=True, name="check", group="check", exclusive=True)

    def found_out(self, draft: Draft, disk: str, found: Checked) -> None:
        """Show what the check found, unless it is of what was before."""
        if not self.is_mounted or draft != self.draft:
            return
        if draft.text is None and disk != self.saved:
            self.saved = disk
            if self.editor:
                self.editor.load_text(disk)
        if self.editor:
            self.editor.read_only = False
        self.checked = found
        self.form.show(found.options)
        self.show_outlook()
        self.show_title()

    def show_title(self) -> None:
        """Which recipe, and how much of it is changed."""
        count = len(self.form.changes)
        row: Row = [(" Launch  ", "title"), (f"{clean(self.name)}  ", "bold")]
        if count:
            row.append((f"{count} option{'' if count == 1 else 's'} changed  ", "accent"))
        if self.draft.text is not None:
            row.append(("text edited, not saved", "warn"))
        self.query_one("#title", Lines).show([row])

    def show_outlook(self) -> None:
        """What is wrong, or what a launch would mean."""
        found = self.checked or Checked()
        self.problems.put(found.problems)
        if self.editor:
            self.editor.mark(self.problems.lines)
            self.cursor_moved()
        rows: list[Row] = []
        if found.forecast:
            rows = outlook(found.forecast, self.earlier)
            rows[0].append((self._model, "dim"))
        lines = self.query_one("#outlook", Lines)
        lines.display = bool(rows)
        lines.show(rows)

    @on(TextArea.SelectionChanged)
    def cursor_moved(self) -> None:
        """What is wrong with the cursor's line, or what its key is for."""
        from labtui.recipe.complete import about

        if not self.editor:
            return
        line = self.editor.cursor_location[0] + 1
        wrong = self.problems.of(line)
        key, said = ("", wrong) if wrong else about(self.editor.text, *self.editor.cursor_location)
        width = max(self.size.width - 4, 20)
        first, *rest = textwrap.wrap(clean(f"{key}  {said}".strip()), width)[:HINT] or [""]
        style = "bad" if wrong else "dim"
        rows: list[Row] = [[(first[: len(key)], "bold"), (first[len(key) :], style)]]
        self.query_one("#hint", Lines).show([*rows, *([(one, style)] for one in rest)])

    async def action_edit(self) -> None:
        """To the text."""
        editor = self.editor
        if editor is None:
            editor = Editor(self.saved)
            # Nothing is typed into a text that is still being read.
            editor.read_only = not self.saved and self.checked is None
            await self.mount(editor, before="#hint")
        self.add_class("-editing")
        self.set_focus(editor)
        self.show_outlook() if self.checked else self.check()
        self.cursor_moved()

    @on(Editor.Left)
    def left(self) -> None:
        """Back to the options, with the text as it is."""
        self.remove_class("-editing")
        self.set_focus(self.form.table)

    @on(Table.Moved, "#problems")
    @on(Table.Opened, "#problems")
    async def problem_chosen(self) -> None:
        """To its line."""
        problem = self.problems.problem
        # The cursor moves too when there are other problems.
        if problem and problem.line and self.problems.has_focus:
            await self.action_edit()
            assert self.editor is not None
            self.editor.go(problem.line)

    def action_next_problem(self) -> None:
        """To the next line that is wrong; after the last one to the first."""
        if self.editor and (lines := self.problems.lines):
            here = self.editor.cursor_location[0] + 1
            self.editor.go(next((line for line in lines if line > here), lines[0]))

    def action_save(self) -> None:
        """Write the recipe's file; that of a run stays, and gets another name."""
        recipes = self.lab_app.lab.paths.recipes
        if self.draft.text is None:
            self.lab_app.say("nothing to save: the text is that of the file (options are part of a launch)")
        elif self.path.is_relative_to(recipes):
            self._save(str(self.path.relative_to(recipes)), self.saved)
        else:
            self.action_save_as()

    def action_save_as(self) -> None:
        """Ask for a name, and write the text as a new recipe."""
        from labtui.tui.screens.ask import Prompt

        def done(name: str | None) -> None:
            if name and name.strip():
                self._save(name.strip(), None)

        own = self.path.is_relative_to(self.lab_app.lab.paths.recipes)
        name = self.name if own else f"{self.path.parent.name}.toml"
        self.app.push_screen(Prompt("Save as a recipe in recipes/", name), done)

    def _save(self, name: str, before: str | None) -> None:
        text, folder = self.text, self.lab_app.lab.paths.recipes

        def work() -> None:
            from labtui.recipe.save import save

            try:
                self.app.call_from_thread(self.was_saved, save(folder, name, text, before), text)
            except (LabtuiError, OSError) as error:
                self.app.call_from_thread(self.lab_app.say, str(error), "error")

        self.run_worker(work, thread=True, name="save", group="save")

    def was_saved(self, path: Path, text: str) -> None:
        """Go on with the file."""
        self.path, self.saved = path, text
        self.lab_app.feed.look()
        self.lab_app.say(f"saved {self.name}")
        self.changed()

    def action_model(self) -> None:
        """Ask a child process for the size of the model."""
        if not (self.checked and self.checked.forecast):
            return
        self._model = "  building the model …"
        self.show_outlook()
        draft, lab = self.draft, self.lab_app.lab.paths

        def work() -> None:
            from labtui.launcher import model_of, plan_of

            said = "  a command's model is its own"
            try:
                tables = plan_of(lab, draft.path, draft.overrides, draft.text).recipe.tables()
                if "command" not in tables:
                    said = f"  {model_of(lab, tables)['parameters']:,} parameters"
            except (LabtuiError, OSError) as error:
                said = ""
                self.app.call_from_thread(self.lab_app.say, f"no model: {error}", "error")
            self.app.call_from_thread(self.modelled, draft, said)

        self.run_worker(work, thread=True, name="model", group="model", exclusive=True)

    def modelled(self, draft: Draft, said: str) -> None:
        """Show the size of the model, unless it is of what was before."""
        if self.is_mounted and draft == self.draft:
            self._model = said
            self.show_outlook()

    def action_launch(self) -> None:
        """Queue the runs; back to all runs when they are."""
        found = self.checked
        if found is None or found.problems:
            why = found.problems[0].text if found else "the check is not done yet"
            self.lab_app.say("not launched: " + why, "error")
            return
        draft, saved, lab = self.draft, self.saved, self.lab_app.lab.paths
        self.checked = None  # a second press launches nothing twice

        def work() -> None:
            from labtui.recipe.read import read_text

            try:
                if draft.text is None and read_text(draft.path) != saved:
                    raise LabtuiError(f"{draft.path}: was changed on the disk meanwhile; look at it again")
                what = acts.Launching(draft.path, draft.overrides, draft.held, draft.text)
                said, first = acts.launch(lab, what)
            except (LabtuiError, OSError) as error:
                self.app.call_from_thread(self.lab_app.say, f"not launched: {error}", "error")
                self.app.call_from_thread(self.check)
                return
            self.app.call_from_thread(self.launched, said, first)

        self.run_worker(work, thread=True, name="launch", group="launch")

    def launched(self, said: str, first: str) -> None:
        """Back to all runs, unless the user is somewhere else by now."""
        if self.in_front:
            self.lab_app.launched(said, first)
        else:
            self.lab_app.say(said)

    def action_back(self) -> None:
        """From the line to the options; from these back, after asking where something would be lost."""
        if self.form.clear():
            return
        if not (lost := self.unsaved()):
            self.dismiss()
            return
        from labtui.tui.screens.ask import Confirm

        def answered(yes: bool | None) -> None:
            if yes:
                self.dismiss()

        self.app.push_screen(Confirm(f"Leave without launching? {lost} would be lost."), answered)

    def unsaved(self) -> str:
        """What would be lost; empty: nothing."""
        count = len(self.form.changes)
        lost = [f"{count} changed option{'' if count == 1 else 's'}"] if count else []
        return " and ".join([*lost, *(["the edited text"] if self.draft.text is not None else [])])
