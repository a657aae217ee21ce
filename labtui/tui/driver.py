"""The terminal may go while we write to it: a connection drops, a window is closed.

Textual writes in a thread, which ends at the first error; all others then wait for ever for room in its
queue, and the thread that reads finds the end of its input again and again. Here what cannot be written is
dropped, and the application ends as it does when it is told that the terminal hangs up.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App


class Unfailing:
    """A file to write to that fails once, and silently.

    Args:
        lost: is called then, by the thread that writes.
    """

    def __init__(self, file: TextIO, lost: Callable[[], object]) -> None:
        self._file, self._lost, self._gone = file, lost, False

    def write(self, text: str) -> None:
        """Write, while there is somewhere to write to."""
        self._try(lambda: self._file.write(text))

    def flush(self) -> None:
        """Send what was written."""
        self._try(self._file.flush)

    def _try(self, do: Callable[[], object]) -> None:
        if self._gone:
            return
        try:
            do()
        except (OSError, ValueError):  # gone, or closed
            self._gone = True
            self._lost()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class MortalDriver(LinuxDriver):
    """Textual's driver for a terminal that may go."""

    def __init__(self, app: App[Any], **how: Any) -> None:
        super().__init__(app, **how)
        self._file: Any = Unfailing(self._file, self._hung_up)

    def _get_terminal_size(self) -> tuple[int, int]:
        """Columns and lines of the terminal itself: `COLUMNS` and `LINES`, where a shell exports them, are those of
        some moment before."""
        for file in filter(None, (self._file, sys.__stdout__, sys.__stdin__)):
            with suppress(OSError, ValueError):
                columns, lines = os.get_terminal_size(file.fileno())
                if columns and lines:
                    return columns, lines
        return super()._get_terminal_size()

    @property
    def gone(self) -> bool:
        """Whether there is no terminal any more."""
        return self.input_tty and not os.isatty(self.fileno)

    def _sigcont_application(self, *_: Any) -> None:
        """Go on after a stop; one that nobody announced (SIGSTOP) has left the application mode on."""
        if self._must_signal_resume:
            super()._sigcont_application()
        else:
            # Not here: the signal may have come while the queue to the terminal is locked.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._again)

    def _again(self) -> None:
        """Leave the application mode and enter it: entered twice, it would never be left. A shell that ends
        sends this signal too, with the one that ends the application."""
        if self._auto_restart and not self._app._exit:
            self.suspend_application_mode()
            self._must_signal_resume = True
            self.resume_application_mode()

    def _hung_up(self) -> None:
        with suppress(RuntimeError):  # it has ended meanwhile
            self._loop.call_soon_threadsafe(self._app.exit, None, 128 + signal.SIGHUP)
