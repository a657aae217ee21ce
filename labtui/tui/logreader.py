"""Reads a log in a thread of its own: the lines around what is in sight, how many there are, and where a text is.

What is asked for is answered with a `Page`; so is whatever becomes known later.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

from labtui.logfile import Line, LogFile, Search

SLICE = 0.03
"""Seconds of counting and searching, before what is asked for next is answered."""
SCREENS = 3
"""Lines on each side of what is in sight, in screens: so far one scrolls without waiting."""


@dataclass(frozen=True)
class Sight:
    """What of a log is to be seen.

    Args:
        at: a byte of the first line; None: the end.
        lines: of a screen.
        go: whether it is to be gone to, or only read.
        turn: tells wishes for one place apart; those of the reader's own are below 0.
    """

    at: int | None = None
    lines: int = 50
    go: bool = False
    turn: int = 0


@dataclass(frozen=True)
class Page:
    """Lines around what was asked for.

    Args:
        sight: what was asked for; `at` is a line's start.
        lines: those before it too.
        size: bytes of the file.
        first: number of the first line, from 0; None: not known yet.
        total: how many lines the file has; None: not known yet.
        generation: grows whenever the file was replaced.
        text: what is searched for.
        hits: how many lines have it so far.
        hit: which of them was gone to last, from 1; 0: none.
        hit_at: where that line starts.
        searched: whether all is searched.
        path: of the file.
        problem: why the file cannot be read.
    """

    sight: Sight = Sight()
    lines: tuple[Line, ...] = ()
    size: int = 0
    first: int | None = 0
    total: int | None = 0
    generation: int = 0
    text: str = ""
    hits: int = 0
    hit: int = 0
    hit_at: int = -1
    searched: bool = True
    path: Path | None = None
    problem: str = ""

    @property
    def whole_before(self) -> bool:
        """Whether there is no line before these."""
        return not self.lines or self.lines[0].start == 0

    @property
    def whole_after(self) -> bool:
        """Whether there is no line after these."""
        return not self.lines or self.lines[-1].end >= self.size


class LogReader:
    """Takes wishes from any thread and answers in its own (`loop`).

    Args:
        tell: takes the pages; must be safe to call from a thread.
    """

    def __init__(self, tell: Callable[[Page], object]) -> None:
        self.tell = tell
        self._wishes: SimpleQueue[Callable[[], bool] | None] = SimpleQueue()
        self._log: LogFile | None = None
        self._sight = Sight()
        self._search: Search | None = None
        self._going = False
        self._from: int | None = None
        self._hit = self._jumps = 0
        self._counted = self._searched = True

    def open(self, path: Path, sight: Sight) -> None:
        """Another file, which need not exist; nothing is searched for in it."""
        self._wishes.put(partial(self._open, path, sight))

    def see(self, sight: Sight) -> None:
        """Other lines."""
        self._wishes.put(partial(self._see, sight))

    def look(self) -> None:
        """The file may have changed."""
        self._wishes.put(self._look)

    def find(self, text: str, at: int | None) -> None:
        """Search; go to the next line from `at` on that has the text, or, where it is None, to the last.

        Args:
            text: empty: end the search.
        """
        self._wishes.put(partial(self._find, text, at))

    def step(self, by: int) -> None:
        """To the next line with the text (1), or the one before (-1); beyond the last is the first."""
        self._wishes.put(partial(self._step, by))

    def stop(self) -> None:
        """End the loop."""
        self._wishes.put(None)

    def loop(self) -> None:
        """Answer until stopped. What cannot be read is told, and tried again when the file has changed."""
        while True:
            try:
                if not self._turn():
                    break
            except OSError as error:
                if self._log:
                    self._log.fail(error)
                    self._counted = self._searched = True
                    self.tell(self._page(self._log))
        if self._log:
            self._log.close()

    def _turn(self) -> bool:
        """Take what is asked for, answer, and count and search a little; False when it is to end."""
        changed = False
        try:
            while (wish := self._wishes.get(block=self._counted and self._searched)) is not None:
                changed |= wish()
                if self._wishes.empty():
                    break
            else:
                return False
        except Empty:
            pass
        if self._log and changed:  # what is to be seen does not wait for what is counted
            self.tell(self._page(self._log))
        if self._log and self._work(self._log):
            self.tell(self._page(self._log))
        return True

    def _open(self, path: Path, sight: Sight) -> bool:
        if self._log:
            self._log.close()
        self._log, self._sight, self._search, self._hit = LogFile(path), sight, None, 0
        self._look()
        return True

    def _see(self, sight: Sight) -> bool:
        self._sight = sight
        self._look()
        return True

    def _look(self) -> bool:
        if self._log is None or not self._log.refresh():
            return False
        self._counted, self._searched = False, self._search is None
        return True

    def _find(self, text: str, at: int | None) -> bool:
        if self._log is None:
            return False
        self._search = Search(self._log, text) if text else None
        self._searched, self._hit = not text, 0
        self._going, self._from = bool(text), at
        return True

    def _step(self, by: int) -> bool:
        if self._search and self._search.starts:
            self._go((self._hit - 1 + by) % len(self._search.starts))
        return True

    def _work(self, log: LogFile) -> bool:
        """Count and search a little; whether there is news."""
        news = False
        if not self._counted:
            news = self._counted = log.count(SLICE)
        if self._search and not self._searched:
            self._searched = self._search.advance(SLICE)
            news = True
        if self._search and self._going:
            starts, at = self._search.starts, self._from
            place = bisect_left(starts, at) if at is not None else len(starts)
            if place < len(starts):
                self._go(place)
            elif self._searched and starts:
                self._go(len(starts) - 1 if at is None else 0)
            self._going = self._going and not self._searched
        return news

    def _go(self, place: int) -> None:
        assert self._search is not None
        self._going, self._hit = False, place + 1
        sight = self._sight
        self._jumps += 1
        self._sight = Sight(self._search.starts[place], sight.lines, True, -self._jumps)

    def _page(self, log: LogFile) -> Page:
        sight, count = self._sight, self._sight.lines
        if sight.at is None:
            lines = log.backward(log.size, (SCREENS + 1) * count)
        else:
            at = log.start_of(min(sight.at, log.size))
            sight = replace(sight, at=at)
            lines = log.backward(at, SCREENS * count) + log.forward(at, (SCREENS + 1) * count)
        search, first = self._search, lines[0].start if lines else 0
        return Page(
            sight=sight,
            lines=tuple(lines),
            size=log.size,
            first=log.number_of(first),
            total=log.lines,
            generation=log.generation,
            text=search.text if search else "",
            hits=len(search.starts) if search else 0,
            hit=self._hit,
            hit_at=search.starts[self._hit - 1] if search and 0 < self._hit <= len(search.starts) else -1,
            searched=self._searched,
            path=log.path,
            problem=log.problem,
        )
