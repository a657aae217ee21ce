"""Views of a sweep that are drawings: what made its cells good."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from labtui.cells import clean
from labtui.rows import Row
from labtui.tui.commands import Command, bindings
from labtui.tui.drawings import Asked, Drawn, pairs
from labtui.tui.newest import Failed
from labtui.tui.views.base import View
from labtui.tui.widgets.lines import TextView

KEPT = 16
"""Drawings that need not be made again."""


class DrawnView(View):
    """A drawing; it is kept as long as it would be drawn the same."""

    KIND: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        self.keys: tuple[str, ...] = ()
        self.shown: Drawn | None = None
        self._asked: object = None
        self._kept: dict[object, Drawn] = {}

    def compose(self) -> ComposeResult:
        """The drawing."""
        yield TextView()

    @property
    def takes_keys(self) -> TextView:
        """The drawing."""
        return self.query_one(TextView)

    def renew(self, hurry: bool = True) -> None:
        """Have it drawn, where it would be another."""
        screen, size = self.sweep_screen, self.takes_keys.size
        if screen.known is None or not size.width or not size.height:
            return
        app, known, analyst = screen.lab_app, screen.known, screen.analyst
        width = size.width - 1  # a bar to scroll with may come
        asked = Asked(
            self.KIND, screen.metric, self.keys, width, size.height, not app.no_color, app.ascii_only
        )
        key = (known.sweep, known.finished, asked)
        if key == self._asked:
            return
        self._asked = key
        if kept := self._kept.get(key):
            self.show(kept)
            return
        if hurry:
            self._say("computing …")
        self.work.ask(lambda: analyst.draw(known, asked), lambda found: self.made(key, found), hurry)

    def made(self, key: object, found: Drawn | Failed) -> None:
        """Show it, unless another is wanted by now."""
        if not isinstance(found, Failed):
            self._kept = dict([*self._kept.items(), (key, found)][-KEPT:])
        if key != self._asked:
            return
        if isinstance(found, Failed):
            self._say(found, "warn")
        else:
            self.show(found)

    def show(self, found: Drawn) -> None:
        """A drawing."""
        self.shown = found
        self.takes_keys.show(found.rows)

    def _say(self, text: str, style: str = "dim") -> None:
        """A sentence in the place of the drawing."""
        rows: list[Row] = [[(clean(line), style)] for line in text.splitlines()]
        self.takes_keys.show([[], *rows])

    def on_resize(self) -> None:
        """A drawing that fits."""
        self.call_after_refresh(self.renew)


CHOOSE = Command("v", "choose", "keys", "Choose the keys that are drawn.", 3)


class ChosenView(DrawnView):
    """A drawing of some keys."""

    KEYS: ClassVar[tuple[Command, ...]] = (CHOOSE,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def action_choose(self) -> None:
        """Ask which."""
        if self.shown is None:
            return
        from labtui.tui.screens.ask import Choose

        options = {key: key for key in self.shown.keys}
        self.app.push_screen(Choose("Keys to draw (none: all)", options, self.shown.shown), self.chosen)

    def chosen(self, keys: list[str] | None) -> None:
        """Draw them."""
        if keys is not None:
            self.keys = tuple(keys)
            self.renew()


class ParallelView(ChosenView):
    """Each cell as a line across one axis a key."""

    TITLE, KIND = "parallel", "parallel"


class ImportanceView(DrawnView):
    """How much each key matters, and which way."""

    TITLE, KIND = "importance", "importance"


class SlicesView(ChosenView):
    """The figure by the values of each key."""

    TITLE, KIND = "slices", "slice"


class HeatView(ChosenView):
    """The figure by the values of two keys."""

    TITLE, KIND = "heat map", "heat"
    KEYS: ClassVar[tuple[Command, ...]] = (
        CHOOSE,
        Command("right,l", "turn(1)", "next keys", "The heat map of the next two keys.", 3),
        Command("left,h", "turn(-1)", "previous keys", "The heat map of the two keys before."),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def chosen(self, keys: list[str] | None) -> None:
        """Draw them, if they are two."""
        if keys and len(keys) != 2:
            self.sweep_screen.lab_app.say(f"a heat map has two keys, not {len(keys)}")
        else:
            super().chosen(keys)

    def action_turn(self, step: int) -> None:
        """Other keys."""
        if self.shown is None or not (known := pairs(self.shown.keys)):
            return
        shown = self.shown.shown
        at = next((n for n, one in enumerate(known) if set(one) == set(shown)), 0)
        self.keys = known[(at + step) % len(known)]
        self.renew()
