"""Rules that look at weights and gradients, as `weights.npz` has them."""

from __future__ import annotations

import numpy as np

from labtui.diagnose.case import Case, Floats, figure
from labtui.diagnose.rules import Finding, rule

FEW = 4
"""Looks with a gradient, from which on they say something."""
VANISHED, EXPLODED = 1e-4, 100.0


def _relative(case: Case) -> tuple[list[str], Floats] | None:
    """Names of the layers with matrices, kernels or scales, and (looks, layers) norms of their gradients by those
    of their weights; None: too little is known."""
    try:
        names = [str(name) for name in case.weights["layers"].tolist()]
        weight, grad = (
            case.weights[key].astype(np.float64, casting="same_kind") for key in ("weight_norm", "grad_norm")
        )
    except (KeyError, ValueError, AttributeError, TypeError):
        return None
    if weight.ndim != 2 or weight.shape != grad.shape or weight.shape[1] != len(names):
        return None
    chosen = [at for at, name in enumerate(names) if "weight" in name.rpartition(".")[2]]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = grad[:, chosen] / weight[:, chosen]
    found[~np.isfinite(found)] = np.nan
    found = found[~np.isnan(found).all(axis=1)] if found.size else found
    return ([names[at] for at in chosen], found) if len(chosen) > 1 and len(found) >= FEW else None


@rule("vanishing gradients", lambda case: _relative(case) is not None)
def vanishing(case: Case) -> Finding | None:
    """Some layers' gradients are next to nothing beside others'."""
    known = _relative(case)
    if known is None:
        return None
    names, relative = known
    usual = _median(relative)
    most = float(np.nanmax(usual))
    small = np.flatnonzero(usual < VANISHED * most)
    if not len(small):
        return None
    listed = [f"{names[at]}: {figure(float(usual[at]))}" for at in small[:5].tolist()]
    more = f" and {len(small) - 5} more" if len(small) > 5 else ""
    return Finding(
        f"{len(small)} of {len(names)} layers get next to no gradient",
        (
            f"norm of the gradient by that of the weights, median over {len(relative)} looks: "
            + ", ".join(listed)
            + more,
            f"the largest is {names[int(np.nanargmax(usual))]}: {figure(most)}",
        ),
        "ReLU or GELU instead of sigmoid or tanh, normalisation, skip connections, another start of the weights; or "
        "fewer layers",
    )


@rule("exploding gradients", lambda case: _relative(case) is not None)
def exploding(case: Case) -> Finding | None:
    """Gradients have become many times as large as they were."""
    known = _relative(case)
    if known is None:
        return None
    names, relative = known
    third = max(len(relative) // 3, 1)
    early, late = _median(relative[:third]), _median(relative[-third:])
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = np.where((early > 0) & (late > 1e-3), late / early, 0.0)
    growth = np.nan_to_num(growth)
    large = np.flatnonzero(growth > EXPLODED)
    if not len(large):
        return None
    worst = int(growth.argmax())
    return Finding(
        f"the gradients of {len(large)} of {len(names)} layers have grown more than {EXPLODED:.0f}-fold",
        (
            f"{names[worst]}: norm of the gradient by that of the weights {figure(float(early[worst]))} in the first "
            f"third of {len(relative)} looks, {figure(float(late[worst]))} in the last",
        ),
        "train.clip_norm = 1.0, a lower optimizer.lr, normalisation",
    )


def by_layer(case: Case) -> list[str]:
    """The layers with the least and the largest gradients, as evidence; empty: too little is known."""
    known = _relative(case)
    if known is None:
        return []
    names, relative = known
    usual = _median(relative)
    ends = (int(np.nanargmin(usual)), int(np.nanargmax(usual)))
    least, most = (f"{names[at]}: {figure(float(usual[at]))}" for at in ends)
    return [
        f"the gradient's norm by that of the weights, from the least layer's to the largest: {least} to {most}"
    ]


def _median(rows: Floats) -> Floats:
    """Of each column's numbers; NaN where there are none. (`np.nanmedian` warns of such columns, and warnings can
    be kept still for all threads only.)"""
    ordered = np.sort(rows, axis=0)  # NaN come last
    known = (~np.isnan(rows)).sum(axis=0)
    column = np.arange(rows.shape[1])
    low, high = ordered[np.maximum(known - 1, 0) // 2, column], ordered[known // 2, column]
    found: Floats = np.where(known > 0, (low + high) / 2, np.nan)
    return found
