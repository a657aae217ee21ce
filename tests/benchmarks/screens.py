"""The terminal application's start, in a terminal of 160×48 or 80×24 cells.

From the start of the process to the first screen that is not blank; to the first screen that shows
the newest of all runs and their number; to the last change of the screen, with charts of three
metrics of 100,000 points in it, before a second of silence. The baselines are Textual apps with one
line, and with its own table of as many rows.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

from harness import Row, child, labtui, median
from lab import lab_of, lab_with, recipe
from terminal import NARROW, WIDE, Terminal

from labtui.files.paths import LabPaths

SIZES = ((WIDE, "160×48"), (NARROW, "80×24"))
Seen = Callable[[str], bool]


def started(
    command: list[str], size: tuple[int, int], seen: Seen, quiet: float = 1.0
) -> tuple[float, float, float]:
    """Seconds to the first screen, to the first that shows something, and to the last change before so
    many seconds of silence."""
    with Terminal(command, size) as terminal:
        frames = terminal.ready(seen, quiet)
        found = next(frame for frame in frames if seen(frame.text))
        first = next(frame for frame in frames if frame.text.strip())
        return tuple(frame.time - terminal.started for frame in (first, found, frames[-1]))  # type: ignore[return-value]


def indexed(lab: LabPaths) -> list[str]:
    """The command that opens a lab whose index is fresh."""
    listing = labtui("--lab", lab.root, "ls", "--format", "json")
    subprocess.run(listing, check=True, stdout=subprocess.DEVNULL)
    return labtui("--lab", lab.root)


def all_shown(lab: LabPaths) -> Seen:
    """Whether a screen shows the newest run in its first row and the number of all."""
    count = len(lab.run_ids())
    name = str(recipe(count - 1)["name"])
    return lambda text: f"{count} finished" in text and name in text.split("\n")[2]


def bare_shown(text: str) -> bool:
    """Whether a screen shows what the Textual app of the baseline shows."""
    return "ready" in text or "1.1" in text


def drawn(text: str) -> bool:
    """Whether a screen shows a chart of the losses."""
    return "val.loss" in text and any("\u2801" <= cell <= "\u28ff" for cell in text)


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    runs, points, times = (1_000, 10_000, 3) if quick else (10_000, 100_000, 7)
    many = lab_of(runs)
    long = lab_with(points, "train.loss", "val.loss", "test.loss")
    table, chart = indexed(many), indexed(long)
    found: dict[str, list[tuple[float, float, float]]] = {}
    for _ in range(times):
        for name, command, size, seen in (
            ("empty", child("textual_app.py"), WIDE, bare_shown),
            ("own", child("textual_app.py", runs), WIDE, bare_shown),
            ("table", table, WIDE, all_shown(many)),
            ("table, small", table, NARROW, all_shown(many)),
            ("chart", chart, WIDE, drawn),
            ("chart, small", chart, NARROW, drawn),
        ):
            found.setdefault(name, []).append(started(command, size, seen))
    first, seen, last = ({name: median([s[n] for s in f]) for name, f in found.items()} for n in range(3))
    bounds = (None, None) if quick else (0.7, 0.55)
    yield Row("TUI: start → first frame; bare: empty Textual app", first["table"], "s", first["empty"])
    for name, size in (("", "160×48"), (", small", "80×24")):
        yield Row(
            f"TUI: start → table of {runs:,} runs, {size}; bare: DataTable",
            seen[f"table{name}"], "s", last["own"], bounds[0],
        )  # fmt: skip
        yield Row(
            f"TUI: start → chart of 3 × {points:,} points complete, {size}; bare: empty",
            last[f"chart{name}"], "s", last["empty"], bounds[1],
        )  # fmt: skip
