"""Spectrograms, against scipy's Fourier transform and the formulas written out in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.signal import get_window, stft

from labtui.data.spectra import Spectrogram, mel_filters, power_to_db

RATE, N_FFT, HOP = 8000, 256, 64


@pytest.fixture(scope="module")
def waves() -> torch.Tensor:
    return torch.randn(3, 2000, generator=torch.Generator().manual_seed(0))


def test_power_is_that_of_scipy(waves: torch.Tensor) -> None:
    seen = Spectrogram(RATE, N_FFT, HOP, mels=None, db=False)(waves)
    window = get_window("hann", N_FFT)
    *_, spectrum = stft(waves.numpy(), RATE, window, N_FFT, N_FFT - HOP, boundary="zeros", padded=False)
    power = np.abs(spectrum * window.sum()) ** 2  # scipy divides by the window's sum
    assert seen.shape == (3, 1, 1 + 2000 // HOP, N_FFT // 2 + 1)
    np.testing.assert_allclose(seen[:, 0], power.transpose(0, 2, 1), rtol=1e-3, atol=1e-3)


def mels_in_numpy(rate: int, n_fft: int, mels: int) -> np.ndarray:
    """The definition, one triangle and one bin at a time."""
    top = 2595 * np.log10(1 + rate / 2 / 700)
    points = [700 * (10 ** (top * k / (mels + 1) / 2595) - 1) for k in range(mels + 2)]
    filters = np.zeros((n_fft // 2 + 1, mels))
    for m in range(mels):
        filters[:, m] = np.interp(
            np.arange(n_fft // 2 + 1) * rate / n_fft, points[m : m + 3], [0, 1, 0], left=0, right=0
        )
    return filters


@pytest.mark.parametrize(("rate", "n_fft", "mels"), [(8000, 256, 20), (44_100, 4096, 513)])
def test_mel_filters_are_those_of_their_definition(rate: int, n_fft: int, mels: int) -> None:
    np.testing.assert_allclose(mel_filters(rate, n_fft, mels), mels_in_numpy(rate, n_fft, mels), atol=1e-5)


def test_a_tone_is_where_its_frequency_is() -> None:
    wave = torch.sin(2 * torch.pi * 1000 * torch.arange(4000) / RATE)[None]
    assert Spectrogram(RATE, N_FFT, HOP, mels=None)(wave)[0, 0, 30].argmax() == 1000 * N_FFT // RATE
    loudest = Spectrogram(RATE, N_FFT, HOP, mels=30)(wave)[0, 0, 30].argmax()
    centres = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + RATE / 1400), 32)[1:-1] / 2595) - 1)
    assert loudest == np.abs(centres - 1000).argmin()


def test_decibels_are_below_each_samples_own_maximum() -> None:
    power = torch.tensor([[1e-12, 1e-3, 1.0], [10.0, 1e-7, 1000.0], [0.0, 0.0, 0.0]])
    assert power_to_db(power).round().tolist() == [[-80, -30, 0], [-20, -80, 0], [0, 0, 0]]
    assert power_to_db(power, top_db=None).round().tolist() == [[-100, -30, 0], [-20, -100, 0], [0, 0, 0]]


def test_the_genre_notebooks_size_without_nan() -> None:
    see = Spectrogram(44_100, 4096, 2048, 513, frames=128)
    waves = torch.zeros(2, 2**18)
    waves[0] = torch.randn(2**18, generator=torch.Generator().manual_seed(0))
    seen = see(waves)
    assert seen.shape == (2, 1, 128, 513)
    empty = see.filters.sum(0) == 0
    assert empty.any()  # low filters between two Fourier bins
    assert seen.isfinite().all()
    assert (seen[0, :, :, empty] == -80).all()
    assert (seen[1] == 0).all()  # silence is at its own maximum
    # Frames are cut off behind, and not changed by it.
    torch.testing.assert_close(seen[:1], Spectrogram(44_100, 4096, 2048, 513)(waves[:1])[:, :, :128])


@pytest.mark.parametrize("samples", [1, 63, 64, 2000])
def test_frames_are_counted_from_lengths(samples: int) -> None:
    for most in (None, 5):
        see = Spectrogram(RATE, N_FFT, HOP, mels=None, frames=most)
        assert see.frames(torch.tensor([samples])).item() == see(torch.ones(1, samples)).shape[2]


def test_zeros_behind_a_wave_do_not_change_its_frames(waves: torch.Tensor) -> None:
    see = Spectrogram(RATE, N_FFT, HOP, mels=20, db=False)
    padded = see(torch.nn.functional.pad(waves, (0, 5000)))
    alone = see(waves)
    torch.testing.assert_close(padded[:, :, : alone.shape[2]], alone)
