"""Rules on outputs, rates, splits, the choice of an epoch and the time for data: asked of trained runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diagnosed_lab import asked, evidence, names, with_parts

import labtui
from labtui.diagnose import RULES, Case, Diagnosis, diagnose
from labtui.files.paths import LabPaths
from labtui.query import Lab
from labtui.query.diagnosis import case, diagnosis
from labtui.series import Series


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_parts(tmp_path_factory.mktemp("lab"))


SHORT = {"train": {"epochs": 12}}
FAULTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "softmax twice": ("output and loss do not fit", {"model": {"last": "Softmax"}, **SHORT}, "a double softmax"),
    "softmax twice, unseen": (
        "output and loss do not fit", {"model": {"last": "hidden"}, **SHORT}, "those of a sample sum to 1"
    ),
    "sigmoid twice": (
        "output and loss do not fit",
        {"data": {"kind": "labels"}, "model": {"last": "Sigmoid"}, "loss": {"name": "bce_with_logits"}, **SHORT},
        "a double sigmoid",
    ),
    "no negative logits": (
        "output and loss do not fit", {"model": {"last": "ReLU"}, **SHORT}, "the model ends in a relu"
    ),
    "no log-softmax": (
        "output and loss do not fit", {"model": {"last": "Softmax"}, "loss": {"name": "nll"}, **SHORT}, "log-prob"
    ),
    "labels all alike": (
        "constant outputs",
        {"data": {"kind": "labels"}, "model": {"still": True}, "loss": {"name": "bce_with_logits"}, **SHORT},
        "all labels off",
    ),
    "numbers all alike": (
        "constant outputs",
        {"data": {"kind": "line"}, "model": {"still": True}, "loss": {"name": "mse"}, **SHORT},
        "the same answer",
    ),
    "chance": ("stuck at chance", {"data": {"kind": "random"}, "model": {"width": 8}}, "(1/3) from epoch"),
    "a rate too low": (
        "learning rate too low", {"optimizer": {"name": "sgd", "lr": 1e-4}}, "an epoch in the first third"
    ),
    "a rate too high": (
        "learning rate too high",
        {"optimizer": {"name": "sgd", "lr": 0.5, "momentum": 0.9}, "data": {"noise": 1.5}, "model": {"width": 64}},
        "rises in",
    ),
    "over too soon": (
        "under-fitting",
        {"optimizer": {"name": "sgd", "lr": 4e-3}, "train": {"epochs": 14}},
        "of all that they fell",
    ),
    "easier": (
        "validation easier than training",
        {"data": {"kind": "easy", "noise": 2.0}, "validate": {"scheme": "file"}},
        "names neither dropout nor augmentation",
    ),
    "waiting": ("slow input pipeline", {"data": {"slow": 0.004}, "train": {"epochs": 4}}, "making batches"),
    "two metrics": (
        "monitored and reported disagree",
        {
            "data": {"noise": 1.0, "samples": 900, "kind": "minor"},
            "model": {"width": 128, "depth": 2},
            "optimizer": {"name": "adam", "lr": 1e-2},
            "train": {"epochs": 40},
        },
        "is best in epoch",
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule, tables, said", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_found_with_its_figures(lab: Path, rule: str, tables: dict[str, Any], said: str) -> None:
    found = asked(lab, **tables)
    assert rule in names(found)
    assert said in evidence(found, rule)


HEALTHY: dict[str, dict[str, Any]] = {
    "labels": {"data": {"kind": "labels"}, "loss": {"name": "bce_with_logits"}, "train": {"epochs": 20}},
    "numbers": {"data": {"kind": "line"}, "loss": {"name": "mse"}, "train": {"epochs": 20}},
    "log-probabilities": {"model": {"last": "LogSoftmax"}, "loss": {"name": "nll"}, "train": {"epochs": 20}},
    "sums": {"loss": {"name": "cross_entropy", "report": "sum"}, "train": {"epochs": 20}},
    "one split": {"validate": {"val": 0.3, "monitor": "val.acc"}, "train": {"epochs": 20}},
}
ASKED = {
    "labels": {"output and loss do not fit", "constant outputs"},
    "numbers": {"constant outputs", "monitored and reported disagree"},
    "log-probabilities": {"output and loss do not fit", "stuck at chance"},
    "sums": {"diverged", "validation easier than training", "under-fitting", "learning rate too high"},
    "one split": {"best file is not the best epoch", "slow input pipeline", "learning rate too low"},
}


@pytest.mark.parametrize("name", HEALTHY)
def test_what_is_sound_is_asked_and_nothing_is_said(lab: Path, name: str) -> None:
    found = asked(lab, **HEALTHY[name])
    assert ASKED[name] <= {*found.asked}
    assert names(found) == []


def test_gradients_that_seem_to_vanish_where_it_is_the_normalisation(lab: Path) -> None:
    """The genre notebook's doubt: there are gradients of each layer, and statistics of each channel."""
    found = asked(
        lab, data={"scale": 3000.0}, model={"depth": 3, "activation": "Sigmoid"}, train={"epochs": 12}
    )
    assert {"vanishing gradients", "input not normalised"} <= {*found.asked}
    assert "input not normalised" in names(found)
    assert "channel 0: mean" in evidence(found, "input not normalised")
    mended = asked(lab, model={"depth": 3, "activation": "Tanh"}, train={"epochs": 12})
    assert {"vanishing gradients", "input not normalised"} <= {*mended.asked}
    assert names(mended) == []


