"""Low-level descriptors of speech like those of the ComParE set, for simulated corpora.

ComParE has 65 descriptors a frame and their differences (Weninger et al., "On the acoustics of emotion in
audio", Front. Psychol. 4, 292, 2013, table 2): pitch and voice quality, energy, 26 auditory bands, 14
cepstral coefficients, and the spectrum's shape. What is here has as many of the same kinds from plain
formulas; the values are not openSMILE's, which real features should come from.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from labtui.data.spectra import mel_filters

Signal = NDArray[np.floating]

WINDOW, SHIFT = 0.025, 0.010
"""Seconds of a frame, and from one to the next."""
FFT = 512
"""Samples of the Fourier transform."""
BANDS, CEPSTRUM = 26, 14
ROLL_OFFS = (0.25, 0.5, 0.75, 0.9)
EDGES = (0, 250, 650, 1000, 2000, 3000, 4000, 6000)
"""Bounds of bands whose energy is given (Hz)."""
TINY = 1e-10

OWN = [
    *("F0final", "voicing", "HNR", "loudness", "RMSenergy", "zcr"),
    *(f"audSpec[{k}]" for k in range(BANDS)),
    *(f"mfcc[{k}]" for k in range(1, CEPSTRUM + 1)),
    *(f"fband{low}-{high}" for low, high in pairwise(EDGES)),
    *(f"spectralRollOff{share * 100:.0f}" for share in ROLL_OFFS),
    *("flux", "centroid", "entropy", "variance", "skewness", "kurtosis", "slope", "harmonicity"),
]
"""The 65 descriptors."""
NAMES = [f"{name}_sma" for name in OWN] + [f"{name}_sma_de" for name in OWN]
"""Columns of the table, as openSMILE calls its own."""


def describe(wave: Signal, rate: int) -> Signal:
    """(samples,) to (frames, 130): 65 descriptors, then the difference of each to the frame before."""
    size, shift = round(rate * WINDOW), round(rate * SHIFT)
    wave = np.pad(wave, (0, max(0, size - len(wave))))
    frames = np.lib.stride_tricks.sliding_window_view(wave, size)[::shift]
    power = np.abs(np.fft.rfft(frames * np.hamming(size), FFT)) ** 2
    hertz = np.fft.rfftfreq(FFT, 1 / rate)
    bands = np.log(power @ mel_filters(rate, FFT, BANDS).numpy() + TINY)
    own = np.column_stack(
        [*_voice(frames, rate), *_energy(frames, bands), bands, _cepstrum(bands), *_spectrum(power, hertz)]
    )
    smooth = np.stack([own[[max(0, k - 1), k, min(len(own) - 1, k + 1)]].mean(0) for k in range(len(own))])
    return np.hstack([smooth, np.diff(smooth, axis=0, prepend=smooth[:1])])


def _voice(frames: Signal, rate: int) -> tuple[Signal, Signal, Signal]:
    """Pitch (Hz, 0 where there is none), voicing and harmonics-to-noise ratio (dB) from the autocorrelation
    (Boersma 1993)."""
    size = frames.shape[1]
    spectrum = np.abs(np.fft.rfft(frames - frames.mean(1, keepdims=True), 2 * size)) ** 2
    correlation = np.fft.irfft(spectrum)[:, :size] / (1 - np.arange(size) / size)
    low, high = rate // 400, rate // 70
    lags = correlation[:, low:high]
    # Of the peaks that are almost the highest, the first: the others are its multiples.
    inner = lags[:, 1:-1]
    peaks = (inner >= lags[:, :-2]) & (inner >= lags[:, 2:]) & (inner >= 0.9 * lags.max(1, keepdims=True))
    best = np.where(peaks.any(1), peaks.argmax(1) + 1, lags.argmax(1))
    voicing = np.clip(lags.max(1) / (correlation[:, 0] + TINY), 0, 0.999)
    pitch = np.where(voicing > 0.45, rate / (best + low), 0.0)
    return pitch, voicing, 10 * np.log10((voicing + TINY) / (1 - voicing))


def _energy(frames: Signal, bands: Signal) -> tuple[Signal, Signal, Signal]:
    """Loudness, root mean square, zero crossings."""
    crossings = (np.diff(np.signbit(frames), axis=1) != 0).mean(1)
    return np.exp(0.33 * bands).sum(1), np.sqrt((frames**2).mean(1)), crossings


def _cepstrum(bands: Signal) -> Signal:
    """(frames, 14) cosine transform of the bands."""
    from scipy.fft import dct

    found: Signal = dct(bands, norm="ortho")[:, 1 : CEPSTRUM + 1]
    return found


def _spectrum(power: Signal, hertz: Signal) -> list[Signal]:
    """Energies of bands, roll-offs, and moments of the spectrum as a distribution over frequency."""
    total = power.sum(1) + TINY
    share = power / total[:, None]
    bands = [power[:, (hertz >= a) & (hertz < b)].sum(1) for a, b in pairwise(EDGES)]
    rolls = [hertz[(share.cumsum(1) < part).sum(1).clip(max=len(hertz) - 1)] for part in ROLL_OFFS]
    centroid = share @ hertz
    away = hertz - centroid[:, None]
    variance = (share * away**2).sum(1) + TINY
    skewness, kurtosis = ((share * away**k).sum(1) / variance ** (k / 2) for k in (3, 4))
    entropy = -(share * np.log(share + TINY)).sum(1)
    flux = np.sqrt((np.diff(np.sqrt(power), axis=0, prepend=np.sqrt(power[:1])) ** 2).sum(1))
    centred = hertz - hertz.mean()
    slope = np.log(power + TINY) @ centred / (centred**2).sum()
    peaks = np.abs(np.diff(np.sqrt(share), axis=1)).sum(1)
    logs = [np.log(band + TINY) for band in bands]
    return [*logs, *rolls, flux, centroid, entropy, np.sqrt(variance), skewness, kurtosis, slope, peaks]
