"""What each training sees in a step: its own samples in its own order, augmented by its own generator."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from labtui.engine.loop import Parts
from labtui.engine.samples import MOST_SEEN, Samples, Shelf
from labtui.engine.together.apart import Apart

LOOK = 256
"""Samples that are looked at at once."""


class Feed:
    """The training samples of all rows.

    Where nothing is drawn all samples are looked at once, if they may stay, and a step picks from them.

    Args:
        parts: of each row.

    Raises:
        Apart: what is drawn comes from generators that all share.
    """

    def __init__(self, parts: Sequence[Parts]) -> None:
        self._samples = [part.samples["train"] for part in parts]
        self._y = self._samples[0].shelf.y
        self.device = self._samples[0].device
        self._seen: Tensor | None = None
        self._offset = torch.zeros(len(parts), 1, dtype=torch.int64, device=self.device)
        shelves = list({id(one.shelf): one.shelf for one in self._samples}.values())
        size = sum(len(shelf.y) * shelf.dataset.example.nbytes for shelf in shelves)
        plain = len(shelves) == 1 and shelves[0].dataset.transform is None
        if not any(draws(one) for one in self._samples) and (plain or size <= MOST_SEEN):
            self._look(shelves)

    def _look(self, shelves: Sequence[Shelf]) -> None:
        if shelves[0].dataset.transform is None:
            x = shelves[0].x
            self._seen = x if isinstance(x, Tensor) and x.device == self.device else None
            return
        pieces = [
            shelf.see(shelf.pick(at), None, None).x
            for shelf in shelves
            for at in torch.split(torch.arange(len(shelf.y), device=shelf.y.device), LOOK)
        ]
        self._seen = torch.cat(pieces)
        place = {id(shelf): number for number, shelf in enumerate(shelves)}
        of = [place[id(one.shelf)] for one in self._samples]
        self._offset = torch.tensor(of, device=self.device)[:, None] * len(self._y)

    def targets(self, places: Tensor) -> Tensor:
        """(…, *shape of a target) at places (…)."""
        found = self._y.index_select(0, places.flatten()).to(self.device)
        return found.view(*places.shape, *found.shape[1:])

    def inputs(
        self, places: Tensor, sizes: Sequence[int], generators: Sequence[torch.Generator | None]
    ) -> Tensor:
        """(rows, n, …): what each row's model sees.

        Args:
            places: (rows, n) of samples in the data set.
            sizes: of each row its samples; what is beyond them is padding.
            generators: of augmentation; None: nobody needs that row any more.
        """
        if self._seen is not None:
            found = self._seen.index_select(0, (places.to(self.device) + self._offset).flatten())
            return found.view(*places.shape, *found.shape[1:])
        rows: list[Tensor | None] = []
        for one, at, size, generator in zip(self._samples, places, sizes, generators, strict=True):
            rows.append(None if generator is None else _padded(one.batch(at[:size], generator).x, len(at)))
        blank = next(row for row in rows if row is not None)
        return torch.stack([blank if row is None else row for row in rows])

    def keep(self, rows: Sequence[int]) -> None:
        """Leave out all other rows."""
        self._samples = [self._samples[row] for row in rows]
        self._offset = self._offset[list(rows)]


def _padded(x: Tensor, n: int) -> Tensor:
    return x if len(x) == n else torch.cat([x, x[:1].expand(n - len(x), *x.shape[1:])])


def draws(samples: Samples) -> bool:
    """Whether what the model sees in training is drawn.

    Raises:
        Apart: it is drawn from the global generators.
    """
    if samples.shelf.dataset.transform is None:
        return False
    own = torch.Generator(samples.device).manual_seed(0)
    before, state = _global(samples.device), own.get_state()
    samples.batch(samples.index[:LOOK], own)
    if _global(samples.device) != before:
        raise Apart("the data draws from generators that all trainings of one process would share")
    return not torch.equal(own.get_state(), state)


def _global(device: torch.device) -> tuple[object, ...]:
    torchs = [torch.get_rng_state()] + ([torch.cuda.get_rng_state(device)] if device.type == "cuda" else [])
    name, keys, *rest = np.random.get_state(legacy=True)
    return (
        *(state.numpy().tobytes() for state in torchs),
        random.getstate(),
        name,
        np.asarray(keys).tobytes(),
        *rest,
    )
