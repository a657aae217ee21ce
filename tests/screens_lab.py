"""Labs for pictures of every screen: with no run yet, with one of which all is known, with a thousand."""

from __future__ import annotations

import json
import math
import shutil
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from sweep_lab import SPACE, accuracies, training
from test_tui_overview import DATA, ENVIRONMENT, LAYERS
from test_tui_results import matrix
from test_tui_weights import embedding, weights
from tui_lab import NOW, add_run, curves

from labtui.files.paths import LabPaths
from labtui.files.toml import dumps

LATER = 1_795_184_000.0
"""The moment at which they are looked at: four hours after the trainings of a sweep."""
AGO = NOW - LATER
"""What `add_run` is to add to an age."""
CLASSES = ["normal", "inner race", "outer race"]
GB = 10**9


def empty(root: Path) -> LabPaths:
    """Recipes, and nothing else."""
    lab = LabPaths(root)
    shipped = Path(__file__).parents[1] / "recipes"
    (lab.recipes / "fault").mkdir(parents=True)
    for file in (shipped / "digits.toml", *shipped.glob("fault/transformer-cls*.toml")):
        shutil.copy(file, lab.recipes / file.relative_to(shipped))
    (lab.root / "labtui.toml").write_text("[slots]\ncores = 16\n")
    return lab


def one(root: Path) -> LabPaths:
    """One run, with all that a run can leave."""
    lab = empty(root)
    noise = np.random.default_rng(3)
    metrics = curves(20, 3)
    steps = metrics["val.acc"][:, 0]
    for name, values in {
        "lr": 1e-3 * np.exp(-steps / 200), "sys.cpu": 55 + 20 * noise.random(20), "sys.memory": 11 + steps / 200,
        "sys.process_memory": 2 + steps / 400, "sys.disk_free": 412 - steps / 100,
        "sys.gpu0.use": 80 + 15 * noise.random(20), "sys.gpu0.memory": 18.5 + 0 * steps,
        "sys.gpu0.temperature": 45 + 20 * (1 - np.exp(-steps / 60)),
    }.items():  # fmt: skip
        metrics[name] = np.column_stack([steps, values])
    log = "".join(
        f"epoch {n + 1:2} of 20  train.loss {metrics['train.loss'][n, 1]:.4f}  val.acc {metrics['val.acc'][n, 1]:.4f}\n"
        for n in range(20)
    )
    key = add_run(lab, "transformer-cls", AGO + 14_400, seed=3, metrics=metrics, log=log)
    run = lab.run(key)
    run.artifacts.mkdir()
    files: dict[str, Any] = {
        "layers": LAYERS,
        "data": DATA | {"classes": CLASSES},
        "confusion": {"classes": CLASSES, "step": 240, "epoch": 12}
        | {split: {"matrix": matrix(3, seed)} for seed, split in enumerate(("val", "test"))},
    }
    for name, content in files.items():
        (run.artifacts / f"{name}.json").write_text(json.dumps(content))
    np.savez(run.artifacts / "weights.npz", **weights())
    np.savez(run.artifacts / "embedding.npz", **embedding())
    run.environment.write_text(json.dumps(ENVIRONMENT))
    written = {
        "notes": [{"time": LATER - 7000, "text": "val.acc rises from epoch 3 on; look at the outer race."}],
        "todos": [{"text": "repeat with three seeds", "done": True}, {"text": "try a smaller learning rate"}],
    }
    run.notes.write_bytes(dumps(written))
    return lab


def thousand(root: Path) -> LabPaths:
    """A sweep of 1,000 trainings of which 960 have been made, and forty runs that wait behind two others."""
    from labtui.launcher import plan_of
    from labtui.sweep import definition

    lab = empty(root)
    space = SPACE.replace("[0.0001, 0.001, 0.01]", str([1e-4, 3e-4, 1e-3, 3e-3, 1e-2]))
    space = space.replace("[16, 64]", "[8, 16, 32, 64]").replace("[0.0, 0.5]", "[0.0, 0.1, 0.2, 0.3, 0.5]")
    (lab.recipes / "grid.toml").write_text(space.replace("repeats = 2", "repeats = 10"))
    plan = plan_of(lab, lab.recipes / "grid.toml", [])
    sweep = "20261120-102000-digits-bb00"
    definition.write(lab.sweep(sweep), plan, [])
    tables: dict[str, Any] = {}
    for number, each in enumerate(islice(plan, 960)):
        tables = tables or plan.resolved(each, sweep).tables()
        lr, size, dropout = each.cell.values.values()
        tables["optimizer"]["lr"], tables["train"]["batch_size"], tables["model"]["dropout"] = (
            lr,
            size,
            dropout,
        )
        tables["train"]["seed"] = each.repeat
        best = 0.9 - 0.02 * abs(math.log10(lr) + 3) - size / 3200 + 0.01 * dropout
        best += 0.02 * math.sin(12.9898 * number)
        state, reason = {3: ("failed", "oom"), 4: ("stopped", "")}.get(number % 97, ("finished", ""))
        origin = {"cell": each.cell.number, "title": each.cell.title, "repeat": each.repeat, "key": each.key}
        rest = {key: value for key, value in tables.items() if key not in ("format", "name", "origin")}
        training(
            lab.root, number, rest, accuracies(best, best - 0.01), state=state, reason=reason, sweep=sweep,
            file="grid.toml", **origin,
        )  # fmt: skip
    for number in range(40):
        going = {name: curves(7, number)[name] for name in ("epoch", "train.loss")} if number < 2 else {}
        key = add_run(
            lab, "transformer-cls", AGO + 300 - 5 * number, "running" if going else "queued", seed=number,
            metrics=going, extra={"resources": {"gpus": number % 2}},
        )  # fmt: skip
        if not going:
            asked = lab.run(key).queue
            asked.write_text(json.dumps(json.loads(asked.read_text()) | {"order": 1000.0 + number}))
            lab.run(key).log.unlink()
    return lab
