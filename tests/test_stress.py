"""Longer fault injection: `pytest -m stress`."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from chaos import Chaos
from engine_lab import SPEEDS
from launch_lab import eventually, start

from labtui import launch, series
from labtui.files.paths import LabPaths
from labtui.recipe.read import check
from labtui.run import derive
from labtui.store import Index
from labtui.sweep import expand

pytestmark = [pytest.mark.stress, pytest.mark.timeout(1800)]

TABLES = {
    "name": "small", "data": {"name": "digits"}, "model": {"name": "digits_cnn", "channels": 2},
    "train": {"epochs": 600, "batch_size": 256}, "validate": {"test": 0.1, "monitor": "val.acc"},
    "checkpoints": {"interval": 0.0}, "resources": {"threads": 1},
}  # fmt: skip


def queue(paths: LabPaths):
    (recipe,) = expand(check(TABLES, "small.toml"), "small.toml")
    (run,) = launch.enqueue(paths, [recipe.tables()])
    return run


def test_a_training_killed_at_random_moments_equals_one_left_alone(lab):
    paths = LabPaths(lab)
    alone, killed = queue(paths), queue(paths)
    assert start(paths, alone).wait() == 0
    chance = random.Random(0)
    kills = 0
    while derive(killed).state != "finished":
        worker = start(paths, killed)
        try:
            worker.wait(chance.uniform(1.5, 6) if kills < 20 else 300)
        except subprocess.TimeoutExpired:
            before = series.read_all(killed)
            os.kill(worker.pid, signal.SIGKILL)
            kills += 1
        worker.wait()
        after = series.read_all(killed)
        if derive(killed).state != "finished":  # which it says before its process has ended
            assert derive(killed).state == "failed"
            for name, (steps, _, _) in before.items():
                assert len(after[name].steps) >= len(steps), "a record that was read is gone"
            launch.resume(killed)
    assert kills >= 5
    expected, found = series.read_all(alone), series.read_all(killed)
    for name in expected:
        if name not in SPEEDS:
            np.testing.assert_array_equal(expected[name].steps, found[name].steps, name)
            np.testing.assert_array_equal(expected[name].values, found[name].values, name)


def test_random_kills_lose_nothing_and_start_nothing_twice(lab, tmp_path):
    """200 kills over launchers, supervisors, warm parents, workers and programs."""
    (tmp_path / "diary").mkdir()
    engine = TABLES | {"train": {"epochs": 3}, "checkpoints": {}}
    (recipe,) = expand(check(engine, "small.toml"), "small.toml")
    tables = [{}, {"resources": {"retries": 2}}, {"resources": {"retries": 1}}, recipe.tables()]
    chaos = Chaos(LabPaths(lab), tmp_path / "diary", tables, seed=int(time.time()))
    chaos.run(kills=200, runs=400)
    states = chaos.check()
    print(dict(chaos.killed), dict(states))
    assert sum(chaos.killed.values()) == 200


_LAUNCH = """
import sys
from pathlib import Path
from labtui import launch
from labtui.files.paths import LabPaths
lab = LabPaths(Path(sys.argv[1]))
tables = {"format": 1, "name": "many", "command": ["true"], "origin": {"file": "x"}}
for _ in range(50): launch.enqueue(lab, [tables]); launch.wake(lab)
"""


def test_sixteen_launchers_at_once_make_eight_hundred_runs(lab):
    children = [subprocess.Popen([sys.executable, "-c", _LAUNCH, str(lab)]) for _ in range(16)]
    index = Index(LabPaths(lab))
    while any(child.poll() is None for child in children):
        index.refresh()
        time.sleep(0.05)
    assert [child.returncode for child in children] == [0] * 16
    index.refresh()
    assert len(index.rows) == 800
    launch.wake(LabPaths(lab))
    eventually(lambda: index.refresh() or {row["state"] for row in index.rows} == {"finished"}, 600)
    assert all(row["attempt"] == 1 for row in index.rows)
    assert {path.name for path in (Path(lab) / "runs").glob(".*")} == {".labtui"}
