"""Instruments: one note of a plucked string, a struck bar, a voice, a synthesiser, a drum.

Strings: Karplus and Strong, "Digital synthesis of plucked-string and drum timbres", Computer Music
Journal 7(2), 43-55, 1983. Bars and electric pianos: Chowning, "The synthesis of complex audio spectra by
means of frequency modulation", J. Audio Eng. Soc. 21(7), 526-534, 1973. Voices and bowed strings: a
source of harmonics under a filter of formants (Fant, "Acoustic theory of speech production", 1960).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]

FORMANTS = ((700.0, 130.0), (1200.0, 160.0), (2600.0, 240.0))
"""Frequency and width (Hz) of an open vowel's resonances."""


def _time(seconds: float, rate: int) -> Signal:
    return np.arange(max(1, int(seconds * rate))) / rate


def _fade(signal: Signal, rate: int, attack: float = 0.005, release: float = 0.02) -> Signal:
    """No clicks where a note begins and ends (seconds)."""
    up, down = (min(len(signal), max(1, int(part * rate))) for part in (attack, release))
    signal[:up] *= np.linspace(0, 1, up)
    signal[-down:] *= np.linspace(1, 0, down)
    return signal


def string(hz: float, seconds: float, rate: int, rng: np.random.Generator, damping: float = 0.996) -> Signal:
    """A plucked string: a burst of noise runs round a delay line, and loses its highs in each turn."""
    samples, period = len(_time(seconds, rate)), max(2, round(rate / hz))
    turn, last = rng.uniform(-1, 1, period), 0.0
    turns = []
    for _ in range(samples // period + 1):
        turns.append(turn)
        turn = damping * 0.5 * (turn + np.concatenate([[last], turn[:-1]]))
        last = turns[-1][-1]
    return _fade(np.concatenate(turns)[:samples], rate)


def steel(hz: float, seconds: float, rate: int, rng: np.random.Generator) -> Signal:
    """A string that rings long, with the buzz of one that touches its bridge."""
    plain = string(hz, seconds, rate, rng, damping=0.9995)
    return np.asarray(0.6 * plain + 0.4 * np.abs(plain) * np.sign(np.roll(plain, 3)))


def distorted(hz: float, seconds: float, rate: int, rng: np.random.Generator) -> Signal:
    """A power chord, root and fifth, through an overdriven amplifier."""
    chord = sum(string(hz * ratio, seconds, rate, rng, 0.999) for ratio in (1.0, 1.5, 2.0))
    return np.tanh(6.0 * np.asarray(chord))


def _fm(hz: float, seconds: float, rate: int, ratio: float, index: float, decay: float) -> Signal:
    """A carrier whose frequency another oscillator moves, the less the longer it sounds."""
    time = _time(seconds, rate)
    envelope = np.exp(-time / decay)
    turn = 2 * np.pi * hz * time
    return _fade(envelope * np.sin(turn + index * envelope * np.sin(ratio * turn)), rate)


def electric_piano(hz: float, seconds: float, rate: int, rng: np.random.Generator) -> Signal:
    """A struck bar: one modulator at the carrier's frequency, another far above it for the strike."""
    body = _fm(hz, seconds, rate, 1.0, rng.uniform(0.8, 1.4), 0.9)
    return body + 0.2 * _fm(hz, seconds, rate, 14.0, 0.6, 0.08)


def bell(hz: float, seconds: float, rate: int, rng: np.random.Generator) -> Signal:
    """An inharmonic metal: carrier and modulator have no common multiple."""
    return _fm(hz, seconds, rate, rng.uniform(1.3, 3.7), rng.uniform(3, 9), 1.5)


def piano(hz: float, seconds: float, rate: int, rng: np.random.Generator) -> Signal:
    """Harmonics, slightly stretched as stiff strings have them, the high ones decaying sooner."""
    time, out = _time(seconds, rate), np.zeros(len(_time(seconds, rate)))
    for k in range(1, 1 + min(12, int(0.45 * rate / hz))):
        stretched = k * np.sqrt(1 + 4e-4 * k**2)
        decay = np.exp(-time * (1.0 + 0.6 * k))
        out += decay / k**1.2 * np.sin(2 * np.pi * hz * stretched * time + rng.uniform(0, 2 * np.pi))
    return _fade(out, rate)


def _sung(hz: float, seconds: float, rate: int, rng: np.random.Generator, shaped: bool) -> Signal:
    """Harmonics of a bow or of vocal folds, with vibrato, and for a voice with formants."""
    time = _time(seconds, rate)
    deep = rng.uniform(0.003, 0.008) / rng.uniform(5.0, 6.5)
    phase = 2 * np.pi * hz * (time + deep / (2 * np.pi) * np.sin(2 * np.pi * 5.5 * time))
    out, first = np.zeros(len(time)), np.exp(1j * phase)
    harmonic = np.ones(len(time), complex)
    for k in range(1, 1 + min(24, int(0.45 * rate / hz))):
        harmonic *= first  # many times faster than a sine of each
        level = 1.0 / k
        if shaped:
            level *= 0.05 + sum(1 / (1 + ((k * hz - f) / width) ** 2) for f, width in FORMANTS)
        out += level * harmonic.imag
    return _fade(out, rate, attack=0.06, release=0.08)


def voice(hz: float, seconds: float, rate: int, rng: np.random.Generator) -> Signal:
    """A vowel."""
    return _sung(hz, seconds, rate, rng, shaped=True)


def bowed(hz: float, seconds: float, rate: int, rng: np.random.Generator) -> Signal:
    """A bowed string."""
    return 0.6 * _sung(hz, seconds, rate, rng, shaped=False)


def saw(hz: float, seconds: float, rate: int, rng: np.random.Generator) -> Signal:
    """Two saw teeth, slightly apart, under a low-pass filter that closes."""
    from scipy.signal import butter, sosfilt

    time = _time(seconds, rate)
    apart = 1 + rng.uniform(0.002, 0.008)
    teeth = (hz * time) % 1 + (apart * hz * time) % 1 - 1
    closed = butter(2, min(0.9, 8 * hz * 2 / rate), output="sos")
    return _fade(np.asarray(sosfilt(closed, teeth)) * np.exp(-time / 0.4), rate)


def sub(hz: float, seconds: float, rate: int, rng: np.random.Generator) -> Signal:
    """A deep sine, slightly overdriven, that fades slowly."""
    time = _time(seconds, rate)
    return _fade(np.tanh(1.5 * np.sin(2 * np.pi * hz * time)) * np.exp(-time / 0.8), rate)


INSTRUMENTS: dict[str, Callable[[float, float, int, np.random.Generator], Signal]] = {
    function.__name__: function
    for function in (string, steel, distorted, electric_piano, bell, piano, voice, bowed, saw, sub)
}


def kick(rate: int, rng: np.random.Generator) -> Signal:
    """A bass drum: a sine that falls."""
    time = _time(0.3, rate)
    low, high = rng.uniform(42, 60), rng.uniform(90, 180)
    phase = 2 * np.pi * (low * time - high * 0.03 * np.exp(-time / 0.03))
    return _fade(np.sin(phase) * np.exp(-time / 0.1), rate, 0.001)


def snare(rate: int, rng: np.random.Generator) -> Signal:
    """A snare drum: a skin and its wires."""
    time = _time(0.2, rate)
    skin = np.sin(2 * np.pi * rng.uniform(160, 220) * time) * np.exp(-time / 0.05)
    return _fade(0.5 * skin + 0.6 * rng.normal(0, 0.5, len(time)) * np.exp(-time / 0.07), rate, 0.001)


def hat(rate: int, rng: np.random.Generator) -> Signal:
    """A closed cymbal: high noise."""
    time = _time(0.08, rate)
    return _fade(np.diff(rng.normal(0, 0.4, len(time)), prepend=0.0) * np.exp(-time / 0.02), rate, 0.001)


def low_hand(rate: int, rng: np.random.Generator) -> Signal:
    """A hand drum's skin, struck in the middle."""
    time = _time(0.25, rate)
    return _fade(np.sin(2 * np.pi * rng.uniform(80, 110) * time) * np.exp(-time / 0.12), rate, 0.002)


def high_hand(rate: int, rng: np.random.Generator) -> Signal:
    """A hand drum's skin, struck at its rim."""
    time = _time(0.1, rate)
    modes = sum(np.sin(2 * np.pi * hz * time) for hz in rng.uniform(350, 1100, 4))
    return _fade(0.4 * np.asarray(modes) * np.exp(-time / 0.03), rate, 0.001)


DRUMS = {function.__name__: function for function in (kick, snare, hat, low_hand, high_hand)}


@dataclass
class Mix:
    """A track in the making.

    Args:
        seconds: its length.
        rate: samples a second.
    """

    seconds: float
    rate: int
    rng: np.random.Generator
    signal: Signal = field(init=False)
    _notes: dict[tuple[str, int, int], Signal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.signal = np.zeros(int(self.seconds * self.rate))

    def note(self, instrument: str, pitch: float, at: float, seconds: float, level: float) -> None:
        """Add a note. Its pitch is in semitones, 69 being 440 Hz; times are in seconds."""
        key = (instrument, round(100 * pitch), round(100 * seconds))
        if key not in self._notes:
            hz = 440 * 2 ** ((pitch - 69) / 12)
            self._notes[key] = INSTRUMENTS[instrument](hz, seconds, self.rate, self.rng)
        self._add(self._notes[key], at, level)

    def drum(self, name: str, at: float, level: float) -> None:
        """Add a beat of a drum, which sounds alike throughout a track."""
        key = (name, 0, 0)
        if key not in self._notes:
            self._notes[key] = DRUMS[name](self.rate, self.rng)
        self._add(self._notes[key], at, level)

    def _add(self, sound: Signal, at: float, level: float) -> None:
        begin = int(at * self.rate)
        part = sound[max(0, -begin) : max(0, len(self.signal) - begin)]
        begin = max(0, begin)
        self.signal[begin : begin + len(part)] += level * part

    def room(self, seconds: float, wet: float) -> None:
        """Add a room's reverberation: noise that decays by 60 dB in so many seconds."""
        from scipy.signal import fftconvolve

        time = _time(seconds, self.rate)
        tail = self.rng.normal(0, 1, len(time)) * np.exp(-6.9 * time / seconds)
        tail /= np.sqrt((tail**2).sum())
        self.signal += wet * fftconvolve(self.signal, tail)[: len(self.signal)]
