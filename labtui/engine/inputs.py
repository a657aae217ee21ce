"""What a model is given, as the artifact `inputs.json`: statistics per channel, and samples that two splits share.

- `layers`: kinds of the first two layers that are given it; `axis`: of a sample, along which its channels lie, as the
  first layer takes them; null: it is one channel;
- `channels`: how many there are; `shown`: which are described, at most MOST_CHANNELS, evenly drawn;
- `splits`: of train, val and test how many `samples` were looked at (evenly drawn, at most MOST_SAMPLES and
  MOST_VALUES values), `mean`, `std`, `min`, `max` of each channel, and how many values are `not_finite`. It is what the
  model sees in evaluation: normalised, without augmentation; padding does not count;
- `identical`: for two splits `a` and `b` the number of b's samples that are in a too, bit by bit as they are stored
  (`count`), how many of b were looked at (`of`), and a few pairs of places in the data set (`examples`). Of each split
  at most MOST_COMPARED are looked at, evenly drawn; a sample of nothing but one value is none.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from labtui.data import Stored
from labtui.data.ragged import Ragged
from labtui.engine.samples import Samples
from labtui.files.tell import tell

if TYPE_CHECKING:
    from labtui.engine.budget import Budget
    from labtui.engine.loop import Parts
    from labtui.writer import Run

NAME = "inputs"
MOST_SAMPLES, LEAST = 512, 4
MOST_VALUES = 2**21
MOST_CHANNELS = 256
MOST_COMPARED = 30_000
MOST_KEYED = 256
"""Values of a sample that are compared first, evenly drawn; only where they are the same, all are."""
MOST_PROVED = 200
"""Pairs that are compared whole."""
EXAMPLES = 5
BATCH = 128
CALL, PER_VALUE, PER_SAMPLE = 1e-3, 8e-8, 6e-6
"""Seconds for some samples that are counted at once and each of their values, for a sample that is compared; on a slow
CPU."""


class Inputs:
    """When the data of a training are looked at: at the end of the first epoch by which its time pays for that.

    Args:
        run: keeps what is found.
    """

    def __init__(self, parts: Parts, run: Run, budget: Budget) -> None:
        self.parts, self.run, self.budget = parts, run, budget
        self.done = run.attempt > 1 and (run.paths.artifacts / f"{NAME}.json").exists()
        self._cost = self._least = 0.0

    def look(self, over: bool) -> None:
        """Look, if it is time; if the training is `over`, at fewer samples where it does not pay for all."""
        if self.done:
            return
        with self.budget.spending():
            try:
                self._look(over)
            except Exception as error:  # of data of the user's own, or a full disk; it ends no training
                self.done = True
                tell(f"labtui: inputs cannot be described: {type(error).__name__}: {error}")

    def _look(self, over: bool) -> None:
        self._cost = self._cost or self._guess()
        left = max(self.budget.left(), 0.0)
        share = left / 2 / self._cost  # the other half is for what comes later
        self.done = share >= 1 or over
        if share >= 1 or (over and left >= self._least):
            self.run.artifact(NAME, describe(self.parts.samples, self.parts.given, min(share, 1.0)))

    def _guess(self) -> float:
        """About how many seconds it takes."""
        samples = self.parts.samples
        dataset = samples["train"].shelf.dataset
        begun = time.thread_time()
        _counted(samples["train"], samples["train"].index[:1], None, torch.zeros(1, dtype=torch.int64))
        values = dataset.example.numel()
        each = max(time.thread_time() - begun - CALL, values * PER_VALUE)
        self._least = CALL * len(samples) + LEAST * len(samples) * each
        counted = sum(min(len(one), MOST_SAMPLES, max(1, MOST_VALUES // values)) for one in samples.values())
        return counted * each + sum(min(len(one), MOST_COMPARED) for one in samples.values()) * PER_SAMPLE


def describe(samples: dict[str, Samples], given: dict[str, Any], share: float = 1.0) -> dict[str, Any]:
    """The artifact.

    Args:
        given: what `layers.given` says.
        share: of the samples that may be looked at.
    """
    first = samples["train"]
    shape = tuple(first.shelf.dataset.example.shape[1:])
    axis = channels_of(shape, given)
    count = 1 if axis is None else shape[axis]
    shown = torch.linspace(0, count - 1, min(count, MOST_CHANNELS)).round().long()
    return {
        "layers": given.get("layers", []),
        "axis": axis,
        "channels": count,
        "shown": shown.tolist(),
        "splits": {name: _statistics(one, axis, shown, share) for name, one in samples.items()},
        "identical": identical(samples, share),
    }


def channels_of(shape: tuple[int, ...], given: dict[str, Any]) -> int | None:
    """Along which dimension of a sample its channels lie; None: it is one channel.

    It is the one that is as wide as what the first layer takes: of two, the first for convolutions, the last for
    others. Where none is (a layer takes a sample flat, or as a wave), it is the first of three or more.
    """
    width, kind = given.get("width"), next(iter(given.get("layers", [])), "")
    fit = [at for at, size in enumerate(shape) if size == width]
    if fit:
        return fit[0] if kind.startswith(("Conv", "BatchNorm", "InstanceNorm")) else fit[-1]
    return 0 if len(shape) > 2 else None


def _statistics(samples: Samples, axis: int | None, shown: Tensor, share: float) -> dict[str, Any]:
    size = max(1, samples.shelf.dataset.example.numel())
    index = _some(samples, max(LEAST, int(share * min(MOST_SAMPLES, MOST_VALUES // size))))
    parts = [_counted(samples, at, axis, shown) for at in torch.split(index, BATCH)]
    number, total, squares, low, high, odd = (torch.stack(part) for part in zip(*parts, strict=True))
    number = number.sum(0).clamp(min=1)
    mean = total.sum(0) / number
    variance = (squares.sum(0) / number - mean.square()).clamp(min=0)
    figures = {"mean": mean, "std": variance.sqrt(), "min": low.amin(0), "max": high.amax(0)}
    return {
        "samples": len(index),
        **{name: [float(f"{value:.6g}") for value in values.tolist()] for name, values in figures.items()},
        "not_finite": int(odd.sum()),
    }


def _counted(samples: Samples, at: Tensor, axis: int | None, shown: Tensor) -> tuple[Tensor, ...]:
    """Of each channel: number of values, sum, sum of squares, least, largest, and values that are no number."""
    batch = samples.batch(at)
    x = batch.x.double()
    there = torch.ones_like(x, dtype=torch.bool)
    if batch.lengths is not None:
        longest = int(batch.lengths.max())
        time = next((d for d in range(1, x.ndim) if x.shape[d] == longest), None)
        if time is not None:
            form = [1] * x.ndim
            form[time] = longest
            place = torch.arange(longest, device=x.device).reshape(form)
            there = (place < batch.lengths.reshape(-1, *[1] * (x.ndim - 1)).to(x.device)).expand_as(x)
    if axis is None:
        x, there = x.reshape(1, -1), there.reshape(1, -1)
    else:
        chosen = shown.to(x.device)
        x = x.movedim(axis + 1, 0).index_select(0, chosen).flatten(1)
        there = there.movedim(axis + 1, 0).index_select(0, chosen).flatten(1)
    sound = there & x.isfinite()
    known = torch.where(sound, x, 0.0)
    return (
        sound.sum(1).double(),
        known.sum(1),
        known.square().sum(1),
        torch.where(sound, x, torch.inf).amin(1),
        torch.where(sound, x, -torch.inf).amax(1),
        (there & ~x.isfinite()).sum(1),
    )


def identical(samples: dict[str, Samples], share: float = 1.0) -> list[dict[str, Any]]:
    """The samples that two splits share."""
    places = {name: _some(one, max(LEAST, int(share * MOST_COMPARED))) for name, one in samples.items()}
    keys = {name: dict(_keyed(samples[name].shelf.x, at)) for name, at in places.items()}
    found = []
    for a, b in combinations(keys, 2):
        x, there = samples[a].shelf.x, {key: place for place, key in keys[a].items()}
        pairs = [(there[key], place) for place, key in keys[b].items() if key in there]
        proved = [pair for pair in pairs[:MOST_PROVED] if _same(x, *pair)]
        if proved:
            # Beyond those that were compared whole, the others are taken to be alike in the same share.
            count = round(len(proved) * len(pairs) / min(len(pairs), MOST_PROVED))
            found.append(
                {"a": a, "b": b, "count": count, "of": len(places[b]), "examples": proved[:EXAMPLES]}
            )
    return found


def _some(samples: Samples, most: int) -> Tensor:
    """(n,) places, evenly drawn."""
    rows = torch.linspace(0, len(samples) - 1, min(len(samples), most), dtype=torch.float64)
    return samples.index[rows.round().long().to(samples.index.device)]


def _keyed(x: Stored, at: Tensor) -> Iterator[tuple[int, bytes]]:
    """Places, and what tells their samples apart."""
    for some in torch.split(at, 4096):
        places = some.tolist()
        if isinstance(x, Ragged):
            for place in places:
                flat = x[place].reshape(-1)
                if len(flat) and flat.min() < flat.max():
                    yield place, b"%d" % len(flat) + _key(flat[:: len(flat) // MOST_KEYED | 1].cpu().numpy())
            continue
        flat = x.flatten(1)
        rows = flat[:, :: flat.shape[1] // MOST_KEYED | 1].index_select(0, some).cpu()
        varied = (rows.amin(1) < rows.amax(1)).tolist()
        array = rows.contiguous().numpy()
        yield from ((place, _key(array[k])) for k, place in enumerate(places) if varied[k])


def _key(values: Any) -> bytes:
    return hashlib.blake2b(values.tobytes(), digest_size=12).digest()


def _same(x: Stored, one: int, other: int) -> bool:
    return torch.equal(x[one], x[other])
