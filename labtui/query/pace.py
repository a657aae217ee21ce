"""How long trainings take, from those of a recipe that have been."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Pace:
    """What earlier runs took.

    Args:
        epoch: median seconds of an epoch, all that goes with it included; None: they count none.
        run: median seconds of those that finished; None: none did.
        runs: how many runs say so.
    """

    epoch: float | None
    run: float | None
    runs: int

    def seconds(self, epochs: int | None) -> float | None:
        """What a training of so many epochs will take; None: nobody knows."""
        return self.run if self.epoch is None or epochs is None else self.epoch * epochs


def pace(rows: Iterable[Mapping[str, Any]]) -> Pace | None:
    """The pace of a recipe's runs; None where there is none that tells.

    Args:
        rows: of the index, those of the recipe.
    """
    epochs, whole, runs = [], [], 0
    for row in rows:
        took = row["duration"]
        if not took or row["state"] in ("running", "queued"):
            continue
        done = row["metrics"].get("epoch", {}).get("last")
        if not done and row["state"] != "finished":
            continue
        runs += 1
        epochs += [took / done] if done and done > 0 else []
        whole += [took] if row["state"] == "finished" else []
    if not runs:
        return None
    return Pace(median(epochs) if epochs else None, median(whole) if whole else None, runs)
