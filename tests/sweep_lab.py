"""Sweeps whose trainings have been: run directories written by hand, cells × repeats × folds."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from report_lab import BEGUN, write_metrics

from labtui.files.toml import dumps

SWEEP = "20261120-102000-gestures-aa00"


def training(
    lab: Path, number: int, recipe: Mapping[str, Any], points: Mapping[str, Sequence[tuple[int, float]]],
    *, state: str = "finished", reason: str = "", sweep: str = SWEEP, facts: Mapping[str, Any] | None = None,
    seconds: float = 60.0, file: str = "gestures.toml", **origin: Any,
) -> str:  # fmt: skip
    """One run that has ended; its id.

    Args:
        points: metric to (step, value).
        facts: of its result.
        file: the recipe.
        origin: cell, title, repeat, fold, key.
    """
    run_id = f"20261120-1020{number // 60:02d}-gestures-{number:04d}"
    root = lab / "runs" / run_id
    root.mkdir(parents=True)
    where = {"file": file, "sweep": sweep, **origin}
    tables = {"format": 1, "name": "gestures", "origin": {k: v for k, v in where.items() if v is not None}}
    (root / "recipe.toml").write_bytes(dumps({**tables, **recipe}))
    write_metrics(root, points)
    result = {"attempt": 1, "outcome": state, "reason": reason, "started": BEGUN, "ended": BEGUN + seconds}
    result |= {"facts": dict(facts)} if facts else {}
    (root / "result.json").write_text(json.dumps(result))
    return run_id


def accuracies(best: float, last: float, test: float | None = None) -> dict[str, list[tuple[int, float]]]:
    """Validation accuracy that is best at step 1 and ends at step 2; the test's at both."""
    found = {"val.acc": [(1, best), (2, last)], "epoch": [(1, 1.0), (2, 2.0)]}
    return found if test is None else {**found, "test.acc": [(1, test), (2, test - 0.1)]}


def folds(
    lab: Path, cells: Mapping[str, Callable[[int], float]], count: int = 5, repeats: int = 1,
    sweep: str = SWEEP, first: int = 0,
) -> list[str]:  # fmt: skip
    """A sweep over `optimizer.lr` in k folds; the runs' ids.

    Args:
        cells: title to the best validation accuracy of each training, by its number in the cell.
        first: number of the first run.
    """
    ids = []
    for cell, (title, value) in enumerate(cells.items()):
        for one in range(count * repeats):
            repeat, fold = divmod(one, count)
            recipe = {
                "optimizer": {"lr": 10.0 ** -(cell + 1)},
                "train": {"seed": repeat},
                "validate": {
                    "scheme": "kfold",
                    "folds": count,
                    "fold": fold,
                    "monitor": "val.acc",
                    "seed": 0,
                },
                "resources": {"threads": 1 + one % 2},
            }
            best = value(one)
            origin = {"cell": cell, "title": title, "repeat": repeat if repeats > 1 else None, "fold": fold}
            points = accuracies(best, best - 0.05, best - 0.02)
            ids.append(training(lab, first + len(ids), recipe, points, sweep=sweep, **origin))
    return ids


SPACE = """
name = "digits"
[data]
name = "digits"
[model]
name = "digits_cnn"
[validate]
monitor = "val.acc"
[train]
epochs = 3
[sweep]
method = "grid"
repeats = 2
[sweep.space]
"optimizer.lr" = [0.0001, 0.001, 0.01]
"train.batch_size" = [16, 64]
"model.dropout" = [0.0, 0.5]
"""


def planned(lab: Path, made: int, states: Mapping[int, tuple[str, str]] | None = None) -> str:
    """A sweep with its definition, of whose 24 trainings the first ones have been made; its id.

    Args:
        states: number of a training to the state and reason in which it ended, where it has not finished.
    """
    from itertools import islice

    from labtui.files.paths import LabPaths
    from labtui.launcher import plan_of
    from labtui.sweep import definition

    paths = LabPaths(lab)
    paths.recipes.mkdir(parents=True, exist_ok=True)
    (paths.recipes / "grid.toml").write_text(SPACE)
    plan = plan_of(paths, paths.recipes / "grid.toml", [])
    sweep = "20261120-102000-digits-bb00"
    definition.write(paths.sweep(sweep), plan, [])
    for number, one in enumerate(islice(plan, made)):
        tables = plan.resolved(one, sweep).tables()
        origin = {key: tables["origin"].get(key) for key in ("cell", "title", "repeat", "fold", "key")}
        lr, size, dropout = one.cell.values.values()
        best = 0.9 - 0.02 * abs(math.log10(lr) + 3) - size / 3200 + 0.01 * dropout + 0.002 * one.repeat
        state, reason = (states or {}).get(number, ("finished", ""))
        rest = {key: value for key, value in tables.items() if key not in ("format", "name", "origin")}
        training(
            lab, 100 + number, rest, accuracies(best, best - 0.01), state=state, reason=reason, sweep=sweep, **origin
        )  # fmt: skip
    return sweep
