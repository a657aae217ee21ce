"""What all screens share: commands as keys, the footer, what they want to know, and acting on runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.dom import DOMNode
from textual.screen import Screen

from labtui.tui.commands import COMMON, MOVE, RUN, Command, action_of
from labtui.tui.feed import News
from labtui.tui.narrow import NarrowCompositor
from labtui.tui.want import Want
from labtui.tui.widgets.keys import Keys

if TYPE_CHECKING:
    from labtui.tui.app import LabApp


_NUMBERS = count()
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
WIDE = 120
"""Cells from which a screen shows its parts side by side."""


class Base(Screen[None]):
    """A screen of labtui.

    What it shows of the disk it names as `wants()`, in slots that `slot(name)` names; what the feed has found
    comes to `found(name, value)`, what changed of all runs to `show_news`. Both are called only while the
    screen is in front (Textual would paint the whole of that one for each line here), and once again with all
    that is known when it comes back there.
    """

    KEYS: ClassVar[tuple[Command, ...]] = ()
    HORIZONTAL_BREAKPOINTS = [
        (0, "-narrow"),
        (WIDE, "-wide"),
    ]
    AUTO_FOCUS = None

    def __init__(self, key: str = "") -> None:
        super().__init__()
        self._compositor = NarrowCompositor()
        self.key = key
        """What the screen is about: the id of a run or a sweep."""
        self._number = next(_NUMBERS)
        # Textual sets it at the first resize: too late to lay out and paint once only.
        self.add_class("-wide" if self.app.size.width >= WIDE else "-narrow")

    @property
    def lab_app(self) -> LabApp:
        """The app, with its own type."""
        return cast("LabApp", self.app)

    @property
    def in_front(self) -> bool:
        """Whether this is what the user sees."""
        return self.is_mounted and self.app.screen_stack[-1:] == [self]

    def slot(self, name: str) -> str:
        """The slot of one of the screen's wants: no other screen of its kind has it, not even the next one."""
        return f"{type(self).__name__}:{self._number}:{self.key}:{name}"

    def wants(self) -> tuple[Want, ...]:
        """What the screen shows of the disk at the moment."""
        return ()

    def found(self, name: str, value: Any) -> None:
        """Show what the want in a slot has found."""

    def show_news(self, news: News) -> None:
        """Show what changed of all runs."""

    def wish(self) -> None:
        """Tell the feed what is on the screen: whenever that changes."""
        if self.in_front:
            self.lab_app.feed.ask(wants=self.wants())

    def on_mount(self) -> None:
        """Hear of what is new."""
        self.watch(self.app, "news", self._heard, init=False)

    def on_screen_resume(self) -> None:
        """Catch up on what changed meanwhile; what this screen shows counts again."""
        self._heard(self.lab_app.known)
        self.wish()

    def _heard(self, news: News | None) -> None:
        if news is None or not self.in_front:
            return
        self.show_news(news)
        own = self.slot("")
        for slot, value in news.found.items():
            if slot.startswith(own):
                self.found(slot.removeprefix(own), value)

    def owners(self) -> Iterator[DOMNode]:
        """What has the focus and all around it, up to the screen: they take keys in this order."""
        node: DOMNode | None = self.focused
        while node is not None and node is not self:
            yield node
            node = node.parent
        yield self

    @property
    def commands(self) -> tuple[Command, ...]:
        """What keys do at the moment; the nearest to the focus first."""
        found: dict[str, Command] = {}
        for owner in self.owners():
            for command in _declared(owner):
                found.setdefault(command.key, command)
        return tuple(found.values())

    @property
    def groups(self) -> list[tuple[str, tuple[Command, ...]]]:
        """The same for who reads them all: what declares them, and they."""
        shared = (("selected runs", RUN), ("lists and texts", MOVE), ("everywhere", COMMON))
        apart = {command.name for _, commands in shared for command in commands}
        shown = set(self.commands)
        found = []
        for owner in self.owners():
            title = _WORDS.sub(" ", type(owner).__name__.removesuffix("Screen")).lower()
            own = tuple(c for c in _declared(owner) if c in shown and c.name not in apart)
            shown -= set(own)
            found.append((title, own))
        names = {command.name for command in self.commands}
        for title, commands in shared:
            found.append((title, tuple(c for c in commands if c.name in names or commands is MOVE)))
        return [(title, commands) for title, commands in found if commands]

    async def perform(self, command: Command) -> None:
        """Do what a command's key does."""
        owner = next((one for one in self.owners() if command in _declared(one)), self)
        await self.app.run_action(action_of(command), owner)

    def on_descendant_focus(self) -> None:
        """Other keys where the focus is now."""
        for keys in self.query(Keys):
            keys.change(self.commands)

    async def on_keys_clicked(self, message: Keys.Clicked) -> None:
        """A click in the footer."""
        await self.perform(message.command)

    def unsaved(self) -> str:
        """What would be lost if the user left now; empty: nothing."""
        return ""

    def action_back(self) -> None:
        """To the screen below."""
        self.app.pop_screen()


