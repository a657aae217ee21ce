"""Widgets made of rows of (text, style): plain text, painted only where it changed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from labtui.rows import FAINT, TONES, Row, mixed

_HUES = 7
"""Colours of lines in the theme."""
LINES = _HUES * TONES
"""Styles of lines, `line-1` and so on: the theme's colours, then nearer to the text's, then to the background's."""


INKS = {
    "dim": ("foreground", 0.6, ""), "bold": ("foreground", 1.0, "bold"), "title": ("primary", 1.0, "bold"),
    "head": ("foreground", 0.6, "bold"), "good": ("success", 1.0, ""), "bad": ("error", 1.0, ""),
    "warn": ("warning", 1.0, ""), "accent": ("primary", 1.0, ""), "match": ("foreground", 1.0, "reverse"),
    **{f"line-{number}": (f"line-{number}", 1.0, "") for number in range(1, _HUES + 1)},
}  # fmt: skip
"""Styles that rows may use, beside lines of other tones, colours such as "#56b4e9" or "#000000 on #56b4e9", and
FAINT ones: the theme's variable, how much of it there is over the background, and what else it is. Not component
classes: each of these is a node more that Textual styles for each widget of a screen that opens."""


class Paint:
    """Turns rows into strips with the theme's colours, for a widget."""

    def __init__(self, widget: Widget) -> None:
        self.widget = widget
        self._theme = ""
        self._known: dict[str, Style] = {}

    def strip(self, row: Row, width: int, back: str = "") -> Strip:
        """A row as Textual paints it, exactly so many cells, on the background of a style."""
        if self._theme != self.widget.app.theme:
            self._theme, self._known = self.widget.app.theme, {"": self.widget.rich_style}
        over = Style()
        if back:  # not kept: it may depend on the focus
            full = self.widget.get_component_rich_style(back)
            over = Style(bgcolor=full.bgcolor, reverse=full.reverse, underline=full.underline)
        segments = [Segment(text, self._style(style) + over) for text, style in row]
        return Strip(segments).adjust_cell_length(width, self._style("") + over)

    def _style(self, name: str) -> Style:
        known = self._known
        if name not in known:
            known[name] = known[""] + self._own(name)
        return known[name]

    def _own(self, name: str) -> Style:
        """What a style says itself."""
        if name.startswith("#") and not name.endswith(FAINT):  # the same in every theme
            return Style.parse(name)
        if name.endswith(FAINT):
            return self._nearer(name.removesuffix(FAINT), "bgcolor", 0.6)
        hue, _, number = name.partition("-")
        if hue == "line" and int(number) > _HUES:
            tone, place = divmod(int(number) - 1, _HUES)
            return self._nearer(f"line-{place + 1}", "color" if tone == 1 else "bgcolor", 0.5)
        variable, strength, kind = INKS[name]
        ink = Color.parse(self.widget.app.theme_variables[variable])
        _, ground = self.widget.background_colors
        color = ground + ink.with_alpha(ink.a * strength) if ink.ansi is None else ink
        return Style(color=color.rich_color, bold=kind == "bold" or None, reverse=kind == "reverse" or None)

    def _nearer(self, name: str, end: str, part: float) -> Style:
        """A style whose colour is nearer to the text's or the background's."""
        color, other = self._style(name).color, getattr(self._known[""], end)
        if color is None or other is None or not (color.triplet and other.triplet):
            return self._style(name)
        return Style(color=mixed(color.triplet.hex, other.triplet.hex, part))


def changed_spans(old: Row, new: Row, gap: int = 8) -> list[tuple[int, int]]:
    """First and last differing characters of two rows (not cells: a bound from below).

    Args:
        gap: equal characters that part two spans; fewer are painted with them.
    """
    if old == new:
        return []
    before, after = _characters(old), _characters(new)
    spans: list[tuple[int, int]] = []
    for at, (one, other) in enumerate(zip_longest(before, after)):
        if one != other:
            if spans and at - spans[-1][1] < gap:
                spans[-1] = (spans[-1][0], at + 1)
            else:
                spans.append((at, at + 1))
    return spans


def changed_regions(old: Row, new: Row, y: int, width: int) -> list[Region]:
    """The cells of a line in which two rows differ; all of it where characters may not be cells."""
    spans = changed_spans(old, new)
    plain = all(text.isascii() or _narrow(text) for text, _ in [*old, *new]) if spans else True
    if not (plain and old and new):
        spans = [(0, max(width, 1))] if spans else []
    return [Region(first, y, last - first, 1) for first, last in spans]


def _characters(row: Row) -> list[tuple[str, str]]:
    return [(char, style) for text, style in row for char in text]


def tabs_row(titles: Sequence[str], opened: int, room: int) -> Row:
    """Names of tabs, one of them open; where not all have room, those before it make some."""
    first = 0
    while first < opened and 1 + sum(len(title) + 2 for title in titles[first : opened + 1]) > room:
        first += 1
    row: Row = [("‹" if first else " ", "dim")]
    for number, title in list(enumerate(titles))[first:]:
        row.append((f" {title} ", "title" if number == opened else "dim"))
    return row


class Lines(Widget):
    """Rows from the top; what does not fit is not shown."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.rows: list[Row] = []
        self.paint = Paint(self)

    def show(self, rows: Sequence[Row]) -> None:
        """Show these rows instead; only cells that differ are painted."""
        old, self.rows = self.rows, list(rows)
        regions = []
        for y in range(min(max(len(old), len(self.rows)), self.size.height)):
            before = old[y] if y < len(old) else []
            after = self.rows[y] if y < len(self.rows) else []
            regions += changed_regions(before, after, y, self.size.width)
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        """One row."""
        row = self.rows[y] if y < len(self.rows) else []
        return self.paint.strip(row, self.size.width)


def _narrow(text: str) -> bool:
    """Whether each character is one cell: box drawing, blocks, braille, arrows, Latin, Greek."""
    return all(ord(c) < 0x300 or 0x370 <= ord(c) < 0x400 or 0x2010 <= ord(c) < 0x2900 for c in text)


class TextView(ScrollView, can_focus=True):
    """Rows that scroll: parameters, a log, help."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.rows: list[Row] = []
        self.paint = Paint(self)
        self.follow = False

    def show(self, rows: Sequence[Row]) -> None:
        """Show these rows instead, and stay at the end if `follow` is set and it was in sight."""
        old, self.rows = self.rows, list(rows)
        top, height = self.scroll_offset.y, self.size.height
        at_end = self.follow and top + height >= len(old)
        if len(old) != len(self.rows):
            self.virtual_size = Size(self.size.width, len(self.rows))
        if at_end and len(self.rows) > height:
            self.scroll_to(y=len(self.rows) - height, animate=False)
        regions = []
        for y in range(top, top + height):
            before = old[y] if y < len(old) else []
            after = self.rows[y] if y < len(self.rows) else []
            regions += changed_regions(before, after, y - top, self.size.width)
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        """One row of what is in sight."""
        number = y + self.scroll_offset.y
        row = self.rows[number] if number < len(self.rows) else []
        return self.paint.strip(row, self.scrollable_content_region.width)

    def action_move(self, lines: int) -> None:
        """Scroll by lines."""
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False)

    def action_page(self, pages: int) -> None:
        """Scroll by pages."""
        self.action_move(pages * max(1, self.size.height - 1))

    def action_first(self) -> None:
        """To the top."""
        self.scroll_to(y=0, animate=False)

    def action_last(self) -> None:
        """To the end."""
        self.scroll_to(y=len(self.rows), animate=False)
