"""From a key to the screen, in a lab of 10,000 runs.

Moving: from the key to the end of the first burst of output (10 ms of silence end a burst) that
changed a cell, its colours included; the keys come 50 ms after one another. Filtering: from a key
typed into the filter to the first screen with the rows that fit. Opening and zooming: to the last
change before 0.4 s of silence. The baseline is moving in Textual's own table of as many rows.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from harness import Row, child, quantile
from lab import lab_of, lab_with
from screens import SIZES, all_shown, bare_shown, drawn, indexed
from terminal import Terminal

DOWN, UP, ENTER, ESCAPE, BACKSPACE = "\x1b[B", "\x1b[A", "\r", "\x1b", "\x7f"
SETTLED = 0.4


def moving(terminal: Terminal, times: int) -> list[float]:
    """Seconds of down and up, more down than up so that the table scrolls."""
    found = []
    for number in range(times):
        found.append(terminal.press(UP if number % 4 == 3 else DOWN).first)
        time.sleep(0.05)
    terminal.rest(SETTLED)
    return found


def filtering(terminal: Terminal, times: int) -> tuple[list[float], list[float]]:
    """Seconds to the echo of a key, and to the rows that fit: a letter typed and taken back in turn."""
    terminal.press("/", SETTLED)
    echoes, rows = [], []
    for number in range(times):
        keys, fewer = ("z", True) if number % 2 == 0 else (BACKSPACE, False)
        reaction = terminal.press(keys, SETTLED)
        echoes.append(reaction.first)
        rows.append(reaction.until(lambda text, fewer=fewer: ("shown" in text.split("\n")[0]) == fewer))
    terminal.press(ENTER, SETTLED)
    return echoes, rows


def opening(terminal: Terminal, times: int) -> list[float]:
    """Seconds to open a run, one after the other."""
    found = []
    for _ in range(times):
        found.append(terminal.press(ENTER, SETTLED).last)
        terminal.press(ESCAPE, SETTLED)
        terminal.press(DOWN, SETTLED)
    return found


def zooming(terminal: Terminal, times: int) -> list[float]:
    """Seconds to zoom into the charts of the open run, and out."""
    terminal.press(ENTER, SETTLED)
    return [terminal.press("++--"[number % 4], SETTLED).last for number in range(times)]


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    runs, points, moves, times = (1_000, 10_000, 40, 6) if quick else (10_000, 100_000, 200, 30)
    lab = lab_of(runs)
    table = indexed(lab)
    for size, name in SIZES:
        with Terminal(child("textual_app.py", runs), size) as bare, Terminal(table, size) as terminal:
            bare.ready(bare_shown)
            terminal.ready(all_shown(lab))
            base, moved = moving(bare, moves), moving(terminal, moves)
            echoes, shown = filtering(terminal, times)
            opened = opening(terminal, times)
        work = f"key → screen, {runs:,} runs, {name}"
        yield from _both(f"{work}: moving; bare: DataTable", moved, (0.006, 0.012), base)
        yield from _both("  typing a filter: the letter", echoes)
        yield from _both("  typing a filter: the rows", shown, (0.03, 0.06))
        yield from _both("  opening a run", opened, (0.06, 0.1))
    long = indexed(lab_with(points, "train.loss", "val.loss", "test.loss"))
    for size, name in SIZES:
        with Terminal(long, size) as terminal:
            terminal.ready(drawn)
            found = zooming(terminal, times)
        yield from _both(f"key → screen, zooming in 3 × {points:,} points, {name}", found, (0.06, 0.1))


def _both(
    work: str,
    found: list[float],
    targets: tuple[float | None, float | None] = (None, None),
    base: list[float] | None = None,
) -> Iterator[Row]:
    for part, target in zip((0.5, 0.95), targets, strict=True):
        yield Row(
            f"{work}, p{part * 100:.0f}", quantile(found, part), "s",
            quantile(base, part) if base else None, target,
        )  # fmt: skip
