"""The genre system whole: simulated music, and every recipe on it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import engine_lab
import numpy as np
import pytest
from music_lab import archive
from recipe_lab import RECIPES, shipped, tried

from labtui.data import build
from labtui.data.music_sim import compose, make, make_folders
from labtui.data.music_styles import STYLES
from labtui.data.music_synth import DRUMS, INSTRUMENTS
from labtui.data.split import split
from labtui.engine.inspect import inspect
from labtui.errors import DataError
from labtui.recipe.core import Validate
from labtui.recipe.data.music import Music
from labtui.recipe.read import load

RATE = 11_025


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lab with a few short tracks of each genre, in both layouts."""
    lab = tmp_path_factory.mktemp("simulated")
    make(lab / "data/music_simulated", seed=1, seconds=2.0, tracks=4, rate=RATE, suffix=".wav")
    make_folders(lab / "data/music_folders_simulated", seed=1, seconds=1.0, tracks=5)
    return lab


def test_simulated_tracks_lie_as_the_archive_does(simulated: Path) -> None:
    dataset = build(Music(clip=8192, kept=22050, features="wave"), simulated)
    assert dataset.classes == list(STYLES) and len(STYLES) == 8
    parts = split(dataset, Validate(scheme="file"))
    assert {name: dataset.y[part].bincount().tolist() for name, part in parts.items()} == {
        "train": [2] * 8,
        "val": [1] * 8,
        "test": [1] * 8,
    }
    assert str(dataset.facts["source"]).startswith("simulated")
    assert dataset.x.float().std(1).min() > 100  # none is silent
    options: dict[str, Any] = {"path": "data/music_folders_simulated", "layout": "folders"}
    folders = build(Music(clip=8192, kept=22050, features="wave", **options), simulated)
    assert folders.y.bincount().tolist() == [5] * 8


def test_simulated_tracks_may_be_mp3_and_are_never_overwritten(tmp_path: Path) -> None:
    files = make(tmp_path / "new", seconds=0.5, tracks=3, rate=RATE)
    assert [file.suffix for file in files] == [".mp3"] * 24 + [".csv"]
    with pytest.raises(DataError, match="already holds fma_"):
        make(tmp_path / "new")
    with pytest.raises(DataError, match="half a second"):
        make_folders(tmp_path / "other", seconds=0.1)
    with pytest.raises(DataError, match="three tracks or more"):
        make(tmp_path / "other", tracks=2)


