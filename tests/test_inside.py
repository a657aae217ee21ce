"""What a run keeps of its data and of what its layers give, by real trainings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from engine_lab import ask_at, make, recipe, train_here
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from labtui.data import Dataset
from labtui.data.ragged import Ragged
from labtui.engine import inputs
from labtui.engine.activations import Activations, figures
from labtui.engine.budget import Budget
from labtui.engine.embedding import fitting
from labtui.engine.findings import Findings
from labtui.engine.layers import given as first_layers
from labtui.engine.samples import place, shelve
from labtui.errors import TrainingError
from labtui.query.diagnosis import diagnosis
from labtui.query.lab import Run
from labtui.recipe.core import Recipe

PARTS = """
import torch
from torch import nn
from labtui.data import Dataset

def data(lab, fault="", samples=300):
    g = torch.Generator().manual_seed(0)
    y = torch.arange(samples) % 3
    x = torch.randn(samples, 8, generator=g) * 0.7
    x[torch.arange(samples), y] += 2.5
    split = {"train": torch.arange(0, 200), "val": torch.arange(200, samples)}
    if fault == "leak":
        x[250:] = x[50:100]
        y[250:] = y[50:100]
    if fault == "scales":
        x[:, 5] = x[:, 5] * 1e4
    if fault == "offset":
        x += 500
    return Dataset(x, y, "classes", ["a", "b", "c"], split=split)

def mlp(shape, outputs, activation="ReLU", width=32, bias=0.0, norm=False):
    first = nn.Linear(shape[0], width)
    nn.init.constant_(first.bias, bias)
    norms = [nn.BatchNorm1d(shape[0])] if norm else []
    return nn.Sequential(*norms, first, getattr(nn, activation)(), nn.Linear(width, outputs))

