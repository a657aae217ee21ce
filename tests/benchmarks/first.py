"""Durability: from the start of a process to its first scalar that a `kill -9` cannot take away.

The process starts, logs one scalar and sleeps. When 32 bytes are in its file it is killed, and they
must be readable. The baseline is a script that only opens a file and writes 32 bytes.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from harness import Row, child, fresh, interleaved, median

import labtui
from labtui.series import DTYPE

POLL = 0.0003
"""Seconds between two looks at the disk."""


def bare() -> float:
    """Seconds of the script that writes 32 bytes."""
    path = fresh() / "metrics.bin"
    took = _killed(child("first_bare.py", path), lambda: path if path.exists() else None)
    assert len(np.fromfile(path, DTYPE)) == 1
    return took


def logged() -> float:
    """Seconds of the script that calls `init` and `log`."""
    lab = fresh()
    (lab / "runs").mkdir()
    took = _killed(child("first_labtui.py", lab), lambda: next(lab.glob("runs/2*/metrics.bin"), None))
    run = labtui.open(lab).run("@last")
    assert run.series("train.loss").values.tolist() == [0.5] and run.row.state == "lost"
    return took


def _killed(command: list[str], find) -> float:  # type: ignore[no-untyped-def]
    start = time.perf_counter()
    process = subprocess.Popen(command)
    path: Path | None = None
    while path is None or path.stat().st_size < 32:
        if process.poll() is not None:
            raise SystemExit(f"{command}: ended with {process.returncode} before it wrote anything")
        time.sleep(POLL)
        path = path or find()
    took = time.perf_counter() - start
    process.kill()
    process.wait()
    return took


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    found = interleaved(5 if quick else 21, bare, logged)
    base, ours = (median(figures) for figures in found)
    yield Row("process start → first scalar safe from kill -9; bare: write 32 bytes", ours, "s", base, 0.06)
