"""An editor of recipes: highlighted, completed from the schema, with the lines marked that are wrong."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from rich.color import Color as RichColor
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.widgets import TextArea
from textual.widgets.text_area import TextAreaTheme

from labtui.cells import clean, fit
from labtui.rows import Row
from labtui.tui.commands import Command, bindings
from labtui.tui.widgets.area import Area
from labtui.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from labtui.recipe.complete import Suggestion

LARGE = 25_000
"""Characters of a text from which on it is not highlighted: each key would wait for it."""
SHOWN = 6
"""Suggestions that are shown at a time."""
COLORS = {
    "comment": "foreground-muted", "string": "success", "number": "warning", "float": "warning",
    "boolean": "accent", "property": "primary", "toml.type": "secondary", "toml.datetime": "warning",
    "operator": "foreground-muted", "punctuation.bracket": "secondary", "toml.error": "error",
}  # fmt: skip
"""What the grammar tells apart, to the theme's variables."""


class Completion(Lines):
    """What may be typed next, below the cursor."""


class Editor(Area):
    """The text of a recipe.

    Args:
        text: what it begins with.
    """

    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("escape", "leave", "options", "Back to the options; the text is kept.", 1),
        Command("tab,ctrl+space", "complete", "complete", "Complete the key or the value.", 2),
        Command("ctrl+s", "screen.save", "save", "Write the recipe's file.", 2),
        Command("f2", "screen.save_as", "save as", "Write the text as another recipe.", 5),
        Command("ctrl+n", "screen.next_problem", "next problem", "To the next line that is wrong.", 4),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    wrong: frozenset[int] = frozenset()
    """Lines that are wrong, from 1."""

    class Left(Message):
        """The user wants back to the options."""

    def __init__(self, text: str) -> None:
        language = "toml" if len(text) < LARGE and _grammar() else None
        super().__init__(text, language=language, id="editor", show_line_numbers=True, soft_wrap=False)
        self.cursor_blink = False
        self.fitting: list[Suggestion] = []
        """What completes the word at the cursor; empty while nothing is offered."""
        self._word, self._chosen, self._asked = "", 0, False

    def on_mount(self) -> None:
        """The theme's colours."""
        self._dress()
        self.watch(self.app, "theme", self._dress, init=False)

    def _dress(self) -> None:
        known = self.app.theme_variables
        styles = {name: Style(color=_color(known.get(variable, ""))) for name, variable in COLORS.items()}
        styles["wrong"] = Style(color=_color(known.get("error", "")), underline=True)
        self.register_theme(TextAreaTheme("recipe", syntax_styles=styles))
        self.theme = "css"
        self.theme = "recipe"

    def mark(self, lines: Iterable[int]) -> None:
        """Mark the lines that are wrong, from 1."""
        if (found := frozenset(lines)) != self.wrong:
            self.wrong = found
            self._build_highlight_map()
            self.refresh()

    def _build_highlight_map(self) -> None:
        """Textual's own, and the lines that are wrong."""
        super()._build_highlight_map()
        for line in self.wrong:
            self._highlights[line - 1].append((0, None, "wrong"))

    def go(self, line: int) -> None:
        """Put the cursor on a line, from 1."""
        row = min(max(line - 1, 0), self.document.line_count - 1)
        self.move_cursor((row, 0), center=True)

    @property
    def popup(self) -> Completion:
        """Where suggestions are shown."""
        return self.screen.query_one(Completion)

    def offer(self, asked: bool = False) -> None:
        """Show what fits at the cursor.

        Args:
            asked: also where nothing of it is typed yet.
        """
        from labtui.recipe.complete import suggestions

        row, column = self.cursor_location
        self._word, found = suggestions(self.text, row, column)
        typed = self._word.strip("\"'")
        if not (asked or typed) or [one.text.strip() for one in found] == [self._word]:
            found = []
        if len(found) == 1 and found[0].name == self._word and not asked:
            found = []
        self.fitting, self._chosen = found, 0
        self._show()

    def close(self) -> None:
        """Offer nothing."""
        self.fitting = []
        self._show()

    def _show(self) -> None:
        popup = self.popup
        popup.display = bool(self.fitting)
        if not self.fitting:
            return
        first = max(0, self._chosen - SHOWN + 1)
        shown = self.fitting[first : first + SHOWN]
        wide = min(max(len(one.name) for one in shown), 40)
        rows: list[Row] = []
        for number, one in enumerate(shown, first):
            sign = ("▸ ", "accent") if number == self._chosen else ("  ", "")
            name = fit(clean(one.name), 40)
            said = fit(clean(" ".join(one.about.split())), 40)
            rows.append([sign, (name.ljust(wide + 2), sign[1]), (said, "dim")])
        width = max(sum(len(text) for text, _ in row) for row in rows) + 1
        x, y = self.cursor_screen_offset
        screen = self.screen.size
        below = y + 1 + len(rows) < screen.height
        popup.styles.width, popup.styles.height = width, len(rows)
        popup.styles.offset = (
            max(0, min(x - len(self._word), screen.width - width)),
            y + 1 if below else max(0, y - len(rows)),
        )
        popup.show(rows)
        popup.refresh()

    def action_complete(self) -> None:
        """Take the suggestion, or show what there is; an indentation where nothing fits."""
        if not self.fitting:
            self.offer(asked=True)
            if not self.fitting:
                self.insert("    ")
            if len(self.fitting) != 1:
                return
        row, column = self.cursor_location
        text = self.fitting[self._chosen].text
        rest = self.document.get_line(row)[column:]
        if text.endswith(" = ") and rest.lstrip().startswith("="):
            text = text.removesuffix(" = ")
        if self._word[:1] in ('"', "'") and rest[:1] == self._word[:1]:
            self.delete((row, column), (row, column + 1))
        with self.prevent(TextArea.Changed):
            self.replace(text, (row, column - len(self._word)), (row, column))
        self.close()
        self.post_message(TextArea.Changed(self))
        if text.endswith(" = "):
            self.offer(asked=True)

    def action_leave(self) -> None:
        """Close what is offered; then back to the options."""
        if self.fitting:
            self.close()
        else:
            self.post_message(self.Left())

    async def _on_key(self, event: events.Key) -> None:
        """Keys of the list of suggestions while there is one; and the tab, which completes."""
        if self.fitting and event.key in ("up", "down"):
            step = 1 if event.key == "down" else -1
            self._chosen = (self._chosen + step) % len(self.fitting)
            self._show()
        elif event.key in ("tab", "ctrl+space", "ctrl+@"):
            self.action_complete()
        elif event.key == "escape":
            self.action_leave()
        else:
            self._asked = event.is_printable or event.key == "backspace"
            return
        event.stop()
        event.prevent_default()

    def on_text_area_changed(self) -> None:
        """Offer what fits, when it was typed."""
        if self._asked and self.has_focus:
            self.offer()
        self._asked = False

    def on_text_area_selection_changed(self) -> None:
        """Elsewhere something else fits."""
        from labtui.recipe.complete import place

        if self.fitting:
            here = place(self.text, *self.cursor_location)
            if here is None or here.word != self._word:
                self.close()


def _grammar() -> bool:
    """Whether TOML can be highlighted here."""
    from importlib.util import find_spec

    return bool(find_spec("tree_sitter") and find_spec("tree_sitter_toml"))


def _color(text: str) -> RichColor | None:
    """A theme's colour as Rich takes it; None where it says no plain one."""
    from textual.color import Color, ColorParseError

    try:
        return Color.parse(text).rich_color
    except ColorParseError:
        return None