class Functional(nn.Module):
    def __init__(self, shape, outputs, norm=False):
        super().__init__()
        self.first, self.second = nn.Linear(shape[0], 16), nn.Linear(16, outputs)
        self.dropout = nn.Dropout(0.2)
        with torch.no_grad():
            self.first.bias[:4] = -100

    def forward(self, x):
        return self.second(self.dropout(torch.relu(self.first(x))))
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lab")
    (root / "inside_parts.py").write_text(PARTS)
    return root


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow this machine is, everything is looked at."""
    monkeypatch.setattr("labtui.engine.budget.FREE", 1.9)


def planned(*, data: Any = None, model: Any = None, **tables: Any) -> Recipe:
    """A tiny training."""
    train = {"epochs": 6, "batch_size": 40} | tables.pop("train", {})
    what: Any = recipe().tables() | {
        "name": "inside",
        "data": {"factory": "inside_parts:data"} | (data or {}),
        "model": {"factory": "inside_parts:mlp"} | (model or {}),
        "optimizer": {"name": "adam", "lr": 3e-3},
        "validate": {"scheme": "file"},
        **tables,
        "train": train,
    }
    return Recipe.model_validate(what)


def trained(lab: Path, **tables: Any) -> Run:
    """One that has ended."""
    found = planned(**tables)
    paths = make(lab, found)
    train_here(paths, found)
    return Run(paths, {"attempt": 1})


def artifact(run: Run, name: str) -> dict[str, Any]:
    """What the run kept."""
    found = run.artifact(name)
    assert isinstance(found, dict), f"{name} was not kept"
    return found


def test_what_a_model_is_given_is_described_channel_by_channel(lab: Path) -> None:
    found = artifact(trained(lab, data={"fault": "scales"}), "inputs")
    assert found["layers"] == ["Linear", "Linear"]
    assert (found["axis"], found["channels"], found["shown"]) == (0, 8, list(range(8)))
    train = found["splits"]["train"]
    assert train["samples"] == 200 and train["not_finite"] == 0
    assert train["std"][5] > 5000 > 10 > max(train["std"][:5])
    assert set(found["splits"]) == {"train", "val"}
    assert found["identical"] == []


def test_samples_that_two_splits_share_are_counted_and_named(lab: Path) -> None:
    (found,) = artifact(trained(lab, data={"fault": "leak"}), "inputs")["identical"]
    assert (found["a"], found["b"], found["count"], found["of"]) == ("train", "val", 50, 100)
    assert found["examples"] == [[50 + k, 250 + k] for k in range(5)]


def test_units_that_give_nothing_are_counted(lab: Path) -> None:
    alive = artifact(trained(lab), "activations")
    assert alive["layers"].tolist() == ["1"] and alive["units"].tolist() == [32]
    assert (alive["alive"] > 0).mean() > 0.8
    dead = artifact(trained(lab, model={"bias": -100.0}), "activations")
    assert (dead["alive"] == -1).all()
    assert (dead["zeros"] == 1).all() and (dead["silent"] == 32).all()
    stuck = artifact(trained(lab, model={"bias": 100.0, "activation": "Sigmoid"}), "activations")
    assert (stuck["saturated"] == 1).all() and (stuck["silent"] == 32).all()


def test_a_relu_that_is_no_module_is_seen_behind_dropout(lab: Path) -> None:
    found = artifact(trained(lab, model={"factory": "inside_parts:Functional"}), "activations")
    assert found["layers"].tolist() == ["first"]
    assert (found["alive"][:4] == -1).all() and (found["alive"][4:] > 0).mean() > 0.7


@given(
    rows=st.integers(1, 9), units=st.integers(1, 5), more=st.lists(st.integers(1, 4), max_size=2), seed=st.integers(0, 99)
)  # fmt: skip
def test_figures_are_numpys(rows: int, units: int, more: list[int], seed: int) -> None:
    x = torch.randn(rows, units, *more, generator=torch.Generator().manual_seed(seed)).relu()
    values, alive = figures(x, 1, (0.0, 1.0))
    array = x.numpy().astype(np.float64)
    wanted = [array.mean(), array.std(), (array == 0).mean(), ((array < 0.01) | (array > 0.99)).mean()]
    np.testing.assert_allclose(values.numpy(), wanted, rtol=1e-4, atol=1e-5)
    if array.size >= 8 * units:
        flat = np.moveaxis(array, 1, 0).reshape(units, -1)
        assert alive.tolist() == (flat.max(1) > flat.min(1)).tolist()


def test_a_module_that_is_called_again_and_hooks_that_go(tmp_path: Path) -> None:
    relu = nn.ReLU()
    model = nn.Sequential(nn.Linear(4, 6), relu, nn.Linear(6, 5), relu, nn.Linear(5, 2))
    run: Any = type("Kept", (), {"artifact": lambda self, name, value: None})()
    seen = Activations(model, run, Budget())
    with seen.watched():
        model(torch.randn(16, 4))
    seen.look(1, 16)
    assert seen.layers == ["1", "1#2"] and seen.units == [6, 5]
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    model(torch.randn(16, 4))
    seen.look(2, 16)
    assert seen.looks.last == 1


def test_padding_is_not_counted(tmp_path: Path) -> None:
    lengths = torch.tensor([3, 5, 2, 4])
    x = Ragged(torch.full((14, 2), 7.0), lengths)
    data = Dataset(x, torch.tensor([0, 1, 0, 1]), "classes", ["a", "b"])
    splits = place(
        shelve(data, torch.device("cpu")), {"train": torch.arange(0, 2), "val": torch.arange(2, 4)}
    )
    layers = first_layers(model := nn.Linear(2, 2), lambda: void(model(torch.zeros(1, 5, 2))))
    found = inputs.describe(splits, layers)
    assert found["axis"] == 1 and found["channels"] == 2
    assert found["splits"]["train"]["mean"] == [7, 7] and found["splits"]["train"]["std"] == [0, 0]
    assert found["identical"] == []  # of nothing but one value


def void(_: Any) -> None:
    """Nothing."""


@pytest.mark.parametrize(
    ("shape", "layers", "width", "axis"),
    [
        ((1, 8, 8), ["Conv2d"], 1, 0),
        ((3, 3, 3), ["Conv2d"], 3, 0),
        ((40, 3), ["Linear"], 3, 1),
        ((40, 3), ["Conv1d"], 3, 1),
        ((16000,), ["Conv1d"], 1, None),
        ((64,), ["Linear"], 64, 0),
        ((1, 8, 8), ["Linear"], 64, 0),
        ((20, 5), [], None, None),
    ],
)
def test_channels_lie_as_the_first_layer_takes_them(
    shape: tuple[int, ...], layers: list[str], width: int | None, axis: int | None
) -> None:
    assert inputs.channels_of(shape, {"layers": layers, "width": width}) == axis


def test_what_looking_takes_is_paid_by_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 10.0, 10.0, 10.2, 10.2])
    monkeypatch.setattr("labtui.engine.budget.FREE", 0.05)
    monkeypatch.setattr("time.thread_time", lambda: next(clock))
    budget = Budget()
    assert budget.left() == pytest.approx(0.3)
    with budget.spending():
        pass
    assert budget.spent == pytest.approx(0.2)
    assert budget.left() == pytest.approx(0.1)


def said(run: Run) -> dict[str, str]:
    """What the rules on data and layers say of a run, evidence and all; empty: they were asked, and are silent."""
    found = diagnosis(run)
    asked = {"input not normalised", "leak suspected", "dead units"}
    assert asked <= {*found.asked, *(() if found.asked else asked)} | {*found.unasked}
    return {one.rule: "\n".join((one.text, *one.evidence)) for one in found.findings if one.rule in asked} | {
        name: "not asked" for name in asked if name in found.unasked
    }


HEALTHY: dict[str, dict[str, Any]] = {
    "relu": {"train": {"epochs": 12}},
    "tanh": {"model": {"activation": "Tanh"}, "train": {"epochs": 12}},
    "functional": {"model": {"factory": "inside_parts:Functional"}, "train": {"epochs": 12}},
    "leaky": {"model": {"activation": "LeakyReLU"}, "train": {"epochs": 12}},
}


@pytest.mark.parametrize("tables", HEALTHY.values(), ids=HEALTHY)
def test_nothing_is_said_of_sound_data_and_layers(lab: Path, tables: dict[str, Any]) -> None:
    assert said(trained(lab, **tables)) == {}


def test_nothing_is_said_of_the_example(tmp_path: Path) -> None:
    what = recipe(train={"epochs": 6, "batch_size": 64})
    paths = make(tmp_path, what)
    train_here(paths, what)
    assert said(Run(paths, {"attempt": 1})) == {}


def test_an_input_of_channels_that_differ_in_size(lab: Path) -> None:
    found = said(trained(lab, data={"fault": "scales"}))["input not normalised"]
    assert "very different sizes" in found
    assert "channel 5: mean" in found


def test_an_input_that_lies_far_from_zero(lab: Path) -> None:
    assert "far from 0" in said(trained(lab, data={"fault": "offset"}))["input not normalised"]


def test_a_model_that_normalises_its_input_needs_no_advice(lab: Path) -> None:
    found = said(trained(lab, data={"fault": "offset"}, model={"norm": True}, train={"epochs": 12}))
    assert found == {"input not normalised": "not asked"}


def test_samples_of_the_training_split_in_the_validation_split(lab: Path) -> None:
    found = said(trained(lab, data={"fault": "leak"}))["leak suspected"]
    assert "train and val share samples" in found
    assert "50 of 100 samples of val (50 %) are in train" in found
    assert "50 = 250, 51 = 251" in found


@pytest.mark.parametrize(
    "model", [{"bias": -100.0}, {"bias": 100.0, "activation": "Sigmoid"}], ids=["zero", "one"]
)
def test_a_layer_that_says_nothing_any_more(lab: Path, model: dict[str, Any]) -> None:
    found = said(trained(lab, model=model, train={"epochs": 12}))["dead units"]
    assert "1: 32 of 32 units" in found
    assert "since epoch" in found


def test_a_training_says_once_what_is_wrong_while_it_goes_on(
    lab: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    trained(lab, data={"fault": "leak"}, train={"epochs": 9})
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("labtui: ")]
    assert [line for line in lines if "share samples" in line] == [
        "labtui: train and val share samples: scores of val are too good (50 of 100 samples of val (50 %) are in "
        "train, bit by bit: places 50 = 250, 51 = 251, 52 = 252, 53 = 253 in the data set)"
    ]
    assert len(lines) == len({*lines})


def test_what_was_said_is_not_said_again_after_a_stop(lab: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told = planned(data={"fault": "leak"}, train={"epochs": 12})
    paths = make(lab, told)
    assert train_here(paths, told, asked=ask_at(5 * 8))[0] == "stop"
    assert "share samples" in capfd.readouterr().err
    train_here(paths, told, attempt=2)
    assert "share samples" not in capfd.readouterr().err


def test_what_cannot_be_kept_of_a_training_does_not_end_it(
    lab: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    plan = planned(train={"epochs": 2})
    paths = make(lab, plan)
    for name in ("inputs.json", "weights.npz", "activations.npz"):
        (paths.artifacts / name).mkdir(parents=True)
    ended, result = train_here(paths, plan)
    assert ended is None and result["best"]
    assert "labtui: inputs cannot be described: LabError" in capfd.readouterr().err


def test_with_the_key_off_nothing_is_looked_at_nor_said(lab: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = trained(lab, data={"fault": "leak"}, train={"epochs": 6, "statistics": 0})
    kept = {path.stem for path in run.paths.artifacts.iterdir()}
    assert not kept & {"weights", "activations", "inputs", "outputs", "embedding"}
    assert "labtui: " not in capfd.readouterr().err


def test_a_training_that_is_lost_says_so_in_its_log(lab: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TrainingError, match="became"):
        trained(lab, data={"fault": "scales"}, optimizer={"name": "sgd", "lr": 1e30})
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("labtui: ")]
    assert [line for line in lines if "became nan" in line or "became inf" in line]
    assert len(lines) == len({*lines})


def test_a_short_training_is_looked_at_for_no_more_than_it_pays(
    lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labtui.engine.budget.FREE", 0.0)
    kept = {path.stem for path in trained(lab, train={"epochs": 1}).paths.artifacts.iterdir()}
    assert "weights" in kept and "outputs" in kept
    assert not kept & {"inputs", "embedding"}


def test_of_many_points_as_many_are_shown_as_there_is_time_for() -> None:
    assert fitting(1000, 64, 60.0) == 1000
    assert fitting(1000, 64, 0.0) == 0
    some = [fitting(1000, 5000, seconds) for seconds in (0.01, 0.05, 0.2, 1.0)]
    assert some == sorted(some) and 16 <= some[1] < 1000
    assert fitting(7, 3, 0.1) == 7


def test_rules_are_asked_at_growing_distance(tmp_path: Path) -> None:
    run: Any = None
    found = Findings({}, run, Budget())
    found._cost = 0.0
    assert [epoch for epoch in range(1, 40) if found.due(epoch)] == [4, 6, 9, 14, 21, 32]