def _declared(owner: DOMNode) -> tuple[Command, ...]:
    """The commands that a widget or a screen declares."""
    given = getattr(owner, "KEYS", ())
    return tuple(command for command in given if isinstance(command, Command))


class RunActions(Base):
    """Acting on the runs that a screen has selected: stop, resume, note, tag, their sweep."""

    def targets(self) -> Sequence[str]:
        """Ids of the selected runs."""
        raise NotImplementedError

    def named(self, keys: Sequence[str]) -> str:
        """The runs for a question: the name of one, the number of several."""
        if len(keys) == 1:
            name = self.lab_app.snapshot.of(keys[0], "name") or keys[0]
            return f"“{name}” ({keys[0][-4:]})"
        return f"{len(keys)} runs"

    def action_sweep(self) -> None:
        """The sweep that the selected run belongs to."""
        if keys := self.targets():
            self.lab_app.open_sweep(keys[0])

    def action_sweeps(self) -> None:
        """All sweeps of the lab."""
        self.lab_app.open_sweeps()

    def action_again(self) -> None:
        """Launch the recipe of the selected run, the first of several, once more."""
        if keys := self.targets():
            from labtui.tui.screens.launch import LaunchScreen

            self.app.push_screen(LaunchScreen(self.lab_app.lab.paths.run(keys[0]).recipe))

    def action_report(self) -> None:
        """The report of the selected runs, in one document."""
        if keys := self.targets():
            from labtui.tui.screens.report import ReportScreen

            self.app.push_screen(ReportScreen(*keys))

    def action_stop(self) -> None:
        """Stop the selected runs that are not over, after asking."""
        live = [k for k in self.targets() if self._state(k) in ("running", "queued")]
        if not live:
            self.lab_app.say("nothing to stop: no selected run is running or queued")
            return
        from labtui.tui.screens.ask import Confirm

        question = f"Stop {self.named(live)}? A checkpoint is kept; R resumes."
        self.app.push_screen(Confirm(question), lambda yes: self.lab_app.stop(live) if yes else None)

    def action_resume(self) -> None:
        """Resume the selected runs that are over without having finished."""
        over = [k for k in self.targets() if self._state(k) not in ("running", "queued", "finished")]
        if not over:
            self.lab_app.say("nothing to resume: the selected runs go on or are finished")
            return
        self.lab_app.resume(over)

    def action_remove(self) -> None:
        """Remove the selected runs that do not run, after asking."""
        over = [k for k in self.targets() if self._state(k) != "running"]
        if not over:
            self.lab_app.say("nothing to remove: a run that is running has to be stopped first")
            return
        from labtui.tui.screens.ask import Confirm

        question = f"Remove {self.named(over)} for good, with checkpoints and all else that was written?"
        self.app.push_screen(Confirm(question), lambda yes: self.lab_app.remove(over) if yes else None)

    def action_note(self) -> None:
        """Ask for a note and add it."""
        self._ask("note", "Note on")

    def action_tag(self) -> None:
        """Ask for tags and add or remove them."""
        self._ask("tag", "Tags (a minus removes) for")

    def _ask(self, what: str, title: str, keys: Sequence[str] = (), value: str = "") -> None:
        """Ask for a line, and write it; what could not be written stands there again."""
        keys = list(keys or self.targets())
        if not keys:
            return
        from labtui.tui.screens.ask import Prompt

        def again(failed: Sequence[str], text: str) -> None:
            self._ask(what, title, failed, text)

        def done(text: str | None) -> None:
            if text and text.strip():
                self.lab_app.write(what, keys, text.strip(), again)

        self.app.push_screen(Prompt(f"{title} {self.named(keys)}", value), done)

    def _state(self, key: str) -> str:
        return str(self.lab_app.snapshot.of(key, "state"))
