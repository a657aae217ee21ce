"""The one worker that looks at the disk: it polls the query layer and tells the app what changed.

The screens say what they show (a `Wish`); the feed looks at that, and at nothing more than the
store's rules ask for. It draws the charts too, so that a key never waits for one.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from textual.message import Message

from labtui.errors import LabtuiError
from labtui.query import Lab
from labtui.query.lab import Run, select
from labtui.rows import Row
from labtui.tui.cell_table import CellTable, cell_table
from labtui.tui.pictures import Picture, Pictures
from labtui.tui.snapshot import Snapshot

LIVE, IDLE = 0.4, 1.0
"""Seconds between two looks, when something trains and when nothing does."""
ALL = 60.0
"""Seconds between two looks at all run directories."""
SHARE = 0.05
"""Of its time the feed works at most; what takes longer is done less often."""
LONGEST = 5.0
"""Seconds between two looks, however long they take."""


@dataclass(frozen=True)
class Wish:
    """What the screens show.

    Args:
        filter, sort, reverse: which runs, by which column of the snapshot.
        visible: ids of rows on the screen.
        pictures: the charts.
        run: id of the run that is open; empty: none.
        cells: id of a run whose sweep's cells are shown; empty: none.
        order: of the cells: by the figure of that number, from 1; 0: as they were made.
    """

    filter: str = ""
    sort: str = "created"
    reverse: bool = True
    visible: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    run: str = ""
    cells: str = ""
    order: int = 0


@dataclass(frozen=True)
class Detail:
    """All there is to say of one run, but its charts."""

    id: str
    row: dict[str, Any] = field(default_factory=dict)
    message: str = ""
    result: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    log: str = ""


class News(Message):
    """Something on the disk changed; fields that did not are None."""

    def __init__(
        self,
        snapshot: Snapshot | None = None,
        recipes: list[dict[str, Any]] | None = None,
        drawn: dict[str, list[Row]] | None = None,
        detail: Detail | None = None,
        trouble: str | None = None,
        cells: CellTable | None = None,
    ) -> None:
        super().__init__()
        self.snapshot, self.recipes, self.drawn = snapshot, recipes, drawn
        self.detail, self.trouble, self.cells = detail, trouble, cells


class Feed:
    """Polls a lab in a thread.

    Args:
        lab: used by the feed's thread only.
        tell: takes the news; must be safe to call from a thread.
    """

    def __init__(self, lab: Lab, tell: Callable[[News], object]) -> None:
        self.lab, self.tell = lab, tell
        self.wish = Wish()
        self._wake, self._stopped = threading.Event(), False
        self._snapshot = Snapshot()
        self._shown: Wish | None = None
        self._recipes: list[dict[str, Any]] | None = None
        self._all_at = 0.0
        self._pictures = Pictures(lab)
        self._detail: tuple[object, Detail] | None = None
        self._cells: tuple[object, CellTable] | None = None
        self._changes = 0

    def ask(self, **changes: Any) -> None:
        """Change the wish (from the screens); the feed looks at once."""
        wish = replace(self.wish, **changes)
        if wish != self.wish:
            self.wish = wish
            self._wake.set()

    def look(self) -> None:
        """Look at once: something was done."""
        self._all_at = 0.0
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
            before, trouble = trouble, ""
            try:
                self.once()
                if first:  # the rows stay: the collector need not look at a million objects again
                    gc.freeze()
                first = False
            except Exception as error:
                known = isinstance(error, LabtuiError | OSError)
                trouble = str(error) if known else f"{type(error).__name__}: {error}"
            if trouble != before:
                self.tell(News(trouble=trouble))
            live = "running" in self._snapshot.columns["state"]
            spent = time.thread_time() - began
            self._wake.wait(min(max(LIVE if live else IDLE, spent / SHARE - spent), LONGEST))
            self._wake.clear()

    def once(self) -> None:
        """One look at everything that is wished for."""
        wish = self.wish
        snapshot = self._runs(wish)
        detail = self._details(wish.run)
        drawn = self._pictures.drawn(wish.pictures, self._snapshot)
        cells = self._of_sweep(wish.cells, wish.order)
        if snapshot or detail or drawn or cells:
            self.tell(News(snapshot=snapshot, detail=detail, drawn=drawn or None, cells=cells))
        recipes = self.lab.recipes()
        if recipes != self._recipes:
            self._recipes = recipes
            self.tell(News(recipes=recipes))

    def _runs(self, wish: Wish) -> Snapshot | None:
        """The snapshot, if it or what is asked of it changed."""
        index = self.lab.index
        every = time.monotonic() - self._all_at >= ALL or not self._all_at
        changed = index.refresh(every=every, visible=wish.visible)
        if every:
            self._all_at = time.monotonic()
        self._changes += bool(changed)
        rows = [index.row(key) for key in sorted(changed)]
        gone = [key for key in changed if key in self._snapshot.place and index.row(key) is None]
        base = Snapshot() if gone else self._snapshot
        new = base.updated(index.rows if gone or not base.place else [r for r in rows if r])
        asked = (wish.filter, wish.sort, wish.reverse)
        seen = self._shown and (self._shown.filter, self._shown.sort, self._shown.reverse)
        if new is None and asked == seen and not gone:
            return None
        snapshot = new or (base if not gone else Snapshot())
        keys, problem = self._filtered(wish.filter.strip(), snapshot)
        ordered = snapshot.ordered(keys, wish.sort, wish.reverse)
        self._snapshot = replace(snapshot, keys=ordered, problem=problem)
        self._shown = wish
        return self._snapshot

    def _filtered(self, text: str, snapshot: Snapshot) -> tuple[list[str], str]:
        """The runs that fit, and what is wrong with the filter; those shown last if it is wrong."""
        if not text:
            return list(snapshot.place), ""
        if not any(sign in text for sign in "=<>~"):
            word = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
            text = f"name~{word} or tags~{word} or id~{word} or state~{word}"
        try:
            return [row["id"] for row in select(self.lab.index.rows, text)], ""
        except LabtuiError as error:
            return [key for key in self._snapshot.keys if key in snapshot.place], str(error)

    def _details(self, key: str) -> Detail | None:
        """What is to be said of the open run, if it changed."""
        row = self.lab.index.row(key) if key else None
        if row is None:
            return None
        run = Run(self.lab.paths.run(key), row)
        waits = ""
        if row["state"] == "queued":
            from labtui.launch import why_waiting

            waits = why_waiting(self.lab.paths, run.paths)
        stamp = (key, repr(row["metrics"]), row["state"], waits, *map(_stamp, (
            run.paths.log, run.paths.notes, run.paths.result, run.paths.verdict
        )))  # fmt: skip
        if self._detail and self._detail[0] == stamp:
            return None
        status = run.status()
        said = status.message or waits
        detail = Detail(key, dict(row), said, dict(status.result), run.notes(), run.log_tail())
        self._detail = (stamp, detail)
        return detail

    def _of_sweep(self, key: str, order: int) -> CellTable | None:
        """The cells of the sweep of a run, if something in them changed."""
        row = self.lab.index.row(key) if key else None
        if row is None:
            return None
        pin = (-1, -1)
        with suppress(LabtuiError):  # of no sweep, or of one with the name of a path
            pin = _stamp(self.lab.paths.sweep(row["sweep"]).baseline)
        stamp = (key, order, self._changes, pin)
        if self._cells and self._cells[0] == stamp:
            return None
        found = cell_table(self.lab.paths, self.lab.index.rows, row, order)
        old, self._cells = self._cells, (stamp, found)
        return found if old is None or old[1] != found else None


def _stamp(path: Any) -> tuple[int, int]:
    """Size and time of a file, (-1, -1) where there is none."""
    with suppress(OSError):
        found = path.stat()
        return found.st_size, found.st_mtime_ns
    return -1, -1
