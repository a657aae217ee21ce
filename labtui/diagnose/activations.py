"""Rules that look at what a model's layers give, as `activations.npz` has it."""

from __future__ import annotations

import numpy as np

from labtui.diagnose.case import Case, figure
from labtui.diagnose.rules import Finding, rule

LOOKS, SAMPLES = 4, 100
"""What a unit has to be silent in, from the last look backwards, to be dead: so many looks, and samples in them."""
DEAD = 0.5
"""Of a layer's units that may be dead: some are in most networks, and cost nothing but their room."""
SHOWN = 5


def _dead(case: Case) -> tuple[list[str], list[int], list[int], int, int] | None:
    """Of each layer its name, its units, those that are dead; the step since which, and samples that were seen."""
    try:
        names = [str(name) for name in case.activations["layers"].tolist()]
        units, alive, steps, samples = (
            case.activations[key].astype(np.int64, casting="same_kind")
            for key in ("units", "alive", "steps", "samples")
        )
    except (KeyError, ValueError, AttributeError, TypeError):
        return None
    if not names or units.shape != (len(names),) or units.min() < 1 or units.sum() != len(alive):
        return None
    if steps.ndim != 1 or samples.shape != steps.shape:
        return None
    seen = samples[::-1].cumsum()
    enough = np.flatnonzero(seen >= SAMPLES)
    if not len(enough) or len(steps) < max(LOOKS, int(enough[0]) + 1):
        return None
    count = max(LOOKS, int(enough[0]) + 1)
    since = int(steps[-count])
    parts = np.split(alive < since, units.cumsum()[:-1])
    return names, units.tolist(), [int(part.sum()) for part in parts], since, int(seen[count - 1])


@rule("dead units", lambda case: _dead(case) is not None)
def dead(case: Case) -> Finding | None:
    """Most of a layer's units give the same for every sample."""
    known = _dead(case)
    if known is None:
        return None
    names, units, lost, since, samples = known
    # Of a layer of one unit, or two, nothing can be said.
    much = [at for at in range(len(names)) if units[at] > 3 and lost[at] > DEAD * units[at]]
    if not much:
        return None
    much.sort(key=lambda at: lost[at] / units[at], reverse=True)
    zeros = case.activations.get("zeros")
    listed = []
    for at in much[:SHOWN]:
        share = (
            float(zeros[-1][at])
            if zeros is not None and zeros.ndim == 2 and zeros.shape[1] > at
            else float("nan")
        )
        more = f", {figure(100 * share)} % of its values are 0" if share == share else ""
        listed.append(f"{names[at]}: {lost[at]} of {units[at]} units{more}")
    rest = [f"and {len(much) - SHOWN} more layers"] if len(much) > SHOWN else []
    what = f"of layer {names[much[0]]}" if len(much) == 1 else f"of {len(much)} layers"
    return Finding(
        f"more than half of the units {what} are dead",
        (
            *listed,
            *rest,
            f"the same for all {samples} training samples that were looked at since {case.place(since)}",
        ),
        "a lower optimizer.lr or a warm-up, LeakyReLU or GELU instead of ReLU, normalisation before it, other starting "
        "biases; look whether the input is normalised",
    )
