"""A text of several lines that is written or changed."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from labtui.cells import clean
from labtui.tui.screens.ask import Confirm
from labtui.tui.widgets.area import Area


class Write(ModalScreen[str | None]):
    """An editor; None when it was given up, which is asked where something was changed.

    Args:
        title: what is written.
        text: what stands there already.
        kept: whether that is kept elsewhere: giving up loses nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "save", priority=True),
        Binding("escape", "give_up", "cancel", priority=True),
    ]

    def __init__(self, title: str, text: str = "", kept: bool = True) -> None:
        super().__init__()
        self.heading, self.text, self.kept = title, text, kept

    def compose(self) -> ComposeResult:
        """The title and the editor."""
        with Vertical(classes="dialog writing"):
            yield Static(clean(self.heading), markup=False, classes="title")
            area = Area(self.text, soft_wrap=True, tab_behavior="focus", highlight_cursor_line=False)
            area.cursor_blink = False
            area.move_cursor(area.document.end)
            yield area
            yield Static("^s save   esc cancel", markup=False, classes="hint")

    @property
    def written(self) -> str:
        """What stands there now."""
        return self.query_one(Area).text

    def action_save(self) -> None:
        """Close with the text."""
        self.dismiss(self.written)

    def action_give_up(self) -> None:
        """Close without; ask first where that loses something."""
        if self.kept and self.written == self.text:
            self.dismiss(None)
        else:
            self.app.push_screen(Confirm("Throw away what you wrote?"), self._given_up)

    def _given_up(self, sure: bool | None) -> None:
        if sure:
            self.dismiss(None)
