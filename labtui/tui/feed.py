"""The one worker that looks at the disk: it polls the query layer and tells the app what changed.

The screens say what they show (a `Wish`); the feed looks at that, and at nothing more than the
store's rules ask for. It draws the charts too, so that a key never waits for one.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from textual.message import Message

from labtui.errors import told
from labtui.query import Lab
from labtui.tui.listing import Listing, Shown
from labtui.tui.snapshot import Snapshot
from labtui.tui.want import Eyes, Want

LIVE, IDLE = 0.4, 1.0
"""Seconds between two looks, when something trains and when nothing does."""
SHARE = 0.03
"""Of its time the feed works at most; what takes longer is done less often."""
LONGEST = 5.0
"""Seconds between two looks, however long they take."""


@dataclass(frozen=True)
class Wish:
    """What the screens show.

    Args:
        shown: the table of runs; it stays the same under other screens.
        wants: whatever else the screen in front shows.
    """

    shown: Shown = field(default_factory=Shown)
    wants: tuple[Want, ...] = ()


class News(Message):
    """Something on the disk changed; fields that did not are None, or empty.

    Args:
        found: slot to what its want has found.
    """

    def __init__(
        self,
        snapshot: Snapshot | None = None,
        recipes: list[dict[str, Any]] | None = None,
        trouble: str | None = None,
        found: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.snapshot, self.recipes, self.trouble = snapshot, recipes, trouble
        self.found = found or {}


class Feed:
    """Polls a lab in a thread.

    Args:
        lab: used by the feed's thread only.
        tell: takes the news; must be safe to call from a thread.
    """

    def __init__(self, lab: Lab, tell: Callable[[News], object]) -> None:
        self.tell = tell
        self.wish = Wish()
        self.eyes = Eyes(lab)
        self.listing = Listing(self.eyes)
        self.pace = LIVE
        """Seconds between two looks when something trains."""
        self._wake, self._stopped = threading.Event(), False
        self._recipes: list[dict[str, Any]] | None = None
        self._found: dict[str, tuple[Want, object, Any]] = {}

    def ask(self, **changes: Any) -> None:
        """Change the wish (from the screens); the feed looks at once."""
        wish = replace(self.wish, **changes)
        if wish != self.wish:
            self.wish = wish
            self._wake.set()

    def look(self) -> None:
        """Look at once: something was done."""
        self.listing.look()
        self._wake.set()

    def stop(self) -> None:
        """End the loop; it is between two looks within a moment."""
        self._stopped = True
        self._wake.set()

    def loop(self) -> None:
        """Look until stopped. Whatever goes wrong is told, not raised: the screens outlive a broken
        file, and the disk may be well again at the next look."""
        trouble, first = "", True
        while not self._stopped:
            began = time.thread_time()
            before, trouble, hurry = trouble, "", first
            try:
                self.once()
                if first:  # what is there stays: the collector need not look at all of it again
                    gc.freeze()
                first = False
            except Exception as error:
                trouble = told(error)
            gc.enable()  # it was off while all was loaded
            if trouble != before:
                self.tell(News(trouble=trouble))
            live = "running" in self.eyes.snapshot.columns["state"]
            spent = time.thread_time() - began
            rest = self.pace if live or hurry else max(self.pace, IDLE)
            self._wake.wait(rest if hurry else min(max(rest, spent / SHARE - spent), LONGEST))
            self._wake.clear()

    def once(self) -> None:
        """One look at everything that is wished for.

        Raises:
            Exception: the first of those that wants have raised, when all have looked.
        """
        wish = self.wish
        snapshot = self.listing.refresh(wish.shown)
        if snapshot:
            self.tell(News(snapshot=snapshot))
        found, problems = self._look(wish.wants)
        if found:
            self.tell(News(found=found))
        recipes = self.eyes.lab.recipes()
        if recipes != self._recipes:
            self._recipes = recipes
            self.tell(News(recipes=recipes))
        if problems:
            raise problems[0]

    def _look(self, wants: tuple[Want, ...]) -> tuple[dict[str, Any], list[Exception]]:
        """What differs from what was found before, by slot; and what went wrong."""
        found: dict[str, Any] = {}
        problems: list[Exception] = []
        slots = {want.slot for want in wants}
        self._found = {slot: known for slot, known in self._found.items() if slot in slots}
        self.eyes.keep(wants)
        for want in wants:
            known = self._found.get(want.slot)
            before = known[2] if known else None
            try:
                stamp = want.stamp(self.eyes)
                if known and known[:2] == (want, stamp):
                    continue
                value = want.look(self.eyes, before)
                differs = value is not None and value != before
            except Exception as error:
                problems.append(error)
                continue
            self._found[want.slot] = (want, stamp, value)
            if differs:
                found[want.slot] = value
        return found, problems
