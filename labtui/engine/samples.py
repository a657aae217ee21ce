"""The splits of a data set on the device, cut into batches there: no loader processes.

Data that would take more than half of the device's free memory stays in main memory; then batches
are picked there and copied over one by one.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from labtui.data import Dataset
from labtui.engine.world import ALONE, World

SHARE = 0.5
"""Part of the device's free memory that data may take."""
WHOLE = slice(None)


class Samples:
    """One split of a data set.

    Args:
        x, y: all samples and targets, where they are to stay.
        index: the split's samples, int64.
        device: where batches are needed.
    """

    def __init__(self, dataset: Dataset, x: Tensor, y: Tensor, index: Tensor, device: torch.device):
        self.dataset, self.x, self.y, self.device = dataset, x, y, device
        self.index = index.to(x.device)
        self._features: dict[int, list[tuple[Tensor, Tensor]]] = {}

    def __len__(self) -> int:
        return len(self.index)

    @property
    def targets(self) -> Tensor:
        """(n, …): targets of the split, in its order, on the device."""
        return self.y[self.index].to(self.device)

    def batch(
        self, at: Tensor, augment: torch.Generator | None = None, part: slice = WHOLE
    ) -> tuple[Tensor, Tensor]:
        """What the model sees of the samples `at` (places in the data set), and their targets.

        Of a `part` alone it is what it would be of the whole: augmentation is drawn for all of them.
        """
        if augment is None or self.dataset.transform is None:
            at, part = at[part], WHOLE
        x, y = self.x.index_select(0, at), self.y.index_select(0, at)
        if x.device != self.device:
            x, y = x.to(self.device), y.to(self.device)
        return self.dataset.see(x, augment)[part], y[part]

    def cut(self, size: int, order: torch.Generator | None = None, part: slice = WHOLE) -> list[Tensor]:
        """The split, or a part of it, in batches of places: in its own order, or in one drawn from `order`.

        No sample is left out. A last batch of one sample, which batch normalisation cannot take,
        joins the batch before it.
        """
        index = self.index
        if order is not None:
            index = index[torch.randperm(len(index), generator=order).to(index.device)]
        index = index[part]
        if not len(index):
            return []
        batches = list(torch.split(index, size))
        if size > 1 and len(batches) > 1 and len(batches[-1]) == 1:
            batches[-2:] = [torch.cat(batches[-2:])]
        return batches

    def batches(self, size: int, world: World = ALONE) -> Iterator[tuple[Tensor, Tensor]]:
        """This process's part of the split batch by batch, as the model sees it in evaluation.

        That is the same each time, so features are computed once if they may stay on the device.
        """
        part = world.part(len(self)).own
        if self.dataset.transform is None or self.x.device != self.device:
            return map(self.batch, self.cut(size, part=part))
        if size not in self._features:
            self._features = {}  # those of another size make room first
            self._features = {size: [self.batch(at) for at in self.cut(size, part=part)]}
        return iter(self._features[size])


def place(dataset: Dataset, split: dict[str, Tensor], device: torch.device) -> dict[str, Samples]:
    """The splits that have samples, on the device if the data fits there.

    Real targets (N,) become (N, 1), as a model with one output gives them.
    """
    x, y = dataset.x, dataset.y
    if dataset.task != "classes" and y.ndim == 1:
        y = y[:, None]
    if device.type == "cuda" and x.nbytes < SHARE * torch.cuda.mem_get_info(device)[0]:
        x, y = x.to(device), y.to(device)
    return {name: Samples(dataset, x, y, at, device) for name, at in split.items() if len(at)}
