"""A lab as the music genre notebook's author would have had it: five models, notes, to-dos; made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import report_lab
from report_lab import BEGUN

from labtui.files.paths import LabPaths
from labtui.files.toml import dumps
from labtui.query.lab import Lab

DAY = 86400.0
CLASSES = ["Electronic", "Experimental", "Folk", "Hip-Hop", "Instrumental", "International", "Pop", "Rock"]
DATA = {"name": "music", "clip": 262144, "features": "mel", "mels": 513, "norm": "train"}
AUGMENT = {"scale": [0.08, 1.0], "flip": 0.5}
LAYERS = ["conv1.weight", "conv2.weight", "head.weight"]


def made(
    lab: Path, number: int, name: str, model: Mapping[str, Any], acc: float | None, *, data: Any = DATA,
    optimizer: Any = None, origin: Any = None, state: str = "finished", parameters: int = 159128, seed: int = 0,
    vanishing: bool = False, collapsed: bool = False, written: Any = None, loss: str = "cross_entropy",
) -> str:  # fmt: skip
    """One training, two a day; its id.

    Args:
        acc: validation accuracy at its best; the test accuracy is .02 less. None: it monitors the loss, .03.
        state: finished, failed, or queued.
        vanishing: the first layers get next to no gradient.
        collapsed: every sample gets one class.
    """
    monitor = "val.loss" if acc is None else "val.acc"
    recipe = {
        "format": 1, "name": f"genre-{name}", "data": dict(data), "model": dict(model), "loss": {"name": loss},
        "optimizer": dict(optimizer or {"name": "adadelta", "lr": 0.5}),
        "train": {"epochs": 20, "batch_size": 64, "seed": seed},
        "validate": {"scheme": "file", "monitor": monitor},
        "origin": {"file": f"recipes/genre/{name}.toml", "key": f"k{number}"} | (origin or {}),
    }  # fmt: skip
    begun = BEGUN + _since(number)
    epochs = range(21)
    chance, high = 0.125, 0.03 if acc is None else acc
    curve = [(10 * e, high - (high - chance) * 0.8**e if e != 15 else high) for e in epochs]
    losses = [(10 * e, 0.03 + 0.04 * 0.8**e if acc is None else 2.1 - acc * (1 - 0.8**e)) for e in epochs]
    metrics = {"epoch": [(10 * e, float(e)) for e in epochs], "val.loss": losses, "train.loss": losses[1:]}
    metrics |= {"val.acc": curve, "test.acc": [(150, high - 0.02)]} if acc is not None else {}
    step = 150 if acc is not None else 200
    baseline = {"val.acc": chance, "test.acc": chance, "val.loss": 2.079}
    facts = {
        "device": "cpu", "parameters": parameters, "train": 6394, "val": 800, "test": 800, "steps_per_epoch": 10,
        "baseline": baseline if acc is not None else {"val.loss": 0.034},
    }  # fmt: skip
    record = {
        "attempt": 1, "outcome": state, "reason": "oom" if state == "failed" else "", "message": "", "traceback": "",
        "best": {"metric": monitor, "goal": "max" if acc is not None else "min", "step": step, "epoch": step // 10},
        "facts": facts, "started": begun, "ended": begun + 600,
    }  # fmt: skip
    files: dict[str, Any] = {"result": record} if state != "queued" else {}
    if state == "queued":
        metrics, files = {}, {"queue": {"attempt": 1, "time": begun}}
    if collapsed:
        matrix = [[100 if said == 7 else 0 for said in range(8)] for _ in range(8)]
        files["artifacts"] = {"confusion": {"classes": CLASSES, "test": {"matrix": matrix}}}
    stamp = f"202611{20 + number // 2:02d}-{10 + number % 2 * 4}2000"
    run = report_lab.make(
        lab, f"{stamp}-genre-{name}-{number:02d}00", recipe, metrics, notes=written, **files
    )
    if state == "finished":
        _weights(run.paths.artifacts, vanishing)
    return run.id


def _since(number: int) -> float:
    """Seconds from the first run to one; two are made a day."""
    return number // 2 * DAY + number % 2 * 4 * 3600


def _weights(folder: Path, vanishing: bool) -> None:
    looks, layers = 6, len(LAYERS)
    weight = np.linspace(5.0, 7.0, looks)[:, None] * np.ones(layers)
    slope = weight * ([1e-9, 1e-8, 1e-2] if vanishing else [2e-2, 1e-2, 1e-2])
    slope[0] = np.nan
    np.savez(
        folder / "weights.npz", steps=np.linspace(0, 200, looks).astype(int), layers=np.array(LAYERS),
        weight_norm=weight, grad_norm=slope, update_ratio=slope / weight / 10,
    )  # fmt: skip


def entry(number: int, text: str, **more: Any) -> dict[str, Any]:
    """A note or to-do of the day of a run, as `labtui note` writes it."""
    return {"time": BEGUN + _since(number) + 3600, "text": text, **more}


def notebook(lab: Path) -> Lab:
    """The lab of the notebook: CNN1D, CNN2D, MixNet, an autoencoder, and a run that waits."""
    cnn1d, cnn2d, wave = (
        {"name": "cnn1d", "layers": 4, "dropout": 0.2},
        {"name": "cnn2d"},
        {"features": "wave"},
    )
    stft, sgd = {"features": "stft", "mels": 0}, {"name": "sgd", "lr": 0.01}
    made(lab, 0, "cnn1d", cnn1d, 0.28, data=DATA | wave, parameters=159128, written={
        "notes": [entry(0, "c3 vs c4? compare the net with *three* and four layers")],
        "todos": [entry(0, "longer clips"), entry(0, "Optuna hyperparams tuning", state="pending", reason="GPU")],
    })  # fmt: skip
    made(lab, 1, "cnn1d-layers", cnn1d | {"layers": 3}, 0.25, data=DATA | wave, parameters=92000)
    minmax = DATA | wave | {"norm": "min_max"}
    made(lab, 2, "cnn1d-norms", cnn1d, 0.13, data=minmax, vanishing=True, collapsed=True, written={
        "notes": [entry(2, "vanishing gradient? | see https://example.org/vanishing")],
        "todos": [entry(2, "clip the gradients", state="abort", reason="it was the normalisation")],
    })  # fmt: skip
    sweep = {"sweep": "20261122-100000-cnn2d-aa00", "cell": 0}
    for seed, acc in enumerate((0.33, 0.35, 0.31)):
        made(lab, 3 + seed, "cnn2d", cnn2d, acc, parameters=1252162, seed=seed, origin=sweep | {"repeat": seed},
             data=DATA | {"augment": AUGMENT})  # fmt: skip
    made(lab, 6, "cnn2d-stft", cnn2d, 0.36, data=DATA | stft, parameters=1252162, written={
        "notes": [entry(6, "very promising")], "todos": [entry(6, "data augmentation", done=True)],
    })  # fmt: skip
    made(lab, 7, "cnn2d-stft", cnn2d, None, data=DATA | stft, optimizer=sgd, state="failed")
    made(lab, 8, "mixnet", {"name": "mixnet"}, 0.38, data=DATA | {"features": "both"}, parameters=1498200)
    made(lab, 9, "ae", {"name": "ae"}, None, loss="reconstruction", parameters=24419)
    made(lab, 10, "stn", {"name": "stn"}, None, state="queued")
    own = LabPaths(lab).own
    own.mkdir(exist_ok=True)
    tables = {
        "notes": [entry(0, "Metrics to be added. General hyperparams tuning is needed.")],
        "todos": [entry(9, "analysis of the weights")],
    }
    (own / "notes.toml").write_bytes(dumps(tables))
    folder = own / "sweeps" / sweep["sweep"]
    folder.mkdir(parents=True)
    (folder / "notes.toml").write_bytes(dumps({"notes": [entry(5, "logarithms are OK")]}))
    return Lab(LabPaths(lab))
