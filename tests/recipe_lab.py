"""Shipped recipes, checked and trained for an epoch in this process, so that each can be tried cheaply.

@pytest.mark.parametrize("file", shipped("fnirs"), ids=lambda file: file.stem)
def test_recipes(file, lab):
    make(lab / "data/fnirs", …)  # the simulator, with little data
    tried(file, lab, "data.timesteps=50")
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from engine_lab import ROOT, make, result_of, train_here

from labtui.diagnose import diagnose
from labtui.engine.inspect import inspect
from labtui.files.paths import RunPaths
from labtui.query import Lab
from labtui.query.diagnosis import case
from labtui.recipe.read import load
from labtui.sweep import expand

RECIPES = ROOT / "recipes"


def shipped(system: str) -> list[Path]:
    """The recipe files of a system, in order; there is at least one."""
    files = sorted((RECIPES / system).glob("*.toml"))
    assert files, f"no recipes in {RECIPES / system}"
    return files


@dataclass
class Tried:
    """What came of a recipe's first training."""

    paths: RunPaths
    """The run; `paths.checkpoints / "best.pt"` is what another recipe's `model.path` may be."""
    seen: dict[str, Any]
    """What `labtui check` says of data and model: `parameters`, `shape`, `splits`, …"""
    result: dict[str, Any]
    """The run's result: `facts`, `best`, `last`."""


def healthy(file: Path) -> bool:
    """Whether nothing is wrong with a recipe on purpose: its tags and its description say so."""
    recipe = load(file)
    flawed = "flawed" in recipe.tags or ("flaw" in recipe.description.lower() and "mended" not in recipe.tags)
    return not flawed and "vanish" not in recipe.description.lower()


@dataclass
class Asked:
    """Which rules were asked of a training, and which of them found something."""

    recipe: str
    asked: list[str]
    said: list[str]


def asked_of(paths: RunPaths, name: str) -> Asked:
    """Ask all rules of a training that came to its end."""
    found = diagnose(replace(case(Lab(paths.lab).run(paths.id)), over=True))
    return Asked(name, [*found.asked], [one.rule for one in found.findings])


def tried(file: Path, lab: Path, *overrides: str, epochs: int | None = 1) -> Tried:
    """Check a recipe as it is shipped, all cells and folds of it, and train the first for an epoch.

    Args:
        lab: where relative paths are looked up; the data is there already.
        overrides: `key=value`, as `--set` takes them: smaller sizes, another data.path; a checkpoint where
            the recipe starts from a run (`model.path=…`).
    """
    assert expand(load(file), file.name)
    shorter = [] if epochs is None else [f"train.epochs={epochs}"]
    smaller = load(file, [*shorter, "resources.threads=1", *overrides])
    recipe = expand(smaller, file.name)[0]
    seen = inspect(recipe.tables(), lab)
    paths = make(lab, recipe)
    ended, _ = train_here(paths, recipe)
    assert ended is None
    result = result_of(paths)
    assert math.isfinite(result["best"]["value"])
    if (told := os.environ.get("LABTUI_ALARMS")) and epochs is not None and healthy(file):
        with open(told, "a") as lines:
            lines.write(json.dumps(asdict(asked_of(paths, f"{file.parent.name}/{file.stem}"))) + "\n")
    return Tried(paths, seen, result)
