"""A long text in parts with heads, between which keys jump."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType

from labtui.rows import Row
from labtui.tui.commands import MOVE, Command, bindings
from labtui.tui.widgets.lines import TextView


@dataclass(frozen=True)
class Section:
    """A part: its head (empty: none) and its rows."""

    title: str
    rows: Sequence[Row]


class Sections(TextView):
    """Parts below each other, with a blank row between."""

    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("right_square_bracket", "section(1)", "next section", "To the next section.", 3),
        Command("left_square_bracket", "section(-1)", "previous section", "To the section before."),
    )
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(KEYS), *bindings(MOVE)]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.places: list[int] = []
        """The row of each part's head."""

    def fill(self, sections: Sequence[Section]) -> None:
        """Show these parts; those without rows are left out."""
        rows: list[Row] = []
        self.places = []
        for section in sections:
            if not section.rows:
                continue
            if rows:
                rows.append([])
            self.places.append(len(rows))
            if section.title:
                rows.append([(section.title, "head")])
            rows += section.rows
        self.show(rows)

    def action_section(self, by: int) -> None:
        """To the head of the next part, or of the one before."""
        top = self.scroll_offset.y
        found = [y for y in self.places if (y > top if by > 0 else y < top)]
        if found:
            self.scroll_to(y=found[0] if by > 0 else found[-1], animate=False)
