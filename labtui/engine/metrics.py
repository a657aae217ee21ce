"""Scores from counts that stay on the device; they agree with scikit-learn.

Each of the three kinds of targets has a module of counts (buffers, so that a checkpoint holds them)
that takes batches of outputs and targets (`update`), names what it measures (`names`) and computes
it (`scores`, `report`: the calls that synchronise). `add` takes over what was counted elsewhere, so
that counts of parts make the counts of the whole. Which way a score is better is declared in
`labtui.files.goals`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn


class _Sums(nn.Module):
    """Counts that are sums over samples."""

    def add(self, others: Iterable[Mapping[str, Tensor]]) -> None:
        """Add the counts of other samples, each a `state_dict`."""
        for other in others:
            for name, buffer in self.named_buffers():
                buffer += other[name].to(buffer.device)


class Confusion(_Sums):
    """One class a sample: a (K, K) confusion matrix, truth in rows, prediction in columns.

    `acc`: share of samples that are right. `uar`: mean recall over the classes that occur in the
    truth (scikit-learn's balanced_accuracy_score). `f1`, `f1_weighted`: F1 over the classes that
    occur in truth or prediction, plain mean or weighted by their samples (scikit-learn's f1_score
    with its own labels; 0 for a class that is never right).
    """

    names = ("acc", "uar", "f1", "f1_weighted")
    matrix: Tensor

    def __init__(self, outputs: int, threshold: float = 0.0) -> None:
        super().__init__()
        self.register_buffer("matrix", torch.zeros(outputs, outputs, dtype=torch.int64))

    def update(self, output: Tensor, target: Tensor) -> None:
        """(n, K) scores of the classes and (n,) class numbers."""
        k = len(self.matrix)
        cell = target * k + output.argmax(1)
        self.matrix += torch.bincount(cell, minlength=k * k).view(k, k)

    def scores(self) -> dict[str, float]:
        """Name to value."""
        right, truth, said = self._counts()
        there = truth + said > 0
        f1, weight = (2 * right / (truth + said))[there], truth[there]
        return {
            "acc": float(right.sum() / truth.sum()),
            "uar": float((right / truth)[truth > 0].mean()),
            "f1": float(f1.mean()),
            "f1_weighted": float((f1 * weight).sum() / weight.sum()),
        }

    def report(self, classes: list[str]) -> dict[str, Any]:
        """The `matrix`, and `per_class` samples, recall, precision and F1 (NaN where undefined)."""
        return {"matrix": self.matrix.tolist(), "per_class": _rates(classes, *self._counts())}

    def _counts(self) -> tuple[Tensor, Tensor, Tensor]:
        matrix = self.matrix.cpu().double()
        return matrix.diagonal(), matrix.sum(1), matrix.sum(0)


class Labels(_Sums):
    """Several labels a sample: how often each is on, said to be on, and both; how many are wrong at once.

    `hamming_loss`: share of all labels that are wrong. `subset_acc`: share of samples of which every
    label is right (exact match). `distance`: mean Euclidean distance between the labels of a sample
    and those it is said to have, the root of how many are wrong. `f1`, `f1_micro`: F1, mean over
    labels or of all labels' counts together (0 for a label that neither occurs nor is predicted, as in
    scikit-learn with zero_division=0).
    """

    names = ("hamming_loss", "subset_acc", "distance", "f1", "f1_micro")
    counts: Tensor
    wrong: Tensor

    def __init__(self, outputs: int, threshold: float = 0.0) -> None:
        super().__init__()
        self.threshold = threshold
        self.register_buffer("counts", torch.zeros(3, outputs, dtype=torch.int64))
        self.register_buffer("wrong", torch.zeros(outputs + 1, dtype=torch.int64))

    def update(self, output: Tensor, target: Tensor) -> None:
        """(n, K) outputs and (n, K) targets of 0 and 1."""
        said, on = output > self.threshold, target > 0.5
        self.counts += torch.stack([(said & on).sum(0), on.sum(0), said.sum(0)])
        self.wrong += torch.bincount((said != on).sum(1), minlength=len(self.wrong))

    def scores(self) -> dict[str, float]:
        """Name to value."""
        right, truth, said = self.counts.cpu().double()
        wrong = self.wrong.cpu().double()
        samples, labels = wrong / wrong.sum(), torch.arange(len(wrong)).double()
        return {
            "hamming_loss": float((samples * labels).sum()) / len(right),
            "subset_acc": float(samples[0]),
            "distance": float((samples * labels.sqrt()).sum()),
            "f1": float((2 * right / (truth + said).clamp(min=1)).mean()),
            "f1_micro": float(2 * right.sum() / (truth + said).sum().clamp(min=1)),
        }

    def report(self, classes: list[str]) -> dict[str, Any]:
        """`per_class`: samples, recall, precision and F1 of each label (NaN where undefined)."""
        return {"per_class": _rates(classes, *self.counts.cpu().double())}


class Errors(nn.Module):
    """Real targets: sums of errors of each target, in double precision.

    `mse`, `mae`, `rmse`: over all samples and targets together. `r2`: mean over targets of the
    explained share (scikit-learn's r2_score: 1 or 0 for a target that does not vary). `distance`: mean
    Euclidean distance between a sample's outputs and its targets.
    """

    names = ("mse", "mae", "rmse", "r2", "distance")
    sums: Tensor
    distance: Tensor
    origin: Tensor
    samples: Tensor

    def __init__(self, outputs: int, threshold: float = 0.0) -> None:
        super().__init__()
        self.register_buffer("sums", torch.zeros(4, outputs, dtype=torch.float64))
        self.register_buffer("distance", torch.zeros((), dtype=torch.float64))
        self.register_buffer("origin", torch.full((outputs,), torch.nan, dtype=torch.float64))
        self.register_buffer("samples", torch.zeros((), dtype=torch.int64))

    def update(self, output: Tensor, target: Tensor) -> None:
        """(n, …) outputs and targets of the same shape."""
        output, target = output.flatten(1).double(), target.flatten(1).double()
        # Squares summed around the first target, not around 0, keep their digits.
        self.origin = torch.where(self.origin.isnan(), target[0], self.origin)
        error, offset = output - target, target - self.origin
        parts = (error.square(), error.abs(), offset, offset.square())
        self.sums += torch.stack([part.sum(0) for part in parts])
        self.distance += error.norm(dim=1).sum()
        self.samples += len(target)

    def add(self, others: Iterable[Mapping[str, Tensor]]) -> None:
        """Add the errors of other samples, each a `state_dict`."""
        for other in others:
            sums, distance, origin, samples = (
                other[name].to(self.sums.device) for name in ("sums", "distance", "origin", "samples")
            )
            if not samples:
                continue
            self.origin = torch.where(self.origin.isnan(), origin, self.origin)
            square, absolute, offset, offset2 = sums
            move = origin - self.origin
            offset2 = offset2 + 2 * move * offset + samples * move.square()
            self.sums += torch.stack([square, absolute, offset + samples * move, offset2])
            self.distance += distance
            self.samples += samples

    def scores(self) -> dict[str, float]:
        """Name to value."""
        square, absolute, offset, offset2 = (self.sums / self.samples).cpu()
        spread = offset2 - offset.square()
        flat = spread <= 1e-14 * offset2
        r2 = torch.where(flat, (square == 0).double(), 1 - square / spread)
        mse, mae = float(square.mean()), float(absolute.mean())
        distance = float(self.distance / self.samples)
        return {
            "mse": mse,
            "mae": mae,
            "rmse": math.sqrt(mse),
            "r2": float(r2.mean()),
            "distance": distance,
        }

    def report(self, classes: list[str]) -> dict[str, Any]:
        """`per_class`: samples, mse and mae of each target; none where targets have no names."""
        square, absolute = (self.sums[:2] / self.samples).tolist()
        names = zip(classes, square, absolute, strict=False)
        n = int(self.samples)
        return {"per_class": [{"class": c, "samples": n, "mse": s, "mae": a} for c, s, a in names]}


class Elements(_Sums):
    """Elements that are to be restored, all alike; a target that is NaN is none.

    `mse`, `mae`: over all elements. `r2`: share of their variance that is explained (NaN where there is
    none).
    """

    names = ("mse", "mae", "r2")
    sums: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("sums", torch.zeros(5, dtype=torch.float64))

    def update(self, output: Tensor, target: Tensor) -> None:
        """(n, …) outputs and targets of the same shape."""
        there = ~target.isnan()
        error, target = (output - target)[there].double(), target[there].double()
        parts = (torch.ones_like(target), error.square(), error.abs(), target, target.square())
        self.sums += torch.stack([part.sum() for part in parts])

    def scores(self) -> dict[str, float]:
        """Name to value."""
        number, square, absolute, value, value2 = self.sums.tolist()
        spread = value2 - value * value / number if number else 0.0
        r2 = 1 - square / spread if spread > 0 else math.nan
        return {"mse": square / number, "mae": absolute / number, "r2": r2} if number else {}

    def report(self, classes: list[str]) -> dict[str, Any]:
        """Nothing: elements have no names."""
        return {}


class Nothing(_Sums):
    """Outputs that no target says anything of."""

    names: tuple[str, ...] = ()
    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def update(self, output: Tensor, target: Tensor) -> None:
        """(n, …) outputs and targets."""
        self.seen += len(target)

    def scores(self) -> dict[str, float]:
        """None."""
        return {}

    def report(self, classes: list[str]) -> dict[str, Any]:
        """Nothing."""
        return {}


def _rates(classes: list[str], right: Tensor, truth: Tensor, said: Tensor) -> list[dict[str, Any]]:
    columns = (truth.int(), right / truth, right / said, 2 * right / (truth + said))
    names = ("samples", "recall", "precision", "f1")
    rows = zip(classes, *(column.tolist() for column in columns), strict=True)
    return [dict(zip(("class", *names), row, strict=True)) for row in rows]


Counts = Confusion | Labels | Errors | Elements | Nothing

COUNTS: dict[str, type[Confusion] | type[Labels] | type[Errors]] = {
    "classes": Confusion,
    "multilabel": Labels,
    "regression": Errors,
}
"""Task to its counts."""
