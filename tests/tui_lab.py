"""Labs on disk for tests of the screens: fixed ids, times and values, written file by file."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from labtui.files import process, rundir
from labtui.files.paths import LabPaths
from labtui.files.toml import dumps
from labtui.series import DTYPE

NOW = 1_790_000_000.0
"""The moment at which the fixed labs are looked at."""


def add_run(
    lab: LabPaths,
    name: str,
    age: float,
    state: str = "finished",
    *,
    reason: str = "",
    epochs: int = 20,
    done: int | None = None,
    seed: int = 0,
    log: str = "",
    extra: dict[str, Any] | None = None,
    metrics: dict[str, np.ndarray] | None = None,
    **result: Any,
) -> str:
    """One run, `age` seconds before NOW; returns its id."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(NOW - age))
    key = f"{stamp}-{_plain(name)}-{seed:04d}"
    root = lab.runs / key
    root.mkdir(parents=True)
    tables: dict[str, Any] = {
        "format": 1, "name": name, "tags": ["try"] if seed % 3 == 0 else [],
        "data": {"name": "bearings", "split": "time"}, "model": {"name": "transformer_cls"},
        "optimizer": {"name": "adam", "lr": 1e-3 * (seed + 1)}, "train": {"epochs": epochs, "seed": seed},
        "validate": {"monitor": "val.acc"}, "origin": {"file": "recipes/fault/transformer-cls.toml"},
    }  # fmt: skip
    (root / "recipe.toml").write_bytes(dumps(tables | (extra or {})))
    done = epochs if done is None else done
    write_metrics(root, curves(done, seed) if metrics is None else metrics, NOW - age)
    (root / "log.txt").write_text(log or f"epoch {done}: val.acc rises\n")
    if state == "running":
        identity = process.identity() | {"attempt": 1, "directory": rundir.directory(root)}
        (root / "process.json").write_text(json.dumps(identity | {"time": NOW - age}))
    elif state == "queued":
        (root / "queue.json").write_text(json.dumps(rundir.request(root, 1)))
    else:
        facts = {"parameters": 985870, "baseline": {"val.acc": 0.1, "val.loss": 2.303}}
        record = {"attempt": 1, "outcome": state, "reason": reason, "facts": facts, "started": NOW - age}
        (root / "result.json").write_text(json.dumps(record | {"ended": NOW - age + 754.0} | result))
    os.utime(root, (NOW - age, NOW - age))
    return key


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name.lower()).strip("-") or "run"


def curves(done: int, seed: int) -> dict[str, np.ndarray]:
    """Losses that fall, an accuracy that rises, with a little noise: (done, 2) of step and value."""
    noise = np.random.default_rng(seed)
    epoch = np.arange(1, done + 1)
    fall = 2.2 * np.exp(-epoch / (4 + seed % 5)) + 0.05
    return {
        name: np.column_stack([epoch * 20.0, values])
        for name, values in {
            "epoch": epoch,
            "train.loss": fall + 0.02 * noise.random(done),
            "val.loss": fall * 1.2 + 0.08 * noise.random(done),
            "train.acc": 1 - fall / 2.6,
            "val.acc": 1 - fall / 2.4 - 0.02 * noise.random(done),
        }.items()
    }


def write_metrics(root: Path, metrics: dict[str, np.ndarray], start: float = NOW) -> None:
    """A metric log whose records stand in the order of their steps."""
    (root / "metrics.keys").write_text("".join(f"{name}\n" for name in metrics))
    parts = []
    for number, points in enumerate(metrics.values()):
        part = np.zeros(len(points), DTYPE)
        part["key"], part["step"], part["value"] = number, points[:, 0], points[:, 1]
        part["time"] = start + points[:, 0]
        parts.append(part)
    records = np.concatenate(parts) if parts else np.zeros(0, DTYPE)
    records[np.argsort(records["step"], kind="stable")].tofile(root / "metrics.bin")


def small_lab(root: Path) -> LabPaths:
    """A dozen runs in all states, with names that try to be more than text, and three recipes."""
    lab = LabPaths(root)
    lab.recipes.mkdir(parents=True)
    here = Path(__file__).parents[1] / "recipes" / "digits.toml"
    (lab.recipes / "digits.toml").write_text(here.read_text())
    (lab.recipes / "broken.toml").write_text("name = \n")
    (lab.recipes / "fault").mkdir()
    (lab.recipes / "fault" / "wrong.toml").write_text('name = "wrong"\ndescription = "has a typo"\n[dta]\n')
    add_run(lab, "轴承诊断 基线", 9 * 86400, seed=1)
    add_run(lab, "[bold]x[/] \x1b[31mred", 5 * 86400, seed=2, log="\x1b[2J\x1b[31mhello\rworld [b]\n")
    add_run(
        lab,
        "transformer-cls",
        3 * 86400,
        "failed",
        reason="oom",
        seed=3,
        done=7,
        message="CUDA ran out of memory; use a smaller batch_size",
        traceback='Traceback (most recent call last):\n  File "x.py", line 3\nMemoryError: [red]',
    )
    add_run(lab, "transformer-cls", 2 * 86400, "stopped", seed=4, done=12)
    add_run(lab, "transformer-cls", 86400, seed=5)
    add_run(lab, "rete neurale più profonda", 7 * 3600, seed=6)
    add_run(
        lab,
        "diverged",
        5 * 3600,
        "failed",
        reason="nan",
        seed=7,
        done=9,
        metrics={"train.loss": np.array([[20, 2.0], [40, np.nan], [60, np.inf]])},
    )
    add_run(lab, "transformer-cls-small", 2 * 3600, seed=8, done=20)
    add_run(lab, "transformer-cls-small", 600, "running", seed=9, done=11)
    add_run(lab, "waits", 120, "queued", seed=10, metrics={})
    return lab


def large_lab(root: Path, runs: int, params: int = 45) -> LabPaths:
    """Many finished runs with few points each and many options."""
    lab = LabPaths(root)
    options = {"params": {f"option_{number:02d}": number * 0.5 for number in range(params)}}
    for number in range(runs):
        add_run(lab, f"run {number}", 86400.0 + 60 * (runs - number), seed=number, done=3, extra=options)
    return lab


def sweep_lab(root: Path) -> LabPaths:
    """A sweep of four cells with three repeats each, one of which failed, beside three runs alone."""
    lab = LabPaths(root)
    lab.recipes.mkdir(parents=True)
    for number in range(12):
        cell, repeat = divmod(number, 3)
        lr, layers = (1e-3, 3e-4)[cell // 2], (2, 4)[cell % 2]
        place = {"cell": cell, "title": f"lr={lr}, nlayers={layers}", "repeat": repeat, "key": f"k{number}"}
        options = {
            "optimizer": {"name": "adam", "lr": lr}, "model": {"name": "cls", "nlayers": layers},
            "train": {"epochs": 20, "seed": repeat},
            "origin": {"file": "recipes/fault/cls.toml", "sweep": "20260920-100000-cls-ab12", **place},
        }  # fmt: skip
        state = "failed" if number == 4 else "finished"
        reason = "nan" if number == 4 else ""
        add_run(lab, "cls", 3600 + 60.0 * number, state, reason=reason, seed=20 + number, extra=options)
    for number in range(3):
        add_run(lab, "alone", 7200 + 60.0 * number, seed=number)
    return lab
