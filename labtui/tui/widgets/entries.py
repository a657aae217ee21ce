"""Notes and to-dos as a list: each in as many rows as it takes, a cursor on one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.strip import Strip

from labtui.cells import clean, fit, wrap
from labtui.files.paths import Noted
from labtui.notes import Entry
from labtui.rows import Row
from labtui.table import moment
from labtui.tui.commands import MOVE, bindings
from labtui.tui.widgets.lines import TextView

SIGNS = {"open": ("☐", "accent"), "done": ("☑", "good"), "pending": ("◷", "warn"), "abort": ("☒", "dim")}
"""Sign and style of each state of a to-do."""


class Entries(TextView):
    """To-dos, those that are to be done first, then notes, the newest first."""

    COMPONENT_CLASSES = {"cursor"}

    BINDINGS: ClassVar[list[BindingType]] = bindings(MOVE)

    class Opened(Message):
        """An entry was clicked twice."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.entries: list[Entry] = []
        self.cursor = 0
        self.own: Noted | None = None
        self.problem = ""
        self._spans: list[tuple[int, int]] = []

    @property
    def entry(self) -> Entry | None:
        """The one under the cursor."""
        return self.entries[self.cursor] if self.entries else None

    def fill(self, entries: Sequence[Entry], own: Noted | None = None, problem: str = "") -> None:
        """Show these; the cursor stays on its entry, or on one that is new.

        Args:
            own: what needs no name: entries on something else tell on what.
        """
        before, old = self.entry, {_same(one) for one in self.entries}
        todos = [one for one in entries if one.kind == "todos"]
        rank = {"open": 0, "pending": 1}
        todos.sort(key=lambda one: rank.get(one.state, 2))
        # Of one moment or none the last in the file is the newest.
        notes = sorted((one for one in entries if one.kind == "notes"), key=lambda one: one.time or 0.0)[::-1]
        self.entries, self.own, self.problem = todos + notes, own, problem
        new = [n for n, one in enumerate(self.entries) if _same(one) not in old]
        same = [n for n, one in enumerate(self.entries) if before and _same(one) == _same(before)]
        moved = new if len(new) == 1 and old else same
        self.cursor = moved[0] if moved else max(0, min(self.cursor, len(self.entries) - 1))
        self.lay_out()

    def lay_out(self) -> None:
        """All rows, for the width there is."""
        rows: list[Row] = [[(clean(self.problem), "bad")], []] if self.problem else []
        self._spans = []
        for number, entry in enumerate(self.entries):
            if number == 0 or self.entries[number - 1].kind != entry.kind:
                rows += [[]] * bool(number) + [[("to do" if entry.kind == "todos" else "notes", "head")]]
            own = entry_rows(entry, max(self.size.width - 4, 20), entry.of != self.own)
            self._spans.append((len(rows), len(rows) + len(own)))
            rows += own
        if not self.entries and not self.problem:
            rows = [[("no notes; n adds one, T something to do", "dim")]]
        self.show(rows)
        self._into_sight()

    def on_resize(self) -> None:
        """Texts are wrapped anew."""
        self.lay_out()

    def _into_sight(self) -> None:
        if not self._spans:
            return
        first, last = self._spans[self.cursor]
        first = 0 if self.cursor == 0 else first
        top, height = self.scroll_offset.y, self.size.height
        if first < top:
            self.scroll_to(y=first, animate=False)
        elif last > top + height:
            self.scroll_to(y=min(first, last - height), animate=False)

    def _go(self, number: int) -> None:
        number = max(0, min(number, len(self.entries) - 1))
        if self.entries and number != self.cursor:
            self.cursor = number
            self._into_sight()
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One row, marked where the cursor is."""
        number = y + self.scroll_offset.y
        row = self.rows[number] if number < len(self.rows) else []
        first, last = self._spans[self.cursor] if self._spans else (0, 0)
        back = "cursor" if first <= number < last else ""
        return self.paint.strip(row, self.scrollable_content_region.width, back)

    def on_click(self, event: events.Click) -> None:
        """One click moves the cursor, two open the editor."""
        row = event.y + self.scroll_offset.y
        found = [n for n, (first, last) in enumerate(self._spans) if first <= row < last]
        if found:
            self._go(found[0])
            if event.chain > 1:
                self.post_message(self.Opened())

    def action_move(self, lines: int) -> None:
        """To the next entry, or the one before."""
        self._go(self.cursor + lines)

    def action_page(self, pages: int) -> None:
        """Some entries further."""
        self._go(self.cursor + pages * max(1, self.size.height // 4))

    def action_first(self) -> None:
        """To the first entry."""
        self._go(0)

    def action_last(self) -> None:
        """To the last entry."""
        self._go(len(self.entries) - 1)


def _same(entry: Entry) -> tuple[Noted, str, str]:
    """What an entry is known by when its number is another."""
    return entry.of, entry.kind, entry.text


def place_of(on: Noted) -> str:
    """What something is called beside other things."""
    return "the lab" if on.kind == "lab" else clean(f"{on.kind} {on.id}")


def entry_rows(entry: Entry, cells: int, named: bool = False) -> list[Row]:
    """A to-do with its box and why it stands so; a note below its date; on what it is written, if that is said."""
    lines = [clean(line.expandtabs(4)) for line in entry.text.splitlines()] or [""]
    texts = [part for line in lines for part in wrap(line, cells)]
    place = fit(place_of(entry.of), cells - 18)
    if entry.kind == "notes":
        head: Row = [(f" {moment(entry.time)}", "dim"), *([(f"  {place}", "accent")] if named else [])]
        return [head, *([(f"   {text}", "")] for text in texts)]
    sign, style = SIGNS[entry.state]
    over = "dim" if entry.state in ("done", "abort") else ""
    rows: list[Row] = [
        [(f" {sign} " if not n else "   ", style), (text, over)] for n, text in enumerate(texts)
    ]
    if entry.state in ("pending", "abort") or entry.reason:
        reason = clean(entry.reason)
        said = wrap(f"{entry.state}: {reason}" if reason else entry.state, cells)
        rows += [[(f"   {text}", "warn" if entry.state == "pending" else "dim")] for text in said]
    return [*rows, *([[(f"   {place}", "accent")]] if named else [])]
