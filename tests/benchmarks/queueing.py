"""The supervisor: what it costs while a long queue waits, and how soon it starts and follows up.

The baseline of a start is the same program started by a shell's own means (`Popen`), and of the CPU a
process that only sleeps.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from harness import Row, fresh, median, seconds
from idle import cpu

from labtui import launch
from labtui.files import process
from labtui.files.paths import LabPaths, RunPaths
from labtui.launch.wake import CALL
from labtui.recipe.core import Recipe
from labtui.run import derive

SLEEP = ["python", "-c", "import time; time.sleep(600)"]


def queued(lab: LabPaths, command: list[str], number: int = 1, threads: int = 1) -> list[RunPaths]:
    """Queue runs of a program."""
    recipe = {"name": "queued", "command": command, "resources": {"threads": threads, "min_free": 0.0}}
    return launch.enqueue(lab, [Recipe.model_validate(recipe).tables()] * number)


def until(run: RunPaths, *states: str) -> None:
    """Wait for a state."""
    while derive(run).state not in states:
        time.sleep(0.001)


def waiting(number: int, duration: float) -> Iterator[Row]:
    """CPU of a supervisor with a long queue, left alone and called all the time."""
    lab = LabPaths(fresh())
    (blocker,) = queued(lab, SLEEP, threads=1000)
    launch.wake(lab)
    until(blocker, "running")
    queued(lab, ["true"], number, threads=1000)
    launch.wake(lab)
    agent = launch.at_work(lab) or {}
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    time.sleep(3.0)
    used, bare = cpu(agent["pid"]), cpu(sleeper.pid)
    time.sleep(duration)
    used, bare = cpu(agent["pid"]) - used, cpu(sleeper.pid) - bare
    work = f"supervisor, {number:,} queued, {duration:g} s: CPU; bare: sleep"
    yield Row(work, used / duration * 100, "%", bare / duration * 100, 2.0)
    used = cpu(agent["pid"])
    for _ in range(int(duration)):
        process.send(agent, CALL)
        time.sleep(1.0)
    yield Row("  called every second", (cpu(agent["pid"]) - used) / duration * 100, "%", None, 2.0)
    sleeper.kill()
    sleeper.wait()
    process.kill_group(agent)
    launch.stop(blocker, kill=True)


def starts(times: int) -> Iterator[Row]:
    """From a queued program to its end, with a supervisor at work and without."""
    lab = LabPaths(fresh())

    def launched() -> float:
        begun = time.perf_counter()
        (run,) = queued(lab, ["true"])
        launch.wake(lab)
        until(run, "finished")
        return time.perf_counter() - begun

    def bare() -> float:
        return seconds(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True))

    launched()
    warm = [launched() for _ in range(times)]
    while launch.at_work(lab):
        time.sleep(0.1)
    cold = launched()
    base = median([bare() for _ in range(times)])
    yield Row("queue a program to its end; bare: an empty Python", median(warm), "s", base)
    yield Row("  with the supervisor to be started", cold, "s", base)
    while launch.at_work(lab):
        time.sleep(0.1)


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    yield from waiting(200 if quick else 1_000, 10.0 if quick else 30.0)
    yield from starts(3 if quick else 10)
