"""`labtui watch`: the charts of a run as plain lines, until it ends."""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import TYPE_CHECKING, Annotated, cast

import typer

from labtui.cells import clean, pad
from labtui.cli.app import RunArgument, app, open_lab
from labtui.errors import LabError

if TYPE_CHECKING:
    from labtui.curves import Course
    from labtui.grid import Page
    from labtui.query.lab import Run
    from labtui.rows import Color

_POLL = 0.5
_SELDOM = 10.0
"""Seconds between the first two drawings where none can be drawn over; each pause is twice the last."""
_LONGEST = 300.0
WIDTH, HEIGHT = 100, 20
"""Cells and rows where there is no terminal, and rows at most on one."""


@app.command()
def watch(
    run: RunArgument,
    metric: Annotated[
        list[str] | None,
        typer.Option(help="Only this metric, such as loss or val.acc; several may be given."),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Draw it as it is now, and end.")] = False,
    width: Annotated[int | None, typer.Option(min=20, help="Cells of a line.")] = None,
    height: Annotated[int | None, typer.Option(min=4, help="Lines of the charts.")] = None,
) -> int:
    """Draw the charts of a run until it ends; Ctrl-C ends the drawing only."""
    from labtui.cli.follow import Ending, closing_line

    found = open_lab().run(run)
    charts = _Charts(found, metric or [], width, height)
    ending = Ending(found.paths)
    screen = _InPlace() if charts.on_terminal and not once else _NowAndThen()
    while True:
        state = found.status().state
        over = once or ending.reached(state)
        screen.show(charts.lines(state), over)
        if over:
            charts.complain()
            if not once:
                closing_line(found.paths)
            return 1 if state in ("failed", "stopped", "lost", "preempted") else 0
        time.sleep(_POLL)


class _Charts:
    """What is drawn of a run.

    Args:
        metrics: names, or names without their split; none: as many as there is room for.
        width, height: cells and rows; absent: the terminal's.
    """

    def __init__(self, run: Run, metrics: list[str], width: int | None, height: int | None) -> None:
        from labtui.growing import Growing
        from labtui.tui.preferences import draws_ascii_only, terminal_colors

        self.run, self.metrics = run, metrics
        self.width, self.height = width, height
        self.on_terminal = sys.stdout.isatty() and os.environ.get("TERM") not in (None, "", "dumb", "unknown")
        self.ascii = draws_ascii_only()
        self.color = cast("Color", terminal_colors() if self.on_terminal else "none")
        self._growing = Growing(run.paths)
        self._page: Page | None = None
        self._course: Course | None = None

    def lines(self, state: str) -> list[str]:
        """The run in a line, and its charts."""
        from labtui import grid
        from labtui.rows import Row, painted
        from labtui.view import View

        cells, room = shutil.get_terminal_size((WIDTH, HEIGHT + 3))
        # A line that fills the last cell would wrap on some terminals.
        width = self.width or (cells - 1 if self.on_terminal else WIDTH)
        height = self.height or (max(4, min(room - 3, HEIGHT)) if self.on_terminal else HEIGHT)
        self._course = self._look()
        look = grid.Look(self.color != "none", self.ascii, focus=False)
        self._page = grid.page([self._course], View(), width, height, look, self._page)
        waiting: list[Row] = [[(pad(self._nothing(state), width), "dim")]]
        rows = [[(pad(self._head(state), width), "bold")], *(self._page.rows or waiting)]
        return [self._plain(line) for line in painted(rows, self.color)]

    def _look(self) -> Course:
        from labtui.curves import Course, group_of

        wanted, series = set(self.metrics), self._growing.look()
        if wanted:
            series = {
                name: one
                for name, one in series.items()
                if name == "epoch" or name in wanted or group_of(name) in wanted
            }
        row = self.run.row
        return Course(self.run.id, row.name, 0, series, str(row.params.get("validate.monitor", "")))

    def _head(self, state: str) -> str:
        return clean(f"{state}  {self.run.row.name}  {self.run.id}")

    def _nothing(self, state: str) -> str:
        """Why there is no chart."""
        if state == "queued":
            from labtui.launch import why_waiting

            return clean(why_waiting(self.run.paths.lab, self.run.paths))
        return "nothing was logged" + (" yet" if state == "running" else "")

    def _plain(self, line: str) -> str:
        if not self.ascii or line.isascii():
            return line
        from labtui.tui.plain import ascii_of

        return ascii_of(line)

    def complain(self) -> None:
        """Say that a metric that was asked for was never logged.

        Raises:
            LabError: none of them was.
        """
        from labtui.curves import MACHINE

        if self.metrics and not (self._page and self._page.rows):
            known = ", ".join(name for name in self._growing.look() if not name.startswith(MACHINE))
            asked = ", ".join(self.metrics)
            raise LabError(f"{self.run.id}: {asked}: not logged by this run; it has {known or 'no metrics'}")


class _InPlace:
    """Draws over what was drawn before."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._size: object = None

    def show(self, lines: list[str], last: bool) -> None:
        """Draw these lines, if they are others."""
        size = shutil.get_terminal_size()
        if lines == self._lines and size == self._size:
            return
        # In a window of another size the old lines stand elsewhere.
        over = bool(self._lines) and size == self._size and len(lines) >= len(self._lines)
        up = f"\x1b[{len(self._lines)}A" if over else ""
        sys.stdout.write(up + "".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
        self._lines, self._size = lines, size


class _NowAndThen:
    """Draws below what was drawn before: at first often, then seldom, and at the end."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._next, self._pause = 0.0, _SELDOM

    def show(self, lines: list[str], last: bool) -> None:
        """Draw these lines, if they are others and it is time."""
        now = time.monotonic()
        if lines == self._lines or not (last or now >= self._next):
            return
        if self._lines:
            self._pause = min(2 * self._pause, _LONGEST)
        self._next, self._lines = now + self._pause, lines
        print("\n".join(line.rstrip() for line in lines) + "\n", flush=True)
