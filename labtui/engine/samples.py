"""The splits of a data set on the device, cut into batches there: no loader processes.

Data that would take more than half of the device's free memory stays in main memory; then batches
are picked there and copied over one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from labtui.data import Dataset, Stored
from labtui.engine.batch import Batch
from labtui.engine.world import ALONE, World

SHARE = 0.5
"""Part of the device's free memory that data may take."""
MOST_SEEN = 2**30
"""Bytes of a split, as the model sees it, that are kept for the next evaluation."""
WHOLE = slice(None)
TASK_BATCH = 256
"""Samples for which a task draws at once in evaluation."""
TASK_SEED = 0
"""Of what a task draws in evaluation, which has to be the same each time."""

Task = Callable[[Tensor, torch.Generator], tuple[Tensor, Tensor]]
"""What a model is to learn from samples alone: from (n, …) as they are seen to what it is shown of them, and
what it is to make of that."""


@dataclass
class Shelf:
    """The data of all splits, where it is to stay."""

    dataset: Dataset
    x: Stored
    y: Tensor
    lengths: Tensor | None
    extras: dict[str, Tensor]
    device: torch.device
    """Where batches are needed."""
    task: Task | None = None
    """Gives the targets instead of `y`."""

    def pick(self, at: Tensor) -> Batch:
        """The samples at places (n,) int64, as they are stored, on the device."""
        lengths = None if self.lengths is None else self.lengths.index_select(0, at)
        extras = {name: extra.index_select(0, at) for name, extra in self.extras.items()}
        batch = Batch(self.x.index_select(0, at), self.y.index_select(0, at), lengths, extras)
        if batch.x.device != self.device:
            batch.x, batch.y = batch.x.to(self.device), batch.y.to(self.device)
            batch.lengths = None if lengths is None else lengths.to(self.device)
            batch.extras = {name: extra.to(self.device) for name, extra in extras.items()}
        return batch

    def see(self, batch: Batch, generator: torch.Generator | None, task: torch.Generator | None) -> Batch:
        """What the model sees of samples as they are stored; in place.

        Args:
            generator: draws augmentation; None: there is none.
            task: draws what the task needs.
        """
        batch.x = self.dataset.see(batch.x, generator)
        if batch.lengths is not None and self.dataset.frames is not None:
            batch.lengths = self.dataset.frames(batch.lengths)
        if self.task is not None:
            assert task is not None
            batch.x, batch.y = self.task(batch.x, task)
        return batch


