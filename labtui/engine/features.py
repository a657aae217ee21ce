"""What a classifier's last linear layer sees of some samples of a split, noted in a pass through the model that is done
anyway: nothing is put through it a second time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from labtui.engine.budget import Budget
from labtui.engine.world import World

MOST = 1_000
"""Samples, evenly drawn."""
MOST_HELD = 2**22
"""Values of all of them."""

Array = NDArray[Any]


def evenly(of: int, most: int) -> NDArray[np.int64]:
    """Places among so many, at most so many of them, ascending."""
    return np.arange(of) if of <= most else np.linspace(0, of - 1, most).astype(np.int64)


class Features:
    """The samples' points and outputs.

    Args:
        samples: of the split.
        outputs: classes; a layer that gives as many is last, whatever others a loss asks after it.
        world: the processes that share the pass.
        budget: of the time that noting takes.
    """

    def __init__(self, model: nn.Module, samples: int, outputs: int, world: World, budget: Budget) -> None:
        self.rows = evenly(samples, MOST)
        """(n,): the samples' places in the split."""
        self.error: Exception | None = None
        """Why nothing can be noted of this model."""
        self._linear = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
        self._classes, self._world, self._budget = outputs, world, budget
        self._part = world.part(samples).own
        self._seen: dict[bool, Tensor] = {}
        self._at = 0
        self._kept: list[tuple[Tensor, Tensor]] = []

    @contextmanager
    def noting(self) -> Iterator[None]:
        """The pass is done inside; it begins, maybe once more."""
        self._at, self._kept, self._seen = int(self._part.start), [], {}
        hooks = [layer.register_forward_pre_hook(self._note) for layer in self._linear]
        try:
            yield
        finally:
            self._seen = {}
            for hook in hooks:
                hook.remove()

    def _note(self, layer: nn.Module, args: tuple[Any, ...]) -> None:
        if args:
            self._seen[bool(layer.out_features == self._classes)] = args[0]

    def take(self, output: Tensor) -> None:
        """Note what was seen of the batch that gave an output (n, classes); the pass goes on if it cannot be."""
        with self._budget.spending():
            try:
                if self.error is None:
                    self._take(output)
            except Exception as error:
                self.error = error
            self._at += len(output)
            self._seen = {}

    def _take(self, output: Tensor) -> None:
        point = self._seen.get(True, self._seen.get(False, output))
        if len(point) != len(output):  # samples are not its first dimension
            point = output
        size = point.shape[-1] if point.ndim > 2 else point[0].numel()
        self.rows = self.rows[:: -(-len(self.rows) * size // MOST_HELD)]
        first, last = np.searchsorted(self.rows, [self._at, self._at + len(output)])
        if first == last:
            return
        at = torch.from_numpy(self.rows[first:last] - self._at).to(point.device)
        point = point.detach().index_select(0, at).float()
        point = point.flatten(1, -2).mean(1) if point.ndim > 2 else point.reshape(len(at), -1)
        self._kept.append((point, output.detach().index_select(0, at.to(output.device))))

    def gathered(self) -> tuple[Array, Array]:
        """Points (n, d) and outputs (n, classes) of the samples at `rows`; all processes ask for them.

        Raises:
            Exception: what went wrong in one of them.
        """
        parts = self._world.gather((self.error and RuntimeError(str(self.error)), self._kept))
        if error := self.error or next((error for error, _ in parts if error), None):
            raise error
        points, outputs = zip(*[batch for _, kept in parts for batch in kept], strict=True)
        return torch.cat(points).cpu().numpy(), torch.cat(outputs).float().cpu().numpy()
