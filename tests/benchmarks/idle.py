"""What the terminal application costs while nobody touches it: at rest, and beside a live run.

CPU is the process's own clock, in per cent of one core; bytes are what it sends to the terminal. The
lag of a record is the time from `log` to the first screen that shows it or a newer one.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from harness import Row, child, fresh, labtui, median
from lab import lab_of
from screens import all_shown, bare_shown, indexed
from terminal import Terminal

import labtui as api


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has taken (clock_getcpuclockid(3))."""
    return time.clock_gettime(~pid << 3 | 2)


def memory(pid: int) -> tuple[float, float]:
    """Resident and proportional set size in bytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    found = {line.split(":")[0]: float(line.split()[1]) * 1024 for line in lines[1:]}
    return found["Rss"], found["Pss"]


def watched(terminals: list[Terminal], seconds: float) -> list[tuple[float, float]]:
    """CPU in per cent and bytes sent of each, over some seconds."""
    before = [(cpu(t.process.pid), t.written) for t in terminals]
    time.sleep(seconds)
    after = [(cpu(t.process.pid), t.written) for t in terminals]
    return [
        ((now - then) / seconds * 100, float(more - sent))
        for (then, sent), (now, more) in zip(before, after, strict=True)
    ]


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    runs, seconds = (1_000, 5) if quick else (10_000, 20)
    lab = lab_of(runs)
    command = indexed(lab)
    with Terminal(child("textual_app.py")) as bare, Terminal(command) as terminal:
        bare.ready(bare_shown, 2.0)
        terminal.ready(all_shown(lab), 2.0)
        (base_cpu, base_sent), (used, sent) = watched([bare, terminal], seconds)
        work = f"TUI with {runs:,} runs, idle {seconds} s"
        yield Row(f"{work}: CPU; bare: empty Textual app", used, "%", base_cpu, 0.5)
        yield Row("  bytes sent", sent, "B", base_sent, 0.0)
        (base_rss, base_pss), (rss, pss) = memory(bare.process.pid), memory(terminal.process.pid)
        yield Row("  memory, resident", rss / 1e6, "MB", base_rss / 1e6, 130)
        yield Row("  memory, proportional", pss / 1e6, "MB", base_pss / 1e6)
    yield from _live("the lab's screen", "", seconds)
    yield from _live("the run's screen", "\r", seconds)


def _live(screen: str, keys: str, seconds: float) -> Iterator[Row]:
    """A run that logs 10 records a second, on one of the screens."""
    lab = fresh()
    process = subprocess.Popen(child("live.py", lab, seconds + 60))
    time.sleep(1.0)
    with Terminal(labtui("--lab", lab)) as terminal:
        time.sleep(3.0)
        if keys:
            terminal.press(keys, 0.05)
        terminal.frames()
        time.sleep(2.0)
        epoch = time.time() - time.perf_counter()
        begin = time.time()
        ((used, sent),) = watched([terminal], seconds)
        end = time.time()
        time.sleep(6.0)
        frames = [(frame.time + epoch, _shown(frame.text)) for frame in terminal.frames()]
    process.kill()
    process.wait()
    series = api.open(lab).run("@last").series("epoch")
    logged = [(t, v) for t, v in zip(series.times, series.values, strict=True) if begin < t < end]
    lags = [next((when for when, seen in frames if seen >= value), end + 6) - at for at, value in logged]
    yield Row(f"TUI on a run that logs 10 records/s, {screen}: lag, median", median(lags), "s", None, 0.5)
    yield Row("  lag, worst", max(lags))
    yield Row("  CPU", used, "%", None, 6)
    yield Row("  bytes a second", sent / seconds, "B", None, 2_000)


def _shown(text: str) -> float:
    """The epoch on the screen: in the run's row, or in its overview; -1 for none."""
    found = re.search(r"live .*\s(\d+)\s+(?:now|\d+\w+)\s+\w{4}\b", text) or re.search(r"epoch\s+(\d+)", text)
    return float(found[1]) if found else -1.0
