"""Some steps of all rows: what they need, put on the device before them, and what came of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from labtui.engine.together.member import Member
from labtui.engine.together.stack import Step


class Block:
    """Some steps of all rows, each row's being of one size.

    Args:
        rows: None for those that take no part.
        most: steps.
    """

    def __init__(self, rows: Sequence[Member | None], most: int) -> None:
        self.rows = rows
        live = [one for one in rows if one is not None]
        self.steps = min(most, *(one.alike() for one in live))
        self.n = max(one.sizes[one.place] for one in live)
        """Samples of a step, with padding."""
        self.sizes = [self.n if one is None else one.sizes[one.place] for one in rows]
        """Of each row its samples; a row that nobody needs is as large as any."""

    def rates(self) -> NDArray[np.float64]:
        """(steps, rows) learning rates."""
        found = np.zeros((self.steps, len(self.rows)))
        for row, one in enumerate(self.rows):
            if one is not None:
                found[:, row] = [one.parts.schedule(one.step + number) for number in range(self.steps)]
        return found

    def places(self) -> Tensor:
        """(steps, rows, n) of samples in the data set; padding repeats one."""
        live = next(one for one in self.rows if one is not None)
        found = live.places.new_full((self.steps, len(self.rows), self.n), int(live.places[0]))
        for row, (one, size) in enumerate(zip(self.rows, self.sizes, strict=True)):
            if one is not None:
                own = one.places[one.done : one.done + self.steps * size]
                found[:, row, :size] = own.view(self.steps, size)
        return found

    def share(self, device: torch.device) -> Tensor | None:
        """(rows, n): each sample's part of its row's mean; None: all count alike."""
        if all(size == self.n for size in self.sizes):
            return None
        rows = [[1 / size] * size + [0.0] * (self.n - size) for size in self.sizes]
        return torch.tensor(rows, device=device)


class Done:
    """What came of a block. Made of it, it has waited for the device once.

    Args:
        steps: what each gave.
        targets: (steps, rows, n, …).
    """

    def __init__(self, steps: Sequence[Step], targets: Tensor) -> None:
        self._losses = torch.stack([loss for loss, _, _ in steps])
        self._outputs, self._targets = torch.stack([output for _, output, _ in steps]), targets
        norms = [norm for _, _, norm in steps if norm is not None]
        self.losses: list[list[float]] = self._losses.T.tolist()
        """Of each row those of its steps."""
        self.norms: list[list[float]] | None = torch.stack(norms).T.tolist() if norms else None
        """Of each row those of its gradients before they were cut; None: none is cut by its norm."""

    def of(self, row: int, size: int) -> tuple[Tensor, bool, Tensor, Tensor]:
        """One row's losses (steps,), whether all are numbers, outputs and targets (steps, size, …)."""
        sound = math.isfinite(sum(self.losses[row]))
        return self._losses[:, row], sound, self._outputs[:, row, :size], self._targets[:, row, :size]
