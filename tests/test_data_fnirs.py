"""fNIRS recordings: files made by hand in, labelled maps out; what is wrong with one is said by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.io import savemat

from labtui.data import Dataset, build
from labtui.data.split import split
from labtui.errors import DataError
from labtui.recipe.core import Validate
from labtui.recipe.data.fnirs import FNIRS

TASKS = [("cr", 0, 10), ("nb", 10, 12), ("anb", 22, 11), ("ewm", 33, 10), ("rt", 43, 10), ("gng", 53, 20)]


def signals(samples: int = 80) -> dict[str, Any]:
    """Each value says where it is from: sample·100 + channel, and a half for deoxyhaemoglobin."""
    oxy = np.arange(samples)[:, None] * 100.0 + np.arange(52)
    return {"oxyData": oxy, "dxyData": oxy + 0.5}


def conditions(tasks: list[tuple[str, Any, Any]]) -> str:
    names = ["", *(f"Task{i + 1}" for i in range(len(tasks)))]
    stims, onsets, durations = zip(*tasks, strict=True)
    rows = [names, ["onset", *onsets], ["duration", *durations], ["stim", *stims]]
    return "\n".join(",".join(map(str, row)) for row in rows) + "\n"


def write(folder: Path, name: str = "a", table: Any = None, text: str | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    savemat(folder / f"{name}.mat", {"nirs_data": signals()} if table is None else table)
    (folder / f"{name}_conditions.csv").write_text(conditions(TASKS) if text is None else text, "utf-8")
    return folder


def load(folder: Path, **options: Any) -> Dataset:
    return build(FNIRS(**{"path": str(folder), "timesteps": 10} | options), Path("/"))


def test_channels_lie_on_the_grid(tmp_path: Path) -> None:
    dataset = load(write(tmp_path))
    assert dataset.x.shape == (5, 10, 5, 22, 1)
    assert dataset.x.dtype == torch.float32
    oxy, dxy = dataset.x[1, 0, :, :, 0].split(11, dim=1)  # n-back, which begins at sample 10
    expected = np.zeros((5, 11))
    expected[0, 1:] = range(10)
    expected[1] = range(10, 21)
    expected[2, 1:] = range(21, 31)
    expected[3] = range(31, 42)
    expected[4, 1:] = range(42, 52)
    expected[expected > 0] += 1000
    expected[0, 1] = 1000
    assert oxy.tolist() == expected.tolist()
    assert (dxy - oxy == 0.5).sum() == 52
    assert (dxy[::2, 0] == 0).all()


def test_a_sample_is_the_beginning_of_a_task(tmp_path: Path) -> None:
    x = load(write(tmp_path)).x
    assert (x[:, :, 0, 1, 0] / 100).int().tolist() == [
        list(range(onset, onset + 10)) for _, onset, _ in TASKS[:5]
    ]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("default3", ["off off off", "high low off", "high off low", "low high off", "off low off"]),
        (
            "default4",
            [
                "off off off off",
                "high off low off",
                "high off off low",
                "low off high off",
                "off off low off",
            ],
        ),
    ],
)
def test_labels(tmp_path: Path, labels: Any, expected: list[str]) -> None:
    levels = ["off", "low", "high"]
    numbers = [[levels.index(word) for word in row.split()] for row in expected]
    dataset = load(write(tmp_path), labels=labels)
    assert (dataset.task, dataset.outputs) == ("multilabel", 3 * len(numbers[0]))
    assert dataset.y.tolist() == [[float(n == k) for n in row for k in range(3)] for row in numbers]
    assert dataset.classes[-1] == "auditory high"
    numeric = load(tmp_path, labels=labels, coding="level")
    assert (numeric.task, numeric.outputs) == ("regression", len(numbers[0]))
    assert numeric.y.tolist() == numbers


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    tasks = [*TASKS, ("es", 73, 7), ("nb", 60, 9), ("cr", 74, 30)]  # too short, and cut by the end
    facts = load(write(tmp_path, text=conditions(tasks))).facts
    assert facts["tasks"] == "1 cr, 1 rt, 1 nb, 1 anb, 1 ewm"
    assert facts["tasks without labels"] == "1 gng, 1 es"
    assert facts["tasks too short"] == 2
    with pytest.raises(DataError, match=r"none of 5 tasks with labels lasts 13 samples: lower data\.times"):
        load(write(tmp_path), timesteps=13)


def test_conditions_as_other_programs_write_them(tmp_path: Path) -> None:
    text = conditions([("NB", "12.0", "15.0"), ("", "", ""), (" cr ", 40, 11)])
    dataset = load(write(tmp_path, text="\ufeff" + text.replace("onset", "Onset") + ",,\n"))
    assert dataset.facts["tasks"] == "1 cr, 1 nb"


def test_files_by_other_names(tmp_path: Path) -> None:
    for session in ("one", "two"):
        write(tmp_path / session)
        (tmp_path / session / "a_conditions.csv").rename(tmp_path / session / "conditions a.csv")
    options = {"recordings": "**/a.mat", "conditions": "conditions {recording}.csv"}
    assert load(tmp_path, **options).facts["recordings"] == 2
    assert load(tmp_path, **options | {"recordings": "one/*.mat"}).facts["recordings"] == 1
    with pytest.raises(DataError, match=r"data\.recordings = '/a' is no pattern of files"):
        load(tmp_path, recordings="/a")


def test_recordings_stay_whole_unless_the_split_is_the_notebooks(tmp_path: Path) -> None:
    for name in "abcde":
        write(tmp_path, name)
    dataset = load(tmp_path)
    assert dataset.groups is not None
    parts = split(dataset, Validate(val=0.2))
    assert not {*dataset.groups[parts["train"]].tolist()} & {*dataset.groups[parts["val"]].tolist()}
    assert len(parts["val"]) == 5
    assert load(tmp_path, split="random").groups is None


def without(field: str) -> dict[str, Any]:
    return {"nirs_data": {name: value for name, value in signals().items() if name != field}}


def spoilt(field: str, change: Callable[[Any], Any]) -> dict[str, Any]:
    return {"nirs_data": signals() | {field: change(signals()[field])}}


def nan(signal: Any) -> Any:
    signal[7, 3] = np.nan
    return signal


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"hb": 1.0}, "no struct nirs_data in it; it holds hb"),
        ({"nirs_data": np.zeros((9, 52))}, "no struct nirs_data"),
        (without("dxyData"), "nirs_data has no field dxyData; it has oxyData"),
        (spoilt("oxyData", nan), r"oxyData holds 1 NaN .* first in sample 7 of channel 4.*on_error"),
        (spoilt("oxyData", lambda signal: signal * 1e300), r"oxyData holds .* NaN or infinite values"),
        (spoilt("dxyData", lambda s: s.T), r"dxyData is float64 of shape \(52, 80\), expected .* 52\)"),
        (spoilt("dxyData", lambda s: s.astype(int)), "dxyData is int64"),
        (spoilt("dxyData", lambda s: s[:50]), "oxyData has 80 samples, dxyData 50"),
    ],
)
def test_broken_recordings(tmp_path: Path, table: Any, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load(write(tmp_path, table=table))
    assert "a.mat" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; expected columns Task1"),
        ("\n,,\n", "is empty"),
        (",Task1\nonset,1\nstim,nb\n", "lacks duration; expected"),
        (",\nonset,\nduration,\nstim,\n", "lacks its Task columns"),
        (conditions([("nback", 1, 20)]), "Task1 has stim 'nback'; known are cr, rt, nb, anb, ewm, gng, es"),
        (conditions([("cr", 1, 20), ("nb", "soon", 20)]), "Task2 has onset 'soon', expected a number of"),
        (conditions([("cr", 1, 20.5)]), "duration '20.5'"),
        (conditions([("cr", 1, "inf")]), "duration 'inf'"),
        (conditions([("cr", -1, 20)]), "onset '-1'"),
        (conditions([("cr", 90, 20)]), r"Task1 begins at sample 90, but a\.mat has 80 samples"),
    ],
)
def test_broken_conditions(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load(write(tmp_path, text=text))
    assert "a_conditions.csv" in str(caught.value)


def test_missing_and_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no such folder.*labtui data make fnirs --out"):
        load(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"no recording that can be used among 0 files \*\.mat"):
        load(tmp_path)
    write(tmp_path)
    table = tmp_path / "a_conditions.csv"
    table.write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match=r"a_conditions\.csv: the conditions cannot be read \("):
        load(tmp_path)
    table.unlink()
    with pytest.raises(DataError, match=r"a_conditions\.csv: .*No such file.*data\.conditions"):
        load(tmp_path)
    whole = (tmp_path / "a.mat").read_bytes()
    for kept in (0, 60, 200, len(whole) // 2):
        (tmp_path / "a.mat").write_bytes(whole[:kept])
        with pytest.raises(DataError, match=r"a\.mat: not a readable MATLAB v5 file"):
            load(tmp_path)


def test_what_cannot_be_used_is_skipped_and_counted_on_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "good")
    write(tmp_path, "bad", table=spoilt("oxyData", nan))
    write(tmp_path, "empty", text="")
    with pytest.raises(DataError):
        load(tmp_path)
    dataset = load(tmp_path, on_error="skip")
    assert (len(dataset), dataset.facts["recordings"], dataset.facts["recordings left out"]) == (5, 1, 2)
    told = capsys.readouterr().err.splitlines()
    assert [line.partition(": ")[2].partition(": ")[2].count("bad.mat") for line in told] == [1, 0]
    (tmp_path / "good.mat").unlink()
    with pytest.raises(DataError, match="no recording that can be used among 2 files"):
        load(tmp_path, on_error="skip")
