"""Scores agree with scikit-learn, whatever is absent; tallies survive being saved."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from labtui.engine.metrics import COUNTS, Confusion, Errors, Labels
from labtui.engine.tally import NotFinite, Tally
from labtui.files.goals import goal_of

classes = st.integers(1, 6).flatmap(
    lambda k: st.tuples(
        st.just(k), st.lists(st.tuples(st.integers(0, k - 1), st.integers(0, k - 1)), min_size=1)
    )
)


@settings(max_examples=200, deadline=None)
@given(classes, st.integers(1, 7))
def test_one_class_a_sample(pairs: tuple[int, list[tuple[int, int]]], batch: int) -> None:
    k, rows = pairs
    truth, said = map(torch.tensor, zip(*rows, strict=True))
    counts = Confusion(k)
    for at in torch.arange(len(rows)).split(batch):
        counts.update(torch.nn.functional.one_hot(said[at], k).float(), truth[at])
    with warnings.catch_warnings():
        # It tells of classes that the truth lacks, and of truth with a single class.
        warnings.simplefilter("ignore", UserWarning)
        expected = {
            "acc": sk.accuracy_score(truth, said),
            "uar": sk.balanced_accuracy_score(truth, said),
            "f1": sk.f1_score(truth, said, average="macro", zero_division=0),
            "f1_weighted": sk.f1_score(truth, said, average="weighted", zero_division=0),
        }
        matrix = sk.confusion_matrix(truth, said, labels=range(k)).tolist()
    assert counts.scores() == pytest.approx(expected, abs=1e-6)
    report = counts.report([str(i) for i in range(k)])
    assert report["matrix"] == matrix
    for name, score in (("recall", sk.recall_score), ("precision", sk.precision_score)):
        theirs = score(truth, said, labels=range(k), average=None, zero_division=np.nan)
        mine = [row[name] for row in report["per_class"]]
        assert mine == pytest.approx(theirs, abs=1e-6, nan_ok=True)


@settings(max_examples=200, deadline=None)
@given(st.data(), st.integers(1, 5), st.integers(1, 20), st.integers(1, 7))
def test_several_labels_a_sample(data: Any, k: int, n: int, batch: int) -> None:
    table = st.lists(st.lists(st.booleans(), min_size=k, max_size=k), min_size=n, max_size=n)
    truth = torch.tensor(data.draw(table)).int()
    said = torch.tensor(data.draw(table)).int()
    counts = Labels(k, threshold=0.5)
    for at in torch.arange(n).split(batch):
        counts.update(said[at].float(), truth[at].float())
    expected = {
        "hamming_loss": float((truth != said).float().mean()),
        "subset_acc": float((truth == said).all(1).float().mean()),
        "distance": float((truth - said).float().norm(dim=1).mean()),
        "f1": float(np.mean([_f1(truth[:, i], said[:, i]) for i in range(k)])),
        "f1_micro": _f1(truth.flatten(), said.flatten()),
    }
    if k > 1:
        expected["hamming_loss"] = sk.hamming_loss(truth, said)
        expected["subset_acc"] = sk.accuracy_score(truth, said)
        expected["f1"] = sk.f1_score(truth, said, average="macro", zero_division=0)
    assert counts.scores() == pytest.approx(expected, abs=1e-6)


def _f1(truth: torch.Tensor, said: torch.Tensor) -> float:
    return float(sk.f1_score(truth, said, zero_division=0))


numbers = st.floats(-1e3, 1e3, width=32)


@settings(max_examples=200, deadline=None)
@given(st.data(), st.integers(1, 3), st.integers(2, 20), st.integers(1, 7))
def test_real_targets(data: Any, k: int, n: int, batch: int) -> None:
    table = st.lists(st.lists(numbers, min_size=k, max_size=k), min_size=n, max_size=n)
    truth, said = torch.tensor(data.draw(table)), torch.tensor(data.draw(table))
    spread = truth.double().var(0, correction=0)
    counts = Errors(k)
    for at in torch.arange(n).split(batch):
        counts.update(said[at], truth[at])
    mine = counts.scores()
    assert mine["mse"] == pytest.approx(sk.mean_squared_error(truth.double(), said.double()))
    assert mine["mae"] == pytest.approx(sk.mean_absolute_error(truth.double(), said.double()))
    assert mine["distance"] == pytest.approx(float((truth.double() - said).norm(dim=1).mean()))
    assert mine["rmse"] == math.sqrt(mine["mse"])
    if ((spread == 0) | (spread > 1e-3)).all():
        expected = sk.r2_score(truth.double(), said.double())
        assert mine["r2"] == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_far_from_zero_keeps_its_digits() -> None:
    truth = 1e6 + torch.arange(100.0)[:, None]
    counts = Errors(1)
    counts.update(truth + 1, truth)
    expected = sk.r2_score(truth.double(), truth.double() + 1)
    assert counts.scores()["r2"] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("task", COUNTS)
def test_every_score_has_a_direction(task: str) -> None:
    assert all(goal_of(f"val.{name}") for name in ("loss", *COUNTS[task].names))


@pytest.mark.parametrize(
    ("metric", "goal"),
    [
        ("val.acc", "max"),
        ("train.step_loss", "min"),
        ("val_loss", "min"),
        ("val/categorical_accuracy", "max"),
        ("test.hamming_loss", "min"),
        ("val.distance", "min"),
        ("epoch", None),
        ("train.lr", None),
        ("train.grad_norm", None),
    ],
)
def test_goals(metric: str, goal: str | None) -> None:
    assert goal_of(metric) == goal


def test_a_goal_of_ones_own() -> None:
    assert goal_of("val.frames", {"frames": "min"}) == "min"
    assert goal_of("val.acc", {"val.acc": "min"}) == "min"


@pytest.mark.parametrize("total", [False, True])
def test_tally_is_the_same_however_often_it_was_saved(total: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    batches = [
        (
            torch.rand((), generator=generator),
            torch.rand(5, 3, generator=generator),
            torch.randint(0, 3, (5,), generator=generator),
        )
        for _ in range(150)
    ]
    whole, parted = Tally(Confusion(3), total), Tally(Confusion(3), total)
    for number, batch in enumerate(batches):
        whole.add(*batch)
        parted.add(*batch)
        if number % 7 == 0:
            state = parted.state_dict()
            parted = Tally(Confusion(3), total)
            parted.load_state_dict(state)
    assert whole.scores() == parted.scores()
    mean = sum(float(loss) for loss, _, _ in batches) / 150
    assert whole.scores()["loss"] == pytest.approx(mean * (750 if total else 1))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("at", [0, 40, 63, 99])
def test_tally_finds_the_step_that_was_not_finite(bad: float, at: int) -> None:
    tally = Tally(Confusion(2), finite=True)
    with pytest.raises(NotFinite) as caught:
        for number in range(100):
            loss = torch.tensor(bad if number == at else 1.0)
            tally.add(loss, torch.zeros(1, 2), torch.zeros(1, dtype=torch.int64))
        tally.scores()
    assert number - caught.value.ago == at
