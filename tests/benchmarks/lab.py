"""Labs of many finished runs, written file by file in the formats of the README: no `init`, no fsync."""

from __future__ import annotations

import json
import os
import random
import time
from functools import cache
from pathlib import Path

import numpy as np
from harness import fresh

from labtui.files import process, rundir
from labtui.files.paths import LabPaths, RunPaths
from labtui.files.toml import dumps
from labtui.series import DTYPE

METRICS = ("train.loss", "train.acc", "val.loss", "val.acc", "test.acc", "epoch")
BEGIN = 1_750_000_000
"""Unix time of the first run; the directories' times are as old, so that an index trusts them."""


def recipe(number: int) -> dict[str, object]:
    """A recipe of 45 parameters."""
    chance = random.Random(number)
    words = ("alpha", "beta", "gamma", "delta")
    return {
        "format": 1, "name": f"experiment {number % 50}", "tags": ["fault"] if number % 3 else [],
        "origin": {"file": "recipes/fault/transformer.toml"},
        "validate": {"monitor": "val.acc"},
        "train": {"epochs": 30, **{f"option_{k}": chance.choice(words) for k in range(8)}},
        "optimizer": {"lr": 10 ** chance.uniform(-5, -1), **{f"rate_{k}": chance.random() for k in range(14)}},
        "model": {"name": "cnn", **{f"width_{k}": chance.randrange(1024) for k in range(19)}},
    }  # fmt: skip


def add(lab: LabPaths, number: int, metrics: dict[str, np.ndarray] | None = None) -> RunPaths:
    """One finished run; its metrics are values by name, all of one length."""
    began = BEGIN + 60 * number
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(began))
    paths = lab.run(f"{stamp}-experiment-{number % 50}-{_ending(number)}")
    paths.root.mkdir(mode=0o700)
    paths.recipe.write_bytes(dumps(recipe(number)))
    write_metrics(paths, curves(30, number) if metrics is None else metrics, began)
    identity = {"pid": 1, "start": -1, "boot": "", "host": process.host(), "launcher": "labtui"}
    place = {"attempt": 1, "directory": rundir.directory(paths.root), "time": began}
    paths.process.write_text(json.dumps(identity | place))
    paths.result.write_text(json.dumps({
        "attempt": 1, "outcome": "finished", "reason": "", "message": "", "best": None, "last": {},
        "facts": {"parameters": 985870, "layers": 21, "steps_per_epoch": 7},
        "traceback": "", "started": began, "ended": began + 50,
    }))  # fmt: skip
    os.utime(paths.root, (began, began))
    return paths


def curves(points: int, seed: int) -> dict[str, np.ndarray]:
    """Six metrics that look like a training."""
    noise = np.random.default_rng(seed).normal(0, 0.02, (5, points))
    falling = np.exp(-np.linspace(0, 4, points))
    loss, rising = 2 * falling + noise[0] ** 2, 1 - falling - noise[1] ** 2
    values = (loss, rising, loss + noise[2], rising + noise[3], rising + noise[4], np.arange(points) + 1.0)
    return dict(zip(METRICS, values, strict=True))


def write_metrics(paths: RunPaths, metrics: dict[str, np.ndarray], began: float) -> None:
    """The metric log: at each step one record of each metric."""
    values = np.stack(list(metrics.values()), axis=1)
    points, keys = values.shape
    found = np.empty(values.size, DTYPE)
    found["key"] = np.tile(np.arange(keys), points)
    found["step"] = np.repeat(np.arange(1, points + 1), keys)
    found["time"] = began + found["step"] * 1e-3
    found["value"] = values.ravel()
    found.tofile(paths.metrics)
    paths.keys.write_text("".join(f"{name}\n" for name in metrics))


def fill(lab: LabPaths, runs: int) -> None:
    """A new lab of so many runs."""
    lab.own.mkdir(parents=True)
    for number in range(runs):
        add(lab, number)
    _settle(lab.runs)


@cache
def lab_of(runs: int) -> LabPaths:
    """A lab of so many runs, made once."""
    lab = LabPaths(fresh())
    fill(lab, runs)
    return lab


@cache
def lab_with(points: int, *names: str) -> LabPaths:
    """A lab of one run with long metrics that fall like losses."""
    lab = LabPaths(fresh("long"))
    lab.own.mkdir(parents=True)
    chance = np.random.default_rng(0)
    falling = 2 * np.exp(-np.linspace(0, 4, points))
    add(lab, 0, {name: falling * np.exp(chance.normal(0, 0.3, points)) for name in names})
    _settle(lab.runs)
    return lab


def _settle(folder: Path) -> None:
    os.utime(folder, (BEGIN, BEGIN))


def _ending(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return "".join(digits[number // 36**place % 36] for place in (3, 2, 1, 0))
