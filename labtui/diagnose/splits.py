"""Rules that compare a split with another."""

from __future__ import annotations

import math

import numpy as np

from labtui.diagnose.case import Case, Curve, figure
from labtui.diagnose.rules import Finding, rule

FEW = 8
"""Evaluations that a pattern has to last."""
HARDER = ("dropout", "augment")
"""Words in keys of options that make training harder than validation."""


def _held_back(case: Case) -> bool:
    """Whether training sees harder samples, or a weaker model, than validation does."""
    if any("Dropout" in layer for layer in case.layers) or case.options.get("train.sampler") == "balanced":
        return True
    harder = [key for key, value in case.options.items() if value and any(word in key for word in HARDER)]
    return bool(harder or case.options.get("data.shift") or case.options.get("loss.name") == "masked_mse")


def _losses(case: Case) -> tuple[Curve, Curve] | None:
    """Loss of training and validation, as means over samples, at the same epochs: the training loss of the epoch
    after, whose steps begin with the weights that are validated; None: too few."""
    train, val = case.curve("train.loss").trained(), case.curve("val.loss").trained()
    if len(train) < FEW + 1 or len(val) < FEW + 1:
        return None
    after = np.searchsorted(train.steps, val.steps, "right")
    there = after < len(train)
    values = train.values[after[there]]
    losses = val.values[there]
    if case.sums:
        values, losses = (
            values / max(case.samples.get("train", 1), 1),
            losses / max(case.samples.get("val", 1), 1),
        )
    return Curve(val.steps[there], values), Curve(val.steps[there], losses)


@rule(
    "validation easier than training",
    # Of a program of the user's own nobody knows whether it drops units, or augments.
    lambda case: bool(case.layers) and not _held_back(case) and _losses(case) is not None,
)
def easier(case: Case) -> Finding | None:
    """The validation loss is below the training loss, for long and by much, and nothing makes training harder."""
    found = _losses(case)
    if found is None:
        return None
    train, val = (
        found[0].values[-max(FEW, len(found[0]) // 2) :],
        found[1].values[-max(FEW, len(found[1]) // 2) :],
    )
    counts = [max(case.samples.get(split, 0), 1) for split in ("train", "val")]
    if min(counts) < 2 or not (train > 0).all():
        return None
    chance = 3 * math.sqrt(sum(1 / count for count in counts))
    if not (val < train * (1 - max(0.15, min(chance, 0.9)))).all():
        return None
    since = int(found[0].steps[-len(train)])
    return Finding(
        "validation is easier than training",
        (
            f"val.loss is below train.loss in all {len(train)} evaluations since {case.place(since)}: at the end "
            f"{figure(float(val[-1]))} and {figure(float(train[-1]))}",
            "the recipe names neither dropout nor augmentation, which would make training harder",
        ),
        "look whether samples of the validation split, or near copies of them, are in the training split "
        '(validate.scheme = "group"), whether the splits are of one kind, and whether the model does the same in both',
    )
