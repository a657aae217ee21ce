"""No data set tells the training split anything of what is held out; one that does is caught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import sklearn.datasets
import sklearn.utils
import soundfile
import torch
from leak_lab import Alter, Build, files, leaks

from labtui.data import (
    Dataset,
    bearings_sim,
    build,
    fnirs_sim,
    gestures_sim,
    music_sim,
    paderborn_sim,
)
from labtui.data.windows import LOST
from labtui.recipe.core import Validate
from labtui.recipe.data import DATASETS
from labtui.recipe.data.bearings import Bearings
from labtui.recipe.data.digits import Digits
from labtui.recipe.data.fnirs import FNIRS
from labtui.recipe.data.gestures import Gestures
from labtui.recipe.data.music import Music
from labtui.recipe.data.paderborn import Paderborn
from labtui.recipe.data.speech import Speech, SpeechFeatures
from labtui.recipe.data.ucr import Ucr
from labtui.recipe.spec import Part

AUGMENT: dict[str, Any] = {}


@dataclass
class Case:
    """A built-in data set with little data."""

    make: Callable[[Path], Any]
    """Writes it into a folder."""
    build: Build
    pieces: Callable[[Path], list[Alter]]
    """All of the folder that holds samples."""
    validate: Validate
    describing: tuple[str, ...] = ()
    """Facts that may change."""


def built(spec: type[Part], **options: Any) -> Build:
    return lambda folder: build(spec(**{"path": str(folder)} | options), Path("/"))


def cached(spec: type[Part], **options: Any) -> Build:
    """What is decoded for one folder is never taken for another's."""
    return lambda folder: build(
        spec(path=str(folder), cache=str(folder.parent / "cache"), **options), Path("/")
    )


def every(pattern: str, together: Callable[[Path], Any] = str) -> Callable[[Path], list[Alter]]:
    return lambda folder: files(folder, pattern, together)


def write_ucr(folder: Path) -> None:
    rng = np.random.default_rng(0)
    (folder / "Two").mkdir(parents=True)
    for part in ("TRAIN", "TEST"):
        lines = [",".join(f"{v:.3f}" for v in rng.normal(size=8)) + ":" + "ab"[k % 2] for k in range(10)]
        text = "\n".join(["@univariate true", "@classLabel true a b", "@data", *lines])
        (folder / "Two" / f"Two_{part}.ts").write_text(text + "\n")


def lines_of_ucr(folder: Path) -> list[Alter]:
    def alter(spare: Path, part: str, number: int) -> None:
        file = spare / "Two" / f"Two_{part}.ts"
        lines = file.read_text().splitlines()
        values, _, label = lines[number].partition(":")
        lines[number] = ",".join(str(7 - 100 * float(v) ** 2) for v in values.split(",")) + ":" + label
        file.write_text("\n".join(lines) + "\n")

    return [partial(alter, part=part, number=n) for part in ("TRAIN", "TEST") for n in range(3, 13)]


def write_digits(folder: Path) -> None:
    folder.mkdir()
    table = sklearn.datasets.load_digits()
    np.savez(folder / "digits.npz", images=table.images[:100], target=table.target[:100])


def build_digits(folder: Path) -> Dataset:
    table = sklearn.utils.Bunch(**np.load(folder / "digits.npz"), target_names=np.arange(10))
    with mock.patch("labtui.data.digits.load_digits", lambda: table):
        return build(Digits(shift=2), folder)


def each_digit(folder: Path) -> list[Alter]:
    def alter(spare: Path, number: int) -> None:
        table = dict(np.load(spare / "digits.npz"))
        table["images"][number] = 160 - table["images"][number]
        np.savez(spare / "digits.npz", **table)

    return [partial(alter, number=number) for number in range(100)]


