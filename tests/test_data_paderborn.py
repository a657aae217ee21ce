"""Paderborn recordings: structs in, windows out; what is wrong with one is said by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.io import loadmat, savemat
from scipy.signal import butter, hilbert, resample_poly, sosfiltfilt

from labtui.data import Dataset, build
from labtui.data.paderborn import RATE
from labtui.data.paderborn_sim import BALL, BALLS, PITCH, make, vibration
from labtui.data.split import split
from labtui.errors import DataError
from labtui.recipe.core import Validate
from labtui.recipe.data.paderborn import Paderborn

SAMPLES = 1600


def signal(number: int) -> np.ndarray[Any, Any]:
    """Each value says which file it is from."""
    return number + np.linspace(0, 0.5, SAMPLES)


def struct(name: str, data: Any, signals: tuple[str, ...] = ("force", "vibration_1")) -> dict[str, Any]:
    """What a file holds, its variable's name being its own."""
    rows = np.zeros((1, len(signals)), [(field, object) for field in ("Name", "Type", "Data", "Raster")])
    for row, which in zip(rows[0], signals, strict=True):
        row["Name"], row["Data"] = which, data if which == "vibration_1" else np.zeros((1, 7))
    return {name: {"Info": "by hand", "X": 0.0, "Y": rows, "Description": ""}}


BEARINGS = ("K001", "K002", "KA04", "KA16", "KI04", "KI16", "KB23")


def write(folder: Path) -> Path:
    """Two measurements of each of seven bearings, and one under another operating condition."""
    for place, bearing in enumerate(BEARINGS):
        (folder / bearing).mkdir(parents=True)
        for number in (1, 2):
            name = f"N15_M07_F10_{bearing}_{number}"
            savemat(folder / bearing / f"{name}.mat", struct(name, signal(10 * place + number)[None]))
    name = "N09_M07_F10_K001_1"
    savemat(folder / "K001" / f"{name}.mat", struct(name, signal(99)[None]))
    (folder / "K001" / "readme.mat").write_text("not a recording")
    return folder


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return write(tmp_path / "kat")


def load(folder: Path, **options: Any) -> Dataset:
    return build(Paderborn(**{"path": str(folder), "window": 400, "per_class": 4} | options), Path("/"))


def test_windows_are_those_of_each_class(made: Path) -> None:
    dataset = load(made)
    assert dataset.classes == ["healthy", "outer ring", "inner ring"]
    assert (dataset.x.shape, dataset.shape) == ((12, 400), (40, 3))
    assert dataset.y.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    files = [1, 2, 11, 12, 21, 22, 31, 32, 41, 42, 51, 52]  # one window of each, the combined damage left out
    expected = np.stack([signal(number)[:400] for number in files]).astype(np.float32)
    assert torch.equal(dataset.x, torch.from_numpy(expected))
    assert dataset.facts["bearings"] == "K001, K002, KA04, KA16, KI04, KI16"
    assert dataset.facts["recordings"] == 12


def test_operating_conditions_and_bearings_are_chosen(made: Path) -> None:
    assert 99.0 in load(made, conditions=["N15_M07_F10", "N09_M07_F10"], per_class=100).x[:, 0]
    assert load(made, bearings=["K001", "KA04", "KI16"]).facts["recordings"] == 6
    with pytest.raises(DataError, match=r"no recordings of K005, KI21 under N15_M07_F10"):
        load(made, bearings=["K001", "K005", "KI21"])
    with pytest.raises(DataError, match=r"no file like N15_M01_F10_K001_1\.mat"):
        load(made, conditions=["N15_M01_F10"])
    with pytest.raises(ValueError, match="KB23"):
        Paderborn(bearings=["KB23"])


