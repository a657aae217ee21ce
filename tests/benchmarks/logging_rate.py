"""Logging: the rate of 3 scalars a step, what one call costs, and what a scalar takes on the disk.

The baseline is the loop that one would write by hand: three times `struct.pack` and `file.write` a
step, `time.time()` each, on a file with Python's own buffering. A second one, with a Struct built
before and a buffer of 64 KiB, says what a bare loop can reach at best. labtui's time runs to the end
of `finish`: all records in the file, result.json synced to the disk.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator

from harness import Row, fresh, interleaved, median, quantile, seconds

import labtui


def bare(steps: int) -> float:
    """Seconds of the natural loop."""
    path = fresh() / "metrics.bin"
    start = time.perf_counter()
    with open(path, "wb") as file:
        for step in range(steps):
            value = 1.0 / (step + 1)
            for key in range(3):
                file.write(struct.pack("<qqdd", key, step, time.time(), value))
    return time.perf_counter() - start


def tuned(steps: int) -> float:
    """Seconds of the fastest bare loop that still packs and writes one record at a time."""
    path = fresh() / "metrics.bin"
    pack, now = struct.Struct("<qqdd").pack, time.time
    start = time.perf_counter()
    with open(path, "wb", buffering=1 << 16) as file:
        write = file.write
        for step in range(steps):
            value = 1.0 / (step + 1)
            write(pack(0, step, now(), value))
            write(pack(1, step, now(), value))
            write(pack(2, step, now(), value))
    return time.perf_counter() - start


def logged(steps: int, loops: list[float], sizes: list[float]) -> float:
    """Seconds of labtui from the first `log` to the end of `finish`."""
    run = labtui.init("benchmark", lab=fresh())
    start = time.perf_counter()
    for step in range(steps):
        value = 1.0 / (step + 1)
        run.log({"train.loss": value, "train.acc": value, "val.loss": value}, step=step)
    loops.append(time.perf_counter() - start)
    run.finish()
    ended = time.perf_counter() - start
    sizes.append(run.paths.metrics.stat().st_size / steps / 3)
    return ended


def calls(steps: int) -> tuple[list[float], list[float]]:
    """Seconds of each call of a function that does nothing, and of `log`, at full speed."""
    run = labtui.init("benchmark", lab=fresh())
    clock, found = time.perf_counter, []
    for function in (lambda metrics, step: None, run.log):
        took = []
        for step in range(steps):
            value = 1.0 / (step + 1)
            start = clock()
            function({"train.loss": value, "train.acc": value, "val.loss": value}, step=step)
            took.append(clock() - start)
        found.append(took)
    run.finish()
    return found[0], found[1]


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    steps, times = (20_000, 3) if quick else (100_000, 9)
    loops: list[float] = []
    sizes: list[float] = []
    seconds(lambda: (bare(1000), tuned(1000), logged(1000, [], [])))
    natural, best, whole = (
        median(figures)
        for figures in interleaved(
            times, lambda: bare(steps), lambda: tuned(steps), lambda: logged(steps, loops, sizes)
        )
    )
    rate, work = steps * 3 / 1e3, f"log 3 scalars × {steps:,} steps"
    yield Row(
        f"{work} to the end of finish; bare: pack, write",
        rate / whole, "k/s", rate / natural, 0.7, of_ratio=True, at_least=True,
    )  # fmt: skip
    yield Row("  the same; bare: Struct built before, 64 KiB buffer", rate / whole, "k/s", rate / best)
    yield Row("  without finish; bare: pack, write", rate / median(loops), "k/s", rate / natural)
    empty, took = calls(steps)
    work = "log() of 3 scalars at full speed"
    yield Row(f"{work}, p50; bare: empty call", median(took), "s", median(empty))
    yield Row(f"{work}, p99; bare: empty call", quantile(took, 0.99), "s", quantile(empty, 0.99), 5e-6)
    yield Row(f"{work}, slowest; bare: empty call", max(took), "s", max(empty))
    yield Row("a scalar in metrics.bin", median(sizes), "B", 32, 32)
