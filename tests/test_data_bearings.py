"""Bearing recordings: files in, windows out; what is wrong with a folder is said by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.io import loadmat, savemat

from labtui.data import Dataset, build
from labtui.data.bearings import CLASSES, RATE
from labtui.data.bearings_sim import make
from labtui.data.split import split
from labtui.errors import DataError
from labtui.recipe.core import Validate
from labtui.recipe.data.bearings import Bearings

REAL = Path(__file__).parents[2] / "shared/data/bearings_cwru"
real = pytest.mark.skipif(not REAL.is_dir(), reason=f"the CWRU recordings are not in {REAL}")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lab") / "sim"
    make(folder, seed=1, seconds=2.0)
    return folder


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    """A folder of its own to break."""
    for file in made.iterdir():
        (tmp_path / file.name).symlink_to(file)
    return tmp_path


def load(folder: Path, **options: Any) -> Dataset:
    return build(Bearings(path=str(folder), per_class=20, **options), Path("/"))


def replace(file: Path, table: dict[str, Any]) -> None:
    file.unlink()
    savemat(file, table)


def test_windows_are_evenly_spread_pieces_of_the_recordings(made: Path) -> None:
    dataset = load(made)
    assert dataset.x.shape == (200, 1600)
    assert torch.bincount(dataset.y).tolist() == [20] * 10
    assert dataset.groups is None
    signal = loadmat(made / "169_0.mat")["X169_DE_time"].ravel().astype(np.float32)
    starts = np.linspace(0, len(signal) - 1600, 20).astype(int)
    own = dataset.x[dataset.y == dataset.classes.index("inner .014")].numpy()
    assert np.array_equal(own, np.stack([signal[s : s + 1600] for s in starts]))


def test_time_blocks_share_no_sample(made: Path) -> None:
    dataset = load(made, split="time", blocks=5)
    assert dataset.groups is not None
    assert len(set(dataset.groups.tolist())) == 50
    signal = loadmat(made / "97_Normal_0.mat")["X097_DE_time"].ravel()
    place = {sample: i for i, sample in enumerate(signal.astype(np.float32))}
    own = (dataset.y == 0).nonzero()[:, 0]
    for block in dataset.groups[own].unique():
        spots = [place[v] for v in dataset.x[dataset.groups == block].numpy()[:, [0, -1]].ravel()]
        assert len({spot * 5 // len(signal) for spot in spots}) == 1


def test_honest_split_keeps_blocks_whole(made: Path) -> None:
    dataset = load(made, split="time", blocks=5)
    assert dataset.groups is not None
    parts = split(dataset, Validate(val=0.2))
    train, val = (set(dataset.groups[parts[name]].tolist()) for name in ("train", "val"))
    assert not train & val
    assert torch.bincount(dataset.y[parts["val"]]).tolist() == [4] * 10


def test_recordings_of_several_loads(tmp_path: Path) -> None:
    make(tmp_path / "sim", seconds=0.5, loads=(0, 1))
    dataset = load(tmp_path / "sim", loads=[0, 1], split="recording")
    assert dataset.groups is not None
    assert len(set(dataset.groups.tolist())) == 20
    validate = Validate(scheme="kfold", folds=2, fold=1)
    assert torch.bincount(dataset.y[split(dataset, validate)["val"]]).tolist() == [10] * 10


def test_file_names_without_load(copy: Path) -> None:
    (copy / "105_0.mat").rename(copy / "105.mat")
    (copy / "97_Normal_0.mat").rename(copy / "97.mat")
    (copy / "234@6_0.mat").rename(copy / "234_0.mat")
    (copy / "readme.mat").write_text("not a recording")
    assert len(load(copy)) == 200


def test_a_neighbours_signal_in_the_same_file_is_not_taken(copy: Path) -> None:
    file = copy / "118_0.mat"
    own = loadmat(file)["X118_DE_time"]
    replace(file, {"X117_DE_time": np.zeros_like(own), "X118_DE_time": own})
    assert load(copy).x[80:100].abs().sum() > 0


def test_no_folder_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"No such file.*labtui data make bearings --out"):
        load(tmp_path / "nowhere")


def test_missing_class(copy: Path) -> None:
    (copy / "185_0.mat").unlink()
    with pytest.raises(DataError, match=r"class 'ball .014' lacks its recording 185\.mat"):
        load(copy)


def test_truncated_file(copy: Path) -> None:
    file = copy / "209_0.mat"
    whole = file.read_bytes()
    file.unlink()
    for kept in (0, 60, 200, len(whole) // 2):
        file.write_bytes(whole[:kept])
        with pytest.raises(DataError, match=r"209_0\.mat: not a readable MATLAB v5 file"):
            load(copy)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            {"X131_DE_time": np.zeros((9, 1)), "X130RPM": 1},
            "no X130_DE_time in it; it holds X131_DE",
        ),
        ({"X130_DE_time": np.full((9000, 1), np.nan)}, "X130_DE_time holds 9000 NaN or infinite"),
        ({"X130_DE_time": np.full((9000, 1), 1e300)}, "X130_DE_time holds 9000 NaN or infinite"),
        (
            {"X130_DE_time": np.zeros((99, 1))},
            "the recording has 99 samples, fewer than a window of 1600",
        ),
        ({"X130_DE_time": "loud"}, "expected the numbers of one channel"),
    ],
)
def test_broken_recordings(copy: Path, table: dict[str, Any], message: str) -> None:
    replace(copy / "130@6_0.mat", table)
    with pytest.raises(DataError, match=message) as caught:
        load(copy)
    assert "130@6_0.mat" in str(caught.value)


def test_a_bad_recording_is_left_out_where_the_class_has_another(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path / "sim", seconds=0.5, loads=(0, 1))
    (tmp_path / "sim" / "118_0.mat").write_bytes(b"")
    (tmp_path / "sim" / "210_1.mat").unlink()
    dataset = load(tmp_path / "sim", loads=[0, 1], on_error="skip")
    assert torch.bincount(dataset.y).tolist() == [20] * 10
    assert (dataset.facts["recordings"], dataset.facts["recordings left out"]) == (18, 2)
    told = capfd.readouterr().err
    assert "118_0.mat: not a readable" in told
    assert "lacks its recording 210.mat" in told
    with pytest.raises(DataError, match=r"class 'ball \.007' has no recording that can be used"):
        load(tmp_path / "sim", on_error="skip")


def test_blocks_shorter_than_a_window(made: Path) -> None:
    with pytest.raises(DataError, match=r"one of its 20 blocks has 1200 samples.*lower data.window"):
        load(made, split="time", blocks=20)


def test_specs_refuse_what_cannot_be() -> None:
    for wrong, why in (
        ({"modes": 802}, "a window of 1600 has 801 Fourier modes"),
        ({"augment": {"crop": 700}}, "must divide"),
        ({"augment": {"cutout": (0, 2000)}}, "cutout must be"),
        ({"split": "recording"}, "needs two or more loads"),
    ):
        with pytest.raises(ValueError, match=why):
            Bearings(**wrong)


@real
def test_real_recordings() -> None:
    dataset = build(Bearings(path=str(REAL)), Path("/"))
    assert dataset.x.shape == (2800, 1600)
    assert dataset.shape == (40, 3)
    assert torch.bincount(dataset.y).tolist() == [280] * 10
    assert str(dataset.facts["source"]).startswith("CWRU")
    assert 0.25 < float(dataset.facts["left out by the modes (relative RMS)"]) < 0.6
    folds = [split(dataset, Validate(scheme="kfold", fold=k)) for k in range(5)]
    assert [(len(fold["train"]), len(fold["val"])) for fold in folds] == [(2240, 560)] * 5


@real
def test_real_and_simulated_files_hold_the_same_keys(made: Path) -> None:
    keys = [sorted(k for k in loadmat(folder / "105_0.mat") if k.startswith("X")) for folder in (REAL, made)]
    assert keys[0] == sorted([*keys[1], "X105_BA_time"])
    assert len(list(REAL.glob("*.mat"))) == len(CLASSES) == len(list(made.glob("*.mat")))
    assert RATE == 12_000
