"""Spoken digits: a corpus whose files' names say all, and its recipes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from recipe_lab import shipped, tried

from labtui.data import build
from labtui.data.split import split
from labtui.recipe.read import load

FSDD = Path(__file__).parents[2] / "shared" / "data" / "fsdd"
RECIPES = {file.stem: file for file in shipped("speech")}


@pytest.fixture
def tones(tmp_path: Path) -> Path:
    """A lab with a corpus like the real one: ten digits by two speakers, each digit a tone of its own."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "data/fsdd"
    folder.mkdir(parents=True)
    for digit in range(10):
        for speaker, higher in {"ann": 1.0, "bob": 1.1}.items():
            for take in range(9):
                time = np.arange(rng.integers(2000, 4000)) / 8000
                wave = np.sin(2 * np.pi * 200 * 1.25**digit * higher * time) + rng.normal(0, 0.1, len(time))
                soundfile.write(folder / f"{digit}_{speaker}_{take}.wav", wave / 2, 8000)
    return tmp_path


@pytest.mark.parametrize("file", RECIPES.values(), ids=RECIPES)
def test_recipes(tones: Path, file: Path) -> None:
    splits = tried(file, tones, "validate.val=0.2").seen["splits"]
    assert [splits[name]["samples"] for name in ("train", "val", "test")] == [64, 16, 100]


def test_the_first_five_takes_are_the_test(tones: Path) -> None:
    recipe = load(RECIPES["digits-cnn1d"])
    assert recipe.data is not None
    dataset = build(recipe.data, tones)
    test = split(dataset, recipe.validate_)["test"]
    files = sorted((tones / "data/fsdd").iterdir())
    assert {files[place].stem[-1] for place in test.tolist()} == set("01234")
    assert dataset.lengths is not None
    assert 2000 <= dataset.lengths.min() < dataset.lengths.max() < 4000
    assert dataset.frames is not None
    seen = dataset.see(dataset.x.index_select(0, test[:1]))[0]
    silence = round(0.0125 * 8000)
    assert len(seen) == dataset.frames(dataset.lengths[test[0]]) == dataset.lengths[test[0]] + silence
    torch.testing.assert_close(seen[silence // 2 : -silence // 2].std(), torch.tensor(1.0), atol=1e-3, rtol=0)


@pytest.mark.skipif(not FSDD.is_dir(), reason=f"the Free Spoken Digit Dataset is not in {FSDD}")
@pytest.mark.parametrize(
    ("name", "epochs", "least"),
    [("digits-cnn2d", 4, 0.8), ("digits-cnn1d", 12, 0.45), ("digits-wavencoder", 4, 0.3)],
)
def test_a_few_epochs_are_better_than_chance(tmp_path: Path, name: str, epochs: int, least: float) -> None:
    """Chance is 0.1; what the whole trainings reach, minutes later, stands in the recipes."""
    found = tried(RECIPES[name], tmp_path, f"data.path={FSDD}", epochs=epochs)
    assert found.result["last"]["test.acc"] >= least
