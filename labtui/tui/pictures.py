"""Charts as a screen wants them: drawn by the feed, so that a key never waits for one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from labtui.rows import Row
from labtui.tui.want import Eyes, Want
from labtui.view import View

if TYPE_CHECKING:
    from labtui.curves import Course
    from labtui.grid import Page

__all__ = ["Drawn", "Picture", "View", "line_style"]

LINE_STYLES = 21


def line_style(number: int) -> str:
    """The style of a line: `line-1` for number 0, and so on."""
    return f"line-{number % LINE_STYLES + 1}"


@dataclass(frozen=True)
class Drawn:
    """A page of charts, and the view it is of."""

    page: Page
    view: View

    @property
    def rows(self) -> list[Row]:
        """What is to be seen."""
        return self.page.rows


@dataclass(frozen=True)
class Picture(Want):
    """A page of charts as a screen wants it: found is a `Drawn`.

    Args:
        runs: ids.
        width, height: cells.
        view: how the lines are looked at.
        colors: numbers of the runs' colours, from 0; absent: by position.
        places: charts at most, the first of which always stays; 0: a grid of as many as have room.
        machine: charts of the machine (`sys.*`) instead of metrics.
        colored: False tells lines apart without colour.
        ascii: for terminals without braille.
    """

    runs: tuple[str, ...]
    width: int
    height: int
    view: View = field(default_factory=View)
    colors: tuple[int, ...] = ()
    places: int = 0
    machine: bool = False
    colored: bool = True
    ascii: bool = False

    @property
    def drawn_runs(self) -> Sequence[str]:
        """Its runs."""
        return self.runs

    def stamp(self, eyes: Eyes) -> object:
        """What the runs are called, and the sizes of their logs."""
        return [(eyes.snapshot.of(key, "name"), eyes.grown(key)) for key in self.runs]

    def look(self, eyes: Eyes, before: Drawn | None) -> Drawn:
        """Draw it."""
        from labtui.grid import Look, Page, page

        colors = self.colors or tuple(range(len(self.runs)))
        courses = [self._course(eyes, key, number) for key, number in zip(self.runs, colors, strict=True)]
        color: Callable[[int], str] = line_style
        look = Look(self.colored, self.ascii, color, self.places, self.machine, focus=not self.places)
        found = page(courses, self.view, self.width, self.height, look, before.page if before else None)
        if not found.rows:
            found = Page([[], [(" " + self._nothing(courses), "dim")]])
        return Drawn(found, self.view)

    def _course(self, eyes: Eyes, key: str, number: int) -> Course:
        from labtui.curves import Course

        name, metric = (eyes.snapshot.of(key, what) or "" for what in ("name", "metric"))
        return Course(key, str(name), number, eyes.series(key), str(metric))

    def _nothing(self, courses: Sequence[Course]) -> str:
        """Why there is no chart."""
        if not self.runs:
            return ""
        if not self.machine and not any(course.series for course in courses):
            return "nothing was logged yet"
        if self.machine:
            return "nothing of the machine was logged: labtui's own trainings do, every 15 s"
        return "no metric was logged"
