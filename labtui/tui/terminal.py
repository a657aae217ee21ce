"""The app as its terminal sees it: colours, ASCII, keys, the bell, signals, and an end that leaves all as it was."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

from rich.console import Console
from textual import on
from textual.app import App
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.filter import LineFilter
from textual.screen import Screen
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.widget import Widget

from labtui.tui.commands import Command, listed, readable
from labtui.tui.plain import Ascii, Colorless, PlainBar
from labtui.tui.preferences import Preferences
from labtui.tui.snapshot import Snapshot
from labtui.tui.themes import LINE_COLORS, THEMES

SYSTEMS: dict[str, Literal["standard", "256", "truecolor"]] = {
    "16": "standard",
    "256": "256",
    "true": "truecolor",
}
"""Numbers of colours as rich calls them."""
SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
QUIET = 2.0
"""Seconds between two rings of the bell, however many runs end."""
GOING = ("running", "queued")
MISSED = 10.0
"""Seconds between two looks whether there still is a terminal."""


class TerminalApp(App[None]):
    """What the user prefers, and what the terminal can do.

    Args:
        wanted: what the user prefers.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "suspend_process", "suspend", show=False, system=True),
    ]

    def __init__(self, wanted: Preferences | None = None) -> None:
        super().__init__()
        self.animation_level = "none"
        for found in THEMES:
            self.register_theme(found)
        self.wanted = wanted or Preferences()
        self._going: set[str] | None = None
        self._rung = 0.0
        self._set_colors()
        self._follow()

    def _set_colors(self) -> None:
        """As many colours as the preferences say."""
        given = self.wanted.colors
        self.no_color = self.no_color or given == "none"
        # What is bold or reversed is said in escape codes, too, which rich leaves out without a system.
        system = SYSTEMS.get(given, "standard" if self.no_color else None)
        if system:
            self.console = Console(color_system=system, file=self.console.file, force_terminal=True)

    def _follow(self) -> None:
        """Follow the preferences."""
        wanted = self.wanted
        own = THEMES[-1 if wanted.colors in ("none", "16") else 0].name
        self.theme = wanted.theme if wanted.theme in self.available_themes else own
        self._plain: list[LineFilter] = [Colorless()] if self.no_color else []
        if self.ascii_only:
            self._plain.append(Ascii())
        ScrollBar.renderer = PlainBar if self._plain else ScrollBarRender
        self.set_keymap({name: ",".join(listed(keys)) for name, keys in wanted.keys.items() if listed(keys)})

    def prefer(self, **changes: Any) -> None:
        """Change preferences, for as long as the app is open."""
        self.wanted = replace(self.wanted, **changes)
        self._follow()
        for screen in self.screen_stack:
            for widget in screen.walk_children(Widget, with_self=True):
                widget.refresh()

    @property
    def ascii_only(self) -> bool:
        """Whether everything is drawn in ASCII."""
        return self.wanted.ascii

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What makes lines plain, for plain terminals."""
        return [*super().get_line_filters(), *self._plain] if self._plain else super().get_line_filters()

    @property
    def _background_screens(self) -> list[Screen[Any]]:
        """Textual counts the screen below as seen even where the one on top hides it (`App`, 8.2): at each change
        of what nobody sees all that is seen would be sent again."""
        return [] if self.screen.styles.background.a == 1 else super()._background_screens

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Colours of lines for themes that know none."""
        return LINE_COLORS

    def keys_of(self, command: Command) -> str:
        """The keys of a command as people read them, with those that the user gave it."""
        return readable(self._keymap.get(command.name, command.key), self.ascii_only)

    def get_driver_class(self) -> type[Driver]:
        """Textual's for terminals, but one that bears it when the terminal goes."""
        from textual.drivers.linux_driver import LinuxDriver

        from labtui.tui.driver import MortalDriver

        found = super().get_driver_class()
        return MortalDriver if found is LinuxDriver else found

    def take_signals(self) -> None:
        """A signal to end leaves the terminal as it was; one that is gone without a signal is missed, too."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self.exit, None, 128 + number)
        self.set_interval(MISSED, self.miss_terminal)

    @on(Driver.SignalResume)
    def repaint(self) -> None:
        """Meanwhile the terminal was somebody else's."""
        self.refresh(layout=True)

    def miss_terminal(self) -> None:
        """End where nobody sees the screens any more."""
        if getattr(self._driver, "gone", False):
            self.exit(return_code=128 + signal.SIGHUP)

    def ring(self, snapshot: Snapshot) -> None:
        """Ring the bell if a run that went on has ended since the last look, and the user wants to hear of it."""
        if not self.wanted.bell:
            self._going = None
            return
        states = snapshot.columns["state"]
        going = {key for key, place in snapshot.place.items() if states[place] in GOING}
        ended = self._going is not None and any(key in snapshot.place for key in self._going - going)
        self._going = going
        if ended and time.monotonic() - self._rung >= QUIET:
            self._rung = time.monotonic()
            self.bell()

    def action_help_quit(self) -> None:
        """Ctrl-C: many press it to leave."""
        quit = self.keys_of(Command("q", "quit", "quit", ""))
        self.notify(f"{quit} closes labtui; runs go on", markup=False)

    def _handle_exception(self, error: Exception) -> None:
        """A screen that was being opened when the app was told to end misses its parts, which Textual makes
        no more: that is no failure."""
        if not self._exit:
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Textual's last words would be a screenful of its own inside: who called `run` says it in one line."""
        self._close_messages_no_wait()

    @property
    def failure(self) -> Exception | None:
        """What ended the app unexpectedly."""
        return self._exception
