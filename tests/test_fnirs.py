"""The fNIRS system whole: simulated recordings, and every recipe on them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import engine_lab
import numpy as np
import pytest
import torch
from scipy.io import loadmat
from torch import nn

from labtui.data import build
from labtui.data.fnirs import read_tasks
from labtui.data.fnirs_sim import RATE, make, record, response
from labtui.data.show import describe
from labtui.data.split import split
from labtui.engine import losses
from labtui.engine.inspect import inspect
from labtui.errors import DataError
from labtui.recipe.data.fnirs import FNIRS
from labtui.recipe.optim import MultiLabelSoftMargin
from labtui.recipe.read import load

RECIPES = Path(__file__).parents[1] / "recipes" / "fnirs"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lab with eight simulated recordings."""
    lab = tmp_path_factory.mktemp("lab")
    make(lab / "data" / "fnirs_simulated", seed=1, recordings=8)
    return lab


def test_simulated_recordings_have_the_notebooks_shares(made: Path) -> None:
    dataset = build(FNIRS(path="data/fnirs_simulated"), made)
    assert len(dataset) == 8 * 20
    assert dataset.facts["tasks"] == "96 cr, 16 rt, 16 nb, 16 anb, 16 ewm"
    assert dataset.y[:, 0].mean() == pytest.approx(112 / 160)  # no working memory: rest, reaction time
    assert str(dataset.facts["source"]).startswith("simulated")
    first = sorted((made / "data" / "fnirs_simulated").glob("*.csv"))[0]
    tasks = read_tasks(first)
    assert [task.column for task in tasks] == [f"Task{i}" for i in range(1, 25)]
    assert all(b.onset == a.onset + a.duration for a, b in pairwise(tasks))


def test_a_recording_is_shown_over_time(made: Path) -> None:
    dataset = build(FNIRS(path="data/fnirs_simulated"), made)
    found = describe(dataset)
    course = [dataset.x[0].numpy()[i].mean() for i in range(100)]
    assert found["examples"][0]["values"] == pytest.approx(course, abs=1e-3)
    assert [entry["samples"] for entry in found["classes"]][:3] == [112, 16, 32]


def test_same_seed_same_signals(tmp_path: Path) -> None:
    files = [make(tmp_path / str(i), seed, 1.0, recordings=1) for i, seed in enumerate((1, 1, 2))]
    tables = [loadmat(mat, simplify_cells=True)["nirs_data"]["oxyData"] for mat, _ in files]
    assert tables[0].dtype == np.float64
    assert np.array_equal(tables[0], tables[1])
    assert tables[0].shape != tables[2].shape or not np.array_equal(tables[0], tables[2])


def test_recordings_are_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.mat").write_bytes(b"mine")
    with pytest.raises(DataError, match=r"already holds \S+\.mat: name"):
        make(tmp_path)
    with pytest.raises(DataError, match="half a second"):
        make(tmp_path / "new", seconds=0.1)


def test_the_response_is_glovers() -> None:
    time = np.arange(0, 40, 0.01)
    kernel = response(time)
    assert time[kernel.argmax()] == pytest.approx(5.4, abs=0.3)
    assert time[kernel.argmin()] == pytest.approx(11, abs=2)
    assert kernel[0] == 0 and abs(kernel[-1]) < 1e-3


def test_oxyhaemoglobin_rises_with_the_load_and_deoxyhaemoglobin_falls(made: Path) -> None:
    levels: dict[str, list[Any]] = {"cr": [], "rt": [], "nb": []}
    for seed, file in enumerate(sorted((made / "data" / "fnirs_simulated").glob("*.csv"))):
        tasks = read_tasks(file)
        for which, signal in enumerate(record(tasks, np.random.default_rng(seed))):
            for task in tasks:
                if task.stim in levels:
                    end = signal[task.onset + int(8 * RATE) : task.onset + task.duration]
                    rise = end.mean(0) - signal[task.onset : task.onset + int(RATE)].mean(0)
                    levels[task.stim].append((which, rise[12:14].mean()))  # left, where verbal memory is
    oxy, dxy = (
        [np.mean([rise for which, rise in levels[stim] if which == side]) for stim in ("cr", "rt", "nb")]
        for side in (0, 1)
    )
    assert oxy[0] < oxy[1] < oxy[2]
    assert oxy[2] > 0.3 > 0 > dxy[2] > -oxy[2]


def test_soft_margin_is_torchs() -> None:
    generator = torch.Generator().manual_seed(0)
    output = 5 * torch.randn(7, 9, generator=generator)
    target = torch.rand(7, 9, generator=generator).round()
    mine = losses.build(MultiLabelSoftMargin(), "multilabel")(output, target)
    assert float(mine) == pytest.approx(float(nn.MultiLabelSoftMarginLoss()(output, target)))


def test_the_notebooks_split_of_640_samples(tmp_path: Path) -> None:
    make(tmp_path / "data" / "fnirs_simulated", seconds=0.5, recordings=32)
    recipe = load(RECIPES / "cnn3d-006.toml", ["data.timesteps=1"])
    assert recipe.data is not None
    parts = split(build(recipe.data, tmp_path), recipe.validate_)
    assert (len(parts["train"]), len(parts["val"])) == (601, 39)


PARAMETERS = {
    "cnn3d-001": 192,
    "cnn3d-002": 292,
    "cnn3d-003": 292,
    "cnn3d-004": 492,
    "cnn3d-005": 592,
    "cnn3d-006": 308,
    "cnn3d-006-mended": 308,
    "cnn3d-007": 619,
    "cnn3d-small": 1205,
}


def test_every_recipe_is_here() -> None:
    assert sorted(PARAMETERS) == sorted(file.stem for file in RECIPES.glob("*.toml"))


@pytest.mark.parametrize("name", PARAMETERS)
def test_recipes_check_and_train(made: Path, name: str) -> None:
    recipe = load(RECIPES / f"{name}.toml", ["train.epochs=1", "resources.gpus=0", "resources.threads=1"])
    assert inspect(recipe.tables(), made)["parameters"] == PARAMETERS[name]
    ended, result = engine_lab.train_here(engine_lab.make(made, recipe), recipe)
    assert ended is None
    assert result["facts"]["baseline"]["val.distance"] > 0


def test_the_small_recipe_learns(made: Path) -> None:
    overrides = ["train.epochs=20", "resources.gpus=0", "resources.threads=1"]
    recipe = load(RECIPES / "cnn3d-small.toml", overrides)
    _, result = engine_lab.train_here(engine_lab.make(made, recipe), recipe)
    assert result["best"]["value"] < 0.5 * result["facts"]["baseline"]["val.hamming_loss"]
