"""The user's preferences: changed here they count at once, and are kept in the user's own `labtui.toml`."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from labtui.cells import clean
from labtui.files.settings import KEYS as KEYS_TABLE
from labtui.files.settings import SETTINGS, change, files, settings, wrong
from labtui.files.toml import flatten, read
from labtui.tui.commands import COMMON, Command, bindings
from labtui.tui.feed import LIVE
from labtui.tui.preferences import draws_ascii_only
from labtui.tui.screens.base import Base
from labtui.tui.want import Eyes, Want, file_stamp
from labtui.tui.widgets.keys import Keys
from labtui.tui.widgets.lines import Lines
from labtui.tui.widgets.table import Cells, Column, Table

SHOWN = tuple(name for name in SETTINGS if name == "theme" or name.startswith("tui."))
"""Settings of the screens; those of the machine and of training are not to be changed in passing."""
COLUMNS = (
    Column("setting", 22),
    Column("value", 24),
    Column("set in", 16),
    Column("what it does", 0, least=100),
)


@dataclass(frozen=True)
class Given:
    """What the files say."""

    values: Mapping[str, Any] = field(default_factory=dict)
    """Dotted key to value."""
    where: Mapping[str, str] = field(default_factory=dict)
    """Dotted key to whose file says it."""
    problems: Mapping[str, str] = field(default_factory=dict)
    """Dotted key to what is wrong with it."""


@dataclass(frozen=True)
class WantSettings(Want):
    """Both files."""

    def stamp(self, eyes: Eyes) -> object:
        """Sizes and times of the files."""
        return [file_stamp(path) for path in files(eyes.lab.paths.root)]

    def look(self, eyes: Eyes, before: Any) -> Given:
        """What counts, and where it stands."""
        root = eyes.lab.paths.root
        values = flatten(settings(root))
        lab = files(root)[1]
        own = flatten(read(lab)) if lab.exists() else {}
        where = {key: "the lab" if key in own else "your own file" for key in values}
        return Given(values, where, dict(wrong(root)))


class SettingsScreen(Base):
    """One line a setting; then the commands that have other keys."""

    CSS_PATH = Path(__file__).parents[1] / "css" / "settings.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("escape", "back", "back", "Back to where you were.", 1),
        Command("enter,space", "change", "change", "Change the setting; it counts at once.", 1),
        Command("backspace", "default", "default", "Take it out of your own file: what it is by itself.", 3),
        *COMMON,
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self) -> None:
        super().__init__()
        self.given = Given()

    def compose(self) -> ComposeResult:
        """Title, table, a sentence, keys."""
        yield Lines(id="title")
        yield Table(COLUMNS, self.cells, id="settings")
        yield Lines(id="about")
        yield Keys(self.KEYS)

    def on_mount(self) -> None:
        """The table takes the keys."""
        path = str(files(self.lab_app.lab.paths.root)[0])
        home = os.path.expanduser("~")
        path = "~" + path.removeprefix(home) if path.startswith(home + os.sep) else path
        self.query_one("#title", Lines).show([[(" settings  ", "title"), (f"kept in {clean(path)}", "dim")]])
        self.set_focus(self.table)
        self.show()

    @property
    def table(self) -> Table:
        """The settings."""
        return self.query_one(Table)

    def wants(self) -> tuple[Want, ...]:
        """The files."""
        return (WantSettings(self.slot("settings")),)

    def found(self, name: str, value: Any) -> None:
        """Show what they say."""
        self.given = value
        self.show()

    def show(self) -> None:
        """The settings that there are, then the keys that somebody has set, then what there is not."""
        others = [key for key in self.given.values if key.startswith(KEYS_TABLE + ".")]
        strange = [key for key in self.given.problems if key not in SHOWN and key not in others]
        self.table.show([*SHOWN, *others, *strange])
        self.table.repaint()
        self.show_about()

    def cells(self, key: str) -> Cells:
        """A row of the table."""
        problem = self.given.problems.get(key)
        where = self.given.where.get(key, "")
        about = "wrong; it does not count" if problem else SETTINGS[key].help if key in SETTINGS else ""
        if key.startswith(KEYS_TABLE + ".") and not problem:
            about = "Keys of a command; edit the file to change them."
        return [
            (clean(key), "bold" if where else ""),
            (clean(self._value(key)), "bad" if problem else "accent" if where else ""),
            (where or "by itself", "dim"),
            (about, "bad" if problem else "dim"),
        ]

    def _value(self, key: str) -> str:
        """A value as people read it: what counts now, where the screens follow it."""
        wanted = self.lab_app.wanted
        if key in self.given.problems:
            return str(self.given.values.get(key, ""))
        now = {
            "theme": self.app.theme,
            "tui.refresh": f"{wanted.refresh or LIVE:g} s",
            "tui.ascii": _yes(wanted.ascii),
            "tui.bell": _yes(wanted.bell),
            "tui.colors": "none" if self.app.no_color else wanted.colors or "as many as there are",
        }
        return now.get(key, str(self.given.values.get(key, "")))

    @on(Table.Moved)
    def show_about(self) -> None:
        """What the setting under the cursor is, or what is wrong with it."""
        key = self.table.key or ""
        problem = self.given.problems.get(key)
        text = problem or (
            f"{SETTINGS[key].help} In the file: {SETTINGS[key].expected}." if key in SETTINGS else ""
        )
        said = textwrap.wrap(clean(text), max(self.size.width - 4, 20))[:3] or [""]
        about = self.query_one("#about", Lines)
        about.styles.height = len(said)
        about.show([[(" " + line, "bad" if problem else "")] for line in said])

    @on(Table.Opened)
    def clicked(self) -> None:
        """A line was clicked twice."""
        self.action_change()

    def action_change(self) -> None:
        """Switch it over, or ask."""
        from labtui.tui.screens.ask import Choose, Prompt

        key, wanted = self.table.key or "", self.lab_app.wanted
        if key == "theme":
            names = dict.fromkeys(self.app.available_themes)
            themes = {
                name: name for name in sorted(names, key=lambda name: (not name.startswith("labtui"), name))
            }
            self.app.push_screen(Choose("Theme", themes, [self.app.theme], several=False), self._chose_theme)
        elif key == "tui.refresh":
            title = f"{SETTINGS[key].help} {SETTINGS[key].expected.capitalize()}."
            self.app.push_screen(Prompt(title, f"{wanted.refresh or LIVE:g}"), self._gave_refresh)
        elif key in ("tui.ascii", "tui.bell"):
            value = not getattr(wanted, key.removeprefix("tui."))
            self.lab_app.prefer(**{key.removeprefix("tui."): value})
            self._save(key, value)
        elif key in SETTINGS:
            self.lab_app.say("edit the file, and start labtui again: it counts from the start")
        else:
            self.lab_app.say("edit the file to change it")

    def action_default(self) -> None:
        """What it is by itself."""
        key = self.table.key or ""
        by_itself = {"theme": "", "tui.refresh": None, "tui.ascii": draws_ascii_only(), "tui.bell": False}
        if key in by_itself:
            self.lab_app.prefer(**{key.removeprefix("tui."): by_itself[key]})
            self._save(key, None)

    def _chose_theme(self, chosen: list[str] | None) -> None:
        if chosen:
            self.lab_app.prefer(theme=chosen[0])
            self._save("theme", chosen[0])

    def _gave_refresh(self, text: str | None) -> None:
        if text is None:
            return
        try:
            value = float(text.strip().removesuffix("s").replace(",", "."))
        except ValueError:
            value = 0.0
        if not SETTINGS["tui.refresh"].fits(value):
            self.lab_app.say(f"{text!r}: expected {SETTINGS['tui.refresh'].expected}", "error")
            return
        self.lab_app.prefer(refresh=value)
        self._save("tui.refresh", value)

    def _save(self, key: str, value: Any) -> None:
        root, by_lab = self.lab_app.lab.paths.root, self.given.where.get(key) == "the lab"

        def save() -> str:
            path = change(root, key, value)
            if by_lab:
                return f"kept in {path}; the lab's own {files(root)[1].name} says otherwise at the next start"
            return ""

        self.lab_app.act("settings", save)
        self.show()


def _yes(value: bool) -> str:
    return "yes" if value else "no"
