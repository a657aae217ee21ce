"""The app: holds what is known, opens screens, and does what the user asks for in named workers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from textual import events
from textual.app import SystemCommand
from textual.reactive import reactive
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input

from labtui.cells import clean
from labtui.errors import told
from labtui.files.paths import Noted
from labtui.query import Lab
from labtui.tui import acts
from labtui.tui.arrangement import Arrangement
from labtui.tui.feed import LIVE, Feed, News
from labtui.tui.preferences import Preferences
from labtui.tui.screens.base import Base
from labtui.tui.screens.lab import LabScreen
from labtui.tui.snapshot import Snapshot
from labtui.tui.terminal import TerminalApp

TICK = 10.0
"""Seconds between two looks at ages; they are shown in minutes."""
MOST_TOLD = 3
"""Wrong settings that are told one by one."""
RESTS = 0.5
"""Seconds without a change after which the arrangement of the runs is written down."""


class LabApp(TerminalApp):
    """labtui's screens over one lab.

    Args:
        lab: what is shown.
        wanted: what the user prefers.
        run_id: a run to open at once.
        now: the clock, for ages.
    """

    CSS_PATH = [Path(__file__).with_name("css") / f"{name}.tcss" for name in ("labtui", "lab")]
    """Textual loads those of other screens when they are opened, but none of the first."""
    TITLE = "labtui"
    ENABLE_COMMAND_PALETTE = True

    news: reactive[News | None] = reactive(None, repaint=False, always_update=True)

    def __init__(
        self,
        lab: Lab,
        wanted: Preferences | None = None,
        run_id: str = "",
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(wanted)
        self.lab, self.run_id, self.now = lab, run_id, now
        self.feed = Feed(lab, self.post_message)
        # A few hundred bytes, before the first picture: it is to have the right columns.
        self.arranged = Arrangement.read(lab.paths.screens)
        self.feed.ask(shown=self.arranged.shown)
        self._keeping: Timer | None = None
        self.snapshot = Snapshot()
        self.recipes: list[dict[str, Any]] = []
        self.found: dict[str, Any] = {}
        self.trouble = ""
        self.awaited = ""
        """A run that is to come under the cursor when it is there."""
        self.feed.pace = self.wanted.refresh or LIVE

    def prefer(self, **changes: Any) -> None:
        """Change preferences, for as long as the app is open."""
        super().prefer(**changes)
        self.feed.pace = self.wanted.refresh or LIVE
        if isinstance(self.screen, Base):
            self.screen.wish()

    @property
    def place(self) -> str:
        """The lab's folder as people write it."""
        root, home = str(self.lab.paths.root), os.path.expanduser("~")
        return clean("~" + root.removeprefix(home) if root.startswith(home + os.sep) else root)

    def get_default_screen(self) -> Screen[Any]:
        """The runs."""
        return LabScreen()

    def on_load(self) -> None:
        """Begin to read before the first picture; a signal to end leaves the terminal as it was."""
        self.run_worker(self.feed.loop, thread=True, name="feed", group="feed")
        self.take_signals()

    async def on_event(self, event: events.Event) -> None:
        """Keys that came in one piece went to what had the focus when they came. Those typed after a
        key that opens a line come back unused, and belong into that line."""
        if isinstance(event, events.Key) and event.is_forwarded and event.is_printable:
            line = self.focused
            if isinstance(line, Input) and event.character:
                line.insert_text_at_cursor(event.character)
                return
        await super().on_event(event)

    def on_mount(self) -> None:
        """Ages grow; what is wrong with the settings is told."""
        self.set_interval(TICK, self.tick)
        self.warn(self.wanted.problems)
        if self.wanted.keys:
            self.run_worker(self._check_keys, thread=True, name="keys", group="keys")
        if self.run_id:
            self.open_run(self.run_id)

    def _check_keys(self) -> None:
        """Tell what is wrong with the user's keys; the commands have their own then."""
        from labtui.tui.keymap import wrong_keys

        found = wrong_keys(self.wanted.keys, self.lab.paths.root)
        right = {name: keys for name, keys in self.wanted.keys.items() if name not in found}
        if found:
            self.call_from_thread(self.prefer, keys=right)
        self.call_from_thread(self.warn, list(found.values()))

    def on_unmount(self) -> None:
        """The feed ends; workers of runs do not."""
        self.feed.stop()
        if self._keeping:  # the last change may not have been written yet
            self.arranged.write(self.lab.paths.screens)

    def tick(self) -> None:
        """Show ages anew where their text changed."""
        for screen in self.screen_stack:
            if isinstance(screen, LabScreen):
                screen.tick()

    def on_news(self, news: News) -> None:
        """Keep what changed and hand it to the screens."""
        if news.snapshot is not None:
            self.snapshot = news.snapshot
            self.ring(news.snapshot)
        if news.recipes is not None:
            self.recipes = news.recipes
        if news.trouble is not None:
            self.trouble = clean(news.trouble)
        self.found |= news.found
        own = tuple(screen.slot("") for screen in self.screen_stack if isinstance(screen, Base))
        self.found = {slot: value for slot, value in self.found.items() if slot.startswith(own)}
        self.news = news
        if self.awaited:
            self.call_later(self._find_awaited)

    @property
    def known(self) -> News | None:
        """All that has been told, as one piece; None before the first look."""
        if self.news is None:
            return None
        return News(self.snapshot, self.recipes, self.trouble, self.found)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The palette: the commands of the screen, the theme, the bell."""
        if isinstance(screen, Base):
            for command in screen.commands:
                if command.action != "palette":
                    title = f"{command.label.capitalize()}  ({self.keys_of(command)})"
                    yield SystemCommand(title, command.help, partial(screen.perform, command))
        yield SystemCommand(
            "Theme", "Change the colours, as long as labtui is open.", self.action_change_theme
        )
        bell = "Silence" if self.wanted.bell else "Bell"
        yield SystemCommand(
            bell, "Ring when a run ends, or no more, as long as labtui is open.", self.toggle_bell
        )

    async def action_quit(self) -> None:
        """Close labtui, after asking where something would be lost."""
        lost = [said for one in self.screen_stack if isinstance(one, Base) and (said := one.unsaved())]
        if not lost:
            self.exit()
            return
        from labtui.tui.screens.ask import Confirm

        def answered(yes: bool | None) -> None:
            if yes:
                self.exit()

        self.push_screen(Confirm(f"Close labtui? {clean(lost[0])} would be lost."), answered)

    def action_help(self) -> None:
        """All keys of the screen."""
        if isinstance(self.screen, Base):
            from labtui.tui.screens.help import Help

            self.push_screen(Help(self.screen.groups, self.keys_of))

    def toggle_bell(self) -> None:
        """Ring when a run ends, or no more."""
        self.prefer(bell=not self.wanted.bell)
        self.say("the bell rings when a run ends" if self.wanted.bell else "the bell is silent")

    def action_settings(self) -> None:
        """What the user prefers."""
        from labtui.tui.screens.settings import SettingsScreen

        if not isinstance(self.screen, SettingsScreen):
            self.push_screen(SettingsScreen())

    def copy_to_clipboard(self, text: str) -> None:
        """Hand a text to the terminal's clipboard; in tmux past it too, which may keep it to itself."""
        super().copy_to_clipboard(text)
        if self._driver and os.environ.get("TMUX"):
            import base64

            data = base64.b64encode(text.encode()).decode()
            self._driver.write(f"\x1bPtmux;\x1b\x1b]52;c;{data}\a\x1b\\")

    def action_queue(self) -> None:
        """What runs where, and what waits."""
        from labtui.tui.screens.queue import QueueScreen

        if not isinstance(self.screen, QueueScreen):
            self.push_screen(QueueScreen())

    def action_notebook(self) -> None:
        """What is written on the lab and all that is in it."""
        self.open_notebook(self.lab.paths)

    def open_notebook(self, on: Noted) -> None:
        """What is written on one thing."""
        from labtui.tui.screens.notebook import NotebookScreen

        if not (isinstance(self.screen, NotebookScreen) and self.screen.on == on):
            self.push_screen(NotebookScreen(on))

    def say(self, text: str, severity: Any = "information") -> None:
        """Tell the user something in passing."""
        self.notify(clean(text), severity=severity, markup=False)

    def warn(self, problems: Sequence[str]) -> None:
        """Tell what is wrong with the settings; of much of it some, and where all is told."""
        for problem in problems[:MOST_TOLD]:
            self.say(problem, "warning")
        if more := len(problems[MOST_TOLD:]):
            self.say(f"and {more} more in the settings: `labtui doctor` tells all", "warning")

    def open_run(self, key: str) -> None:
        """The screen of one run."""
        from labtui.tui.screens.run import RunScreen

        if not self.is_screen_installed("run"):
            self.install_screen(RunScreen(), "run")
        screen = self.get_screen("run", RunScreen)
        screen.open(key)
        self.push_screen(screen)

    def open_recipe(self, recipe: dict[str, Any]) -> None:
        """The screen that launches a recipe."""
        from labtui.tui.screens.launch import LaunchScreen

        self.push_screen(LaunchScreen(self.lab.paths.recipes / recipe["path"]))

    def open_sweep(self, key: str) -> None:
        """The screen of a sweep, named by its id or by one of its runs."""
        from labtui.tui.screens.sweep import SweepScreen

        self.push_screen(SweepScreen(key))

    def open_sweeps(self) -> None:
        """The list of sweeps."""
        from labtui.tui.screens.sweeps import SweepsScreen

        self.push_screen(SweepsScreen())

    def stop_sweep(self, sweep: str) -> None:
        """Stop all of a sweep."""
        self.act("stop", lambda: acts.stop_sweep(self.lab.paths, sweep))

    def resume_sweep(self, sweep: str) -> None:
        """Go on with what is not done of a sweep."""
        self.act("resume", lambda: acts.resume_sweep(self.lab.paths, sweep))

    def stop(self, keys: Sequence[str]) -> None:
        """Ask runs to stop."""
        self.act("stop", lambda: acts.stop(self.lab.paths, keys))

    def resume(self, keys: Sequence[str]) -> None:
        """Resume runs."""
        self.act("resume", lambda: acts.resume(self.lab.paths, keys))

    def remove(self, keys: Sequence[str]) -> None:
        """Remove runs."""
        self.act("remove", lambda: acts.remove(self.lab.paths, keys))

    def write(
        self, what: str, keys: Sequence[str], text: str, again: Callable[[Sequence[str], str], None]
    ) -> None:
        """Add a note or tags to runs.

        Args:
            again: is given the runs on which it could not be written, and the text.
        """

        def failed(keys: Sequence[str]) -> None:
            self.call_from_thread(again, keys, text)

        self.act(what, lambda: acts.write(self.lab.paths, what, keys, text, failed))

    def baseline(self, key: str, wanted: bool) -> None:
        """Compare the cells of a run's sweep with its cell, or with none."""
        self.act("baseline", lambda: acts.baseline(self.lab.paths, key, wanted))

    def launched(self, said: str, first: str) -> None:
        """Runs were launched: back to all runs, with the first of the new ones under the cursor."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        if isinstance(lab := self.screen_stack[0], LabScreen):
            lab.action_runs()
        self.awaited = first
        self.feed.look()
        self.say(said)

    def _find_awaited(self) -> None:
        """Put the cursor on the run that was launched last, once it is there."""
        if self.awaited in self.snapshot.place and isinstance(lab := self.screen_stack[0], LabScreen):
            lab.runs.select(self.awaited)
            self.awaited = ""

    def keep(self, arranged: Arrangement) -> None:
        """Keep how the runs are arranged, once that rests."""
        self.arranged = arranged
        if self._keeping:
            self._keeping.stop()
        keep = partial(arranged.write, self.lab.paths.screens)
        self._keeping = self.set_timer(RESTS, lambda: self.run_worker(keep, thread=True, name="arrangement"))

    def act(self, name: str, do: Callable[[], str]) -> None:
        """Do something in a worker, say how it went, and look at the disk."""

        def work() -> None:
            try:
                text, severity = do(), "information"
            except Exception as error:  # whatever is on the disk: the screens outlive it
                text, severity = told(error), "error"
            self.feed.look()
            if text:
                self.call_from_thread(self.say, text, severity)

        self.run_worker(work, thread=True, name=name, group="acts")