def test_same_seed_same_sound() -> None:
    tracks = [compose("Pop", 1.0, RATE, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert np.array_equal(tracks[0], tracks[1])
    assert not np.array_equal(tracks[0], tracks[2])
    assert np.abs(tracks[0]).max() <= 1 and len(tracks[0]) == RATE


@pytest.mark.parametrize("name", sorted(set(INSTRUMENTS) - {"bell", "saw"}))  # without a pitch, and with two
def test_instruments_are_in_tune(name: str) -> None:
    note = INSTRUMENTS[name](220.0, 1.0, 44_100, np.random.default_rng(0))
    spectrum = np.abs(np.fft.rfft(note * np.hanning(len(note))))
    harmonics = [spectrum[int(220 * k) - 8 : int(220 * k) + 9].max() for k in range(1, 6)]
    between = [spectrum[int(220 * (k + 0.25)) : int(220 * (k + 0.35))].max() for k in range(1, 6)]
    assert max(harmonics) > 20 * np.median(between)
    assert np.isfinite(note).all() and np.abs(note).max() > 0.1


def test_drums_differ_in_pitch() -> None:
    def pitch(name: str) -> int:
        spectrum = np.abs(np.fft.rfft(DRUMS[name](44_100, np.random.default_rng(0)), 44_100))
        return int(spectrum.argmax())

    assert pitch("kick") < pitch("low_hand") < pitch("snare") < pitch("high_hand") < pitch("hat")


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lab with eight genres whose tracks are long enough for the notebook's clips."""
    lab = tmp_path_factory.mktemp("noisy")
    archive(lab / "data/music_simulated", genres=tuple(STYLES), samples=2**18)
    folders = lab / "data/music_folders_simulated"
    for genre in STYLES:
        archive(folders / genre / "x", samples=2**17)
        for file in (folders / genre / "x").rglob("*.wav"):
            file.rename(folders / genre / file.name)
    return lab


PARAMETERS = {
    "ae": 24_419,
    "cnn1d": 159_128,
    "cnn1d-layers": 159_128 - 65_920 - 128 * 128,
    "cnn1d-longer": 159_128,
    "cnn1d-mended": 159_128,
    "cnn1d-norms": 159_128,
    "cnn2d": 1_252_162,
    "cnn2d-folders": 1_252_162 - 4 * (513 - 128) * 256,
    "cnn2d-longer": 1_252_162,
    "cnn2d-mels": 1_252_162 - 4 * (513 - 64) * 256,
    "cnn2d-mended": 1_252_162,
    "cnn2d-norms": 1_252_162,
    "cnn2d-shorter": 1_252_162,
    "cnn2d-stft": 1_252_162 + 4 * (2049 - 513) * 256,
    "cnn2d-transfer": 1_252_162,
    "cnn2d-vanishing": 1_252_162,
    "mixnet": 1_498_200,
    "mixnet-frozen": 1_498_200,
    "mixnet-frozen-mended": 1_498_200,
    "mixnet-pretrained": 1_498_200,
    "res-ae": 2_136_120,
    "stn": 2_365_842,
    "stn-mended": 2_365_842,
    "stn-skip": 2_365_842,
}
"""Of the recipes whose notebook, or arithmetic, says them."""


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_of_the_recipes_as_they_are(noisy: Path, name: str) -> None:
    from labtui.sweep import expand

    overrides = ["data.clip=262144", "data.frames=128"] if name == "cnn2d-longer" else []
    tables = expand(load(RECIPES / "genre" / f"{name}.toml", overrides), name)[0].tables()
    if name == "cnn1d-longer":
        tables["data"]["clip"] = 2**17
    assert inspect(tables, noisy)["parameters"] == PARAMETERS[name]


FEW = (
    "data.clip=8192",
    "data.kept=22050",
    "data.n_fft=512",
    "data.hop=256",
    "data.mels=20",
    "data.frames=20",
)


def overrides_of(file: Path) -> list[str]:
    """What makes a recipe small."""
    table = load(file).tables()
    model, features = table["model"]["name"], table["data"].get("features", "mel")
    given = [*FEW, "train.batch_size=8", "resources.gpus=0"]
    if features == "wave":
        given = [one for one in given if "mels" not in one]
    if model == "mixnet":
        given += ["model.frames=20", "model.bins=20", "model.pool=8"]
    if model in ("cnn2d", "stn", "mixnet"):
        given += ["model.channels=8"]
    if file.stem == "cnn1d-longer":
        given += ["sweep.space={'data.clip'=[8192]}"]
    if file.stem == "cnn2d-mels":
        given += ["sweep.space={'data.mels'=[20]}"]
    return given


@pytest.fixture(scope="module")
def trained(simulated: Path) -> Callable[[str], Path]:
    """The checkpoint of a recipe, trained for an epoch when it is first asked for."""
    known: dict[str, Path] = {}

    def of(name: str) -> Path:
        if name not in known:
            file = RECIPES / "genre" / f"{name}.toml"
            known[name] = tried(file, simulated, *overrides_of(file)).paths.checkpoints / "best.pt"
        return known[name]

    return of


@pytest.mark.parametrize("file", shipped("genre"), ids=lambda file: file.stem)
def test_recipes_check_and_train(simulated: Path, trained: Callable[[str], Path], file: Path) -> None:
    overrides = overrides_of(file)
    model = load(file).tables()["model"]
    for key in ("path", "wave_path", "spectrogram_path"):
        if key in model:
            # The recipe's name, not the model's: the small recipes' models have other shapes or features.
            source = re.fullmatch(r"@best:val\.(acc|loss) where name=genre-([\w-]+)", model[key])
            assert source, model[key]
            overrides.append(f"model.{key}={trained(source[2])}")
    found = tried(file, simulated, *overrides)
    assert found.seen["outputs"] == 8
    assert ("softmax" in file.read_text().partition("[data]")[0].lower()) == (
        model.get("output_activation") == "softmax"
    )


def test_the_small_recipe_learns(tmp_path: Path) -> None:
    make_folders(tmp_path / "data", seconds=3.0, tracks=10)
    given = ["data.path=data", "data.layout=folders", "data.clip=24576", "data.kept=33075", "data.frames=48"]
    split_ = ["validate.scheme=holdout", "validate.val=0.3", "train.epochs=12", "resources.threads=1"]
    recipe = load(RECIPES / "genre" / "cnn2d-small.toml", [*given, *split_])
    _, result = engine_lab.train_here(engine_lab.make(tmp_path, recipe), recipe)
    assert result["facts"]["baseline"]["val.acc"] == pytest.approx(1 / 8, abs=0.01)
    assert result["best"]["value"] > 0.4
