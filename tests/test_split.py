"""Splits: disjoint, complete, groups whole, the same for the same seed; errors that say why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labtui.data import Dataset
from labtui.data.split import split
from labtui.errors import DataError
from labtui.recipe.core import Validate


def data(
    labels: list[int] | np.ndarray, groups: list[int] | np.ndarray | None = None, **more: Any
) -> Dataset:
    y = torch.as_tensor(np.asarray(labels), dtype=torch.int64)
    return Dataset(
        x=torch.zeros(len(y), 1),
        y=y,
        task="classes",
        classes=[f"class {i}" for i in range(int(y.max()) + 1)],
        groups=None if groups is None else torch.as_tensor(np.asarray(groups), dtype=torch.int64),
        **more,
    )


def balanced(classes: int, each: int) -> np.ndarray:
    return np.repeat(np.arange(classes), each)


@given(
    classes=st.integers(1, 4),
    groups_each=st.integers(6, 12),
    samples=st.integers(2, 4),
    grouped=st.booleans(),
    scheme=st.sampled_from(["holdout", "kfold"]),
    test=st.sampled_from([0.0, 0.15]),
    fold=st.integers(0, 2),
    seed=st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_disjoint_complete_whole_and_the_same_again(
    classes: int,
    groups_each: int,
    samples: int,
    grouped: bool,
    scheme: Any,
    test: float,
    fold: int,
    seed: int,
) -> None:
    labels = balanced(classes, groups_each * samples)
    groups = np.arange(classes * groups_each).repeat(samples) if grouped else None
    order = np.random.default_rng(seed).permutation(len(labels))
    dataset = data(labels[order], None if groups is None else groups[order])
    validate = Validate(scheme=scheme, val=0.2, test=test, folds=3, fold=fold, seed=seed)
    parts = split(dataset, validate)

    assert list(parts) == ["train", "val", "test"]
    assert sorted(torch.cat(list(parts.values())).tolist()) == list(range(len(labels)))
    assert all(part.dtype == torch.int64 for part in parts.values())
    assert bool(len(parts["test"])) == bool(test)
    if dataset.groups is not None:
        owners = [set(dataset.groups[part].tolist()) for part in parts.values()]
        assert sum(map(len, owners)) == len(set.union(*owners))
    again = split(dataset, validate)
    assert all(torch.equal(parts[name], again[name]) for name in parts)


@pytest.mark.parametrize("folds", [4, 5])
def test_each_group_is_tested_once_while_another_is_validated(folds: int) -> None:
    speakers = np.tile(np.arange(folds)[::-1], 6)
    dataset = data(balanced(3, 2 * folds), speakers)
    order = []
    for fold in range(folds):
        parts = split(dataset, Validate(scheme="group", folds=folds, fold=fold, test_fold=True))
        assert sorted(torch.cat(list(parts.values())).tolist()) == list(range(len(speakers)))
        (val,), (test,) = (set(speakers[parts[name].numpy()]) for name in ("val", "test"))
        assert val == fold
        order.append(int(test))
    assert order == ([1, 0, 3, 2] if folds == 4 else [1, 2, 3, 4, 0])


def test_a_test_fold_needs_folds() -> None:
    with pytest.raises(ValueError, match="test_fold needs"):
        Validate(scheme="holdout", test_fold=True)
    with pytest.raises(ValueError, match="test_fold needs"):
        Validate(scheme="group", test_fold=True, test=0.1)


def test_folds_cover_everything_once() -> None:
    dataset = data(balanced(3, 20))
    folds = [split(dataset, Validate(scheme="kfold", folds=5, fold=k))["val"] for k in range(5)]
    assert sorted(torch.cat(folds).tolist()) == list(range(60))
    assert [torch.bincount(dataset.y[fold]).tolist() for fold in folds] == [[4, 4, 4]] * 5


def test_test_set_is_the_same_for_every_fold() -> None:
    dataset = data(balanced(3, 20))
    plans = [Validate(scheme="kfold", folds=4, test=0.2, fold=k) for k in range(4)]
    tests = [split(dataset, plan)["test"] for plan in plans]
    assert all(torch.equal(tests[0], other) for other in tests)


def test_shares_are_of_all_samples_and_stratified() -> None:
    dataset = data(balanced(4, 100))
    parts = split(dataset, Validate(val=0.15, test=0.15))
    counts = {name: torch.bincount(dataset.y[part]).tolist() for name, part in parts.items()}
    assert counts == {"train": [70] * 4, "val": [15] * 4, "test": [15] * 4}


def test_seed_moves_the_split() -> None:
    dataset = data(balanced(2, 50))
    one, two = (split(dataset, Validate(seed=seed))["val"] for seed in (1, 2))
    assert not torch.equal(one, two)


def test_group_scheme_leaves_whole_speakers_out() -> None:
    speakers = np.tile(np.arange(5), 20)
    dataset = data(balanced(2, 50), speakers)
    assert dataset.groups is not None
    held = [
        dataset.groups[split(dataset, Validate(scheme="group", folds=5, fold=k))["val"]].unique()
        for k in range(5)
    ]
    assert sorted(torch.cat(held).tolist()) == [0, 1, 2, 3, 4]


def test_official_split() -> None:
    given = {"train": torch.arange(0, 60), "test": torch.arange(60, 80)}
    dataset = data(np.arange(80) % 4, split=given)
    parts = split(dataset, Validate(scheme="file", val=0.2))
    assert torch.equal(parts["test"], given["test"])
    assert (len(parts["train"]), len(parts["val"])) == (48, 12)
    dataset.split = {"train": given["train"], "val": given["test"]}
    assert torch.equal(split(dataset, Validate(scheme="file"))["val"], given["test"])


def test_multilabel_and_regression_are_split_without_classes() -> None:
    for task in ("multilabel", "regression"):
        dataset = Dataset(torch.zeros(40, 2), torch.rand(40, 3).round(), task, ["a", "b", "c"])
        assert len(split(dataset, Validate(val=0.25))["val"]) == 10
        assert len(split(dataset, Validate(scheme="kfold", folds=4))["val"]) == 10


@pytest.mark.parametrize(
    ("dataset", "validate", "message"),
    [
        (data(balanced(2, 9)), {"scheme": "group"}, "needs data with groups"),
        (data(balanced(2, 9)), {"scheme": "file"}, "comes with a split"),
        (data([0] * 9 + [1] * 3), {"scheme": "kfold"}, "'class 1' has 3 samples, fewer than 5"),
        (
            data(balanced(2, 9), [0] * 9 + [1] * 9),
            {"scheme": "group"},
            "5 groups, but the data has 2",
        ),
        (
            data(balanced(2, 9), [0] * 9 + [1] * 9),
            {"scheme": "group", "folds": 2, "fold": 1},
            "the train split of fold 1 lacks 'class",
        ),
        (data(balanced(2, 9)), {"val": 0.0}, "the val split is empty"),
        (data([0] * 9 + [1]), {}, "class 'class 1' has 1 sample, which cannot be on both sides"),
        (data(np.repeat(np.arange(5), 2)), {}, "cannot hold out 2 of 10 samples"),
    ],
)
def test_errors_say_what_is_missing(dataset: Dataset, validate: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        split(dataset, Validate(**validate))