def test_what_a_training_has_hardly_begun_is_not_held_against_it() -> None:
    steps = np.arange(1, 9)
    made = {name: Series(steps, np.zeros(8), np.full(8, 0.1)) for name in ("val.acc", "val.uar")}
    made["epoch"] = Series(steps, np.zeros(8), steps.astype(np.float64))
    known: dict[str, Any] = {"baseline": {"val.acc": 0.1, "val.uar": 0.1}, "samples": {"val": 500}}
    assert names(diagnose(Case(made, options={"train.epochs": 100}, **known))) == []
    assert "stuck at chance" in names(diagnose(Case(made, options={"train.epochs": 10}, **known)))


def test_a_training_that_barely_began_may_give_the_same_answer() -> None:
    """One epoch of a small set of time series, and the same answer after 30, or after many steps of one."""
    matrix, labels = [[9, 0], [9, 0]], {"val": {"samples": 40, "least": [-1.0], "most": [-0.5], "std": [0.1]}}
    labels["val"] |= {"target_std": [0.4]}
    for steps, silent in (([1, 4], True), ([40, 80, 99], True), ([500], False), (range(1, 31), False)):
        at = np.asarray(steps)
        one = Series(at, np.zeros(len(at)), np.geomspace(0.9, 0.5, len(at)))
        known: dict[str, Any] = {"options": {"loss.name": "bce_with_logits"}, "over": True}
        made = {"val.loss": one, "val.hamming_loss": one}
        for more in ({"confusion": {"matrix": matrix}}, {"outputs": labels}):
            found = diagnose(Case(made, **known, **more))
            assert bool({"constant predictions", "constant outputs"} & {*names(found)}) != silent
            assert bool({"constant predictions", "constant outputs"} & {*found.asked}) != silent


def test_what_passes_outputs_on_is_no_end_of_a_model() -> None:
    options = {"loss.name": "cross_entropy"}
    for layers, said in ((["Linear", "ReLU", "Dropout"], True), (["ReLU", "Dropout", "Linear"], False)):
        found = diagnose(Case({}, options=options, layers=layers))
        assert "output and loss do not fit" in found.asked
        assert ("output and loss do not fit" in names(found)) == said


