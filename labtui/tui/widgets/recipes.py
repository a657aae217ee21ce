"""The recipes of a lab: a tree of folders, and a line to search in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from labtui.tui.commands import COMMON, Command, bindings
from labtui.tui.recipes import RecipeLine, counted, recipe_cells, recipe_lines
from labtui.tui.widgets.table import Cells, Column, Table

if TYPE_CHECKING:
    from labtui.tui.app import LabApp

_NARROW = (Column("recipe", 0), Column("runs", 5, "right"))
_WIDE = (Column("recipe", 34), Column("runs", 5, "right"), Column("description", 0))
_ROOM = 70
"""Cells from which descriptions have room."""


class RecipeTable(Table):
    """The tree; its keys come before the screen's."""

    KEYS: ClassVar[tuple[Command, ...]] = (
        Command(
            "enter", "open", "launch", "Set options of the recipe and launch it; open or close a folder.", 1
        ),
        Command("slash", "search", "search", "Find a recipe by a part of its name, description or tags.", 2),
        Command("right,l", "fold(False)", "unfold", "Open the folder."),
        Command("left,h", "fold(True)", "fold", "Close the folder.", 3),
        Command("space", "turn", "fold or unfold", "Open or close the folder."),
        Command("p", "report", "report", "All runs of the recipe in one report."),
        Command("n", "note", "note", "What is written on the recipe; add a note, or something to do.", 4),
        Command("r,escape", "leave", "runs", "Back to the runs; first, to all recipes.", 1),
        *COMMON,
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    @property
    def pane(self) -> Recipes:
        """What it is in."""
        found = self.parent
        assert isinstance(found, Recipes)
        return found

    def on_resize(self) -> None:
        """Descriptions where there is room."""
        self.rearrange(_WIDE if self.size.width >= _ROOM else _NARROW)
        super().on_resize()

    def action_open(self) -> None:
        """Launch the recipe, or open or close the folder."""
        self.pane.take(self.key)

    def action_turn(self) -> None:
        """Open or close the folder."""
        if (line := self.pane.lines.get(self.key or "")) and line.folder:
            self.pane.turn(line)

    def action_fold(self, close: bool) -> None:
        """Close the folder that the cursor is in or on, or open the one that it is on."""
        key = self.key or ""
        if close and not (key.endswith("/") and self.pane.lines[key].open):
            key = key.rstrip("/").rpartition("/")[0] + "/"
            self.select(key)
        line = self.pane.lines.get(key)
        if line and line.folder and line.open is close:
            self.pane.turn(line)

    def action_report(self) -> None:
        """The report on all runs of the recipe."""
        if (line := self.pane.lines.get(self.key or "")) and not line.folder:
            from labtui.tui.screens.report import ReportScreen

            self.app.push_screen(ReportScreen(self.key or ""))

    def action_search(self) -> None:
        """To the line."""
        self.pane.search.add_class("open")
        self.screen.set_focus(self.pane.search)

    def action_note(self) -> None:
        """The recipe's notes."""
        line = self.pane.lines.get(self.key or "")
        if line and not line.folder:
            app = cast("LabApp", self.app)
            app.open_notebook(app.lab.paths.recipe_notes(line.key))

    def action_leave(self) -> None:
        """Show all recipes again, or back to the runs."""
        if self.pane.search.value:
            self.pane.clear()
        else:
            self.post_message(Recipes.Left())


class Recipes(Vertical):
    """All recipes by folder, with their numbers of runs."""

    class Chosen(Message):
        """A recipe is to be launched."""

        def __init__(self, path: str) -> None:
            super().__init__()
            self.path = path

    class Turned(Message):
        """A folder was opened or closed."""

        def __init__(self, folder: str) -> None:
            super().__init__()
            self.folder = folder

    class Left(Message):
        """Enough of the recipes."""

    def __init__(self, turned: Collection[str] = ()) -> None:
        super().__init__(id="recipe-pane")
        self.recipes: Mapping[str, Mapping[str, Any]] = {}
        self.runs: Counter[str] = Counter()
        self.turned = set(turned)
        self.lines: dict[str, RecipeLine] = {}

    def compose(self) -> ComposeResult:
        """The line, closed at first, and the tree."""
        line = Input(placeholder="search recipes", id="recipe-search", compact=True, select_on_focus=False)
        line.cursor_blink = False
        yield line
        yield RecipeTable(_NARROW, self._cells, id="recipes", empty="  No recipes here.")

    @property
    def table(self) -> RecipeTable:
        """The tree."""
        return self.query_one(RecipeTable)

    @property
    def search(self) -> Input:
        """The line to search in."""
        return self.query_one("#recipe-search", Input)

    def show(self, recipes: Mapping[str, Mapping[str, Any]] | None, files: Collection[str] | None) -> None:
        """Show these recipes, if others are known, and how many of these files are theirs."""
        self.recipes = self.recipes if recipes is None else recipes
        self.runs = self.runs if files is None else counted(files)
        self._arrange()

    def _arrange(self) -> None:
        self.lines = recipe_lines(self.recipes, self.runs, self.turned, self.search.value)
        self.table.empty = "  No recipe fits; esc shows all." if self.recipes else "  No recipes here."
        self.table.show(list(self.lines))

    def _cells(self, key: str) -> Cells:
        return recipe_cells(self.lines[key])

    def take(self, key: str | None) -> None:
        """Launch a recipe; open or close a folder."""
        line = self.lines.get(key or "")
        if line and line.folder:
            self.turn(line)
        elif line:
            self.post_message(self.Chosen(line.key))

    def turn(self, line: RecipeLine) -> None:
        """Open or close a folder."""
        self.turned ^= {line.key}
        self._arrange()
        self.post_message(self.Turned(line.key))

    def clear(self) -> None:
        """Show all recipes again."""
        self.search.value = ""
        self.search.remove_class("open")

    @on(Table.Opened)
    def clicked(self, message: Table.Opened) -> None:
        """A line was clicked twice."""
        message.stop()
        self.take(message.key)

    @on(Input.Changed)
    def searched(self, message: Input.Changed) -> None:
        """Show what fits."""
        message.stop()
        self._arrange()

    @on(Input.Submitted)
    def found(self, message: Input.Submitted) -> None:
        """From the line to what was found."""
        message.stop()
        self.search.set_class(bool(message.value.strip()), "open")
        self.screen.set_focus(self.table)

    def key_escape(self) -> None:
        """From the line back to the tree."""
        if self.search.has_focus:
            self.clear()
            self.screen.set_focus(self.table)
