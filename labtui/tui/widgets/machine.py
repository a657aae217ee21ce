"""The line that tells of the machine; a worker of its own looks, for NVML may take seconds."""

from __future__ import annotations

from collections.abc import Sequence

from textual.message import Message

from labtui.errors import LabtuiError
from labtui.files.paths import LabPaths
from labtui.tui.strip import Strip, look, strip_row
from labtui.tui.widgets.lines import Lines

EVERY = 5.0
"""Seconds between two looks."""


class MachineLine(Lines):
    """GPUs or cores, queue and disk.

    Args:
        lab: whose runs and disk.
    """

    class Seen(Message):
        """What the machine has and does."""

        def __init__(self, strip: Strip) -> None:
            super().__init__()
            self.strip = strip

    def __init__(self, lab: LabPaths) -> None:
        super().__init__(id="strip")
        self.lab = lab
        self.strip = Strip()
        self.running: Sequence[str] | None = None
        """Ids; None before it is known."""
        self.waiting = 0
        self._looking = False

    def on_mount(self) -> None:
        """Look now and then."""
        self.set_interval(EVERY, self.look)

    def on_resize(self) -> None:
        """The disk stands at the right end."""
        self._tell()

    def show_queue(self, running: Sequence[str], waiting: int) -> None:
        """Tell of these runs, and look at once where others run now.

        Args:
            running: ids.
            waiting: how many are queued.
        """
        changed = running != self.running
        self.running, self.waiting = running, waiting
        if changed:
            self.look()
        self._tell()

    def look(self) -> None:
        """Ask the machine, while the screen is in front."""
        lab, running = self.lab, self.running
        # One look at a time: a driver may hang, and threads that wait for it would leave none for others.
        if running is None or self._looking or not self.screen.is_current:
            return
        self._looking = True

        def work() -> None:
            try:
                found = look(lab, running)
            except (LabtuiError, OSError) as error:
                found = Strip(problem=str(error))
            finally:
                self._looking = False
            self.post_message(self.Seen(found))

        self.run_worker(work, thread=True, name="machine", group="machine", exclusive=True)

    def on_machine_line_seen(self, message: Seen) -> None:
        """Show it."""
        self.strip = message.strip
        self._tell()

    def _tell(self) -> None:
        running = len(self.running or ())
        self.show([strip_row(self.strip, running, self.waiting, self.size.width)])
