"""Real runs for the launching tests: programs that are queued, started here or by a supervisor."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from labtui import launch
from labtui.files import process, rundir
from labtui.files.atomic import read_json
from labtui.files.paths import LabPaths, RunPaths
from labtui.launch.attempt import Attempt
from labtui.launch.slots import Machine, Need, Never, Place, plan
from labtui.launch.start import claim, spawn
from labtui.recipe.read import check
from labtui.run import derive
from labtui.sweep import expand

SLEEP = "import time; print('begun', flush=True); time.sleep(60)"
ONE = {"threads": 64}
"""Resources of a run that has the machine to itself."""
LOGS = """
import labtui, time
with labtui.init() as run:
    for step in range(100000):
        run.log({"train.loss": 1 / (step + 1)}, step)
        time.sleep(0.005)
"""


class Worker:
    """A worker as a child of the test: when its end is noticed its run is told how it ended."""

    def __init__(self, lab: LabPaths, run: RunPaths, number: int) -> None:
        self.attempt = Attempt(run, number, Place(), Need(), {})
        self.child = spawn(lab, run, number)
        self.pid = self.child.pid
        self.attempt.watches(self.child)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; the exit status."""
        status = self.child.wait(timeout)
        assert self.attempt.ended()
        return status


_started: list[Worker] = []


def queue(lab: LabPaths, code: str, asked: dict[str, Any] | None = None, **tables: Any) -> RunPaths:
    """A queued run of a Python program; nobody is called to start it."""
    recipe = {"name": "prog", "command": ["python", "-c", code], **tables}
    (one,) = expand(check(recipe, "prog.toml"), "prog.toml")
    (run,) = launch.enqueue(lab, [one.tables()], **(asked or {}))
    return run


def start(lab: LabPaths, run: RunPaths) -> Worker | None:
    """Start a run as a child of the test; None when somebody else has, or asked to stop it."""
    number = derive(run).attempt
    if not claim(run, number):
        return None
    _started.append(Worker(lab, run, number))
    return _started[-1]


def place(need: Need, machine: Machine) -> Place | str | Never:
    """The place of the only run that is queued."""
    (found,) = plan([need], machine)
    return found


def eventually(fits: Callable[[], Any], seconds: float = 20) -> Any:
    """Wait until it is so, and give what was found."""
    end = time.monotonic() + seconds
    while not (found := fits()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
    return found


def state(run: RunPaths) -> str:
    """The run's state."""
    return derive(run).state


def settled(runs: Sequence[RunPaths], *states: str) -> None:
    """Wait until the runs are in these states."""
    eventually(lambda: [state(run) for run in runs] == list(states))


def gone(lab: LabPaths) -> None:
    """Wait until no supervisor is at work."""
    eventually(lambda: launch.at_work(lab) is None)


def supervisor(lab: LabPaths) -> dict[str, Any]:
    """Identity of the supervisor at work, once there is one."""
    eventually(lambda: launch.at_work(lab))
    return launch.at_work(lab) or {}


def end_all(folder: Path) -> None:
    """End the supervisor and every worker of a lab, and the workers that a test started."""
    lab = LabPaths(folder)
    for agent in lab.own.glob("agent-*.json"):
        process.kill_group(read_json(agent) or {})
        process.wait(read_json(agent) or {}, 10)
    for run_id in lab.run_ids():
        run = lab.run(run_id)
        for number in rundir.claims(run):
            for worker in rundir.claimed(run, number)[1:]:
                process.kill_group(worker)
                process.wait(worker, 10)
    for worker in _started:
        worker.wait(10)
    _started.clear()
