"""Real runs for the engine's tests: a lab in a temporary folder, workers in and out of process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from labtui.files import rundir
from labtui.files.paths import LabPaths, RunPaths
from labtui.recipe.core import Recipe
from labtui.writer import Run

ROOT = Path(__file__).parents[1]

DIGITS: dict[str, Any] = {
    "name": "digits-tiny",
    "data": {"name": "digits", "shift": 1},
    "model": {"name": "digits_cnn", "channels": 4, "hidden": 16, "dropout": 0.3},
    "train": {"epochs": 4, "batch_size": 128},
    "validate": {"val": 0.2, "test": 0.1},
    "resources": {"gpus": 0, "threads": 1},
}

Asked = Callable[[], str | None]

SPEEDS = {"train.samples_per_s", "train.data_share"}
"""Metrics that differ each time."""


def not_of_machine(name: str) -> bool:
    """Whether a metric is the training's own: neither a speed nor what a busy machine says of itself."""
    return name not in SPEEDS and not name.startswith("sys.")


def recipe(**tables: dict[str, Any]) -> Recipe:
    """The tiny digits recipe, with the given tables' keys over its own."""
    return Recipe.model_validate(DIGITS | {name: DIGITS.get(name, {}) | t for name, t in tables.items()})


def make(root: Path, what: Recipe | dict[str, Any]) -> RunPaths:
    """A queued and claimed run in the lab `root`."""
    tables = what if isinstance(what, dict) else what.tables()
    paths = rundir.create(LabPaths(root), tables["name"], tables, queued=True)
    rundir.claim(paths, 1)
    return paths


def train_here(
    paths: RunPaths, what: Recipe, attempt: int = 1, asked: Asked = lambda: None
) -> tuple[str | None, dict[str, Any]]:
    """One attempt of a training in this process: what ended it, and its result."""
    from labtui.engine.train import train

    run = Run(paths, attempt)
    result: dict[str, Any] = {}
    try:
        ended = train(run, what, paths.root.parents[1], asked, result)
    finally:
        run.finish("stopped", **result)
    return ended, result


def ask_at(call: int, what: str = "stop") -> Asked:
    """Asks at the given call, counted from 1."""
    calls = iter(range(1, 10**9))
    return lambda: what if next(calls) >= call else None


def worker(paths: RunPaths, attempt: int = 1, **more: Any) -> subprocess.Popen[bytes]:
    """The run's worker as the launcher starts it, its output in the run's log."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with open(paths.log, "ab") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-W", "error", "-m", "labtui.engine", str(paths.root), str(attempt)],
            cwd=paths.root.parents[1],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **more,
        )


def result_of(paths: RunPaths) -> dict[str, Any]:
    """The run's result."""
    found: dict[str, Any] = json.loads(paths.result.read_text())
    return found


RECORD = np.dtype([("key", "<i8"), ("step", "<i8"), ("time", "<f8"), ("value", "<f8")])


def records(paths: RunPaths) -> list[tuple[str, int, float]]:
    """All valid records as (name, step, value), in order, without what differs each time."""
    names = paths.keys.read_text().splitlines()
    kept: list[tuple[str, int, float]] = []
    for key, step, _, value in np.fromfile(paths.metrics, RECORD).tolist():
        if key == -1:
            kept = [record for record in kept if record[1] <= step]
        elif not_of_machine(names[key]):
            kept.append((names[key], step, value))
    return kept


def until(condition: Callable[[], Any], seconds: float = 60) -> None:
    """Wait for something that will be true soon."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
