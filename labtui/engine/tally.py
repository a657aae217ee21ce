"""Loss and scores of one pass over a split, without a synchronisation in each step."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from labtui.engine.metrics import Counts

MOST_STEPS, MOST_VALUES = 64, 2**20
"""Steps, and output values, that are kept before they are counted together."""


class Tally:
    """Gathers batches and counts them a few dozen at a time: a step costs three appends.

    Where the gathered batches are counted depends on how many came before, never on when the
    result is asked for, so that a resumed epoch adds up to the same last digit.

    Args:
        counts: of the split's kind of targets, empty.
        total: report the loss as a sum over samples instead of their mean.
        finite: raise as soon as a loss is NaN or infinite.
    """

    def __init__(self, counts: Counts, total: bool = False, finite: bool = False) -> None:
        self.counts, self.total, self.finite = counts, total, finite
        self.loss: Tensor | float = 0.0
        self.seen = 0
        self._losses: list[Tensor] = []
        self._outputs: list[Tensor] = []
        self._targets: list[Tensor] = []
        self._room = 0

    def add(self, loss: Tensor, output: Tensor, target: Tensor) -> None:
        """Take a batch: its mean loss, outputs and targets.

        Raises:
            NotFinite: a loss among those gathered is NaN or infinite.
        """
        self._losses.append(loss.detach())
        self._outputs.append(output.detach())
        self._targets.append(target)
        if not self._room:
            self._room = max(1, min(MOST_STEPS, MOST_VALUES // max(1, output.numel())))
        if len(self._losses) >= self._room:
            self._fold()

    def check(self) -> None:
        """Raise NotFinite if a loss among those not yet counted is NaN or infinite."""
        if not self.finite or not self._losses:
            return
        finite = torch.stack(self._losses).isfinite()
        if not finite.all():
            ago = len(finite) - int(finite.int().argmin()) - 1
            raise NotFinite(float(self._losses[-1 - ago]), ago)

    def scores(self) -> dict[str, float]:
        """`loss` and the scores of the counts, over all batches so far."""
        self._fold()
        loss = float(self.loss)
        return {"loss": loss if self.total else loss / self.seen} | self.counts.scores()

    def _fold(self) -> None:
        self.check()
        if not self._losses:
            return
        sizes = [len(target) for target in self._targets]
        losses = torch.stack(self._losses).double()
        self.loss = self.loss + (losses * torch.tensor(sizes, device=losses.device)).sum()
        self.seen += sum(sizes)
        self.counts.update(torch.cat(self._outputs), torch.cat(self._targets))
        self._losses, self._outputs, self._targets = [], [], []

    def state_dict(self) -> dict[str, Any]:
        """Counts, and the batches not yet counted."""
        return {
            "counts": self.counts.state_dict(),
            "loss": self.loss,
            "seen": self.seen,
            "pending": [self._losses, self._outputs, self._targets],
            "room": self._room,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take a state over."""
        self.counts.load_state_dict(state["counts"])
        self.loss, self.seen, self._room = state["loss"], state["seen"], state["room"]
        device = next(self.counts.buffers()).device
        pending = [[tensor.to(device) for tensor in part] for part in state["pending"]]
        self._losses, self._outputs, self._targets = pending


class NotFinite(ArithmeticError):
    """A loss (or weight) is NaN or infinite; `ago` says how many steps before the newest."""

    def __init__(self, value: float, ago: int = 0, what: str = "the loss") -> None:
        super().__init__(f"{what} is {value}")
        self.value, self.ago, self.what = value, ago, what
