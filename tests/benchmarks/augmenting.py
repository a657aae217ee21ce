"""Augmentation and Fourier features of bearing windows: batched on the training's device.

The baseline is what the fault notebook calls slow, as a data loader does it: window by window in numpy,
drawn, changed, transformed and sorted, then put together and moved to the device.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from harness import Row, interleaved, median, seconds
from numpy.typing import NDArray

from labtui.data.vibration import Augment, Features, Sight

WINDOW, MODES, BATCH = 1600, 40, 1024
Window = NDArray[np.float64]


def noise(x: Window, rng: np.random.Generator) -> Window:
    return x + rng.normal(0, rng.uniform(0, 0.05), len(x))


def cutout(x: Window, rng: np.random.Generator) -> Window:
    length = rng.integers(100, 500)
    begin = rng.integers(0, len(x) - length + 1)
    x = x.copy()
    x[begin : begin + length] = 0
    return x


def shift(x: Window, rng: np.random.Generator) -> Window:
    return np.roll(x, rng.integers(-800, 800))


def crop(x: Window, rng: np.random.Generator) -> Window:
    begin = rng.integers(0, len(x) - 800 + 1)
    return x[begin : begin + 800].repeat(2)


SINGLES = (noise, cutout, shift, crop)
PAIRS = ((shift, cutout), (noise, cutout), (shift, crop), (noise, crop))


def one(x: Window, rng: np.random.Generator) -> NDArray[np.float32]:
    """What the model sees of one window, augmented: (MODES, 3)."""
    if rng.random() >= 0.1:
        if rng.random() < 0.5:
            for change in PAIRS[rng.integers(4)]:
                x = change(x, rng)
        else:
            x = SINGLES[rng.integers(4)](x, rng)
    spectrum = np.fft.rfft(x)
    largest = np.argsort(-np.abs(spectrum))[:MODES]
    kept = spectrum[largest]
    return np.stack([kept.real, kept.imag, np.fft.rfftfreq(len(x))[largest]], axis=1).astype(np.float32)


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    times = 3 if quick else 15
    stored = np.random.default_rng(0).normal(size=(BATCH, WINDOW))
    sight = Sight(Features("fourier", WINDOW, MODES), Augment(0.1, 0.5, 0.05, (100, 499), 800))
    for kind in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
        device = torch.device(kind)
        x = torch.from_numpy(stored).float().to(device)
        rng, generator = np.random.default_rng(0), torch.Generator(device).manual_seed(0)

        def settle(value: Any, device: torch.device = device) -> Any:
            if device.type == "cuda":
                torch.cuda.synchronize()
            return value

        def by_one(rng: np.random.Generator = rng, device: torch.device = device) -> Any:
            return settle(torch.from_numpy(np.stack([one(window, rng) for window in stored])).to(device))

        def batched(x: torch.Tensor = x, generator: torch.Generator = generator) -> Any:
            return settle(sight(x, generator))

        assert by_one().shape == batched().shape == (BATCH, MODES, 3)
        found = interleaved(times, lambda: seconds(by_one), lambda: seconds(batched))
        alone, together = (BATCH / 1e3 / median(figures) for figures in found)
        yield Row(
            f"augment {BATCH:,} windows, {MODES} Fourier modes, batched on {kind}; bare: one by one",
            together, "k/s", alone,
        )  # fmt: skip
