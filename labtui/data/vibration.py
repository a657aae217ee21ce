"""Augmentation and features of vibration windows, batched on the training device."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from scipy.signal import decimate
from torch import Tensor

NOISE, SHIFT, CUTOUT, CROP = range(4)

# Which changes go together. In a pair, noise or shift comes first ("cutout∘shift").
_SINGLES = [(NOISE,), (SHIFT,), (CUTOUT,), (CROP,)]
_PAIRS = [(SHIFT, CUTOUT), (NOISE, CUTOUT), (SHIFT, CROP), (NOISE, CROP)]
_MENU = [(), *_SINGLES, *_PAIRS]


@dataclass(frozen=True)
class Augment:
    """Random changes of windows; the options are those of `recipe.data.vibration.Augment`.

    A window is left as it is with `p_none`; else it gets a pair of changes with `p_two`, otherwise
    a single one; each pair and each single is as likely as the next.
    """

    p_none: float
    p_two: float
    noise: float
    cutout: tuple[int, int]
    crop: int

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """(N, window) -> the same shape, on x's device."""
        changes = self.choose(len(x), generator).to(x.device)
        return self.apply(x, changes, generator)

    def choose(self, n: int, generator: torch.Generator) -> Tensor:
        """Which changes each of n windows gets: (n, 4) bool, columns NOISE, SHIFT, CUTOUT, CROP."""
        some = 1 - self.p_none
        single, pair = some * (1 - self.p_two) / len(_SINGLES), some * self.p_two / len(_PAIRS)
        weights = [self.p_none] + [single] * len(_SINGLES) + [pair] * len(_PAIRS)
        menu = torch.tensor([[change in row for change in range(4)] for row in _MENU])
        drawn = torch.multinomial(
            torch.tensor(weights, device=generator.device), n, replacement=True, generator=generator
        )
        return menu.to(generator.device)[drawn]

    def apply(self, x: Tensor, changes: Tensor, generator: torch.Generator) -> Tensor:
        """(N, window), (N, 4) bool -> (N, window), a new tensor.

        Noise of a standard deviation from U(0, noise); a circular shift by -window/2 to
        window/2 - 1; zeros over a stretch of random length; a crop whose samples are repeated to
        fill the window.
        """
        n, window = x.shape

        def whole(low: int, high: int | Tensor) -> Tensor:
            """(N, 1) whole numbers from low to high, high included."""
            u = torch.rand(n, 1, generator=generator, device=generator.device).to(x.device)
            # in float32, u times the width can round up to the width
            return (low + (u * (high + 1 - low)).floor().long()).clamp(max=high)

        noisy, shifted, cut, cropped = changes[:, :, None].unbind(1)  # (N, 1) each
        level = torch.rand(n, 1, generator=generator, device=generator.device)
        noise = torch.randn(n, window, generator=generator, device=generator.device)
        x = x + (self.noise * level * noise).to(x) * noisy

        place = torch.arange(window, device=x.device)
        begin = whole(0, window - self.crop)
        source = torch.where(cropped, begin + place // (window // self.crop), place)
        x = x.gather(1, (source - whole(-(window // 2), window // 2 - 1) * shifted) % window)

        length = whole(*self.cutout)
        begin = whole(0, window - length)
        return x.masked_fill_((place >= begin) & (place < begin + length * cut), 0.0)


class Features:
    """What a model sees of windows: Fourier modes, every fourth sample, or all samples."""

    def __init__(
        self,
        kind: Literal["fourier", "decimate", "raw"],
        window: int,
        modes: int = 40,
        norm: Literal["backward", "ortho"] = "backward",
    ) -> None:
        self.kind = kind
        self.modes = modes
        self.norm = norm
        self._table = _decimation(window) if kind == "decimate" else torch.fft.rfftfreq(window)

    def __call__(self, x: Tensor) -> Tensor:
        """(N, window) -> (N, modes, 3), (N, ⌈window/4⌉, 1) or (N, window, 1).

        The three channels of a Fourier mode are its real and imaginary part and its frequency
        in cycles a sample; modes are in descending order of magnitude.
        """
        if self.kind == "raw":
            return x[:, :, None]
        if self._table.device != x.device:
            self._table = self._table.to(x.device)
        if self.kind == "decimate":
            return (x @ self._table)[:, :, None]
        spectrum, largest = self._largest(x)
        modes = spectrum.gather(1, largest)
        return torch.stack([modes.real, modes.imag, self._table[largest]], dim=2)

    def _largest(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The spectrum (N, bins) of windows, and which of its bins are kept, (N, modes)."""
        spectrum = torch.fft.rfft(x, norm=self.norm)
        return spectrum, spectrum.abs().topk(self.modes).indices

    def lost(self, x: Tensor) -> float:
        """How far windows (N, window) are from what their kept Fourier modes make of them: the root mean
        square of the difference over all windows, as a share of that of the windows (0 for silence)."""
        both = torch.full((x.shape[1] // 2 + 1,), 2.0)  # a bin stands for its negative frequency too
        both[0] = 1
        if x.shape[1] % 2 == 0:
            both[-1] = 1
        left = total = 0.0
        for part in torch.split(x, 4096):
            spectrum, largest = self._largest(part)
            energy = spectrum.abs().double().square() * both
            total += energy.sum().item()
            left += energy.scatter(1, largest, 0.0).sum().item()
        return math.sqrt(left / total) if total else 0.0


def _decimation(window: int) -> Tensor:
    """`scipy.signal.decimate(x, 4)` of a window as a matrix (window, ⌈window/4⌉): it is linear."""
    return torch.from_numpy(decimate(np.eye(window), 4, axis=0).T.copy()).to(torch.float32)


@dataclass
class Sight:
    """A data set's transform: augmentation in training only, then features."""

    features: Features
    augment: Augment | None

    def __call__(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """(N, window) -> what the model sees."""
        if self.augment is not None and generator is not None:
            x = self.augment(x, generator)
        return self.features(x)
