"""Which samples are trained on, validated on and tested on.

A function of the data and the recipe's `[validate]` table alone: the same seed gives the same
split, whatever `train.seed` says. Samples with one group number are never torn apart. With
`task = "classes"` splits are stratified by class; multilabel and regression targets are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from labtui.data import Dataset
from labtui.errors import DataError
from labtui.recipe.core import Validate

Indices = NDArray[np.int64]


def split(dataset: Dataset, validate: Validate) -> dict[str, Tensor]:
    """Indices of the samples of "train", "val" and "test": int64, ascending, disjoint.

    `test` may be empty. Shares are exact to a sample without groups; with groups they are the
    nearest fraction of at most ten parts that whole groups allow. Without `validate.fold`, fold 0.

    Raises:
        DataError: the data cannot be split so; the message names the class and the fold.
    """
    cut = _Cut(dataset, validate.seed)
    everything = np.arange(len(dataset), dtype=np.int64)
    if validate.scheme == "file":
        parts = _official(dataset, cut, validate.val)
    else:
        rest, test = cut.hold_out(everything, round(validate.test * len(everything)))
        if validate.scheme == "holdout":
            train, val = cut.hold_out(rest, round(validate.val * len(everything)))
        else:
            by_group = validate.scheme == "group"
            folds, k = cut.folds(rest, validate.folds, by_group), validate.fold or 0
            train, val = folds[k]
            if validate.test_fold:
                test = folds[(k + 1) % len(folds) if len(folds) % 2 else k ^ 1][1]
                train = np.setdiff1d(train, test)
        parts = {"train": train, "val": val, "test": test}
    _check(parts, dataset, validate)
    return {name: torch.from_numpy(np.sort(part)) for name, part in parts.items()}


def by_part(parts: Sequence[str]) -> dict[str, Tensor]:
    """The split that comes with data, for `Dataset.split`.

    Args:
        parts: of each sample "train", "val" or "test"; with any other word it is in none of them.
    """
    words = np.array(parts, dtype=str)
    return {name: torch.from_numpy(np.flatnonzero(words == name)) for name in ("train", "val", "test")}


class _Cut:
    """Two ways to take samples apart: in k folds, or a share from the rest."""

    def __init__(self, dataset: Dataset, seed: int) -> None:
        self.names = dataset.classes
        self.labels = dataset.y.numpy() if dataset.task == "classes" else None
        self.groups = None if dataset.groups is None else dataset.groups.numpy()
        self.seed = seed

    def folds(self, of: Indices, k: int, by_group: bool = False) -> list[tuple[Indices, Indices]]:
        """`of` cut into k folds, as k pairs (the rest, the fold).

        With `by_group` the folds have about as many samples each, and classes are not balanced; where each
        is one group, they are in the groups' order.
        """
        from sklearn import model_selection as sk

        if by_group and self.groups is None:
            raise DataError(
                'validate.scheme = "group" needs data with groups, and this data set has none: '
                'use "kfold" or "holdout"'
            )
        labels = None if self.labels is None else self.labels[of]
        groups = None if self.groups is None else self.groups[of]
        self._enough(labels, groups, k)
        options: dict[str, Any] = {"n_splits": k, "shuffle": True, "random_state": self.seed}
        if groups is None:
            cutter = sk.KFold(**options) if labels is None else sk.StratifiedKFold(**options)
        elif by_group and len(np.unique(groups)) == k:
            cutter = sk.LeaveOneGroupOut()
        elif labels is None or by_group:
            cutter = sk.GroupKFold(**options)
        else:
            cutter = sk.StratifiedGroupKFold(**options)
        return [(of[rest], of[fold]) for rest, fold in cutter.split(of, labels, groups)]

    def hold_out(self, of: Indices, count: int) -> tuple[Indices, Indices]:
        """`of` cut in two: the rest, and `count` samples (with groups: about that many)."""
        from sklearn.model_selection import train_test_split

        if count == 0:
            return of, of[:0]
        labels = None if self.labels is None else self.labels[of]
        if self.groups is not None:
            share = self._nearest(count / len(of), labels, self.groups[of])
            folds = self.folds(of, share.denominator)
            held = np.concatenate([fold for _, fold in folds[: share.numerator]])
            return np.setdiff1d(of, held), held
        for label in () if labels is None else np.unique(labels):
            if (labels == label).sum() == 1:
                raise DataError(
                    f"class {self.names[label]!r} has 1 sample, which cannot be on both sides of a split: add "
                    "samples of it, or leave the class out"
                )
        try:
            rest, held = train_test_split(of, test_size=count, stratify=labels, random_state=self.seed)
        except ValueError as error:
            raise DataError(
                f"cannot hold out {count} of {len(of)} samples: {error} Change validate.val or validate.test."
            ) from error
        return rest, held

    def _nearest(self, share: float, labels: Indices | None, groups: Indices) -> Fraction:
        """The fraction next to `share` in whose parts each class can have a group of its own."""
        kinds = [groups] if labels is None else [groups[labels == c] for c in np.unique(labels)]
        fewest = min(len(np.unique(kind)) for kind in kinds)
        parts = range(2, max(2, min(10, fewest)) + 1)
        choices = (Fraction(p, q) for q in parts for p in range(1, q))
        return min(choices, key=lambda fraction: abs(fraction - share))

    def _enough(self, labels: Indices | None, groups: Indices | None, k: int) -> None:
        """Raise DataError unless each of k folds can have a group and a sample of each class."""
        if groups is not None and (n := len(np.unique(groups))) < k:
            raise DataError(f"{k} parts need {k} groups, but the data has {n}: set fewer folds")
        for label in () if labels is None else np.unique(labels):
            if (n := int((labels == label).sum())) < k:
                raise DataError(
                    f"class {self.names[label]!r} has {n} samples, fewer than {k} folds: "
                    "set validate.folds lower or leave the class out"
                )


def _official(dataset: Dataset, cut: _Cut, val: float) -> dict[str, Indices]:
    """The split that comes with the data; `val` is taken from its training part if it has none."""
    if dataset.split is None:
        raise DataError(
            'validate.scheme = "file" needs data that comes with a split, and this data set has '
            'none: use "holdout" or "kfold"'
        )
    none = torch.empty(0, dtype=torch.int64)
    parts = {name: dataset.split.get(name, none).numpy() for name in ("train", "val", "test")}
    if not len(parts["val"]):
        train = parts["train"]
        parts["train"], parts["val"] = cut.hold_out(train, round(val * len(train)))
    return parts


def _check(parts: dict[str, Indices], dataset: Dataset, validate: Validate) -> None:
    """Raise DataError for a training or validation split that is empty or lacks a class."""
    fold = f" of fold {validate.fold or 0}" if validate.scheme in ("kfold", "group") else ""
    for name in ("train", "val"):
        if not len(parts[name]):
            raise DataError(f"the {name} split{fold} is empty: change [validate] or use more data")
        if dataset.task != "classes":
            continue
        labels = dataset.y.numpy()
        lacking = np.setdiff1d(labels, labels[parts[name]])
        if len(lacking):
            classes = ", ".join(repr(dataset.classes[label]) for label in lacking)
            raise DataError(
                f"the {name} split{fold} lacks {classes}: no score over all classes is possible. "
                "Use fewer folds, another validate.seed, or groups that hold more than one class"
            )
