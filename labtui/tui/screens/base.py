"""What all screens share: commands as keys, the footer, and acting on runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.screen import Screen

from labtui.rows import Row
from labtui.tui.commands import Command, action_of
from labtui.tui.pictures import Picture
from labtui.tui.widgets.chart import Chart
from labtui.tui.widgets.keys import Keys

if TYPE_CHECKING:
    from labtui.tui.app import LabApp


WIDE = 120
"""Cells from which a screen shows its parts side by side."""


MARKED = 20
"""Runs at most in one chart."""


class Base(Screen[None]):
    """A screen of labtui."""

    COMMANDS_HERE: ClassVar[tuple[Command, ...]] = ()
    HORIZONTAL_BREAKPOINTS = [
        (0, "-narrow"),
        (120, "-wide"),
    ]
    AUTO_FOCUS = None

    def __init__(self) -> None:
        super().__init__()
        # Textual sets it at the first resize: too late to lay out and paint once only.
        self.add_class("-wide" if self.app.size.width >= WIDE else "-narrow")

    @property
    def lab_app(self) -> LabApp:
        """The app, with its own type."""
        return cast("LabApp", self.app)

    @property
    def commands(self) -> tuple[Command, ...]:
        """What keys do at the moment."""
        return self.COMMANDS_HERE

    async def on_keys_clicked(self, message: Keys.Clicked) -> None:
        """A click in the footer."""
        await self.run_action(action_of(message.command))


class RunActions(Base):
    """Charts of the runs that a screen has selected; stop, resume, note and tag them."""

    turn, ylog = 1, False
    window = (0.0, 1.0)

    def pictures(self) -> tuple[Picture, ...]:
        """The two charts of the selected runs: losses, and another metric."""
        found = []
        for chart, turn in zip(self.query(Chart), (0, self.turn), strict=True):
            if chart.size.width and chart.size.height:
                found.append(
                    Picture(
                        slot=f"{type(self).__name__}.{chart.id}",
                        runs=tuple(self.targets()[:MARKED]),
                        width=chart.size.width,
                        height=chart.size.height,
                        turn=turn,
                        ylog=self.ylog and turn == 0,
                        window=self.window,
                        colored=not self.app.no_color,
                        ascii=os.environ.get("TERM") in ("linux", "dumb"),
                    )
                )
        return tuple(found)

    def show_drawn(self, drawn: dict[str, list[Row]] | None) -> None:
        """Charts that the feed drew for this screen."""
        for slot, rows in (drawn or {}).items():
            screen, _, name = slot.partition(".")
            if screen == type(self).__name__:
                self.query_one(f"#{name}", Chart).show(rows)

    def wish(self) -> None:
        """Tell the feed what is on the screen."""
        raise NotImplementedError

    @on(Chart.Resized)
    def resized(self) -> None:
        """Charts of another size."""
        self.wish()

    def on_screen_resume(self) -> None:
        """What this screen shows counts again."""
        self.wish()

    def action_scale(self) -> None:
        """Logarithmic loss, or back."""
        self.ylog = not self.ylog
        self.wish()

    def action_metric(self, step: int) -> None:
        """Another metric in the second chart."""
        self.turn = max(1, self.turn + step)
        self.wish()

    def targets(self) -> Sequence[str]:
        """Ids of the selected runs."""
        raise NotImplementedError

    def named(self, keys: Sequence[str]) -> str:
        """The runs for a question: the name of one, the number of several."""
        if len(keys) == 1:
            name = self.lab_app.snapshot.of(keys[0], "name") or keys[0]
            return f"“{name}” ({keys[0][-4:]})"
        return f"{len(keys)} runs"

    def action_cells(self) -> None:
        """The cells of the sweep that the selected run belongs to."""
        if keys := self.targets():
            self.lab_app.open_cells(keys[0])

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

    def action_note(self) -> None:
        """Ask for a note and add it."""
        self._ask("note", "Note on")

    def action_tag(self) -> None:
        """Ask for tags and add or remove them."""
        self._ask("tag", "Tags (a minus removes) for")

    def _ask(self, what: str, title: str) -> None:
        keys = list(self.targets())
        if not keys:
            return
        from labtui.tui.screens.ask import Prompt

        def done(text: str | None) -> None:
            if text and text.strip():
                self.lab_app.write(what, keys, text.strip())

        self.app.push_screen(Prompt(f"{title} {self.named(keys)}"), done)

    def _state(self, key: str) -> str:
        return str(self.lab_app.snapshot.of(key, "state"))
