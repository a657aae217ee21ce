"""Real runs for the launching tests: programs that are queued, started here or by a supervisor."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from labtui import launch
from labtui.files import process
from labtui.files.atomic import read_json
from labtui.files.paths import LabPaths, RunPaths
from labtui.recipe.read import check
from labtui.run import derive
from labtui.sweep import expand

SLEEP = "import time; print('begun', flush=True); time.sleep(60)"
LOGS = """
import labtui, time
with labtui.init() as run:
    for step in range(100000):
        run.log({"train.loss": 1 / (step + 1)}, step)
        time.sleep(0.005)
"""

_started: list[launch.Worker] = []


def queue(lab: LabPaths, code: str, asked: dict[str, Any] | None = None, **tables: Any) -> RunPaths:
    """A queued run of a Python program; nobody is called to start it."""
    recipe = {"name": "prog", "command": ["python", "-c", code], **tables}
    (one,) = expand(check(recipe, "prog.toml"), "prog.toml")
    (run,) = launch.enqueue(lab, [one.tables()], **(asked or {}))
    return run


def start(lab: LabPaths, run: RunPaths) -> launch.Worker | None:
    """Start a run as a child of the test."""
    worker = launch.start(lab, run)
    if worker is not None:
        _started.append(worker)
    return worker


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
        for claim in run.root.glob("claim-*"):
            from labtui.files.rundir import claimed

            for worker in claimed(run, int(claim.name[6:]))[1:]:
                process.kill_group(worker)
                process.wait(worker, 10)
    for worker in _started:
        worker.wait(10)
    _started.clear()