def own_training(lab: Path, *, by: str) -> Diagnosis:
    """A script of one's own: a line, fitted until it knows its few points by heart, whose best weights are those
    with the least loss of a split."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(24, 12))
    y = x[:, 0] + rng.normal(size=24)
    weights = np.zeros(12)
    best: dict[str, Any] = {}
    with labtui.init("own", lab=lab, monitor="val.loss") as run:
        for step in range(60):
            error = x @ weights - y
            losses = {
                "train.loss": float((error[:14] ** 2).mean()),
                "val.loss": float((error[14:] ** 2).mean()),
            }
            run.log(losses, step=step)
            if losses[by] < best.get("value", np.inf):
                best = {"metric": by, "goal": "min", "value": losses[by], "step": step}
            weights -= 0.05 * x[:14].T @ error[:14] / 7
        run.finish("finished", best=best)
    return diagnosis(Lab(run.paths.lab).run(run.id))


def test_weights_kept_by_the_training_loss(tmp_path: Path) -> None:
    found = own_training(tmp_path, by="train.loss")
    assert "best file is not the best epoch" in names(found)
    assert "was chosen by train.loss" in evidence(found, "best file is not the best epoch")


def test_weights_kept_by_what_is_monitored(tmp_path: Path) -> None:
    found = own_training(tmp_path, by="val.loss")
    assert "best file is not the best epoch" in found.asked
    assert "best file is not the best epoch" not in names(found)


def test_a_rule_costs_at_most_ten_milliseconds_at_4096_points() -> None:
    rng = np.random.default_rng(0)
    n = 4096
    steps = np.arange(1, n + 1)
    known = [
        "train.loss",
        "val.loss",
        "val.acc",
        "val.uar",
        "train.step_loss",
        "train.lr",
        "epoch",
        "train.data_share",
    ]
    made = {name: Series(steps, np.zeros(n), np.abs(np.sin(steps / 90)) + rng.random(n)) for name in known}
    case = Case(
        made, baseline={"val.loss": 1.0, "val.acc": 0.5, "val.uar": 0.5}, samples={"train": 900, "val": 90}
    )
    diagnose(case)
    for one in RULES:
        costs = []
        for _ in range(7):
            begun = time.thread_time()
            if one.applies(case):
                one.look(case)
            costs.append(time.thread_time() - begun)
        assert min(costs) < 0.01, one.name


def _judged(evaluations: int, **more: Any) -> Case:
    steps = np.arange(evaluations, dtype=np.int64)
    values = np.random.default_rng(0).normal(size=evaluations)
    return Case({"val.acc": Series(steps, steps.astype(float), values)}, monitor="val.acc", **more)


@pytest.mark.parametrize("evaluations", [20, 11_000])
def test_the_best_file_is_the_best_epochs_however_many_epochs_there_are(evaluations: int) -> None:
    values = _judged(evaluations).series["val.acc"].values
    best, other = int(values.argmax()), int(values.argmin())

    def said(step: int) -> list[str]:
        kept = {"metric": "val.acc", "value": float(values[step]), "step": step}
        return names(diagnose(_judged(evaluations, best=kept)))

    assert "best file is not the best epoch" not in said(best)
    assert "best file is not the best epoch" in said(other)


def test_the_best_file_of_an_attempt_before_says_nothing_of_the_one_that_goes_on(tmp_path: Path) -> None:
    with labtui.init(recipe="again", lab=tmp_path, monitor="val.acc", goals={"val.acc": "max"}) as run:
        for step in range(10):
            run.log({"val.acc": step / 10}, step)
    found = Lab(LabPaths(tmp_path)).run(run.id)
    assert case(found).best["step"] == 9
    found.row.fields["attempt"] += 1
    assert case(found).best == {}


def test_a_program_of_which_no_layers_are_known_may_drop_units_in_training() -> None:
    steps = np.arange(1, 31, dtype=np.int64)
    series = {
        f"{split}.loss": Series(steps, steps.astype(float), np.linspace(level, level / 2, 30))
        for split, level in (("train", 1.0), ("val", 0.4))
    }
    known = {"samples": {"train": 1000, "val": 1000}}
    rule = "validation easier than training"
    assert rule in names(diagnose(Case(series, layers=["Linear"], **known)))
    assert rule in diagnose(Case(series, **known)).unasked


@pytest.mark.parametrize(("least", "most", "fires"), [(0.02, 0.97, True), (0.05, 0.4, False)])
def test_logits_that_happen_to_lie_between_0_and_1_are_no_sigmoid(
    least: float, most: float, fires: bool
) -> None:
    outputs = {"val": {"samples": 100, "least": [least], "most": [most], "std": [0.1]}}
    found = diagnose(Case({}, options={"loss.name": "bce_with_logits"}, layers=["Linear"], outputs=outputs))
    assert ("output and loss do not fit" in names(found)) == fires
