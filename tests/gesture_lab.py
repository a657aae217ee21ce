"""The gesture notebook as a lab: its two grids, whose runs are written by hand with figures in the size of its own."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

from recipe_lab import RECIPES
from sweep_lab import training

from labtui.files.paths import LabPaths
from labtui.launcher import plan_of
from labtui.recipe import naming
from labtui.sweep import definition
from labtui.sweep.plan import Training

CONV3D = "20261120-102000-gesture-conv3d-grid-aa00"
CONV2D = "20261120-103000-gesture-conv2d-rnn-grid-bb00"
STEPS = 42
"""Of an epoch."""
Points = dict[str, list[tuple[int, float]]]

RATE = {"sgd": 0.02, "adagrad": 0.08, "adam": 0.11, "nadam": 0.13}
"""How fast each optimiser gets on."""


def conv3d(lab: Path) -> list[str]:
    """23 of the 24 experiments: the 13th found no room on the disk, the 22nd was gone on with, the last was not made."""
    return _sweep(lab, "conv3d", CONV3D, 0, made=23, l2=8.0)


def conv2d(lab: Path) -> list[str]:
    """All 18 experiments."""
    return _sweep(lab, "conv2d-rnn", CONV2D, 100, made=18, l2=0.0)


def _sweep(lab: Path, name: str, sweep: str, first: int, made: int, l2: float) -> list[str]:
    paths = LabPaths(lab)
    (paths.recipes / "gesture").mkdir(parents=True, exist_ok=True)
    file = paths.recipes / "gesture" / f"{name}-grid.toml"
    file.write_text((RECIPES / "gesture" / file.name).read_text())
    plan = plan_of(paths, file, [])
    definition.write(paths.sweep(sweep), plan, [])
    ids = []
    for number, one in enumerate(islice(plan, made)):
        tables = plan.resolved(one, sweep).tables()
        origin = {key: tables["origin"].get(key) for key in ("cell", "title", "key")}
        recipe = {key: value for key, value in tables.items() if key not in ("format", "origin")}
        full = l2 > 0 and number == 12
        points = {} if full else _curves(one, l2)
        run_id = training(
            lab, first + number, recipe, points, sweep=sweep, **origin,
            state="failed" if full else "finished", reason="disk-full" if full else "",
        )  # fmt: skip
        root = paths.run(run_id).root
        if full or (l2 > 0 and number == 21):
            _result(root, full)
        if not full:
            _weights(root, points, str(recipe["checkpoints"]["name"]))
        ids.append(run_id)
    return ids


def _curves(one: Training, l2: float) -> Points:
    """Losses fall at the optimiser's pace, L2 with them; validation is best before the end."""
    pace = RATE[str(one.values["optimizer.name"])] * (1.1 - one.values["schedule.factor"])
    epochs = int(one.values["train.epochs"])
    found: Points = {
        name: [] for name in ("train.loss", "train.acc", "val.loss", "val.acc", "train.lr", "epoch")
    }
    for epoch in range(1, epochs + 1):
        step, left, weights = STEPS * epoch, 2 ** (-pace * epoch * 3), l2 * 2 ** (-pace * epoch)
        over = max(0.0, epoch * pace - 3) * 0.1
        values = {
            "train.loss": 1.6 * left + weights, "train.acc": 1 - 0.8 * left,
            "val.loss": 1.4 * left + 0.5 + over + weights,
            "val.acc": 0.2 + 0.6 * (1 - left) + 0.02 * ((epoch * 7) % 3 - 1) * (1 - left),
            "train.lr": float(one.values["optimizer.lr"]), "epoch": float(epoch),
        }  # fmt: skip
        for name, value in values.items():
            found[name].append((step, value))
    return found


def _result(root: Path, full: bool) -> None:
    """The end of the first attempt for want of room, or that of the second."""
    result = json.loads((root / "result.json").read_text())
    if full:
        result["message"] = "checkpoints/last.pt (13.2 MB) cannot be written: No space left on device"
    else:
        result["attempt"] = 2
    (root / "result.json").write_text(json.dumps(result))


def _weights(root: Path, points: Points, pattern: str) -> None:
    """Empty files where labtui keeps weights: the best epoch's, the last's, those that were the best so far."""
    folder = root / "checkpoints"
    folder.mkdir()
    for name in ("best", "last"):
        (folder / f"{name}.pt").touch()
    best = float("inf")
    scores = {name: dict(values) for name, values in points.items()}
    for step, epoch in points["epoch"]:
        if scores["val.loss"][step] < best:
            best = scores["val.loss"][step]
            told = {name: values[step] for name, values in scores.items()}
            (folder / f"{naming.filled(pattern, told, int(epoch), step)}.pt").touch()
