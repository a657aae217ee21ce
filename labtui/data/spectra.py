"""Spectrograms of waves, batched, on the device that the waves are on."""

from __future__ import annotations

import torch
from torch import Tensor, nn

FLOOR = 1e-10
"""Power below which decibels are not told apart (librosa's `amin`)."""
TOP_DB = 80.0
"""Decibels below a sample's maximum at which they end (librosa's default)."""


class Spectrogram(nn.Module):
    """Power over time and frequency: (N, T) -> (N, 1, frames, bins) float32.

    Frames are centred: the wave is continued with zeros by half a window at both ends, so that T samples
    give 1 + T // hop frames (`librosa.stft`, version 0.10 and later). The window is a periodic Hann.

    Args:
        rate: samples a second; the mel filters need it.
        n_fft: samples of a window, and of the Fourier transform.
        hop: samples from one window to the next.
        mels: mel bins; None: the n_fft // 2 + 1 bins of the Fourier transform.
        db: decibels below each sample's own maximum, as `power_to_db`; False: power.
        frames: at most so many frames are kept; None: all.
    """

    window: Tensor
    filters: Tensor | None

    def __init__(
        self,
        rate: int,
        n_fft: int = 4096,
        hop: int = 2048,
        mels: int | None = 513,
        db: bool = True,
        frames: int | None = None,
    ) -> None:
        super().__init__()
        self.n_fft, self.hop, self.db, self.most = n_fft, hop, db, frames
        self.register_buffer("window", torch.hann_window(n_fft))
        self.register_buffer("filters", None if mels is None else mel_filters(rate, n_fft, mels))

    def forward(self, x: Tensor) -> Tensor:
        """As the class says; the tables follow `x` to its device."""
        if self.window.device != x.device:
            self.to(x.device)
        # What is not kept need not be computed.
        if self.most is not None:
            x = x[:, : self.most * self.hop + self.n_fft]
        spectrum = torch.stft(
            x, self.n_fft, self.hop, window=self.window, pad_mode="constant", return_complex=True
        )[:, :, : self.most]
        power = spectrum.real.square() + spectrum.imag.square()
        power = power.transpose(1, 2)
        if self.filters is not None:
            power = power @ self.filters
        return (power_to_db(power) if self.db else power)[:, None]

    def frames(self, lengths: Tensor) -> Tensor:
        """Frames that are made of so many samples, for the lengths of padded waves."""
        frames = 1 + lengths // self.hop
        return frames if self.most is None else frames.clamp(max=self.most)


def mel_filters(rate: int, n_fft: int, mels: int) -> Tensor:
    """Triangular filters that are equally wide on the mel scale: (n_fft // 2 + 1, mels) float32.

    The scale is 2595 · log10(1 + f / 700) (O'Shaughnessy 1987; HTK), from 0 to rate / 2; each filter
    rises from 0 to 1 at its centre and falls to 0 at the next one's. These are the filters of
    `torchaudio.functional.melscale_fbanks` and of `librosa.filters.mel(htk=True, norm=None)`. A filter
    that lies between two Fourier bins is zero throughout: lower `mels` or raise `n_fft` if that matters.
    """
    bins = torch.linspace(0, rate / 2, n_fft // 2 + 1, dtype=torch.float64)
    top = 2595 * torch.log10(torch.tensor(1 + rate / 1400, dtype=torch.float64))
    edges = 700 * (10 ** (torch.linspace(0, float(top), mels + 2, dtype=torch.float64) / 2595) - 1)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins[:, None] - low) / (centre - low)
    falling = (high - bins[:, None]) / (high - centre)
    return torch.minimum(rising, falling).clamp(min=0).to(torch.float32)


def power_to_db(power: Tensor, top_db: float | None = TOP_DB) -> Tensor:
    """Decibels below each sample's maximum (`librosa.power_to_db(ref=np.max)`): (N, …) -> the same.

    Args:
        power: not negative; below 1e-10 it counts as that, so that silence is finite.
        top_db: what is further below the maximum is raised to that; None: nothing is.
    """
    largest = power.flatten(1).amax(1).view(-1, *[1] * (power.ndim - 1))
    decibels = 10 * (power.clamp(min=FLOOR).log10() - largest.clamp(min=FLOOR).log10())
    return decibels if top_db is None else decibels.clamp(min=-top_db)
