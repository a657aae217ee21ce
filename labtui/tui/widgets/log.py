"""A log on the screen: lines in sight of a file of any length, with what was searched for marked."""

from __future__ import annotations

import re
from typing import ClassVar

from rich.cells import chop_cells
from textual import events
from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from labtui.cells import width
from labtui.rows import Row
from labtui.tui.commands import MOVE, Command, bindings
from labtui.tui.logreader import Page, Sight
from labtui.tui.widgets.lines import Paint

WHEEL = 3
"""Lines that one turn of the mouse wheel scrolls by."""
ASIDE = 16
"""Cells that one key scrolls sideways by."""
WIDEST = 1 << 14
"""Cells of a line that is not wrapped to which one can scroll sideways."""

_BAD = re.compile(r"\b(ERROR|CRITICAL|FATAL)\b|^Traceback \(most|^[\w.]*(Error|Exception|Interrupt)\b(:|$)")
_WARN = re.compile(r"\b(WARN|WARNING)\b|Warning:")
_HEAD = 200
"""Characters of a line among which it says how bad it is."""


class LogView(Widget, can_focus=True):
    """Shows a page, and asks for another before its end comes into sight."""

    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("slash", "find", "search", "Search in the log: upper and lower case alike.", 2),
        Command("enter,greater_than_sign", "step(1)", "next match", "The next line that has it.", 3),
        Command("less_than_sign", "step(-1)", "previous match", "The line before that has it."),
        Command("f", "follow", "follow", "To the end and along with it; or stay here.", 2),
        Command("W", "wrap", "wrap", "Long lines in several rows, or in one.", 3),
        Command("left,h", "aside(-1)", "to the left", "Further left in lines that are not wrapped."),
        Command("right,l", "aside(1)", "to the right", "Further right in lines that are not wrapped."),
        Command("escape", "leave", "back", "End the search; else back.", 1),
    )
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(KEYS), *bindings(MOVE)]

    class Wanted(Message):
        """Other lines are wanted."""

        def __init__(self, sight: Sight) -> None:
            super().__init__()
            self.sight = sight

    class Moved(Message):
        """Other lines are in sight, or they are shown in another way."""

        def can_replace(self, message: Message) -> bool:
            """Only the newest place counts."""
            return isinstance(message, LogView.Moved)

    class Asked(Message):
        """Something about a search is wanted: "find", "next", "previous" or "end"."""

        def __init__(self, what: str) -> None:
            super().__init__()
            self.what = what

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.paint = Paint(self)
        self.page = Page()
        self.follow, self.wrap = True, False
        self.top = self.left = 0
        self._rows: list[tuple[int, Row]] = []
        self._turn = self._gone = 0
        self._asked: Sight | None = None
        self._painted: dict[int, Row] = {}

    def clear(self) -> None:
        """Nothing of the last log; the next one is shown from its end."""
        self.page, self.follow, self.left, self._asked = Page(), True, 0, None
        self._arrange()
        self._put(0)

    def sight(self, at: int | None = None, go: bool = True) -> Sight:
        """What is to be read, so that lines from a place on (None: the last) can be shown."""
        self._turn += 1
        self._asked = Sight(at, self.app.size.height, go, self._turn)
        return self._asked

    def show(self, page: Page) -> None:
        """Show what was read."""
        sight, place = page.sight, self._place()
        new = page.generation != self.page.generation
        go, self._gone = sight.go and sight.turn != self._gone, sight.turn if sight.go else self._gone
        if self._asked and sight.turn == self._asked.turn:
            self._asked = None
        around = page.lines and page.lines[0].start <= place[0] <= page.lines[-1].start
        if not (go or new or around or sight.at is None) and page.lines:  # read before one went elsewhere
            self._want(place[0])
            return
        self.page = page
        self._arrange()
        if sight.at is None and (go or self.follow):
            self._put(len(self._rows))
        elif go and sight.at is not None:
            found = sight.turn < 0  # with some lines before it
            self.follow = self.follow and not found
            self._put(self._row_of(sight.at, 0) - found * self.size.height // 3)
        else:
            self._put(len(self._rows) if new else self._row_of(*place))

    def _place(self) -> tuple[int, int]:
        """The start of the line at the top, and which of its rows is there."""
        if not self._rows:
            return 0, 0
        number = self._rows[min(self.top, len(self._rows) - 1)][0]
        first = next(i for i in range(self.top, -1, -1) if i == 0 or self._rows[i - 1][0] != number)
        return self.page.lines[number].start, self.top - first

    def _row_of(self, start: int, below: int) -> int:
        """The row of a line, or of the first one after it."""
        for row, (number, _) in enumerate(self._rows):
            if self.page.lines[number].start >= start:
                return row + below if self.page.lines[number].start == start else row
        return len(self._rows)

    @property
    def _width(self) -> int:
        return max(self.size.width - 2, 1)

    def _arrange(self) -> None:
        """The rows of the page, some a line where long ones are wrapped."""
        found = re.compile(re.escape(self.page.text), re.IGNORECASE) if self.page.text else None
        self._rows = []
        for number, line in enumerate(self.page.lines):
            head = line.text[:_HEAD]
            style = "bad" if _BAD.search(head) else "warn" if _WARN.search(head) else ""
            mark = "match" if line.start == self.page.hit_at else "title"
            row = _marked(line.text, style, mark, found)
            if self.wrap and width(line.text) > self._width:
                self._rows += [(number, part) for part in _wrapped(row, self._width)]
            else:
                self._rows.append((number, row))

    def _put(self, top: int) -> None:
        """A row at the top, as far as there are enough below it."""
        self.top = max(0, min(top, len(self._rows) - self.size.height))
        self.repaint()
        self.post_message(self.Moved())

    @property
    def at_end(self) -> bool:
        """Whether the end of the file is in sight."""
        return self.page.whole_after and self.top + self.size.height >= len(self._rows)

    @property
    def in_sight(self) -> tuple[int, int]:
        """Which lines of the page are in sight: the first, and the one after the last."""
        rows = self._rows[self.top : self.top + self.size.height]
        return (rows[0][0], rows[-1][0] + 1) if rows else (0, 0)

    def _move(self, rows: int) -> None:
        self._put(self.top + rows)
        if rows < 0:
            self.follow = self.follow and self.at_end
        elif self.at_end:
            self.follow = True
        height = self.size.height
        short = self.top < height and not self.page.whole_before
        if short or (self.top + 2 * height > len(self._rows) and not self.page.whole_after):
            self._want(self._place()[0])

    def _want(self, at: int | None, go: bool = False) -> None:
        if self._asked is None or (self._asked.at, self._asked.go) != (at, go):
            self.post_message(self.Wanted(self.sight(at, go)))

    def on_resize(self) -> None:
        """The same line stays at the top, or the end in sight."""
        place, end = self._place(), self.follow
        self._painted.clear()
        if self.wrap:
            self._arrange()
        self._put(len(self._rows) if end else self._row_of(*place))
        if self.page.lines:
            self._want(None if end else place[0])

    def repaint(self) -> None:
        """Paint the rows that differ from what was painted last."""
        for y in range(self.size.height):
            if self._painted.get(y) != self._content(y):
                self.refresh(Region(0, y, self.size.width, 1))

    def _content(self, y: int) -> Row:
        row = self.top + y
        text = self._rows[row][1] if row < len(self._rows) else []
        return [(str(self.left), self._bar(y)), *text]

    def _bar(self, y: int) -> str:
        """Where in the file one is, at the right; of a file that is in sight as a whole nothing."""
        first, last = self.in_sight
        if last - first >= len(self.page.lines) or not self.page.size:
            return " "
        height, before = self.size.height, self.page.lines[first].start
        after = self.page.size - self.page.lines[last - 1].end
        at = round(before / max(before + after, 1) * (height - 1))
        return "┃" if y == at else " "

    def render_line(self, y: int) -> Strip:
        """One row of what is in sight."""
        content = self._painted[y] = self._content(y)
        row = content[1:]
        if self.left and not self.wrap:
            shown = self.paint.strip(row, self.left + self._width).crop(self.left, self.left + self._width)
        else:
            shown = self.paint.strip(row, self._width)
        edge = self.paint.strip([(" ", "")], 1)
        return Strip.join([edge, shown, self.paint.strip([(content[0][1], "dim")], 1)])

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Some lines up."""
        event.stop()
        self._move(-WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Some lines down."""
        event.stop()
        self._move(WHEEL)

    def action_move(self, lines: int) -> None:
        """Scroll by rows."""
        self._move(lines)

    def action_page(self, pages: int) -> None:
        """Scroll by screens."""
        self._move(pages * max(1, self.size.height - 1))

    def action_first(self) -> None:
        """To the first line."""
        self.follow = False
        if self.page.whole_before:
            self._move(-len(self._rows))
        else:
            self._want(0, go=True)

    def action_last(self) -> None:
        """To the end, and along with it."""
        self.follow = True
        if self.page.whole_after:
            self._put(len(self._rows))
        self._want(None, go=True)

    def action_follow(self) -> None:
        """Follow the end, or stay where one is."""
        if not self.follow:
            self.action_last()
            return
        self.follow = False
        self._want(self._place()[0])
        self.post_message(self.Moved())

    def action_wrap(self) -> None:
        """Long lines in several rows, or in one."""
        place = self._place()
        self.wrap, self.left = not self.wrap, 0
        self._arrange()
        self._put(len(self._rows) if self.follow else self._row_of(place[0], 0))

    def action_aside(self, by: int) -> None:
        """Scroll sideways."""
        longest = max((width(self.page.lines[n].text) for n in range(*self.in_sight)), default=0)
        furthest = min(max(longest - self._width, 0), WIDEST)
        if not self.wrap:
            self.left = max(0, min(self.left + by * ASIDE, furthest))
            self.repaint()
            self.post_message(self.Moved())

    def action_find(self) -> None:
        """Ask for what to search."""
        self.post_message(self.Asked("find"))

    def action_step(self, by: int) -> None:
        """The next match, or the one before."""
        self.post_message(self.Asked("next" if by > 0 else "previous"))

    def action_leave(self) -> None:
        """End the search; back where there is none."""
        self.post_message(self.Asked("end"))


def _marked(text: str, style: str, mark: str, found: re.Pattern[str] | None) -> Row:
    """A line with what was found in it in another style."""
    row: Row = []
    at = 0
    for match in found.finditer(text) if found else ():
        row += [(text[at : match.start()], style), (match[0], mark)]
        at = match.end()
    return [piece for piece in [*row, (text[at:], style)] if piece[0]]


def _wrapped(row: Row, cells: int) -> list[Row]:
    """A row in as many as it takes."""
    out: list[Row] = [[]]
    room = cells
    for text, style in row:
        while text and width(text[:cells]) > room:  # no character is less than a cell wide but marks
            head = chop_cells(text[:room], room)[0] if room else ""
            head = "" if width(head) > room else head  # a wide character at the edge
            out[-1].append((head, style))
            text, room = text[len(head) :], cells
            out.append([])
        out[-1].append((text, style))
        room -= width(text)
    return out