class Samples:
    """One split of a data set.

    Args:
        index: the split's samples, int64.
    """

    def __init__(self, shelf: Shelf, index: Tensor) -> None:
        self.shelf, self.device = shelf, shelf.device
        self.index = index.to(shelf.y.device)
        dataset = shelf.dataset
        self._drawn = dataset.transform is not None or shelf.task is not None
        self._plain = not self._drawn and dataset.frames is None
        self._keeps = (
            self._drawn
            and self.index.device == self.device
            and len(index) * dataset.example.nbytes <= MOST_SEEN
        )
        self._seen: dict[int, list[Batch]] = {}
        self._classes: list[Tensor] = []

    def balance(self) -> None:
        """Draw classes alike from now on, where an order is drawn."""
        y = self.shelf.y[self.index]
        self._classes = [self.index[y == one] for one in torch.unique(y)]

    def __len__(self) -> int:
        return len(self.index)

    @property
    def targets(self) -> Tensor:
        """(n, …): targets of the split, in its order, on the device."""
        return self.shelf.y[self.index].to(self.device)

    def batch(self, at: Tensor, augment: torch.Generator | None = None, part: slice = WHOLE) -> Batch:
        """What the model sees of the samples `at` (places in the data set), and their targets.

        Of a `part` alone it is what it would be of the whole: augmentation is drawn for all of them.
        """
        if self._plain:
            return self.shelf.pick(at if part == WHOLE else at[part])
        if augment is None or not self._drawn:
            at, part = at[part], WHOLE
        batch = self.shelf.see(self.shelf.pick(at), augment, augment or self._task_generator())
        return batch if part == WHOLE else batch[part]

    def cut(self, size: int, order: torch.Generator | None = None, part: slice = WHOLE) -> list[Tensor]:
        """The split, or a part of it, in batches of places: in its own order, or in one drawn from `order`.

        No sample is left out, unless classes are drawn alike. A last batch of one sample, which batch
        normalisation cannot take, joins the batch before it.
        """
        index = self.index
        if order is not None and self._classes:
            index = self._draw(order)
        elif order is not None:
            index = index[torch.randperm(len(index), generator=order).to(index.device)]
        index = index[part]
        if not len(index):
            return []
        batches = list(torch.split(index, size))
        if size > 1 and len(batches) > 1 and len(batches[-1]) == 1:
            batches[-2:] = [torch.cat(batches[-2:])]
        return batches

    def _draw(self, order: torch.Generator) -> Tensor:
        """As many places as there are samples: of any class with the same chance, then of any of its samples."""
        sizes = torch.tensor([len(one) for one in self._classes])
        drawn = torch.randint(len(sizes), (len(self),), generator=order)
        within = torch.rand(len(self), dtype=torch.float64, generator=order) * sizes[drawn]
        places = (sizes.cumsum(0) - sizes)[drawn] + within.long()
        return torch.cat(self._classes)[places.to(self.index.device)]

    def batches(self, size: int, world: World = ALONE) -> Iterator[Batch]:
        """This process's part of the split batch by batch, as the model sees it in evaluation.

        That is the same each time, so features are computed once if they may stay on the device.
        """
        part = world.part(len(self)).own
        if not self._keeps:
            return self._look(size, part)
        if size not in self._seen:
            self._seen = {}  # those of another size make room first
            self._seen = {size: list(self._look(size, part))}
        return iter(self._seen[size])

    def _look(self, size: int, part: slice) -> Iterator[Batch]:
        task = self._task_generator()
        if task is None:
            yield from (self.shelf.see(self.shelf.pick(at), None, None) for at in self.cut(size, part=part))
            return
        # What is drawn must not depend on how many processes share the samples, nor on their memory.
        begin = 0
        for at in self.cut(TASK_BATCH):
            own = slice(max(0, part.start - begin), max(0, part.stop - begin))
            batch = self.shelf.see(self.shelf.pick(at), None, task)[own]
            begin += len(at)
            if len(batch):
                yield from batch.pieces(-(-len(batch) // size))

    def _task_generator(self) -> torch.Generator | None:
        if self.shelf.task is None:
            return None
        return torch.Generator(self.device).manual_seed(TASK_SEED)


def place(shelf: Shelf, split: dict[str, Tensor]) -> dict[str, Samples]:
    """The splits that have samples."""
    return {name: Samples(shelf, at) for name, at in split.items() if len(at)}


def shelve(dataset: Dataset, device: torch.device, task: Task | None = None) -> Shelf:
    """The data on the device, if it fits there.

    Real targets (N,) become (N, 1), as a model with one output gives them.
    """
    y = dataset.y
    if dataset.task != "classes" and y.ndim == 1:
        y = y[:, None]
    shelf = Shelf(dataset, dataset.x, y, dataset.lengths, dataset.extras, device, task)
    if device.type == "cuda" and _size(shelf) < SHARE * torch.cuda.mem_get_info(device)[0]:
        shelf.x, shelf.y = shelf.x.to(device), shelf.y.to(device)
        shelf.lengths = None if shelf.lengths is None else shelf.lengths.to(device)
        shelf.extras = {name: extra.to(device) for name, extra in shelf.extras.items()}
    return shelf


def _size(shelf: Shelf) -> int:
    return shelf.x.nbytes + sum(extra.nbytes for extra in shelf.extras.values())
