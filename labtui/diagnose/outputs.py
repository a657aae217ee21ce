"""Rules that look at what a model gives: whether it fits the loss, and whether it varies at all."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtui.diagnose.case import Case, Floats, figure
from labtui.diagnose.rules import Finding, rule

FEW = 20
"""Samples from which on outputs have a shape."""
SHOWN = 8
"""Labels that are named one by one."""
SPLITS = ("val", "test")
LOGITS = ("cross_entropy", "bce_with_logits", "multilabel_soft_margin", "distillation")
"""Losses that apply a softmax or sigmoid themselves."""
OF_LAYERS = {"Softmax": "softmax", "Sigmoid": "sigmoid", "LogSoftmax": "log_softmax", "ReLU": "relu"}
PASSING = ("Dropout", "Identity", "Flatten", "Unflatten")
"""Layers that leave outputs as they are in evaluation."""
WRONG = {
    **dict.fromkeys(("cross_entropy", "distillation"), ("softmax", "sigmoid", "relu")),
    **dict.fromkeys(
        ("bce_with_logits", "multilabel_soft_margin"), ("sigmoid", "softmax", "log_softmax", "relu")
    ),
    "nll": ("none", "softmax", "sigmoid", "relu"),
}
"""Loss to the activations of outputs that do not fit it."""
_ROUNDING = 1e-3
EDGE = 0.2
"""How near to 0 and to 1 a sigmoid's outputs come."""


def _array(found: Any) -> Floats:
    try:
        return np.asarray(found, np.float64).reshape(-1)
    except (TypeError, ValueError, OverflowError):
        return np.zeros(0)


def _shape(part: Any) -> str:
    """The activation that one split's outputs look like; empty: none that is known."""
    if not isinstance(part, dict) or not isinstance(part.get("samples"), int) or part["samples"] < FEW:
        return ""
    least, most, sums = (_array(part.get(key)) for key in ("least", "most", "row_sums"))
    if not least.size or not most.size or not np.isfinite([least.min(), most.max()]).all():
        return ""
    if least.min() < 0 or most.max() > 1 or most.max() <= least.min():
        return ""
    if len(sums) == 2 and len(least) > 1 and bool((np.abs(sums - 1) < _ROUNDING).all()):
        return "softmax"
    # Logits of a model that has learnt little may all lie between 0 and 1, but not from one to the other.
    return "sigmoid" if least.min() < EDGE and most.max() > 1 - EDGE else ""


def _ends_in(case: Case) -> tuple[str, str]:
    """The activation at the model's end, and how that is known."""
    named = case.options.get("model.output_activation")
    if isinstance(named, str) and named in (*OF_LAYERS.values(), "none"):
        return named, f'model.output_activation = "{named}"'
    layer = next((one for one in reversed(case.layers) if one not in PASSING), "")
    if last := OF_LAYERS.get(layer):
        return last, f"the model's last layer is a {layer}"
    for split in SPLITS:
        if shape := _shape(case.outputs.get(split)):
            sums = ", and those of a sample sum to 1" if shape == "softmax" else ""
            samples = case.outputs[split]["samples"]
            return shape, f"all outputs of {samples} samples of {split} are between 0 and 1{sums}"
    return "", ""


def _kind(case: Case) -> str:
    """The loss that minds what the outputs are; empty: none."""
    loss = case.options.get("loss.name")
    return loss if isinstance(loss, str) and loss in WRONG else ""


@rule("output and loss do not fit", lambda case: bool(_kind(case)) and bool(case.layers or case.outputs))
def misfit(case: Case) -> Finding | None:
    """The model ends in an activation that the loss applies, too, or lacks one that it needs."""
    loss, (activation, evidence) = _kind(case), _ends_in(case)
    if activation not in WRONG[loss]:
        return None
    if loss == "nll":
        what = f'loss "nll" needs log-probabilities, and the model gives {_given(activation)}'
        return Finding(
            what, (evidence,), 'loss.name = "cross_entropy" with the model\'s logits (no activation)'
        )
    twice = {"softmax": "softmax", "sigmoid": "sigmoid"}.get(activation)
    own = "softmax" if loss in ("cross_entropy", "distillation") else "sigmoid"
    text = f'the model ends in a {activation}, and loss "{loss}" applies a {own} itself'
    if twice == own:
        text += f": a double {own}"
    known = [evidence, *_floor(case, loss, activation)]
    advice = (
        'model.output_activation = "none"' if "model.output_activation" in case.options else "give logits"
    )
    if own == "sigmoid" and twice:
        advice += ", and loss.threshold = 0"
    return Finding(text, tuple(known), f"{advice}: the loss wants outputs without an activation")


