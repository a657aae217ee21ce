"""What the terminal application costs while nobody touches it: at rest, and beside live runs.

CPU is the process's own clock, in per cent of one core; bytes are what it sends to the terminal. The
lag of a record is the time from `log` to the first screen that shows it or a newer one. One run trains,
or eight at once, each in a process that writes its metric log as trainings do, 10 records a second.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness import Row, child, fresh, labtui, median
from lab import lab_of
from screens import SIZES, all_shown, bare_shown, indexed
from terminal import WIDE, Terminal

import labtui as api
from labtui.files.paths import LabPaths

IN_ROW = re.compile(r"live 0[^\n]*?(?<![\w.,-])(\d{3,6})(?![\w.,-])")
IN_SUMMARY = re.compile(r"epoch\s+(\d+)")
"""The epoch of the first run: in its row, and in its summary."""
AFTER = 6.0
"""Seconds that the screen may take for the last records."""


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has taken (clock_getcpuclockid(3))."""
    return time.clock_gettime(~pid << 3 | 2)


def memory(pid: int) -> tuple[float, float]:
    """Resident and proportional set size in bytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    found = {line.split(":")[0]: float(line.split()[1]) * 1024 for line in lines[1:]}
    return found["Rss"], found["Pss"]


def watched(terminals: list[Terminal], seconds: float, pids: Sequence[int] = ()) -> list[tuple[float, float]]:
    """CPU in per cent and bytes sent of each, over some seconds.

    Args:
        pids: of the processes that do the work, if they are others than the terminals'.
    """
    pids = pids or [terminal.process.pid for terminal in terminals]
    before = [(cpu(pid), t.written) for pid, t in zip(pids, terminals, strict=True)]
    time.sleep(seconds)
    after = [(cpu(pid), t.written) for pid, t in zip(pids, terminals, strict=True)]
    return [
        ((now - then) / seconds * 100, float(more - sent))
        for (then, sent), (now, more) in zip(before, after, strict=True)
    ]


@dataclass(frozen=True)
class Watched:
    """A screen beside a live run.

    Args:
        begin, end: unix time.
        used: CPU in per cent of a core.
        sent: bytes a second.
        frames: unix time and the newest record that the screen shows.
    """

    begin: float
    end: float
    used: float
    sent: float
    frames: list[tuple[float, float]]

    def figures(self, logged: Iterable[tuple[float, float]]) -> tuple[float, float, float, float]:
        """Lag in seconds, median and worst; CPU; bytes a second.

        Args:
            logged: unix time and number of each record.
        """
        mine = [(when, number) for when, number in logged if self.begin < when < self.end]
        lags = [
            next((then for then, seen in self.frames if seen >= number), self.end + AFTER) - when
            for when, number in mine
        ]
        return median(lags), max(lags), self.used, self.sent


def lagging(terminal: Terminal, seconds: float, newest: re.Pattern[str], pid: int = 0) -> Watched:
    """Watch a screen that shows a live run.

    Args:
        newest: finds the number of the newest record on the screen, in any of its groups.
        pid: of the process that does the work, if it is another than the terminal's.
    """

    def shown(text: str) -> float:
        found = newest.search(text)
        return float(next(filter(None, found.groups()))) if found else -1.0

    terminal.frames()
    time.sleep(2.0)
    epoch, begin = time.time() - time.perf_counter(), time.time()
    ((used, sent),) = watched([terminal], seconds, [pid] if pid else ())
    end = time.time()
    time.sleep(AFTER)
    frames = [(frame.time + epoch, shown(frame.text)) for frame in terminal.frames()]
    return Watched(begin, end, used, sent / seconds, frames)


def logged_by(lab: LabPaths) -> list[tuple[float, float]]:
    """Unix time and number of what "live 0" has logged."""
    found = api.open(lab.root)
    run = next(row.id for row in found.runs() if row.name == "live 0")
    series = found.run(run).series("epoch")
    return list(zip(series.times.tolist(), series.values.tolist(), strict=True))


@contextmanager
def training(runs: int, seconds: float, rate: float = 1.0) -> Iterator[LabPaths]:
    """A lab in which so many runs log ten records a second each, or `rate` times as many."""
    lab = LabPaths(fresh())
    process = subprocess.Popen(child("live.py", lab.root, seconds, runs, rate), start_new_session=True)
    try:
        while len(lab.run_ids()) < runs:
            time.sleep(0.1)
        yield lab
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    runs, seconds = (1_000, 5) if quick else (10_000, 20)
    lab = lab_of(runs)
    command = indexed(lab)
    for size, name in SIZES:
        with Terminal(child("textual_app.py"), size) as bare, Terminal(command, size) as terminal:
            bare.ready(bare_shown, 2.0)
            terminal.ready(all_shown(lab), 2.0)
            time.sleep(5.0)  # all directories have been looked at
            (base_cpu, base_sent), (used, sent) = watched([bare, terminal], seconds)
            work = f"TUI with {runs:,} runs, {name}, idle {seconds} s"
            yield Row(f"{work}: CPU; bare: empty Textual app", used, "%", base_cpu, 0.5)
            yield Row("  bytes sent", sent, "B", base_sent, 0.0)
            (base_rss, base_pss), (rss, pss) = memory(bare.process.pid), memory(terminal.process.pid)
            yield Row("  memory, resident", rss / 1e6, "MB", base_rss / 1e6, 130)
            yield Row("  memory, proportional", pss / 1e6, "MB", base_pss / 1e6)
    for count in (1, 8):
        for size, name in SIZES:
            yield from _live(count, f"the lab's screen, {name}", "", size, seconds, IN_ROW)
        # The summary that tells the epoch stands beside the charts of wide screens only.
        yield from _live(count, "the run's screen, 160×48", "\r", WIDE, seconds, IN_SUMMARY)


def _live(
    runs: int, screen: str, keys: str, size: tuple[int, int], seconds: float, newest: re.Pattern[str]
) -> Iterator[Row]:
    """Runs that log 10 records a second, on one of the screens."""
    with training(runs, seconds + 120) as lab, Terminal(labtui("--lab", lab.root), size) as terminal:
        terminal.ready(lambda text: text.count("live ") >= runs, 0.2)
        time.sleep(3.0)
        if keys:
            terminal.press(keys, 0.05)
        found = lagging(terminal, seconds, newest)
        lag, worst, used, sent = found.figures(logged_by(lab))
    many = f"{runs} runs that log" if runs > 1 else "a run that logs"
    yield Row(f"TUI on {many} 10 records/s, {screen}: lag, median", lag, "s", None, 0.5)
    yield Row("  lag, worst", worst)
    yield Row("  CPU", used, "%", None, 6)
    yield Row("  bytes a second", sent, "B", None, 2_000)
