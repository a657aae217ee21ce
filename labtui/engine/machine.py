"""What the machine does while a run trains, as metrics `sys.*`, which no resume makes void.

`sys.cpu` (% of all cores, everybody's), `sys.memory` (GB in use), `sys.process_memory` (GB of this process),
`sys.disk_free` (GB), and of each GPU that this process may use `sys.gpu0.use` (%), `.memory` (GB), `.temperature` (°C).
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from labtui.errors import LabError
from labtui.files.paths import LabPaths
from labtui.files.settings import settings
from labtui.writer import Run

EVERY = 15.0
"""Seconds between two looks, and before the first."""
LAST_LOOK = 2.0
"""Seconds that a look may still take when all is over."""
GB = 1e9


@contextmanager
def observed(lab: LabPaths, runs: Callable[[], Iterable[Run]]) -> Iterator[None]:
    """Record the machine until the end, from a thread.

    Args:
        lab: `[machine] every` of its settings is the seconds between two looks; 0: none.
        runs: those that have not ended.
    """
    ended, lock = threading.Event(), threading.Lock()
    every = _every(lab.root)

    def look() -> None:
        before = _cpu()
        while not ended.wait(every):
            now = _cpu()
            found = {**_use(before, now), **_memory(), **_gpus()}
            before = now
            with lock:
                for run in () if ended.is_set() else runs():
                    run.log(found | _disk(run.paths.root), run.step)

    thread = threading.Thread(target=look, daemon=True, name="machine")
    if every:
        thread.start()
    try:
        yield
    finally:
        with lock:
            ended.set()
        if every:  # a thread that wakes while the interpreter ends aborts the process; one that hangs is left
            thread.join(LAST_LOOK)


def _every(root: Path) -> float:
    with suppress(LabError):  # `doctor` tells what is wrong with the file
        table = settings(root).get("machine")
        every = table.get("every", EVERY) if isinstance(table, dict) else EVERY
        if type(every) in (int, float) and every >= 0:
            return float(every)
    return EVERY


def _cpu() -> tuple[int, int] | None:
    """Ticks of all cores: idle ones, and all (proc_stat(5)); None where the kernel does not tell."""
    with suppress(OSError, ValueError, IndexError), open("/proc/stat", "rb") as file:
        fields = [int(word) for word in file.readline().split()[1:9]]
        return fields[3] + fields[4], sum(fields)
    return None


def _use(before: tuple[int, int] | None, now: tuple[int, int] | None) -> dict[str, float]:
    if before is None or now is None or now[1] <= before[1]:
        return {}
    idle = (now[0] - before[0]) / (now[1] - before[1])
    return {"sys.cpu": 100.0 * min(max(1.0 - idle, 0.0), 1.0)}


def _memory() -> dict[str, float]:
    found: dict[str, float] = {}
    with suppress(OSError, ValueError, KeyError), open("/proc/meminfo", encoding="ascii") as file:
        sizes = {
            name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in file)
        }
        found["sys.memory"] = (sizes["MemTotal"] - sizes["MemAvailable"]) / GB
    with suppress(OSError, ValueError, IndexError), open("/proc/self/statm", "rb") as file:
        found["sys.process_memory"] = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / GB
    return found


def _disk(root: Path) -> dict[str, float]:
    with suppress(OSError):
        return {"sys.disk_free": shutil.disk_usage(root).free / GB}
    return {}


def _gpus() -> dict[str, float]:
    from labtui.gpus import inventory

    found: dict[str, float] = {}
    for gpu in inventory().gpus:
        name = f"sys.gpu{gpu.index}"
        found[f"{name}.memory"] = gpu.memory_used / GB
        if gpu.utilization is not None:
            found[f"{name}.use"] = float(gpu.utilization)
        if gpu.temperature is not None:
            found[f"{name}.temperature"] = float(gpu.temperature)
    return found
