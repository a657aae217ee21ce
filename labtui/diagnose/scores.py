"""Rules that look at what a model says, and what that is worth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtui.diagnose.case import Case, by_chance, figure
from labtui.diagnose.rules import Finding, rule

FEW = 5
"""Evaluations, or samples of a class, from which on they say something."""
EARLY = 0.15
"""Part of a training before which it may still find its way."""
MANY = 30
"""Samples of which a share is known well enough to be told from chance."""


def _compared(case: Case) -> list[str]:
    """Metrics that there are of the best constant answer too; but F1, of which any answers by chance have more
    than one that is always the same."""
    return [
        name
        for name in case.baseline
        if name.startswith("val.") and "f1" not in name and case.goal(name) and case.evaluations(name) >= FEW
    ]


@rule("no better than a constant", lambda case: case.progress >= EARLY and bool(_compared(case)))
def no_better(case: Case) -> Finding | None:
    """At its best, the model is no better than the best answer that is the same for every sample."""
    evidence = []
    for name in _compared(case):
        values, constant = case.curve(name).values, float(case.baseline[name])
        if not len(values):
            return None
        best = float(values.max() if case.goal(name) == "max" else values.min())
        margin = 0.01 * abs(constant)
        if not name.endswith("loss") and 0 <= constant <= 1 and (n := case.samples.get("val", 0)):
            margin = by_chance(constant, n)
        if (best - constant if case.goal(name) == "max" else constant - best) > margin:
            return None
        evidence.append(f"{name} at best {figure(best)}, the best constant answer has {figure(constant)}")
    return Finding(
        "the model is no better than a constant answer",
        tuple(evidence),
        "look whether samples and labels belong together and inputs are normalised; try other values of optimizer.lr, "
        "and whether the model can learn a few dozen samples by heart",
    )


def _chance(case: Case) -> tuple[str, float] | None:
    """The score of which chance is known, and chance: recall averaged over classes, else accuracy."""
    for name in ("val.uar", "val.acc"):
        share = case.constant(name)
        if share is not None and 0 < share < 1 and case.evaluations(name) >= FEW:
            return name, share
    return None


@rule(
    "stuck at chance",
    lambda case: case.progress >= EARLY and _chance(case) is not None and case.samples.get("val", 0) >= MANY,
)
def stuck(case: Case) -> Finding | None:
    """From some epoch to the end, the score is no better than guessing."""
    known = _chance(case)
    if known is None:
        return None
    name, share = known
    curve = case.curve(name).trained()
    margin = case.margin(name)
    above = np.flatnonzero(curve.values > share + margin)
    since = int(above[-1]) + 1 if len(above) else 0
    tail = curve.values[since:]
    if len(tail) < max(FEW, len(curve) // 3) or float(np.median(tail)) > share + margin / 2:
        return None
    classes = round(1 / share)
    guess = f"1/{classes}" if abs(share * classes - 1) < 1e-6 else figure(share)
    evidence = [
        f"{name} is between {figure(float(tail.min()))} and {figure(float(tail.max()))} in all {len(tail)} "
        f"evaluations since {case.place(int(curve.steps[since]))}; a constant answer has {guess}"
    ]
    own_name = name.replace("val.", "train.", 1)
    own = case.curve(own_name).trained()
    learns = len(own) > 0 and float(own.values[-1]) > share + 0.5 * (1 - share)
    if len(own):
        evidence.append(f"{own_name} is {figure(float(own.values[-1]))} at the end")
    return Finding(
        f"stuck at chance ({guess}) from {case.place(int(curve.steps[since]))}",
        tuple(evidence),
        "nothing that is learnt holds for validation: look whether samples and labels belong together"
        if learns
        else "another optimizer.lr (a tenth), train.clip_norm = 1.0, inputs normalised by the training split's mean and "
        "deviation, another start (train.seed)",
    )


@rule(
    "best is the untrained model",
    lambda case: case.progress >= EARLY and case.evaluations(case.monitor) >= FEW,
)
def untrained(case: Case) -> Finding | None:
    """Training never helped what is monitored."""
    curve, goal = case.curve(case.monitor), case.goal(case.monitor)
    if goal is None or len(curve) < FEW or curve.steps[0] != 0:
        return None
    place = int(curve.values.argmax() if goal == "max" else curve.values.argmin())
    if place:
        return None
    trained = curve.trained().values
    best = float(trained.max() if goal == "max" else trained.min())
    return Finding(
        "no epoch is better than the model before the training",
        (
            f"{case.monitor} {figure(float(curve.values[0]))} before the training, at best {figure(best)} in "
            f"{len(trained)} evaluations after it began",
        ),
        "look whether training and validation data are of one kind and labels belong to their samples; a lower "
        "optimizer.lr",
    )


def _counted(case: Case) -> tuple[NDArray[Any], list[str], str] | None:
    """The confusion matrix (truth, prediction), its classes, and of which split it is."""
    found = case.confusion
    split = next((name for name in ("test", "val") if isinstance(found.get(name), dict)), "")
    part = found[split] if split else found
    try:
        matrix = np.asarray(part["matrix"], np.int64)
        names = [str(name) for name in found.get("classes", range(len(matrix)))]
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1] == len(names)
    return (matrix, names, split) if square and (matrix.sum(1) >= FEW).sum() >= 2 else None


@rule("constant predictions", lambda case: case.begun and _counted(case) is not None)
def constant(case: Case) -> Finding | None:
    """Every sample gets the same class."""
    counted = _counted(case)
    if counted is None:
        return None
    matrix, names, split = counted
    said = matrix.sum(0)
    if (said > 0).sum() != 1:
        return None
    return Finding(
        f"every sample is said to be {names[int(said.argmax())]!r}",
        (f"{int(said.sum())} samples{_of(split)}, of {int((matrix.sum(1) > 0).sum())} classes",),
        "look at the inputs' range and at optimizer.lr; where one class is most of the data, loss.weight = "
        '"balanced" or train.sampler = "balanced"',
    )


@rule("class never predicted", lambda case: case.begun and _counted(case) is not None)
def never_said(case: Case) -> Finding | None:
    """A class has samples, and none of all samples gets it."""
    counted = _counted(case)
    if counted is None:
        return None
    matrix, names, split = counted
    there, said = matrix.sum(1), matrix.sum(0)
    never = [int(at) for at in np.flatnonzero((said == 0) & (there >= FEW))]
    if not never or (said > 0).sum() == 1:
        return None
    listed = [
        f"{names[at]!r}: {int(there[at])} samples{_of(split)}, {_taken(matrix[at], names)}" for at in never
    ]
    more = [f"and {len(listed) - 5} more"] if len(listed) > 5 else []
    what = f"class {names[never[0]]!r} is" if len(never) == 1 else f"{len(never)} classes are"
    return Finding(
        f"{what} never predicted",
        (*listed[:5], *more),
        'loss.weight = "balanced" or train.sampler = "balanced", if the class is rare; else look at its samples and '
        "labels",
    )


def _taken(row: NDArray[Any], names: list[str]) -> str:
    most = int(row.argmax())
    return f"{int(row[most])} of them taken for {names[most]!r}"


def _of(split: str) -> str:
    return {"test": " of the test split", "val": " of the validation split"}.get(split, "")
