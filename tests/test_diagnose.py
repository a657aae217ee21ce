"""What is wrong with a training: rules asked of runs that were really trained, with the fault and without."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diagnosed_lab import asked, evidence, names, with_parts
from engine_lab import make, recipe, train_here
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from labtui.diagnose import RULES, Alike, Case, Diagnosis, GroupCase, Member, diagnose, diagnose_group
from labtui.query import Lab
from labtui.query.diagnosis import case, diagnosis
from labtui.series import Series

pytestmark = pytest.mark.usefixtures("unhurried")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_parts(tmp_path_factory.mktemp("lab"))


HEALTHY: dict[str, dict[str, Any]] = {
    "blobs": {},
    "sgd": {"optimizer": {"name": "sgd", "lr": 0.05, "momentum": 0.9}},
    "deep": {"model": {"depth": 4}, "train": {"epochs": 25}},
    "tanh": {"model": {"depth": 2, "activation": "Tanh"}},
    "acc": {"validate": {"val": 0.3, "test": 0.2, "monitor": "val.acc"}},
    "long": {"train": {"epochs": 120}, "optimizer": {"name": "adamw", "lr": 1e-3, "weight_decay": 0.1}},
    "one sample a step": {"train": {"epochs": 12, "batch_size": 1}, "optimizer": {"name": "sgd", "lr": 0.01}},
    "noisy": {"data": {"noise": 1.2}, "train": {"epochs": 10}},
    "short": {"train": {"epochs": 2}},
}


@pytest.mark.parametrize("tables", HEALTHY.values(), ids=HEALTHY)
def test_nothing_is_found_where_nothing_is_wrong(lab: Path, tables: dict[str, Any]) -> None:
    found = asked(lab, **tables)
    assert names(found) == []
    assert found.asked


def test_nothing_is_found_in_a_run_of_the_example(lab: Path) -> None:
    what = recipe(train={"epochs": 12, "batch_size": 64}, optimizer={"name": "adam", "lr": 2e-3})
    paths = make(lab, what)
    train_here(paths, what)
    found = diagnosis(Lab(paths.lab).run(paths.id))
    assert names(found) == []
    assert {"over-fitting", "no better than a constant", "vanishing gradients"} <= {*found.asked}


def test_a_loss_that_became_nan(lab: Path) -> None:
    found = asked(lab, fails=True, optimizer={"name": "sgd", "lr": 30.0, "momentum": 0.9}, model={"depth": 3})
    assert "no number" in names(found)
    said = evidence(found, "no number")
    assert "at step" in said and "before that" in said


def test_a_loss_that_grew(lab: Path) -> None:
    found = asked(
        lab,
        data={"kind": "random"},
        model={"depth": 0},
        optimizer={"name": "sgd", "lr": 100.0},
        train={"epochs": 10},
    )
    assert {"diverged", "best is the untrained model"} <= {*names(found)}
    assert "above that since epoch 1" in evidence(found, "diverged")
    assert "before the training" in evidence(found, "best is the untrained model")


def test_learning_by_heart(lab: Path) -> None:
    found = asked(
        lab, data={"noise": 2.5, "samples": 90}, model={"width": 256, "depth": 2}, train={"epochs": 80}
    )
    assert "over-fitting" in names(found)
    assert "over-fitting since epoch " in evidence(found, "over-fitting")


def test_labels_that_say_nothing(lab: Path) -> None:
    found = asked(lab, data={"kind": "random"}, model={"width": 8}, train={"epochs": 30})
    assert "no better than a constant" in names(found)


def test_a_class_that_is_never_said(lab: Path) -> None:
    found = asked(lab, data={"kind": "rare", "samples": 600}, train={"epochs": 10})
    assert "class never predicted" in names(found)
    assert "'c'" in evidence(found, "class never predicted")


def test_one_class_for_all(lab: Path) -> None:
    found = asked(lab, optimizer={"name": "sgd", "lr": 1e-9}, model={"depth": 8, "activation": "Sigmoid"})
    assert {"constant predictions", "no better than a constant"} <= {*names(found)}


def test_gradients_that_vanish(lab: Path) -> None:
    found = asked(lab, model={"depth": 10, "activation": "Sigmoid"}, train={"epochs": 8})
    assert "vanishing gradients" in names(found)
    assert "0.weight" in evidence(found, "vanishing gradients")


def test_a_loss_that_jumps(lab: Path) -> None:
    found = asked(
        lab, model={"depth": 6, "width": 64}, optimizer={"name": "adam", "lr": 0.03}, train={"epochs": 80}
    )
    assert "unstable" in names(found)


def series(**values: Any) -> dict[str, Series]:
    """Metrics with a value a step."""
    made = {name.replace("__", "."): np.asarray(v, np.float64) for name, v in values.items()}
    return {name: Series(np.arange(len(v)), np.zeros(len(v)), v) for name, v in made.items()}


def test_gradients_that_grow() -> None:
    grad = np.ones((12, 2)) * np.geomspace(1, 1e4, 12)[:, None]
    weights = {
        "layers": np.array(["a.weight", "b.weight"]),
        "weight_norm": np.ones((12, 2)),
        "grad_norm": grad,
    }
    assert names(diagnose(Case({}, weights=weights))) == ["exploding gradients"]
    calm = weights | {"grad_norm": np.ones((12, 2))}
    assert names(diagnose(Case({}, weights=calm))) == []


def test_a_loss_that_stands_still() -> None:
    flat = np.concatenate([np.linspace(2.3, 1.9, 20), np.full(60, 1.9)])
    found = diagnose(Case(series(train__loss=flat), baseline={"val.loss": 2.3}))
    assert names(found) == ["plateau"]
    falls = diagnose(Case(series(train__loss=np.geomspace(2.3, 0.1, 80)), baseline={"val.loss": 2.3}))
    assert names(falls) == []


def test_a_weight_that_became_nan_before_any_loss() -> None:
    found = diagnose(Case(series(train__step_loss=[2.0, 1.0]), reason="nan"))
    assert names(found) == ["no number"]


def test_nothing_is_asked_of_a_run_without_records() -> None:
    assert diagnose(Case({})) == Diagnosis((), (), tuple(one.name for one in RULES))


@pytest.mark.parametrize(
    "confusion",
    [
        {"val": {}}, {"val": None, "matrix": 3}, {"matrix": [[1, 2], [3]]}, {"matrix": [["x"]]}, {"matrix": [[1e99]]},
        {"classes": ["a"], "test": {"matrix": [[9, 9], [9, 9]]}}, {"matrix": []}, {"classes": 3, "matrix": [[1]]},
    ],
)  # fmt: skip
def test_other_hands_artifacts_break_nothing(confusion: dict[str, Any]) -> None:
    weights: Any = {"layers": np.zeros(3), "weight_norm": np.zeros((2, 4)), "grad_norm": np.zeros(3)}
    assert names(diagnose(Case({}, confusion=confusion, weights=weights))) == []


VAST = 10**400
"""JSON has such numbers, and no array."""
SPLIT: dict[str, Any] = {"train": {"mean": [0.0], "std": [1.0], "samples": 9}}


@pytest.mark.parametrize(
    "inputs",
    [
        {"splits": SPLIT, "shown": [math.inf]}, {"splits": SPLIT, "shown": 3}, {"splits": SPLIT, "shown": [0], "layers": 3},
        {"splits": {"train": {"mean": [VAST], "std": [1]}}, "shown": [0]}, {"splits": {"train": {"mean": [0], "std": [math.nan]}}, "shown": [0]},
        {"identical": [{"a": "train", "b": "val", "count": 9, "of": 9, "examples": 3}]}, {"identical": [3]}, {"identical": 3},
    ],
)  # fmt: skip
def test_other_hands_inputs_break_nothing(inputs: dict[str, Any]) -> None:
    assert set(names(diagnose(Case({}, inputs=inputs)))) <= {"leak suspected"}


@pytest.mark.parametrize("wrong", [math.nan, math.inf, 1j, "x"])
@pytest.mark.parametrize("key", ["units", "alive", "steps", "samples", "weight_norm", "grad_norm"])
def test_other_hands_figures_of_layers_break_nothing(key: str, wrong: Any) -> None:
    looks = np.arange(1, 7)
    inner: Any = {"layers": np.array(["a", "b"]), "units": np.array([3, 3]), "alive": np.full(6, 6), "steps": looks,
                  "samples": 50 * looks, "weight_norm": np.ones((6, 2)), "grad_norm": np.ones((6, 2))}  # fmt: skip
    inner[key] = np.full(inner[key].shape, wrong)
    outputs = {"test": {"samples": 99, "least": [0], "most": [VAST], "row_sums": [1, 1]}}
    assert names(diagnose(Case({}, weights=inner, activations=inner, outputs=outputs))) == []


odd = st.floats(width=32, allow_nan=True, allow_infinity=True)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_numbers_can_be_asked_about(data: st.DataObject) -> None:
    known = ["train.loss", "val.loss", "val.acc", "train.step_loss", "epoch", "train.lr"]
    made = {}
    for name in data.draw(st.lists(st.sampled_from(known), unique=True)):
        values = data.draw(arrays(np.float64, st.integers(0, 260), elements=odd))
        steps = np.sort(data.draw(arrays(np.int64, len(values), elements=st.integers(0, 300))))
        made[name] = Series(steps, np.zeros(len(values)), values)
    base = {name: data.draw(odd) for name in ("val.loss", "val.acc")}
    grad = data.draw(arrays(np.float32, (6, 3), elements=odd))
    weights = {
        "layers": np.array(["a.weight", "b.weight", "b.bias"]),
        "weight_norm": grad[::-1],
        "grad_norm": grad,
    }
    found = diagnose(Case(made, "val.acc", {}, base, {"val": 10}, {}, weights))
    for one in found.findings:
        assert one.text and one.advice and one.evidence and all(one.evidence)


def test_a_case_has_what_the_run_has(lab: Path) -> None:
    what = recipe(train={"epochs": 2}, validate={"monitor": "val.acc"})
    paths = make(lab, what)
    _, result = train_here(paths, what)
    found = case(Lab(paths.lab).run(paths.id))
    assert found.monitor == "val.acc"
    assert found.baseline == result["facts"]["baseline"]
    assert found.samples["val"] == result["facts"]["val"]
    assert found.place(10) == "epoch 1" and found.place(11) == "epoch 2" and found.place(21) == "epoch 3"


@pytest.mark.parametrize(("folds", "asked"), [((None, None), True), ((0, 1), False)])
def test_the_best_of_several_folds_is_not_the_best_file(folds, asked):
    scores = [{"val.loss": 0.2, "val.acc": 0.5}, {"val.loss": 0.3, "val.acc": 0.9}]
    members = [
        Member(f"r{n}", "", one, {}, 100, fold)
        for n, (one, fold) in enumerate(zip(scores, folds, strict=True))
    ]
    found = diagnose_group(GroupCase("val.loss", [Alike("all", members)]))
    assert ("best file is not the best run" in found.asked) is asked
    assert any(one.rule == "best file is not the best run" for one in found.findings) is asked
