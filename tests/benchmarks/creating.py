"""Creating runs: `init` with 5 parameters, 30 steps of 3 scalars, `finish`.

labtui syncs four times a run: the recipe, the new name in `runs/`, the result and its name. The
baselines write the same files, the first with the same four syncs, the second with none: where a
sync or a new file is slow, the disk is what is measured, and the same in memory (/dev/shm) says what
labtui takes itself, and that it does not slow down in a full lab.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness import Row, fresh, interleaved, median
from lab import fill

import labtui
from labtui.files.paths import LabPaths

PARAMETERS = {"lr": 1e-3, "batch_size": 64, "optimizer": "adam", "layers": 4, "dropout": 0.1}
BLOCK = 100
MEMORY = Path("/dev/shm")


def created(lab: Path) -> float:
    """Seconds of one run through labtui."""
    start = time.perf_counter()
    with labtui.init("benchmark", params=PARAMETERS, lab=lab) as run:
        for step in range(30):
            value = 1.0 / (step + 1)
            run.log({"train.loss": value, "train.acc": value, "val.loss": value}, step=step)
    return time.perf_counter() - start


def bare(runs: Path, sync: bool) -> float:
    """Seconds of a directory with the same files."""
    start = time.perf_counter()
    new, final = runs / f".new-{os.urandom(4).hex()}", runs / os.urandom(8).hex()
    new.mkdir()
    recipe = "".join(f"{name} = {json.dumps(value)}\n" for name, value in PARAMETERS.items())
    _write(new / "recipe.toml", recipe.encode(), sync)
    new.rename(final)
    _sync(runs, sync)
    identity = {"pid": os.getpid(), "start": 1, "boot": "", "host": "", "attempt": 1, "time": time.time()}
    for name in ("claim-1", "process.json", "process.json"):
        _write(final / name, json.dumps(identity).encode(), False)
    _write(final / "heartbeat", b"30\n", False)
    _write(final / "metrics.keys", b"train.loss\ntrain.acc\nval.loss\n", False)
    values = ((key, step, time.time(), 1.0 / (step + 1)) for step in range(30) for key in range(3))
    _write(final / "metrics.bin", b"".join(struct.pack("<qqdd", *value) for value in values), False)
    _write(final / ".result.tmp", json.dumps(identity | {"last": {}, "facts": {}}).encode(), sync)
    (final / ".result.tmp").rename(final / "result.json")
    _sync(final, sync)
    return time.perf_counter() - start


def _write(path: Path, data: bytes, sync: bool) -> None:
    with open(path, "wb") as file:
        file.write(data)
        if sync:
            file.flush()
            os.fsync(file.fileno())


def _sync(folder: Path, sync: bool) -> None:
    if sync:
        fd = os.open(folder, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    runs = 300 if quick else 1_000
    lab, synced, unsynced = fresh(), fresh("synced"), fresh("unsynced")
    ours: list[float] = []
    hard: list[float] = []
    soft: list[float] = []
    for _ in range(0, runs, BLOCK):
        ours += [created(lab) for _ in range(BLOCK)]
        hard += [bare(synced, True) for _ in range(BLOCK)]
        soft += [bare(unsynced, False) for _ in range(BLOCK)]
    assert len(labtui.open(lab).runs("state=finished")) == runs
    work = f"create {runs:,} runs, 5 parameters, 3 × 30 scalars"
    yield Row(f"{work}; bare: same files, syncs", _mean(ours), "s", _mean(hard), 0.002)
    yield Row("  the same; bare: same files, no sync", _mean(ours), "s", _mean(soft))
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 1 << 30:
        with tempfile.TemporaryDirectory(dir=MEMORY, prefix="labtui-bench-") as memory:
            yield from _in_memory(Path(memory), 1_000 if quick else 10_000)


def _in_memory(memory: Path, many: int) -> Iterator[Row]:
    new, synced, full = (memory / name for name in ("new", "synced", "full"))
    new.mkdir()
    synced.mkdir()
    fill(LabPaths(full), many)
    first, grown, same = interleaved(
        2 * BLOCK, lambda: created(new), lambda: created(full), lambda: bare(synced, True)
    )
    yield Row("  the same on a disk in memory; bare: same files", _mean(first), "s", _mean(same))
    work = f"  in a lab of {many:,}, in memory; baseline: in a new lab"
    yield Row(work, median(grown), "s", median(first), 1.2, of_ratio=True)


def _mean(figures: Sequence[float]) -> float:
    return sum(figures) / len(figures)
