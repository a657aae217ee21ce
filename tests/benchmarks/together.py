"""Eight processes that log 200 times a second each into one lab: what is kept, and the slowest call.

The baseline is the same processes with an empty function in the place of `log`: how long the
scheduler alone can make a call that does nothing.
"""

from __future__ import annotations

import os
import struct
import subprocess
from collections.abc import Iterator

import numpy as np
from harness import Row, child, fresh, quantile

import labtui

PROCESSES, RATE = 8, 200


def together(how: str, seconds: int) -> tuple[int, list[float]]:
    """Records kept (by labtui), and the seconds of all calls."""
    lab = fresh()
    calls = seconds * RATE
    command = child("caller.py", how, lab, calls, RATE)
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(PROCESSES)]
    told = b"".join(process.communicate()[0] for process in processes)
    assert all(process.returncode == 0 for process in processes)
    took = [value for (value,) in struct.iter_unpack("<d", told)]
    assert len(took) == PROCESSES * calls
    kept = 0
    for row in labtui.open(lab).runs():
        steps = labtui.open(lab).run(row.id).series("train.loss").steps
        kept += len(np.unique(steps))
    return kept, took


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    seconds = 2 if quick else 10
    _, empty = together("nothing", seconds)
    kept, took = together("labtui", seconds)
    total = PROCESSES * seconds * RATE
    work = f"{PROCESSES} processes × {RATE} calls/s × {seconds} s on {os.cpu_count()} cores"
    yield Row(f"{work}: records kept", float(kept), "", float(total), float(total), at_least=True)
    yield Row("  slowest call; bare: empty call", max(took), "s", max(empty), 0.001)
    yield Row("  p99.9 of the calls; bare: empty call", quantile(took, 0.999), "s", quantile(empty, 0.999))
    yield Row("  p50 of the calls; bare: empty call", quantile(took, 0.5), "s", quantile(empty, 0.5))