def write_speech(folder: Path) -> None:
    """Two classes, six speakers, as waves and as frames."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for name in (f"{label}_{speaker}" for label in "ab" for speaker in range(6)):
        soundfile.write(folder / f"{name}.wav", rng.normal(0, 0.1, rng.integers(600, 900)), 16_000)
        np.save(folder / f"{name}.npy", rng.normal(size=(rng.integers(3, 9), 5)))


CASES = {
    "bearings": Case(
        lambda folder: bearings_sim.make(folder, seconds=0.4, loads=(0, 1)),
        built(Bearings, loads=[0, 1], per_class=6, split="recording", augment=AUGMENT),
        every("*.mat"),
        Validate(scheme="kfold", folds=2),
        (LOST,),
    ),
    "paderborn": Case(
        lambda folder: paderborn_sim.make(folder, seconds=0.05, measurements=1),
        built(Paderborn, per_class=10, augment=AUGMENT),
        every("*/*.mat"),
        Validate(val=0.2, test=0.2),
        (LOST,),
    ),
    "fnirs": Case(
        lambda folder: fnirs_sim.make(folder, seconds=4.0, recordings=4),
        built(FNIRS, timesteps=10),
        every("*.mat"),
        Validate(val=0.5),
    ),
    "ucr": Case(
        write_ucr, built(Ucr, problem="Two", norm="sample"), lines_of_ucr, Validate(scheme="file", val=0.2)
    ),
    "speech": Case(
        write_speech,
        cached(Speech, layout="files", files="{label}_{speaker}.wav", norm="train", features="mel"),
        every("*.wav"),
        Validate(scheme="group", folds=3, test_fold=True),
    ),
    "speech_features": Case(
        write_speech,
        cached(SpeechFeatures, layout="files", files="{label}_{speaker}.npy", width=5),
        every("*.npy"),
        Validate(scheme="group", folds=6, test_fold=True),
    ),
    "gestures": Case(
        lambda folder: gestures_sim.make(folder, seconds=0.25, videos={"train": 10, "val": 5}),
        cached(Gestures, size=(8, 8), frames=2),
        every("*/*/*.png", lambda file: file.parent),
        Validate(scheme="file"),
    ),
    "music": Case(
        lambda folder: music_sim.make(folder, seconds=0.5, tracks=3, rate=8000, suffix=".wav"),
        cached(Music, clip=2048, kept=4000, n_fft=256, hop=128, mels=16, frames=16, pca=0.9),
        every("fma_small/*/*.wav"),
        Validate(scheme="file"),
    ),
    "digits": Case(write_digits, build_digits, each_digit, Validate(val=0.2, test=0.2)),
}


def test_every_built_in_data_set_is_looked_at() -> None:
    assert set(CASES) == {spec.model_fields["name"].default for spec in DATASETS}


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_known_of_what_is_held_out(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    case.make(tmp_path / "data")
    assert (
        leaks(case.build, tmp_path / "data", case.pieces(tmp_path / "data"), case.validate, case.describing)
        == []
    )


def scaled(folder: Path) -> Dataset:
    """Divided by the deviation of all windows, as they are read."""
    dataset = plain(folder)
    return replace(dataset, x=dataset.x / dataset.x.std())


def fitted_on_all(folder: Path) -> Dataset:
    """Divided by the deviation of all windows, whatever it is told to learn from."""
    dataset = plain(folder)
    return replace(dataset, fit=lambda x, y: lambda seen, generator: seen / dataset.x.std(), transform=None)


def fitted(folder: Path) -> Dataset:
    """Divided by the deviation of what it is told to learn from: no leak."""
    dataset = plain(folder)
    return replace(dataset, fit=lambda x, y: lambda seen, generator: seen / x.std(), transform=None)


def told(folder: Path) -> Dataset:
    """A fact that is computed from all windows."""
    dataset = plain(folder)
    return replace(dataset, facts=dataset.facts | {"mean": dataset.x.mean().item()})


def sorted_by_mean(folder: Path) -> Dataset:
    """Classes in the order of their means."""
    dataset = plain(folder)
    order = [dataset.x[dataset.y == k].mean().item() for k in range(len(dataset.classes))]
    rank = torch.tensor(order).argsort().argsort()
    return replace(dataset, y=rank[dataset.y])


plain = built(Bearings, loads=[0, 1], per_class=6, split="recording", features="raw")


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        (scaled, ["samples: some that are held out cannot be altered without the training split"]),
        (fitted_on_all, ["evaluation", "training"]),
        (fitted, []),
        (told, ["fact mean"]),
        (sorted_by_mean, ["targets"]),
    ],
)
def test_a_planted_leak_is_caught(planted: Build, found: list[str], tmp_path: Path) -> None:
    case = CASES["bearings"]
    case.make(tmp_path / "data")
    assert leaks(planted, tmp_path / "data", case.pieces(tmp_path / "data"), case.validate) == found
