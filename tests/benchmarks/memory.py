"""What a day does to the terminal application: memory beside a live run, and a log of a million lines.

An hour of a run that logs 10 records a second is 36,000 records. Here they are logged in a minute, and
the application looks at them ten times a second instead of two or three times; memory is what is
resident once the first of such hours is shown, and after the next.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from harness import Row, labtui, quantile
from idle import memory, training
from keys import ENTER, ESCAPE, SETTLED
from lab import lab_with
from screens import SIZES, drawn, indexed
from terminal import Terminal

from labtui.files.paths import LabPaths

RATE = 60
"""How many times faster than in truth."""
GROWTH = 4.0
"""Megabytes: the hour's records, and what the allocator keeps for others."""
LAST = "the end of the log"


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    minutes, lines, times = (0.2, 100_000, 3) if quick else (1.0, 1_000_000, 10)
    for screen, keys in (("the lab's screen", ""), ("the run's screen", ENTER)):
        yield from _hours(screen, keys, 60 * minutes)
    lab = lab_with(1_000, "train.loss", "val.loss")
    with open(lab.run(lab.run_ids()[0]).log, "w") as file:
        file.writelines(
            f"step {number}: a line as trainings print them, loss 0.1234\n" for number in range(lines - 1)
        )
        file.write(LAST + "\n")
    command = indexed(lab)
    for size, name in SIZES:
        with Terminal(command, size) as terminal:
            terminal.ready(drawn)
            before = memory(terminal.process.pid)[0]
            found = opening(terminal, times)
            grown = memory(terminal.process.pid)[0] - before
        yield Row(
            f"key → log of {lines:,} lines, its end on the screen, {name}, p50",
            quantile(found, 0.5),
            "s",
            None,
            0.2,
        )
        yield Row("  p95", quantile(found, 0.95), "s", None, 0.2)
        yield Row("  memory that it takes", grown / 1e6, "MB")


def _hours(screen: str, keys: str, seconds: float) -> Iterator[Row]:
    with training(1, 3 * seconds + 60, RATE) as lab:
        _looking_often(lab)
        with Terminal(labtui("--lab", lab.root)) as terminal:
            terminal.ready(lambda text: "live 0" in text, 0.05)
            if keys:
                time.sleep(2.0)
                terminal.press(keys, 0.02)
            sizes = []
            for _ in range(3):
                terminal.frames()
                sizes.append(memory(terminal.process.pid)[0] / 1e6)
                time.sleep(seconds)
    records = 10 * RATE * seconds
    work = f"memory beside a live run, {screen}, after {records:,.0f} records"
    yield Row(f"{work}; baseline: at its beginning", sizes[1], "MB", sizes[0])
    yield Row(f"  growth by {records:,.0f} more", sizes[2] - sizes[1], "MB", None, GROWTH)


def _looking_often(lab: LabPaths) -> None:
    (lab.root / "labtui.toml").write_text("[tui]\nrefresh = 0.1\n")


def opening(terminal: Terminal, times: int) -> list[float]:
    """Seconds from the key that opens the log of the run to its last line; the application has just
    opened the run each time."""
    found = []
    for _ in range(times):
        terminal.press(ENTER, SETTLED)
        tab = _number_of_log(terminal)
        found.append(terminal.press(tab, SETTLED).until(lambda text: LAST in text))
        terminal.press("1", SETTLED)
        terminal.press(ESCAPE, SETTLED)
    return found


def _number_of_log(terminal: Terminal) -> str:
    """The key of the tab that is called so."""
    titles = terminal.text().split("\n")[1].split()
    return str(titles.index("log") + 1)
