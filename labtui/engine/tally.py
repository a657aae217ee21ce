"""Loss and scores of one pass over a split, without a synchronisation in each step."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

from labtui.engine.metrics import Counts
from labtui.engine.world import ALONE, World

MOST_STEPS, MOST_VALUES = 64, 2**20
"""Steps, and output values, that are kept before they are counted together."""


class Tally:
    """Gathers batches and counts them a few dozen at a time: a step costs three appends.

    Where the gathered batches are counted depends on how many came before, never on when the
    result is asked for, so that a resumed epoch adds up to the same last digit. A state does not say
    how many processes counted: it can be taken over by another number of them.

    Args:
        counts: of the split's kind of targets, empty.
        total: report the loss as a sum over samples instead of their mean.
        finite: raise as soon as a loss is NaN or infinite.
        world: each process in it counts a part.
        terms: names of what comes behind the loss.
    """

    def __init__(
        self,
        counts: Counts,
        total: bool = False,
        finite: bool = False,
        world: World = ALONE,
        terms: Sequence[str] = (),
    ) -> None:
        self.counts, self.total, self.finite, self.world = counts, total, finite, world
        self.terms = terms
        self.loss: Tensor | float = 0.0
        self.seen = 0
        self._losses: list[Tensor] = []
        self._sizes: list[int] = []
        self._outputs: list[Tensor] = []
        self._targets: list[Tensor] = []
        self._room = 0

    def add(self, loss: Tensor, output: Tensor, target: Tensor, of: int | None = None) -> None:
        """Take a batch, or this process's part of one.

        Args:
            loss: their mean, or (1 + k,) with the means of k terms behind it; like the outputs it holds no
                graph, which would be kept with it.
            output, target: (n, …).
            of: samples of the whole batch, when each process takes a part of it; `loss` is then the
                whole batch's, the same for all.

        Raises:
            NotFinite: a loss among those gathered is NaN or infinite.
        """
        size = len(target) if of is None else of
        self._losses.append(loss)
        self._sizes.append(size if of is None else self._counted(of))
        self._outputs.append(output)
        self._targets.append(target)
        if not self._room:
            self._room = max(1, min(MOST_STEPS, MOST_VALUES // max(1, size * output.shape[1:].numel())))
        if len(self._losses) >= self._room:
            self._fold()

    def _counted(self, of: int) -> int:
        """Samples for which a loss that all know counts here: in one process only."""
        return of if self.world.rank == 0 else 0

    def extend(self, losses: Tensor, sizes: Sequence[int], output: Tensor, target: Tensor) -> None:
        """Take several batches at once, in one process.

        Args:
            losses: (s,) their means.
            sizes: s numbers, samples of each.
            output, target: (n, …) of all of them, one behind the other.

        Raises:
            NotFinite: one of these losses, or of those gathered before, is NaN or infinite.
        """
        self._fold()
        self._finite(losses)
        self._count(losses, sizes, output, target)

    def check(self) -> None:
        """Raise NotFinite if a loss among those not yet counted is NaN or infinite."""
        if self._losses:
            self._finite(torch.stack(self._losses))

    def _finite(self, losses: Tensor) -> None:
        if not self.finite:
            return
        finite = (losses[:, 0] if self.terms else losses).isfinite()
        if not finite.all():
            ago = len(finite) - int(finite.int().argmin()) - 1
            raise NotFinite(float(losses[-1 - ago].flatten()[0]), ago)

    def scores(self) -> dict[str, float]:
        """`loss`, its terms and the scores of the counts, over all batches so far."""
        self._fold()
        sums = self.loss.flatten().tolist() if isinstance(self.loss, Tensor) else [self.loss]
        found = {name: value / self.seen for name, value in zip(("loss", *self.terms), sums, strict=True)}
        if self.total:
            found["loss"] = sums[0]
        return found | self.counts.scores()

    def whole(self) -> Tally:
        """What all processes have counted together, on each of them."""
        if self.world.size == 1:
            return self
        self._fold()
        return self._together(self.world.gather(self._sums()))

    def _together(self, parts: Sequence[dict[str, Any]]) -> Tally:
        whole = Tally(deepcopy(self.counts), self.total, terms=self.terms)
        # In the same order everywhere: what is decided by a score must be the same to the last digit.
        whole.counts.load_state_dict(parts[0]["counts"])
        whole.counts.add(part["counts"] for part in parts[1:])
        whole.loss = sum(part["loss"] for part in parts)
        whole.seen = sum(part["seen"] for part in parts)
        return whole

    def _fold(self) -> None:
        self.check()
        if not self._losses:
            return
        outputs, targets = torch.cat(self._outputs), torch.cat(self._targets)
        self._count(torch.stack(self._losses), self._sizes, outputs, targets)
        self._losses, self._sizes, self._outputs, self._targets = [], [], [], []

    def _count(self, losses: Tensor, sizes: Sequence[int], output: Tensor, target: Tensor) -> None:
        self.loss = self.loss + torch.tensor(sizes, device=losses.device).double() @ losses.double()
        self.seen += sum(sizes)
        if len(target):
            self.counts.update(output, target)

    def _sums(self) -> dict[str, Any]:
        return {"counts": self.counts.state_dict(), "loss": self.loss, "seen": self.seen}

    def state_dict(self) -> dict[str, Any]:
        """Counts, and the batches not yet counted; all processes' together, on each of them."""
        parts = self.world.gather(self._sums() | {"outputs": self._outputs, "targets": self._targets})
        outputs, targets = (
            [torch.cat(batch) for batch in zip(*(part[what] for part in parts), strict=True)]
            for what in ("outputs", "targets")
        )
        return self._together(parts)._sums() | {
            "pending": [self._losses, outputs, targets],
            "room": self._room,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take a state over: the first process what was counted, each its part of what was not."""
        if self.world.rank == 0:
            self.counts.load_state_dict(state["counts"])
            self.loss, self.seen = state["loss"], state["seen"]
        self._room = state["room"]
        device = next(self.counts.buffers()).device
        losses, outputs, targets = ([tensor.to(device) for tensor in part] for part in state["pending"])
        own = [self.world.part(len(target)).own for target in targets]
        self._losses = losses
        self._sizes = [self._counted(len(target)) for target in targets]
        self._outputs = [output[part] for output, part in zip(outputs, own, strict=True)]
        self._targets = [target[part] for target, part in zip(targets, own, strict=True)]


class NotFinite(ArithmeticError):
    """A loss (or weight) is NaN or infinite; `ago` says how many steps before the newest."""

    def __init__(self, value: float, ago: int = 0, what: str = "the loss") -> None:
        super().__init__(f"{what} is {value}")
        self.value, self.ago, self.what = value, ago, what
