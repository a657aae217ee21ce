"""What all views of a sweep share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.containers import Vertical
from textual.widget import Widget

from labtui.tui.commands import Command
from labtui.tui.newest import Newest

if TYPE_CHECKING:
    from labtui.tui.screens.sweep import SweepScreen


class View(Vertical):
    """A view of a sweep. It is made when it is first opened."""

    TITLE: ClassVar[str] = ""
    KEYS: ClassVar[tuple[Command, ...]] = ()

    def __init__(self) -> None:
        super().__init__(id="view-" + self.TITLE.replace(" ", "-"))
        self.work = Newest(self, f"sweep {self.TITLE}")

    @property
    def sweep_screen(self) -> SweepScreen:
        """The screen, with its own type."""
        return cast("SweepScreen", self.screen)

    @property
    def takes_keys(self) -> Widget:
        """What has the focus while the view is open."""
        raise NotImplementedError

    def renew(self, hurry: bool = True) -> None:
        """Show the sweep as the screen knows it now; called while the view is open.

        Args:
            hurry: the user waits for it.
        """

    def selected(self) -> Sequence[Any]:
        """The runs of the cell under the cursor, as rows of the index."""
        return ()
