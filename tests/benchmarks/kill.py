"""What a `kill -9` costs: a process logs at 1 kHz and tells through a pipe what it has logged.

Records that it told of but that are not in the log are lost. The baseline writes each record with a
system call of its own. The state is asked while the killed process is a zombie, and once it is gone.
"""

from __future__ import annotations

import os
import random
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from harness import Row, child, fresh, median

import labtui
from labtui.series import DTYPE

TOLD = struct.Struct("<qd")


def killed(how: str, lab: Path, after: float) -> tuple[int, float, list[str]]:
    """Number of lost records, age in seconds of the oldest of them at the kill, states after it."""
    (lab / "runs").mkdir()
    process = subprocess.Popen(child("logger.py", how, lab), stdout=subprocess.PIPE, bufsize=0)
    assert process.stdout is not None
    told = process.stdout.read(TOLD.size)
    time.sleep(after)
    process.kill()
    at = time.time()
    told += b"".join(iter(lambda: process.stdout.read(1 << 16), b""))
    # The pipe ends a moment before the process does; then it is a zombie until it is waited for.
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    rows = list(TOLD.iter_unpack(told[: len(told) // TOLD.size * TOLD.size]))
    path = next(lab.glob("runs/2*/metrics.bin"))
    kept = set(np.fromfile(path, DTYPE)["step"].tolist())
    lost = [when for step, when in rows if step not in kept]
    states = []
    if how == "labtui":
        states.append(labtui.open(lab).run("@last").row.state)
        process.wait()
        states.append(labtui.open(lab).run("@last").row.state)
    process.wait()
    return len(lost), at - min(lost) if lost else 0.0, states


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    kills = 4 if quick else 20
    chance = random.Random(0)
    bare, ours = [], []
    for _ in range(kills):
        after = chance.uniform(0.3, 0.8)
        bare.append(killed("bare", fresh(), after))
        ours.append(killed("labtui", fresh(), after))
    lost = [[float(number) for number, _, _ in found] for found in (bare, ours)]
    ages = [max(age for _, age, _ in found) for found in (bare, ours)]
    work = f"kill -9 while logging at 1 kHz, {kills} times"
    yield Row(f"{work}: records lost, median", median(lost[1]), "", median(lost[0]))
    yield Row("  records lost, worst", max(lost[1]), "", max(lost[0]))
    yield Row("  age of the oldest lost record, worst; bare: a write each", ages[1], "s", ages[0], 0.25)
    lies = [state for _, _, states in ours for state in states if state not in ("lost", "failed")]
    yield Row(f"  state not lost or failed, of {2 * kills} looks", float(len(lies)), "", None, 0.0)
