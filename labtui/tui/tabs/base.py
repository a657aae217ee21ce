"""What all sides of a run share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.containers import Vertical

from labtui.tui.commands import Command
from labtui.tui.detail import Detail
from labtui.tui.want import Want

if TYPE_CHECKING:
    from labtui.tui.screens.run import RunScreen


class Tab(Vertical):
    """A side of a run. It is made when it is first opened, and kept for other runs.

    What it takes keys with, it focuses in `enter`.
    """

    TITLE: ClassVar[str] = ""
    KEYS: ClassVar[tuple[Command, ...]] = ()

    def __init__(self) -> None:
        super().__init__(id=f"tab-{self.TITLE}")

    @property
    def run_screen(self) -> RunScreen:
        """The screen, with its own type."""
        return cast("RunScreen", self.screen)

    @property
    def run(self) -> str:
        """The id of the run."""
        return self.run_screen.key

    def slot(self, name: str) -> str:
        """The slot of one of the tab's wants."""
        return self.run_screen.slot(f"{self.TITLE}.{name}")

    def wants(self) -> tuple[Want, ...]:
        """What it shows of the disk, while it is open; after a change call `self.run_screen.wish()`."""
        return ()

    def found(self, name: str, value: Any) -> None:
        """Show what the want in a slot has found."""

    def show_detail(self, detail: Detail) -> None:
        """Show what it needs of what the screen knows of the run."""

    def clear(self) -> None:
        """Another run is open: show nothing of the last one."""

    def enter(self) -> None:
        """Take the keys."""
        self.focus()
