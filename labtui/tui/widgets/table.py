"""A table of any length that costs what is in sight: rows are asked for one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from labtui.cells import fit, pad
from labtui.rows import Row
from labtui.tui.commands import MOVE, bindings
from labtui.tui.widgets.lines import Paint, changed_regions


@dataclass(frozen=True)
class Column:
    """One column.

    Args:
        title: its head.
        width: cells; 0 takes what is left (one column only).
        align: "left" or "right".
        least: shown in tables of at least so many cells.
    """

    title: str
    width: int
    align: str = "left"
    least: int = 0


Cells = list[tuple[str, str]]
"""(text, style) of each column; texts are clean."""


class Table(ScrollView, can_focus=True):
    """Rows under a head, with a cursor that stays on its row's key when rows come, go or move.

    Args:
        columns: at most these; narrow tables leave some out.
        row: the cells of a key, for all columns; called for rows in sight only.
    """

    COMPONENT_CLASSES = {"cursor"}
    BINDINGS: ClassVar[list[BindingType]] = bindings(MOVE)

    class Moved(Message):
        """The cursor stands on another row (`key` is None in an empty table)."""

        def __init__(self, table: Table, key: str | None) -> None:
            super().__init__()
            self.table, self.key = table, key

        def can_replace(self, message: Message) -> bool:
            """Only the newest place counts."""
            return isinstance(message, Table.Moved) and message.table is self.table

        @property
        def control(self) -> Table:
            """The table."""
            return self.table

    class Opened(Message):
        """A row was clicked twice."""

        def __init__(self, table: Table, key: str) -> None:
            super().__init__()
            self.table, self.key = table, key

        @property
        def control(self) -> Table:
            """The table."""
            return self.table

    class HeadClicked(Message):
        """The head of a column was clicked."""

        def __init__(self, table: Table, number: int) -> None:
            super().__init__()
            self.table, self.number = table, number

        @property
        def control(self) -> Table:
            """The table."""
            return self.table

    def __init__(
        self, columns: Sequence[Column], row: Callable[[str], Cells], *, id: str, empty: str = ""
    ) -> None:
        super().__init__(id=id)
        self.columns, self.row, self.empty = columns, row, empty
        self.paint = Paint(self)
        self.keys: Sequence[str] = []
        self.cursor = 0
        self.sorted_by: tuple[int, bool] | None = None
        self._painted: dict[int, tuple[Row, bool]] = {}
        self._layouts: dict[int, list[tuple[int, int, str]]] = {}

    @property
    def key(self) -> str | None:
        """The key under the cursor."""
        return self.keys[self.cursor] if self.keys else None

    @property
    def in_sight(self) -> Sequence[str]:
        """The keys of the rows on the screen."""
        return self.keys[self.scroll_offset.y : self.scroll_offset.y + self._lines]

    @property
    def _lines(self) -> int:
        return max(self.size.height - 1, 0)

    @property
    def _width(self) -> int:
        """Cells of a line, beside the scroll bar if there is one."""
        return self.scrollable_content_region.width

    def rearrange(self, columns: Sequence[Column]) -> None:
        """Other columns, from the next painting on."""
        if columns != self.columns:
            self.columns = columns
            self._layouts.clear()
            self.refresh()

    def show(self, keys: Sequence[str]) -> None:
        """Show these rows; only lines that differ from what is painted are painted again."""
        key, before = self.key, len(self.keys)
        self.keys = keys
        if key is not None and not (self.cursor < len(keys) and keys[self.cursor] == key):
            at = keys.index(key) if key in keys else min(self.cursor, max(len(keys) - 1, 0))
            top = self.scroll_offset.y
            self.cursor, moved = at, at - self.cursor
            if moved and top > 0:
                self.scroll_to(y=top + moved, animate=False)
        if before != len(keys):
            self.virtual_size = Size(self.size.width, len(keys) + 1)
        self.repaint()
        if key != self.key:
            self.post_message(self.Moved(self, self.key))

    def repaint(self) -> None:
        """Paint the lines whose content differs from what was painted last."""
        width, regions = self._width, list[Region]()
        for y in range(self.size.height):
            known, content = self._painted.get(y), self._content(y, width)
            if known is None or known[1] != content[1]:  # the cursor came or went
                regions.append(Region(0, y, width, 1))
            elif known != content:
                regions += changed_regions(known[0], content[0], y, width)
        if regions:
            self.refresh(*regions)

    def select(self, key: str) -> None:
        """Put the cursor on a key, if it is shown."""
        if key in self.keys:
            self._go(self.keys.index(key))

    def _go(self, row: int) -> None:
        row = max(0, min(row, len(self.keys) - 1))
        if row == self.cursor or not self.keys:
            return
        before, self.cursor = self.cursor, row
        top, width, height = self.scroll_offset.y, self._width, self.size.height
        if row < top:
            self.scroll_to(y=row, animate=False)
        elif row >= top + height - 1:
            self.scroll_to(y=row - height + 2, animate=False)
        else:
            self.refresh(*(Region(0, r - top + 1, width, 1) for r in (before, row)))
        self.post_message(self.Moved(self, self.key))

    def _content(self, y: int, width: int) -> tuple[Row, bool]:
        """What stands on a line of the screen, and whether the cursor does."""
        number = y - 1 + self.scroll_offset.y
        if y == 0:
            cells: Cells = [(self._title(i), "head") for i in range(len(self.columns))]
        elif number < len(self.keys):
            cells = self.row(self.keys[number])
        else:
            return [(self.empty if y == 2 and not self.keys else "", "dim")], False
        row: Row = []
        for column, room, align in self._layout(width):
            text, style = cells[column]
            text = pad(text, room, align) + " "
            if row and row[-1][1] == style:  # each change of style costs 40 bytes
                row[-1] = (row[-1][0] + text, style)
            else:
                row.append((text, style))
        return row, y > 0 and number == self.cursor

    def _layout(self, width: int) -> list[tuple[int, int, str]]:
        """Number, cells and side of each column that is shown at a width."""
        if self._layouts.get(width) is None:
            shown = [(i, c) for i, c in enumerate(self.columns) if c.least <= width]
            rest = max(width - sum(c.width + 1 for _, c in shown) + 1, 1)
            self._layouts[width] = [(i, c.width or rest, c.align) for i, c in shown]
        return self._layouts[width]

    def _title(self, number: int) -> str:
        """A column's head; the sign of the order is never cut off."""
        column = self.columns[number]
        if self.sorted_by and self.sorted_by[0] == number:
            sign = "▼" if self.sorted_by[1] else "▲"
            return (fit(column.title, column.width - 1) if column.width else column.title) + sign
        return column.title

    def render_line(self, y: int) -> Strip:
        """One line: the head, then the rows in sight."""
        width = self._width
        content = self._painted[y] = self._content(y, width)
        return self.paint.strip(content[0], width, "cursor" if content[1] else "")

    def on_resize(self) -> None:
        """Lines are painted anew and the cursor stays in sight."""
        self._painted.clear()
        self.virtual_size = Size(self.size.width, len(self.keys) + 1)
        top, lines = self.scroll_offset.y, self._lines
        if self.cursor >= top + lines > 0:
            self.scroll_to(y=self.cursor - lines + 1, animate=False)

    def on_click(self, event: events.Click) -> None:
        """One click moves the cursor, two open."""
        number = event.y - 1 + self.scroll_offset.y
        if event.y < 1:
            self._head_clicked(event.x - self.styles.padding.left)
        if event.y < 1 or number >= len(self.keys):
            return
        self._go(number)
        if event.chain > 1 and self.key is not None:
            self.post_message(self.Opened(self, self.key))

    def _head_clicked(self, x: int) -> None:
        for number, room, _ in self._layout(self._width):
            if 0 <= x <= room:
                self.post_message(self.HeadClicked(self, number))
                return
            x -= room + 1

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows."""
        self._go(self.cursor + rows)

    def action_page(self, pages: int) -> None:
        """Move the cursor by pages."""
        self._go(self.cursor + pages * max(1, self._lines - 1))

    def action_first(self) -> None:
        """To the first row."""
        self._go(0)

    def action_last(self) -> None:
        """To the last row."""
        self._go(len(self.keys) - 1)
