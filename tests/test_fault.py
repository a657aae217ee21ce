"""The recipes of bearing faults: each trains; the small ones learn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from recipe_lab import RECIPES, shipped, tried

from labtui.data import bearings_sim, paderborn_sim
from labtui.query.lab import Lab
from labtui.recipe.read import load
from labtui.series import read


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lab with little data at the recipes' own places."""
    folder = tmp_path_factory.mktemp("fault")
    bearings_sim.make(folder / "data/bearings_cwru", seconds=1.5)
    paderborn_sim.make(folder / "data/paderborn", seconds=0.4, measurements=1)
    return folder


PARAMETERS = {
    "transformer-cls": 985_870,
    "transformer-features": 985_870 - 2 * 140,
    "transformer-mask": 134_145,
    "transformer-triplet": 3_884_864,
    "paderborn-cls": 3_164_675,
}
"""As the notebook, or its records, have them."""


def few(file: Path) -> list[str]:
    """What makes a recipe cheap enough to be tried: few windows, and short ones where each sample is a token."""
    recipe = load(file)
    data: Any = recipe.data
    found = ["data.per_class=5"]
    if data.features != "fourier" or recipe.sweep:
        found += ["data.window=80", "data.modes=20"]
        if data.augment:
            found += ["data.augment.crop=40", "data.augment.cutout=[10, 20]"]
    return found


@pytest.mark.parametrize("file", shipped("fault"), ids=lambda file: file.stem)
def test_recipes(file: Path, simulated: Path) -> None:
    more = few(file)
    if file.stem.endswith("finetune"):
        source = file.with_stem(file.stem.removesuffix("-finetune"))
        done = tried(source, simulated, *few(source))
        more += [f"model.path={done.paths.id}"]
    found = tried(file, simulated, *more)
    assert found.seen["parameters"] == PARAMETERS.get(file.stem, found.seen["parameters"])
