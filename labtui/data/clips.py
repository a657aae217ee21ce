"""What a model sees of decoded tracks: clips, and spectrograms of them, batched on the training device."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Literal, TypedDict

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from labtui.data import Chosen, Transform, normal
from labtui.data.decoded import SCALE, Tracks
from labtui.data.mapped import mapped, room

Step = Callable[[Tensor], Tensor]
Norm = Literal["none", "train", "min_max", "sample", "batch"]

FORMAT = 1
"""Counted up when the same options come to mean other spectrograms."""
WAVE, IMAGE = (0.0, 0.21469156), (1.0784853, 4.0071154)
"""The notebook's constants, shift and scale: of waves, and of spectrograms."""


def same(x: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """What comes in."""
    return x


def channel(x: Tensor) -> Tensor:
    """(N, clip) -> (N, 1, clip): a wave as it is looked at."""
    return x[:, None]


class Seeing(TypedDict, total=False):
    """Arguments of a `Dataset`, of which it takes one."""

    transform: Transform
    fit: Callable[[Any, Tensor], Transform]


@dataclass(frozen=True)
class Augment:
    """Random crops that are stretched to the whole, and reversals; the options are those of
    `recipe.data.music.Augment`."""

    scale: tuple[float, float]
    ratio: tuple[float, float]
    flip: float
    flipped: Literal["frames", "bins"]
    in_evaluation: bool

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """(N, 1, frames, bins) -> the same shape, each sample changed in its own way."""
        device = generator.device
        width, height = self.sizes(len(x), x.shape[3], x.shape[2], generator)
        place = 2 * torch.rand(2, len(x), generator=generator, device=device) - 1
        right, down = (1 - width) * place[0], (1 - height) * place[1]
        turned = torch.rand(len(x), generator=generator, device=device) < self.flip
        sign = torch.where(turned, -1.0, 1.0)
        wide, high = (width, sign * height) if self.flipped == "frames" else (sign * width, height)
        nothing = torch.zeros_like(wide)
        affine = torch.stack([wide, nothing, right, nothing, high, down], 1).view(-1, 2, 3).to(x)
        grid = F.affine_grid(affine, list(x.shape), align_corners=False)
        return F.grid_sample(x, grid, padding_mode="border", align_corners=False)

    def sizes(self, n: int, wide: int, high: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Widths and heights of n crops, (n,) each, as shares of the whole.

        As torchvision.transforms.RandomResizedCrop: the first of ten crops of random area and ratio that
        fits, else the largest one of a ratio that is allowed.
        """
        drawn = torch.rand(2, n, 10, generator=generator, device=generator.device)
        low, top = (math.log(ratio) for ratio in self.ratio)
        area = (self.scale[0] + (self.scale[1] - self.scale[0]) * drawn[0]) * wide * high
        ratio = (low + (top - low) * drawn[1]).exp()
        width, height = (area * ratio).sqrt() / wide, (area / ratio).sqrt() / high
        fits = (width <= 1) & (height <= 1)
        first = fits.int().argmax(1, keepdim=True)
        largest = min(max(wide / high, self.ratio[0]), self.ratio[1])
        fallback = min(1.0, largest * high / wide), min(1.0, wide / largest / high)
        some = fits.any(1)
        width, height = (
            torch.where(some, size.gather(1, first)[:, 0], whole)
            for size, whole in zip((width, height), fallback, strict=True)
        )
        return width, height


@dataclass(frozen=True)
class Cut:
    """Clips of decoded tracks."""

    clip: int
    """Samples of a clip."""
    anywhere: bool
    """Training clips are taken anywhere; else from the middle, as when evaluating."""

    def __call__(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """Tracks (N, samples) int16 -> clips (N, clip) float32 from -1 to 1."""
        room = x.shape[1] - self.clip
        if generator is None or not self.anywhere:
            found = x[:, room // 2 : room // 2 + self.clip]
        else:
            drawn = torch.randint(0, room + 1, (len(x),), generator=generator, device=generator.device)
            places = x.unfold(1, self.clip, 1)  # all clips that there are, as a view
            found = places[torch.arange(len(x), device=x.device), drawn.to(x.device)]
        return found.to(torch.float32) / SCALE


@dataclass(frozen=True)
class Look:
    """One way to look at a clip."""

    see: Step
    """(N, clip) -> (N, 1, clip) or (N, 1, frames, bins)."""
    augment: Augment | None = None
    """Random changes of spectrograms."""
    constants: Step | None = None
    """A norm whose constants are known."""

    def __call__(self, wave: Tensor, generator: torch.Generator | None) -> Tensor:
        """As `see`."""
        seen = self.see(wave)
        if generator is None and self.augment and self.augment.in_evaluation:
            generator = torch.Generator(wave.device).manual_seed(0)
        if generator is not None and self.augment:
            seen = self.augment(seen, generator)
        return seen if self.constants is None else self.constants(seen)


@dataclass(frozen=True)
class Sight:
    """A data set's transform: a clip, looked at in one way or two, with a norm for each of them."""

    cut: Transform
    """Samples as stored to clips."""
    looks: Sequence[Look]
    norms: Sequence[Step]
    reduce: Step = same
    """Of the bins of what is seen."""

    def __call__(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """(N, samples) int16 -> (N, 1, clip), (N, 1, frames, bins), or both as (N, clip + frames · bins)."""
        wave = self.cut(x, generator)
        parts = [norm(look(wave, generator)) for look, norm in zip(self.looks, self.norms, strict=True)]
        return self.reduce(parts[0] if len(parts) == 1 else torch.cat([p.flatten(1) for p in parts], 1))


def keep(tracks: Tracks, cut: Cut, see: Step, named: Any, cache: Path) -> Tensor:
    """What is seen of the middle clips of tracks, made once: (N, 1, frames, bins) float32, mapped into memory.

    Args:
        named: all that `cut` and `see` depend on, as JSON takes it.

    Raises:
        DataError: the cache's folder cannot be written, or is too full.
    """
    count, middle = len(tracks.values), Sight(cut, [Look(see)], [same])

    def write(out: IO[bytes]) -> dict[str, Any]:
        shape = list(middle(tracks.values[:1], None).shape[1:])
        room(cache, "spectrograms", count, 4 * count * math.prod(shape))
        for start in range(0, count, normal.CHUNK):
            out.write(middle(tracks.values[start : start + normal.CHUNK], None).numpy().data)
        return {"shape": shape}

    values, about = mapped(cache, "spectrograms", [FORMAT, tracks.named, named], write, np.float32)
    return values.view(count, *about["shape"])


def sight(cut: Transform, looks: Sequence[Look], norm: Norm, share: float | None) -> Seeing:
    """What a data set has for the model's view of it: `transform`, or `fit` if something is learnt.

    Args:
        norm: of each look by itself.
        share: of the variance of the bins that principal components keep; None: the bins stay.
    """
    norms = [normal.ALONE.get(norm, same)] * len(looks)
    if norm != "train" and share is None:
        return {"transform": Sight(cut, looks, norms)}

    def fit(x: Tensor | Chosen, y: Tensor) -> Sight:
        def rows(by: Sight) -> Iterator[Tensor]:
            for start in range(0, len(x), normal.CHUNK):
                seen = by(x[start : start + normal.CHUNK], None)
                yield seen.reshape(-1, seen.shape[-1])

        learnt: Sequence[Step] = norms
        if norm == "train":
            learnt = [normal.constants(rows(Sight(cut, [look], [same])), False) for look in looks]
        found = Sight(cut, looks, learnt)
        return found if share is None else replace(found, reduce=normal.components(rows(found), share))

    return {"fit": fit}
