"""What all benchmarks share: rows of the table, interleaved timing, child processes, a place to work."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
CHILDREN = HERE / "children"


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Args:
        work: what was done.
        labtui: its figure, in `unit`; None where only the baseline was measured.
        unit: s, ms, µs, k/s, %, B, MB or empty for a number; times are shown in a fitting one.
        baseline: the figure of a bare loop or library that does nothing else, in the same run.
        target: bound of the figure, or of its ratio to the baseline with `of_ratio`.
        at_least: the bound is a lower one.
    """

    work: str
    labtui: float | None
    unit: str = "s"
    baseline: float | None = None
    target: float | None = None
    of_ratio: bool = False
    at_least: bool = False

    @property
    def ratio(self) -> float | None:
        """labtui / baseline."""
        if self.labtui is None or not self.baseline:
            return None
        return self.labtui / self.baseline

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        figure = self.ratio if self.of_ratio else self.labtui
        if figure is None or self.target is None:
            return None
        return figure >= self.target if self.at_least else figure <= self.target

    def cells(self) -> list[str]:
        """The line as text: work, baseline, labtui, ratio, target, met."""
        bound = ""
        if self.target is not None:
            target = f"{self.target:g} ×" if self.of_ratio else shown(self.target, self.unit)
            bound = ("≥ " if self.at_least else "≤ ") + target
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        met = {None: "", True: "yes", False: "NO"}[self.met]
        figures = [shown(figure, self.unit) for figure in (self.baseline, self.labtui)]
        return [self.work, *figures, ratio, bound, met]


HEAD = ["work", "baseline", "labtui", "ratio", "target", "met"]
WIDTHS = (74, 11, 11, 7, 11, 3)


def line(cells: Sequence[str]) -> str:
    """Cells in the table's columns."""
    first, *rest = zip(cells, WIDTHS, strict=True)
    return " ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)])


def shown(figure: float | None, unit: str) -> str:
    """A figure with three digits; seconds in the unit that fits."""
    if figure is None:
        return ""
    if unit == "s" and 0 < abs(figure) < 1:
        unit, figure = ("ms", figure * 1e3) if abs(figure) >= 1e-3 else ("µs", figure * 1e6)
    text = f"{figure:,.0f}" if abs(figure) >= 100 or not figure % 1 else f"{figure:.3g}"
    return f"{text} {unit}".rstrip()


def median(figures: Sequence[float]) -> float:
    """The middle one."""
    return quantile(figures, 0.5)


def quantile(figures: Sequence[float], part: float) -> float:
    """The figure below which this part of them lies (nearest rank)."""
    ordered = sorted(figures)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def seconds(do: Callable[[], object]) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    do()
    return time.perf_counter() - start


def interleaved(times: int, *dos: Callable[[], float]) -> list[list[float]]:
    """The figures of several measurements taken in turn, so that all see the same machine."""
    found: list[list[float]] = [[] for _ in dos]
    for _ in range(times):
        for figures, do in zip(found, dos, strict=True):
            figures.append(do())
    return found


@cache
def _workspace() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="labtui-bench-", ignore_cleanup_errors=True)


_names: Iterator[int] = iter(range(1_000_000))


def fresh(name: str = "lab") -> Path:
    """A new folder on the local disk, removed at the end."""
    folder = Path(_workspace().name) / f"{name}-{next(_names)}"
    folder.mkdir()
    return folder


def child(script: str, *arguments: object) -> list[str]:
    """The command line of a small script in `children/`, by this Python."""
    return [sys.executable, str(CHILDREN / script), *map(str, arguments)]


def labtui(*arguments: object) -> list[str]:
    """The command line of labtui, by this Python."""
    return [sys.executable, "-m", "labtui", *map(str, arguments)]


def whole(command: Sequence[str]) -> float:
    """Seconds from the start to the end of a process whose output goes to files.

    Raises:
        CalledProcessError: it failed.
    """
    folder = _workspace().name
    with tempfile.TemporaryFile(dir=folder) as output, tempfile.TemporaryFile(dir=folder) as errors:
        return seconds(lambda: subprocess.run(command, check=True, stdout=output, stderr=errors))


def clean_environment() -> None:
    """No settings of this user, and the Python path of this process, for it and its children."""
    for name in [name for name in os.environ if name.startswith("LABTUI_")]:
        del os.environ[name]
    os.environ["XDG_CONFIG_HOME"] = str(fresh("config"))