def _given(activation: str) -> str:
    return {"none": "what no log-softmax has made", "relu": "what a relu leaves"}.get(
        activation, f"a {activation}'s"
    )


def _floor(case: Case, loss: str, activation: str) -> list[str]:
    """What the loss cannot fall below, where that is known, and how low it was."""
    found = []
    classes = next(
        (len(_array(one.get("least"))) for one in case.outputs.values() if isinstance(one, dict)), 0
    )
    if not classes and isinstance(names := case.confusion.get("classes"), list):
        classes = len(names)
    if loss == "cross_entropy" and activation == "softmax" and classes > 1:
        floor = math.log(math.e + classes - 1) - 1
        found.append(
            f"with {classes} classes the loss cannot fall below {floor:.3f} (chance: {math.log(classes):.3f})"
        )
    if len(train := case.curve("train.loss")):
        found.append(f"train.loss is {figure(float(train.values.min()))} at the least")
    return found


def _still(case: Case) -> tuple[str, dict[str, Any]] | None:
    """The split whose outputs are known, and their figures; None where outputs are scores of classes."""
    for split in SPLITS:
        part = case.outputs.get(split)
        if (
            isinstance(part, dict)
            and isinstance(n := part.get("samples"), int)
            and n >= FEW
            and "target_std" in part
        ):
            return split, part
    return None


@rule("constant outputs", lambda case: case.begun and _still(case) is not None)
def constant(case: Case) -> Finding | None:
    """Every sample gets the same labels, or the same numbers, though targets vary."""
    found = _still(case)
    if found is None:
        return None
    split, part = found
    least, most, std, wanted = (_array(part.get(key)) for key in ("least", "most", "std", "target_std"))
    if not len(least) == len(most) == len(std) == len(wanted) or not (wanted > 0).any():
        return None
    labels = "hamming_loss" in "".join(case.series)
    where = f"{part['samples']} samples of {split}"
    if labels:
        level = float(case.options.get("loss.threshold") or 0.0)
        on, off = least > level, most <= level
        if not (on | off)[wanted > 0].all():
            return None
        said = "all labels off" if off.all() else _named(case, on)
        evidence = [f"{where}: no output passes the threshold {figure(level)} for some and not for others"]
    else:
        if not (std <= 0.02 * wanted)[wanted > 0].all():
            return None
        said = "the same answer"
        evidence = [
            f"{where}: outputs deviate by {figure(float(std.max()))}, targets by {figure(float(wanted.max()))}"
        ]
    for name in ("val.hamming_loss", "val.subset_acc", "val.mse"):
        if len(curve := case.curve(name)) and name in case.baseline:
            last, best = float(curve.values[-1]), float(case.baseline[name])
            evidence.append(
                f"{name} {figure(last)} at the end equals the best constant predictor's score"
                if math.isclose(last, best, rel_tol=1e-3)
                else f"{name} {figure(last)} at the end; the best constant predictor has {figure(best)}"
            )
    return Finding(
        f"predictions constant: every sample gets {said}",
        tuple(evidence),
        "look at the inputs' range, at an activation before the loss, and at optimizer.lr; rare labels are "
        "cheaply left off: judge by F1 or the Hamming loss beside the constant's",
    )


def _named(case: Case, on: NDArray[np.bool_]) -> str:
    """The labels that are on, by their names where those are known and few."""
    classes = case.confusion.get("classes")
    names = classes if isinstance(classes, list) and len(classes) == len(on) else []
    listed = [repr(str(name)) for name, is_on in zip(names, on.tolist(), strict=False) if is_on]
    count = f"the same {int(on.sum())} of {len(on)} labels on"
    return f"{count}: {', '.join(listed)}" if 0 < len(listed) <= SHOWN else count
