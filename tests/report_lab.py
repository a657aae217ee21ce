"""Run directories made by hand, with fixed ids and times, for the tests of the report."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import labtui
from labtui.files.rundir import directory
from labtui.files.toml import dumps
from labtui.query.lab import Run

BEGUN = 1795170000.0
"""2026-11-20 10:20 UTC."""

ENVIRONMENT = {
    "code": {"commit": "0123456789abcdef0123456789abcdef01234567", "dirty": True},
    "versions": {"python": "3.11.7", "labtui": "0.1.0", "torch": "2.13.0"},
    "hardware": {
        "host": "lab-pc",
        "system": "Linux-6.1",
        "cpu": "A CPU",
        "cores": 8,
        "memory": 16 * 2**30,
        "gpus": ["NVIDIA A100"],
    },
    "argv": ["python"],
}

Points = Sequence[tuple[int, float]]


def make(
    lab: Path,
    run_id: str,
    recipe: Mapping[str, Any],
    metrics: Mapping[str, Points] | None = None,
    **files: Any,
) -> Run:
    """A run as readers see it.

    Args:
        metrics: name to (step, value), a second a step from BEGUN.
        files: JSON records by name (`result`, `environment`, …); `artifacts`: name to value;
            `notes`: tables; `process`: gets this directory's identity.
    """
    root = lab / "runs" / run_id
    (root / "artifacts").mkdir(parents=True)
    (root / "recipe.toml").write_bytes(dumps(recipe))
    write_metrics(root, metrics or {})
    for name, value in files.pop("artifacts", {}).items():
        (root / "artifacts" / f"{name}.json").write_text(json.dumps(value))
    if notes := files.pop("notes", None):
        (root / "notes.toml").write_bytes(dumps(notes))
    for name, record in files.items():
        if name in ("process", "queue"):
            record = {"directory": directory(root), **record}
        (root / f"{name}.json").write_text(json.dumps(record))
    return labtui.open(lab).run(run_id)


def write_metrics(root: Path, metrics: Mapping[str, Points]) -> None:
    """The metric log of a run, in the order of steps."""
    names = list(metrics)
    records = [(step, key, value) for key, name in enumerate(names) for step, value in metrics[name]]
    records.sort(key=lambda record: record[0])
    (root / "metrics.keys").write_bytes("".join(f"{name}\n" for name in names).encode())
    packed = [struct.pack("<qqdd", key, step, BEGUN + step, value) for step, key, value in records]
    (root / "metrics.bin").write_bytes(b"".join(packed))


RECIPE: dict[str, Any] = {
    "format": 1,
    "name": "fault | <b>small</b>",
    "description": "Three *classes*,\nsee https://example.org/a_b?x=1.",
    "tags": ["fault", "a|b"],
    "data": {"name": "bearings", "window": 1600, "split": "random"},
    "model": {"name": "small_cnn", "channels": 4},
    "loss": {"name": "cross_entropy", "label_smoothing": 0.1},
    "optimizer": {"name": "adam", "lr": 0.002, "betas": [0.9, 0.98]},
    "schedule": {"name": "cosine"},
    "train": {"epochs": 100, "batch_size": 64, "seed": 3},
    "validate": {
        "scheme": "holdout", "val": 0.2, "test": 0.2, "seed": 0, "monitor": "val.acc",
        "patience": 30, "min_delta": 0.01,
    },
    "origin": {"file": "recipes/fault.toml", "sweep": "", "title": ""},
}  # fmt: skip

LAYERS = {
    "rows": [
        {"name": "Net", "type": "Net", "depth": 0, "output": [3], "params": 0},
        {"name": "body", "type": "ModuleList", "depth": 1, "output": [], "params": 0},
        {"name": "0", "type": "Conv1d", "depth": 2, "output": [4, 1600], "params": 16},
        {"name": "head", "type": "Linear", "depth": 1, "output": [3], "params": 19203},
    ],
    "parameters": 19219,
    "trainable": 19203,
    "layers": 2,
}

DATA = {
    "facts": {"source": "CWRU, drive end", "sampling rate (Hz)": 12000, "scale": 0.123456},
    "task": "classes",
    "classes": ["normal", "inner|race", "ball"],
    "samples": 250,
    "stored_shape": [1600],
    "shape": [1, 1600],
    "outputs": 3,
    "splits": {
        "train": {"samples": 150, "per_class": [100, 30, 20]},
        "val": {"samples": 50, "per_class": [30, 10, 10]},
        "test": {"samples": 50, "per_class": [30, 10, 10]},
    },
    "validate": {"scheme": "holdout", "val": 0.2, "test": 0.2, "seed": 0},
}

CONFUSION = {
    "classes": ["normal", "inner|race", "ball"],
    "step": 150,
    "epoch": 50,
    "test": {
        "matrix": [[29, 1, 0], [0, 10, 0], [10, 0, 0]],
        "per_class": [
            {"class": "normal", "samples": 30, "recall": 0.9667, "precision": 0.7436, "f1": 0.84},
            {"class": "inner|race", "samples": 10, "recall": 1.0, "precision": 0.9091, "f1": 0.95},
            {"class": "ball", "samples": 10, "recall": 0.0, "precision": None, "f1": 0.0},
        ],
    },
}


def finished(lab: Path) -> Run:
    """A classification, stopped early after 80 of 100 epochs of 3 steps, best in epoch 50."""
    epochs = range(81)
    loss = {3 * e: 2.0 * 0.95**e + 0.1 for e in epochs}
    metrics = {
        "val.loss": [(s, v + 0.05) for s, v in loss.items()],
        "val.acc": [(3 * e, 0.9 - abs(e - 50) / 100) for e in epochs],
        "val.f1": [(3 * e, 0.2) for e in epochs],
        "epoch": [(3 * e, float(e)) for e in epochs],
        "train.step_loss": [(s, 2.1 * 0.98**s) for s in range(1, 241)],
        "train.loss": list(loss.items())[1:],
        "train.lr": [(3 * e, 0.002 * (1 - e / 100)) for e in epochs[1:]],
        "test.acc": [(150, 0.78)],
    }
    facts = {
        "device": "NVIDIA A100", "parameters": 19219, "trainable": 19203, "layers": 2,
        "steps_per_epoch": 3, "train": 150, "val": 50, "test": 50,
        "baseline": {"val.loss": 0.95, "val.acc": 0.6, "val.f1": 0.25, "test.acc": 0.6},
        "last_epoch": {"epoch": 80, "step": 240, "val.acc": 0.6, "test.acc": 0.55},
    }  # fmt: skip
    result = {
        "attempt": 1, "outcome": "finished", "reason": "", "message": "", "traceback": "",
        "best": {"metric": "val.acc", "goal": "max", "value": 0.9, "step": 150, "epoch": 50},
        "facts": facts, "started": BEGUN, "ended": BEGUN + 754,
    }  # fmt: skip
    notes = {
        "notes": [
            {"time": BEGUN + 900, "text": "1. *ball* is never said\n- see `confusion` <script>"},
            {"text": "undated, $x$ and https://example.org/b_c."},
        ],
        "todos": [{"text": "split by time", "done": True}, {"text": "more data", "time": BEGUN}],
        "tags": ["kept"],
    }
    artifacts = {"layers": LAYERS, "data": DATA, "confusion": CONFUSION}
    return make(
        lab, "20261120-102000-fault-small-aa00", RECIPE, metrics, result=result,
        environment=ENVIRONMENT, artifacts=artifacts, notes=notes,
    )  # fmt: skip


def failed(lab: Path) -> Run:
    """A run whose loss became NaN in its first epoch."""
    message = "the loss became nan in step 2 (epoch 1): try a lower optimizer.lr"
    result = {
        "attempt": 2, "outcome": "failed", "reason": "nan", "message": message,
        "best": {"metric": "val.acc", "goal": "max", "value": 0.1, "step": 0, "epoch": 0},
        "facts": {"baseline": {"val.acc": 0.6}, "steps_per_epoch": 3},
        "traceback": "Traceback (most recent call last):\n" + "  File ```\n" * 20 + "Error: \x1b[31m",
        "started": BEGUN, "ended": BEGUN + 5.5,
    }  # fmt: skip
    metrics = {
        "val.acc": [(0, 0.1)],
        "epoch": [(0, 0.0)],
        "train.step_loss": [(1, 2.0), (2, float("nan"))],
    }
    return make(
        lab, "20261120-102000-fault-small-bb00", RECIPE, metrics, result=result,
        artifacts={"layers": LAYERS},
    )  # fmt: skip


def script(lab: Path) -> Run:
    """A script's own run, named in two scripts, that logs steps only."""
    recipe = {
        "format": 1,
        "name": "情绪 识别 – prova",
        "params": {"lr": 0.001, "optimizer": "RMSprop", "net": {"width": [8, 16]}, "path": "a\\b"},
        "goals": {"val.精度": "max"},
        "validate": {"monitor": "val.精度"},
        "origin": {"script": "/home/me/my train.py"},
    }
    metrics = {
        "train.loss": [(s, float("nan") if 40 < s < 50 else 2 - s / 100) for s in range(100)],
        "val.精度": [(s, s / 100 if s < 70 else 0.7 - s / 1000) for s in range(9, 100, 10)],
        "_odd|name`$x$": [(s, float(s)) for s in range(0, 100, 5)],
    }
    result = {"attempt": 1, "outcome": "finished", "started": BEGUN, "ended": BEGUN + 100}
    return make(
        lab, "20261120-102000-情绪-识别-prova-cc00", recipe, metrics, result=result,
        process={"attempt": 1, "host": "lab-pc", "pid": 1, "time": BEGUN},
        artifacts={"confusion": [[8, 2], [1, 9]]},
    )  # fmt: skip
