"""Rows of the index made by hand, for the tests of analyses."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Row = dict[str, Any]


def row(
    number: int, params: Mapping[str, Any], metrics: Mapping[str, float | None], state: str = "finished",
    monitor: str = "val.acc",
) -> Row:  # fmt: skip
    """A run as `ls --format json` gives it."""
    entries = {
        name: {
            "at_best": value, "last": value, "best": value, "best_step": 1, "min": value, "max": value,
            "goal": "min" if "loss" in name else "max" if "acc" in name else None,
        }
        for name, value in metrics.items()
    }  # fmt: skip
    return {
        "id": f"20261120-102000-x-{number:06d}", "name": "x", "recipe": "x.toml", "sweep": "s", "cell": None,
        "title": "", "repeat": None, "fold": None, "key": "", "state": state, "reason": "", "created": 1.0,
        "started": 1.0, "ended": 2.0, "duration": 1.0, "attempt": 1, "tags": [], "facts": {},
        "params": {"validate.monitor": monitor, **params}, "metrics": entries,
    }  # fmt: skip


def drawn(
    function: Callable[..., float],
    count: int,
    seed: int = 0,
    **spaces: Sequence[Any] | tuple[float, float, str],
) -> list[Row]:
    """Random search: `count` runs over lists of choices, or (low, high, "uniform" or "log")."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        params: dict[str, Any] = {}
        for key, space in spaces.items():
            if len(space) == 3 and space[2] in ("uniform", "log"):
                low, high, scale = space
                log = scale == "log"
                value = rng.uniform(*(np.log10([low, high]) if log else (low, high)))
                params[key] = float(10**value if log else value)
            else:
                params[key] = space[int(rng.integers(len(space)))]
        rows.append(row(number, params, {"val.acc": function(**params)}))
    return rows


def gestures() -> list[Row]:
    """The gesture notebook's grid, made up of additive effects with two seeds each: optimizer × epochs ×
    factor; SGD alone has the large rate and a momentum, Adam and Nadam alone have betas. One run failed."""
    rows = []
    effect = {"SGD": 0.0, "Adagrad": 0.15, "Adam": 0.12, "Nadam": 0.2}
    rng = np.random.default_rng(1)
    cells = itertools.product(effect, [20, 50], [0.1, 0.15, 0.2])
    for cell, (optimizer, epochs, factor) in enumerate(cells):
        for seed in range(2):
            acc = (
                0.5 + effect[optimizer] + (0.06 if epochs == 50 else 0) + 0.02 * float(rng.standard_normal())
            )
            params = {
                "optimizer.name": optimizer, "optimizer.lr": 0.01 if optimizer == "SGD" else 0.001,
                "train.epochs": epochs, "schedule.factor": factor, "train.seed": seed,
                "params.title": f"Experiment - {cell + 1}",
            }  # fmt: skip
            if optimizer == "SGD":
                params["optimizer.momentum"] = 0.9
            elif optimizer != "Adagrad":
                params["optimizer.betas"] = [0.9, 0.999]
            metrics = {"val.acc": round(acc, 4), "train.loss": round(20 * (1 - acc) ** 3, 4)}
            rows.append(row(2 * cell + seed, params, metrics))
    rows[7]["state"] = "failed"
    return rows


CONV3D = """
0.072 50 .001|0.238 50 .001|0.78 20 .001|1.033 20 .001|0.919 20 .001|0.118 50 .001|0.204 50 .001|0.578 50 .001
2.512 20 .001|1.671 20 .001|3.862 20 .001|0.445 50 .001|0.526 50 .001|0.576 50 .001|0.629 20 .001|0.681 20 .001
0.74 20 .001|0.794 50 .01|1.174 50 .01|1.659 50 .01|3.806 20 .01|5.31 20 .01|7.469 20 .01
"""
"""The notebook's own table of the Conv3D grid: loss, epochs, learning rate of 23 runs."""


def notebook() -> list[Row]:
    """The rows of CONV3D; each run had a title of its own."""
    rows = []
    for number, line in enumerate(CONV3D.replace("\n", "|").strip("|").split("|")):
        loss, epochs, lr = line.split()
        params = {"params.epochs": epochs, "params.learning_rate": float(lr), "params.title": f"run {number}"}
        rows.append(row(number, params, {"loss": float(loss)}, monitor="loss"))
    return rows