@pytest.mark.parametrize(("kind", "groups"), [("bearing", 6), ("recording", 12), ("time", 24)])
def test_what_stays_together(made: Path, kind: str, groups: int) -> None:
    dataset = load(made, split=kind, blocks=2, per_class=20)
    assert dataset.groups is not None
    assert len(dataset.groups.unique()) == groups
    parts = split(dataset, Validate(val=0.5))
    train, val = (set((dataset.x[parts[name], 0] // 10).int().tolist()) for name in ("train", "val"))
    assert bool(train & val) == (kind != "bearing")
    assert load(made, split="random").groups is None


def test_resampling_is_scipys(tmp_path: Path) -> None:
    write(tmp_path / "kat")
    name = "N15_M07_F10_K001_1"
    wave = np.random.default_rng(0).normal(size=6400)
    savemat(tmp_path / "kat" / "K001" / f"{name}.mat", struct(name, wave[:, None]))
    dataset = load(tmp_path / "kat", rate=16_000)
    torch.testing.assert_close(dataset.x[0], torch.from_numpy(resample_poly(wave, 1, 4)[:400]).float())
    assert dataset.facts["sampling rate (Hz)"] == 16_000
    other = load(tmp_path / "kat", rate=12_000, window=300).x[0]
    torch.testing.assert_close(other, torch.from_numpy(resample_poly(wave, 3, 16)[:300]).float())


def test_no_folder_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no such folder.*labtui data make paderborn --out"):
        load(tmp_path / "nowhere")


NAME = "N15_M07_F10_KA04_1"
Break = Callable[[Path], None]


def saved(table: dict[str, Any]) -> Break:
    return lambda file: savemat(file, table)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:300])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (cut, "not a readable MATLAB v5 file"),
        (lambda file: file.write_bytes(b""), "not a readable MATLAB v5 file"),
        (saved({"other": 1.0}), f"no struct {NAME} with a field Y in it; it holds other"),
        (saved(struct(NAME, 0.0, ("force",))), rf"no signal vibration_1 in {NAME}\.Y; it holds force"),
        (saved({NAME: {"Y": "lost"}}), "no signal vibration_1"),
        (saved(struct(NAME, np.array([[0.0, np.nan, np.inf]]))), "vibration_1 holds 2 NaN or infinite"),
        (saved(struct(NAME, np.zeros((3, 500)))), r"vibration_1 is float64 of shape \(3, 500\)"),
        (saved(struct(NAME, np.zeros((1, 399)))), "399 samples, fewer than a window of 400"),
    ],
)
def test_broken_recordings_are_named_or_left_out(
    made: Path, spoil: Break, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    spoil(made / "KA04" / f"{NAME}.mat")
    with pytest.raises(DataError, match=message) as caught:
        load(made)
    assert f"{NAME}.mat" in str(caught.value)
    dataset = load(made, on_error="skip")
    assert (dataset.facts["recordings"], dataset.facts["recordings left out"]) == (11, 1)
    assert torch.bincount(dataset.y).tolist() == [4, 4, 4]
    assert NAME in capfd.readouterr().err


def test_a_class_without_recordings_is_named(made: Path) -> None:
    with pytest.raises(DataError, match="class 'inner ring' has no recording that can be used"):
        load(made, bearings=["K001", "KA04"])
    for file in made.glob("KA*/*.mat"):
        cut(file)
    with pytest.raises(DataError, match="class 'outer ring' has no recording that can be used"):
        load(made, on_error="skip")


def test_simulated_files_are_the_originals_form(tmp_path: Path) -> None:
    files = make(tmp_path / "a", seconds=0.1, conditions=("N09_M07_F10",), measurements=1)
    assert len(files) == 15
    assert [str(file.relative_to(tmp_path / "a")) for file in files][::7] == [
        "K001/N09_M07_F10_K001_1.mat",
        "KA16/N09_M07_F10_KA16_1.mat",
        "KI21/N09_M07_F10_KI21_1.mat",
    ]
    signals = loadmat(files[0])["N09_M07_F10_K001_1"][0, 0]["Y"][0]  # as most programs read the originals
    shapes = {one["Name"][0]: one["Data"].shape for one in signals}
    assert shapes == {
        "force": (1, 400),
        "phase_current_1": (1, 6400),
        "phase_current_2": (1, 6400),
        "speed": (1, 400),
        "temp_2_bearing_module": (1, 1),
        "torque": (1, 400),
        "vibration_1": (1, 6400),
    }
    assert np.abs(signals[3]["Data"].mean() - 900) < 10
    again = make(tmp_path / "b", seconds=0.1, conditions=("N09_M07_F10",), measurements=1)
    same = [load(folder, conditions=["N09_M07_F10"]).x for folder in (tmp_path / "a", tmp_path / "b")]
    assert torch.equal(*same)
    with pytest.raises(DataError, match=r"already holds K\S+\.mat: name"):
        make(again[0].parents[1])
    with pytest.raises(DataError, match="at least one"):
        make(tmp_path / "c", measurements=0)


@pytest.mark.parametrize(("bearing", "sign"), [("KA04", -1), ("KI04", 1)])
def test_damage_repeats_at_its_frequency(bearing: str, sign: int) -> None:
    rngs = (np.random.default_rng(seed) for seed in (1, 2))
    wave = vibration(bearing, 1500.0, 1000.0, 4 * RATE, *rngs)
    band = butter(4, [3000, 9000], "bandpass", fs=RATE, output="sos")
    envelope = np.abs(hilbert(sosfiltfilt(band, wave)))
    power = np.abs(np.fft.rfft((envelope - envelope.mean()) * np.hanning(len(envelope)))) ** 2
    hertz = np.fft.rfftfreq(len(envelope), 1 / RATE)
    searched = (hertz > 60) & (hertz < 145)
    defect = BALLS / 2 * (1 + sign * BALL / PITCH) * 1500 / 60
    assert hertz[searched][power[searched].argmax()] == pytest.approx(defect, rel=0.01)


def test_unseen_bearings_are_told_apart_by_their_spectrum_not_by_their_level(tmp_path: Path) -> None:
    from sklearn.ensemble import RandomForestClassifier

    make(tmp_path / "sim", seconds=0.3, measurements=1)
    dataset = build(Paderborn(path="sim", per_class=100, rate=16_000), tmp_path)
    parts = split(dataset, Validate(val=0.4))
    scores = []
    for features in (torch.fft.rfft(dataset.x).abs(), dataset.x.std(dim=1, keepdim=True)):
        forest = RandomForestClassifier(50, random_state=0)
        forest.fit(features[parts["train"]], dataset.y[parts["train"]])
        scores.append(forest.score(features[parts["val"]], dataset.y[parts["val"]]))
    assert scores[0] > 0.85 > 0.65 > scores[1]
