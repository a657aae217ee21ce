"""Random kills over launchers, supervisors, workers and programs, and what must be true in spite of them."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from launch_lab import eventually

from labtui import launch
from labtui.files import process
from labtui.files.atomic import read_json
from labtui.files.paths import LabPaths, RunPaths
from labtui.run import derive
from labtui.series import read_all

PROGRAM = """
import fcntl, os, sys, time
import labtui

diary = open(os.path.join({diary!r}, os.path.basename(os.environ["LABTUI_RUN"])), "ab", buffering=0)
try:
    fcntl.flock(diary, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    diary.write(b"twice\\n")
with labtui.init() as run:
    diary.write(b"begun %d\\n" % run.attempt)
    for step in range(60):
        run.log({{"train.loss": float(step)}}, step)
        if step % 10 == 9 and run.flush():
            diary.write(b"safe %d %d\\n" % (run.attempt, step))
        time.sleep(0.01)
diary.write(b"done %d\\n" % run.attempt)
"""

LAUNCHER = """
import json, sys
from pathlib import Path
from labtui import launch
from labtui.files.paths import LabPaths
lab, tables, number = LabPaths(Path(sys.argv[1])), json.loads(sys.argv[2]), int(sys.argv[3])
for _ in range(number):
    launch.enqueue(lab, [tables])
    launch.wake(lab)
"""


class Chaos:
    """A lab in which anything may be killed at any moment.

    Args:
        lab: its folders.
        diary: a folder outside of it, where the programs say what they did.
        tables: recipes of runs to launch; `PROGRAM` is added to those that have none of their own.
        seed: of the moments and victims.
    """

    def __init__(self, lab: LabPaths, diary: Path, tables: list[dict[str, Any]], seed: int) -> None:
        self.lab, self.diary, self.chance = lab, diary, random.Random(seed)
        program = ["python", "-c", PROGRAM.format(diary=str(diary))]
        self.tables = [
            {"format": 1, "name": "chaos", "command": program, "origin": {"file": "x"}} | table
            for table in tables
        ]
        for table in self.tables:
            if "data" in table:
                del table["command"]
        self.launchers: list[subprocess.Popen[bytes]] = []
        self.killed: Counter[str] = Counter()
        self.workers_killed: set[tuple[str, int]] = set()

    def run(self, kills: int, runs: int) -> None:
        """Launch `runs` runs, kill `kills` processes meanwhile, and wait for quiet."""
        launched = 0
        while sum(self.killed.values()) < kills:
            if launched < runs and len(self._living()) < 2:
                number = min(self.chance.randint(1, 4), runs - launched)
                launched += number
                table = self.chance.choice(self.tables)
                words = [sys.executable, "-c", LAUNCHER, str(self.lab.root), json.dumps(table), str(number)]
                self.launchers.append(subprocess.Popen(words, stderr=subprocess.PIPE))
            time.sleep(self.chance.uniform(0.0, 0.25))
            self._kill_somebody()
            self._look()
            if self.chance.random() < 0.2:
                launch.wake(self.lab)  # somebody who follows a run does that all the time
            if launched == runs and not self._unsettled():
                break
        for launcher in self.launchers:
            _, said = launcher.communicate()
            assert launcher.returncode in (0, -signal.SIGKILL), said.decode()
        left, patience = -1, 0.0
        while unsettled := self._unsettled():
            launch.wake(self.lab)  # as whoever looks after them does
            self._look()
            if len(unsettled) != left:
                left, patience = len(unsettled), time.monotonic() + 90
            assert time.monotonic() < patience, [(r.id, derive(r).state) for r in unsettled]
            time.sleep(0.2)
        eventually(lambda: launch.at_work(self.lab) is None)

    def _living(self) -> list[subprocess.Popen[bytes]]:
        return [launcher for launcher in self.launchers if launcher.poll() is None]

    def runs(self) -> list[RunPaths]:
        """All runs that are there."""
        return [self.lab.run(run_id) for run_id in self.lab.run_ids()]

    def _unsettled(self) -> list[RunPaths]:
        return [run for run in self.runs() if derive(run).state in ("queued", "running")]

    def _kill_somebody(self) -> None:
        kind = self.chance.choice(["launcher", "supervisor", "supervisor", "worker", "program", "parent"])
        if kind == "launcher":
            if living := self._living():
                living[-1].kill()
                self.killed[kind] += 1
        elif kind == "supervisor":
            self.killed[kind] += process.send(read_json(self.lab.agent) or {}, signal.SIGKILL)
        elif kind == "parent":
            self.killed[kind] += self._kill_parent()
        elif running := [run for run in self.runs() if derive(run).state == "running"]:
            victim = self.chance.choice(running)
            worker = read_json(victim.process) or {}
            if kind == "worker":
                self.workers_killed.add((victim.id, worker.get("attempt", 0)))
                self.killed[kind] += process.send(worker, signal.SIGKILL)
            elif worker:
                self.workers_killed.add((victim.id, worker.get("attempt", 0)))
                self.killed[kind] += _kill_children(worker["pid"])

    def _kill_parent(self) -> int:
        for cmdline in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                mine = cmdline.parent.joinpath("cwd").readlink() == self.lab.root
                if mine and b"labtui.engine.warm" in cmdline.read_bytes():
                    return process.send(process.identity(int(cmdline.parent.name)), signal.SIGKILL)
        return 0

    def _look(self) -> None:
        """No state says what is not so."""
        for run in self.runs():
            before = read_json(run.process) or {}
            state = derive(run).state
            if state == "running" and before and before == read_json(run.process):
                claim = derive(run).process
                alive = process.alive(dict(claim)) if claim else True
                assert alive or derive(run).state != "running", f"{run.id}: {claim} does not run"

    def check(self) -> Counter[str]:
        """What must be true in the end; how many runs ended how."""
        states: Counter[str] = Counter()
        for run in self.runs():
            status = derive(run)
            states[status.state] += 1
            assert (run.recipe.exists(), status.state in ("finished", "failed", "lost")) == (True, True)
            assert len(list(run.root.glob("claim-*"))) >= 1
            diary = self.diary / run.id
            if diary.exists():
                self._check_diary(run, diary.read_text().splitlines())
            if status.state != "finished":
                assert (run.id, status.attempt) in self.workers_killed, (run.id, status)
        return states

    def _check_diary(self, run: RunPaths, lines: list[str]) -> None:
        status = derive(run)
        assert "twice" not in lines, f"{run.id}: two programs at once"
        begun = Counter(line for line in lines if line.startswith("begun"))
        assert not begun or max(begun.values()) == 1, f"{run.id}: an attempt was started twice: {begun}"
        assert (f"done {status.attempt}" in lines) == (status.state == "finished") or (
            (run.id, status.attempt) in self.workers_killed
        ), (run.id, status, lines)
        assert sum(line.startswith("done") for line in lines) <= 1, f"{run.id} was done twice"
        series = read_all(run)
        for line in lines:
            word, *numbers = line.split()
            if word == "safe" and int(numbers[0]) == status.attempt:
                assert int(numbers[1]) in series["train.loss"].steps, f"{run.id}: step {numbers[1]} was lost"


def _kill_children(pid: int) -> int:
    """Kill the program of a worker; how many processes that was."""
    killed = 0
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            killed += process.send(process.identity(int(child)), signal.SIGKILL)
    return killed
