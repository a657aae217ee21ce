"""Rules that look at what a model is given, as `inputs.json` has it."""

from __future__ import annotations

from typing import Any

import numpy as np

from labtui.diagnose.case import Case, Floats, figure
from labtui.diagnose.rules import Finding, rule
from labtui.diagnose.weights import by_layer

LARGE, SMALL = 30.0, 1e-3
"""Standard deviations of all channels beyond which steps of a usual learning rate are much too large, or nothing."""
OFFSET = 5.0
"""Standard deviations that a mean may be away from 0."""
APART = 100.0
"""How many times as large as another's a channel's standard deviation may be."""
CONSTANT = 1e-6
"""Part of the largest standard deviation below which a channel is constant, and says nothing."""
SHARED = 0.005
"""Part of a held-out split that may be in another by chance: two recordings of silence, a sample that was kept twice."""
SHOWN = 4


def _channels(case: Case) -> tuple[list[int], Floats, Floats] | None:
    """Places of the training split's channels that vary, their means and standard deviations."""
    try:
        train = case.inputs["splits"]["train"]
        places = [int(place) for place in case.inputs["shown"]]
        mean, std = np.asarray(train["mean"], np.float64), np.asarray(train["std"], np.float64)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    if not mean.shape == std.shape == (len(places),) or not places:
        return None
    kept = (
        np.isfinite(mean) & np.isfinite(std) & (std > CONSTANT * std.max(initial=0.0, where=np.isfinite(std)))
    )
    return ([place for place, k in zip(places, kept.tolist(), strict=True) if k], mean[kept], std[kept])


def _norms(case: Case) -> tuple[bool, bool]:
    """Whether the model normalises what it is given itself, and what its first layer makes of it."""
    found = case.inputs.get("layers")
    layers = [layer for layer in found if isinstance(layer, str)] if isinstance(found, list) else []
    first, second = ["Norm" in layer for layer in (*layers, "", "")[:2]]
    return first, second


@rule("input not normalised", lambda case: not _norms(case)[0] and bool((_channels(case) or [[]])[0]))
def unnormalised(case: Case) -> Finding | None:
    """Channels lie far from 0, are of another size than 1, or of very different sizes."""
    known = _channels(case)
    if known is None or not known[0]:
        return None
    places, mean, std = known
    usual, between = float(np.median(std)), float(std.max() / std.min())
    away = np.abs(mean) / std
    wrong: list[str] = []
    worst = np.zeros(0, np.int64)
    if between > APART:
        wrong.append("its channels are of very different sizes")
        worst = np.array([std.argmax(), std.argmin()])
    if not _norms(case)[1]:  # what the first layer makes of it is brought to one size
        if not SMALL <= usual <= LARGE:
            wrong.append("it is much too large" if usual > LARGE else "it is next to nothing")
            worst = np.append(worst, np.argsort(-std if usual > LARGE else std)[:SHOWN])
        if (away > OFFSET).mean() >= 0.5:
            wrong.append("it lies far from 0")
            worst = np.append(worst, np.argsort(-away)[:SHOWN])
    if not wrong:
        return None
    shown = list(dict.fromkeys(worst.tolist()))[:SHOWN]
    evidence = [
        f"channel {places[at]}: mean {figure(float(mean[at]))}, standard deviation {figure(float(std[at]))}"
        for at in shown
    ]
    more = [f"and {len(places) - len(shown)} more channels"] if len(places) > len(shown) else []
    samples = case.inputs["splits"]["train"].get("samples")
    return Finding(
        f"the model's input is not normalised: {' and '.join(wrong)}",
        (*evidence, *more, f"of {samples} training samples as the model sees them", *by_layer(case)),
        "normalise each channel by the training split's mean and standard deviation (an option of many data sets: "
        "data.norm), or let the model begin with a normalisation layer; gradients that look as if they vanish are "
        "often this",
    )


def _shared(case: Case) -> list[dict[str, Any]]:
    found = case.inputs.get("identical")
    found = found if isinstance(found, list) else []
    keys = {"a", "b", "count", "of"}
    return [
        one
        for one in found
        if isinstance(one, dict)
        and keys <= one.keys()
        and all(isinstance(one[k], int) for k in ("count", "of"))
    ]


@rule("leak suspected", lambda case: isinstance(case.inputs.get("identical"), list))
def leak(case: Case) -> Finding | None:
    """Samples of one split are in another, too."""
    many = [one for one in _shared(case) if one["count"] > max(1, SHARED * one["of"])]
    if not many:
        return None
    evidence = []
    for one in many:
        examples = one.get("examples")
        examples = examples if isinstance(examples, list) else []
        pairs = [pair for pair in examples if isinstance(pair, list) and len(pair) == 2]
        which = ", ".join(f"{first} = {second}" for first, second in pairs[:SHOWN])
        share = 100 * one["count"] / max(one["of"], 1)
        evidence.append(
            f"{one['count']} of {one['of']} samples of {one['b']} ({share:.3g} %) are in {one['a']}, bit by bit"
            + (f": places {which} in the data set" if which else "")
        )
    worst = max(many, key=lambda one: one["count"] / max(one["of"], 1))
    return Finding(
        f"{worst['a']} and {worst['b']} share samples: scores of {worst['b']} are too good",
        tuple(evidence),
        'take duplicates out of the data, or give them one group and split by it (validate.scheme = "group")',
    )
