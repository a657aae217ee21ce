"""The recipes of bearing faults: each trains; the small ones learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from engine_lab import records
from recipe_lab import RECIPES, Tried, shipped, tried

from labtui.data import bearings_sim, paderborn_sim
from labtui.recipe.read import load


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lab with little data at the recipes' own places."""
    folder = tmp_path_factory.mktemp("fault")
    bearings_sim.make(folder / "data/bearings_cwru", seconds=1.5)
    paderborn_sim.make(folder / "data/paderborn_simulated", seconds=0.4, measurements=1)
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


def of(done: Tried, metric: str) -> list[float]:
    """All values of a metric."""
    return [value for name, _, value in records(done.paths) if name == metric]


def small(name: str) -> Path:
    return RECIPES / "fault" / f"{name}.toml"


def test_hidden_samples_are_restored_better_than_by_their_mean(simulated: Path) -> None:
    done = tried(small("transformer-mask-small"), simulated, "data.window=16", epochs=4)
    found = of(done, "val.r2")[-1]
    assert found > 0.05 > 3 * done.result["facts"]["baseline"]["val.r2"]


def test_what_was_pre_trained_becomes_a_classifier(simulated: Path) -> None:
    mask = tried(small("transformer-mask-small"), simulated, "data.per_class=100")
    start = [f"model.path={mask.paths.id}", "data.per_class=100"]
    done = tried(small("transformer-mask-small-finetune"), simulated, *start, epochs=8)
    assert done.result["best"]["value"] > 0.18 > done.result["facts"]["baseline"]["val.acc"]


def test_triplets_bring_classes_together(simulated: Path) -> None:
    done = tried(small("transformer-triplet-small"), simulated, "data.per_class=60", epochs=8)
    before, after = of(done, "val.knn_acc")
    assert after > before + 0.1 > 0.2


def test_bearings_that_were_never_seen_are_classified(simulated: Path) -> None:
    done = tried(small("paderborn-cls-small"), simulated, "data.per_class=150", epochs=8)
    assert done.result["best"]["value"] > 0.5 > done.result["facts"]["baseline"]["val.acc"] + 0.1
