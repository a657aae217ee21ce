"""A sweep of a very small model: 24 trainings in one process, beside 24 processes and beside labtui's own
separate runs.

The trainings are those of `recipes/fnirs/cnn3d-006.toml` on simulated recordings, which differ in learning rate
and seed: 308 parameters, one sample a step, 18,631 steps each. All is timed from the start to the last result.
Of the processes one after another two are timed, and the rest is taken to be like them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness import HERE, Row, fresh, labtui, median, whole

from labtui.files import rundir, toml
from labtui.files.paths import LabPaths, RunPaths
from labtui.recipe.core import Recipe

CELLS = 24
RATES = (3e-4, 1e-3, 3e-3, 1e-2)
RECIPE = HERE.parents[1] / "recipes" / "fnirs" / "cnn3d-006.toml"


def tables(quick: bool) -> dict[str, Any]:
    """The recipe, on one thread; with `quick` of three epochs."""
    found = tomllib.loads(RECIPE.read_text())
    found["resources"] = {"gpus": 0, "threads": 1, "min_free": 0.0}
    if quick:
        found["train"]["epochs"] = 3
    return found


def cells(lab: Path, plan: dict[str, Any], number: int) -> list[RunPaths]:
    """Claimed runs of the recipe, each with a rate and seed of its own."""
    made = []
    for cell in range(number):
        seed, rate = divmod(cell, len(RATES))
        own = plan | {
            "optimizer": {"name": "adam", "lr": RATES[rate]},
            "train": plan["train"] | {"seed": seed},
        }
        paths = rundir.create(LabPaths(lab), "cell", Recipe.model_validate(own).tables(), queued=True)
        rundir.claim(paths, 1)
        made.append(paths)
    return made


def finished(all_: Sequence[RunPaths]) -> None:
    """See to it that they are."""
    assert all(json.loads(paths.result.read_bytes())["outcome"] == "finished" for paths in all_)


def worker(*words: object) -> list[str]:
    """The command line of a worker."""
    return [sys.executable, "-P", "-m", "labtui.engine", *map(str, words)]


def together(lab: Path, plan: dict[str, Any]) -> float:
    """Seconds for all in one process, the decision that they are included."""
    made = cells(lab, plan, CELLS)
    decision = lab / f"decision-{made[0].id}.json"
    words = [word for paths in made for word in (paths.root, 1)]
    took = whole(worker("--together", "--slots", 2, "--decision", decision, *words))
    finished(made)
    return took


def one_process(lab: Path, plan: dict[str, Any]) -> float:
    """Seconds for one in a process of its own."""
    made = cells(lab, plan, 1)
    took = whole(worker(made[0].root, 1))
    finished(made)
    return took


def runs(lab: Path, plan: dict[str, Any]) -> float:
    """Seconds for all as separate runs of one sweep."""
    space = {"optimizer.lr": list(RATES), "train.seed": list(range(CELLS // len(RATES)))}
    own = plan | {"sweep": {"space": space, "together": False}}
    (lab / "sweep.toml").write_bytes(toml.dumps(own))
    return whole(labtui("--lab", lab, "run", lab / "sweep.toml"))


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    lab, plan = fresh(), tables(quick)
    subprocess.run(
        labtui("data", "make", "fnirs", "--out", lab / plan["data"]["path"]), check=True, capture_output=True
    )
    apart = median([one_process(lab, plan) for _ in range(2)]) * CELLS
    ours = together(lab, plan)
    separate = runs(lab, plan)
    work = f"{CELLS} cells of fNIRS 006, {plan['train']['epochs']} epochs"
    yield Row(f"{work}; bare: processes one after another", ours, "s", apart, 1 / 8, of_ratio=True)
    yield Row(f"{work}; bare: separate runs of labtui", ours, "s", separate, 1 / 3, of_ratio=True)
