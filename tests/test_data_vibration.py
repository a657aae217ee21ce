"""Features equal numpy's and scipy's; augmentation has the stated odds and effects."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.signal import decimate
from torch import Tensor

from labtui.data.vibration import CROP, CUTOUT, NOISE, SHIFT, Augment, Features, Sight

W = 1600
AUGMENT = Augment(p_none=0.1, p_two=0.5, noise=0.05, cutout=(100, 499), crop=800)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def windows(n: int = 5) -> Tensor:
    return torch.randn(n, W, generator=rng(7))


@pytest.mark.parametrize("norm", ["backward", "ortho"])
def test_fourier_modes_are_numpys(norm: Any) -> None:
    x = windows()
    seen = Features("fourier", W, 40, norm)(x).numpy()
    assert seen.shape == (5, 40, 3)
    for window, modes in zip(x.numpy().astype(np.float64), seen, strict=True):
        spectrum = np.fft.rfft(window, norm=norm)
        order = np.argsort(-np.abs(spectrum))[:40]
        np.testing.assert_allclose(modes[:, 0], spectrum[order].real, atol=1e-3)
        np.testing.assert_allclose(modes[:, 1], spectrum[order].imag, atol=1e-3)
        np.testing.assert_allclose(modes[:, 2], np.fft.rfftfreq(W)[order], atol=1e-7)


@pytest.mark.parametrize("window", [W, W + 1])
@pytest.mark.parametrize("norm", ["backward", "ortho"])
def test_what_the_modes_leave_out_is_numpys(norm: Any, window: int) -> None:
    x = torch.randn(5, window, generator=rng(7)) + torch.arange(5)[:, None]  # with means of their own
    left = total = 0.0
    for wave in x.numpy().astype(np.float64):
        spectrum = np.fft.rfft(wave)
        spectrum[np.argsort(-np.abs(spectrum))[40:]] = 0
        left += ((wave - np.fft.irfft(spectrum, window)) ** 2).sum()
        total += (wave**2).sum()
    assert Features("fourier", window, 40, norm).lost(x) == pytest.approx(math.sqrt(left / total), rel=1e-5)


def test_all_modes_leave_nothing_out() -> None:
    assert Features("fourier", W, W // 2 + 1).lost(windows()) == 0
    assert Features("fourier", W, 40).lost(torch.zeros(2, W)) == 0


def test_decimate_is_scipys() -> None:
    x = windows()
    seen = Features("decimate", W)(x)
    assert seen.shape == (5, 400, 1)
    np.testing.assert_allclose(seen[:, :, 0], decimate(x.double().numpy(), 4), atol=1e-5)


def test_raw_is_the_window() -> None:
    x = windows()
    assert torch.equal(Features("raw", W)(x)[:, :, 0], x)


def test_odds_of_changes() -> None:
    n = 90_000
    chosen = AUGMENT.choose(n, rng())
    seen: dict[tuple[int, ...], int] = {}
    for row, count in zip(*chosen.unique(dim=0, return_counts=True), strict=True):
        seen[tuple(row.nonzero()[:, 0].tolist())] = int(count)
    expected: dict[tuple[int, ...], float] = {(): 0.1}
    expected |= {(change,): 0.45 / 4 for change in range(4)}
    pairs = [(SHIFT, CUTOUT), (NOISE, CUTOUT), (SHIFT, CROP), (NOISE, CROP)]
    expected |= {tuple(sorted(pair)): 0.45 / 4 for pair in pairs}
    assert seen.keys() == expected.keys()
    for changes, p in expected.items():
        assert abs(seen[changes] - n * p) < 5 * math.sqrt(n * p * (1 - p)), changes


def only(*changes: int, x: Tensor, seed: int = 0) -> Tensor:
    chosen = torch.zeros(len(x), 4, dtype=torch.bool)
    chosen[:, list(changes)] = True
    return AUGMENT.apply(x, chosen, rng(seed))


def test_no_change_is_no_change() -> None:
    x = windows()
    assert torch.equal(only(x=x), x)


def test_noise_level_is_uniform() -> None:
    x = windows(2000)
    levels = (only(NOISE, x=x) - x).std(dim=1)
    assert levels.max() < 0.055
    assert levels.mean() == pytest.approx(0.025, abs=0.002)
    assert levels.quantile(0.1) == pytest.approx(0.005, abs=0.002)


def test_cutout_zeroes_one_stretch_of_100_to_499() -> None:
    x = torch.ones(12_000, W)
    hidden = only(CUTOUT, x=x) == 0
    lengths = hidden.sum(dim=1)
    assert (int(lengths.min()), int(lengths.max())) == (100, 499)
    edges = hidden.int().diff(dim=1).abs().sum(dim=1)
    assert edges.max() <= 2
    assert hidden[:, 0].any()
    assert hidden[:, -1].any()


def test_shift_is_circular_from_minus_800_to_799() -> None:
    ramp = torch.arange(W, dtype=torch.float32).expand(20_000, W)
    moved = only(SHIFT, x=ramp)
    by = torch.where(moved[:, 0] == 0, 0.0, W - moved[:, 0])
    by = torch.where(by >= 800, by - W, by)
    assert (int(by.min()), int(by.max())) == (-800, 799)
    assert by.mean().abs() < 20
    assert torch.equal(moved[3], ramp[3].roll(int(by[3])))


def test_crop_repeats_800_samples_twice() -> None:
    ramp = torch.arange(W, dtype=torch.float32).expand(20_000, W)
    cropped = only(CROP, x=ramp)
    begin = cropped[:, 0].long()
    assert (int(begin.min()), int(begin.max())) == (0, 800)
    whole = begin[:, None] + torch.arange(800)
    assert torch.equal(cropped.long(), whole.repeat_interleave(2, dim=1))


def test_shift_comes_before_crop() -> None:
    ramp = torch.arange(W, dtype=torch.float32).expand(500, W)
    steps = only(SHIFT, CROP, x=ramp)[:, ::2].diff(dim=1)
    # a crop of the shifted window may hold the seam; a shifted crop would repeat samples across it
    assert set(steps.unique().tolist()) == {1.0, 1.0 - W}


def test_noise_before_crop_is_repeated_with_its_sample() -> None:
    pairs = only(NOISE, CROP, x=windows(20)).reshape(20, 800, 2)
    assert torch.equal(pairs[:, :, 0], pairs[:, :, 1])


def test_cutout_comes_last() -> None:
    for first in (NOISE, SHIFT):
        assert ((only(first, CUTOUT, x=windows(50)) == 0).sum(dim=1) >= 100).all()


def test_training_is_reproducible_and_evaluation_plain() -> None:
    x = windows(64)
    sight = Sight(Features("fourier", W, 40), AUGMENT)
    assert torch.equal(sight(x, rng(1)), sight(x, rng(1)))
    assert not torch.equal(sight(x, rng(1)), sight(x, rng(2)))
    assert torch.equal(sight(x, None), Features("fourier", W, 40)(x))
