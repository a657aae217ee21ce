"""What a trained model's outputs are like, for rules that say what is wrong with them: the artifact `outputs.json`.

Of each held-out split: `samples`, those looked at, evenly drawn; of each of the first MOST outputs `least`, `most`, `mean` and `std` over
them; of real and multilabel targets `target_std`, too; `row_sums`, the least and the largest sum of a sample's
outputs. Logits sum to anything, what a softmax gives sums to 1.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

NAME = "outputs"
MOST = 256
"""Outputs that are described one by one."""

LEAST = 64
"""Samples."""
PER_VALUE = 4e-8
"""Seconds, on a slow CPU."""


def some(outputs: Tensor, seconds: float) -> int:
    """Each how many-th of outputs (n, …) can be described in so many seconds; LEAST of them always."""
    most = max(LEAST, int(max(seconds, 0.0) / 2 / PER_VALUE / max(1, outputs[0].numel())))
    return -(-len(outputs) // most)


def describe(outputs: Tensor, targets: Tensor | None = None) -> dict[str, Any]:
    """One split's outputs in figures.

    Args:
        outputs: (n, …), n >= 1.
        targets: (n, …) of the same shape; absent: they are classes.
    """
    rows = outputs.flatten(1).double()
    shown = rows[:, :MOST]
    sums = rows.sum(1)
    found = {
        "samples": len(rows),
        "least": shown.amin(0).tolist(),
        "most": shown.amax(0).tolist(),
        "mean": shown.mean(0).tolist(),
        "std": shown.std(0, correction=0).tolist(),
        "row_sums": [float(sums.amin()), float(sums.amax())],
    }
    if targets is not None:
        wanted = targets.flatten(1)[:, :MOST].double()
        found["target_std"] = wanted.std(0, correction=0).tolist()
    return found
