"""Synthetic speech whose prosody tells its emotion.

A glottal pulse (the KLGLOTT88 polynomial: Klatt and Klatt, JASA 87(2), 820-857, 1990) and aspiration noise
pass a cascade of five resonators (Klatt, "Software for a cascade/parallel formant synthesizer", JASA 67(3),
971-995, 1980), whose formants go from vowel to vowel (Peterson and Barney, JASA 24(2), 175-184, 1952) at a
speaker's own vocal-tract length and pitch. Emotions differ in pitch, its range and its end, in tempo,
loudness, glottal opening and spectral slope, in the directions of Banse and Scherer, "Acoustic profiles in
vocal emotion expression", J. Pers. Soc. Psychol. 70(3), 614-636, 1996, and of Murray and Arnott, JASA
93(2), 1097-1108, 1993. How large the differences are is made up, so that classes overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]

RATE, FRAME = 16_000, 80
"""Samples a second; samples for which the vocal tract stands still (5 ms)."""
VOWELS = {
    "i": (270, 2290, 3010),
    "e": (530, 1840, 2480),
    "a": (730, 1090, 2440),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
}
"""First three formants of men (Hz), Peterson and Barney 1952."""
HIGHER, WIDTHS = (3500, 4500), (60, 90, 150, 200, 250)
"""Fourth and fifth formant, and all five's bandwidths (Hz), Klatt 1980, table I."""


@dataclass
class Prosody:
    """How an emotion sounds, relative to how a speaker sounds else."""

    pitch: float
    """Semitones above the speaker's own pitch."""
    range: float
    """Standard deviation of accents, semitones."""
    end: float
    """Semitones by which the pitch has risen at the end."""
    tempo: float
    """Syllables a second."""
    level: float
    """dB."""
    open: float
    """Share of a period in which the glottis is open: small is pressed, large is lax."""
    slope: float
    """Corner of a first-order low-pass of the source, Hz: low is soft."""
    breath: float
    """Aspiration noise beside the pulses."""
    tremble: float = 0.1
    """Pitch's fast deviations, semitones."""


NEUTRAL = Prosody(0, 1.6, -2, 4.5, 0, 0.60, 1200, 0.03)
ANGER = Prosody(3.5, 3.2, -2, 5.3, 6, 0.45, 3500, 0.02, 0.2)
JOY = Prosody(4, 3.5, 2, 5.0, 3, 0.60, 2200, 0.04)
SADNESS = Prosody(-1.5, 0.8, -3, 3.4, -5, 0.75, 600, 0.10, 0.15)
FEAR = Prosody(5, 1.2, 0.5, 5.8, 0, 0.70, 1500, 0.12, 0.5)
DISGUST = Prosody(-2, 2.2, -3, 3.8, 1, 0.50, 1000, 0.06)
SURPRISE = Prosody(5.5, 4.5, 5, 4.6, 3, 0.62, 2000, 0.05)
EMOTIONS = {
    **{"neu": NEUTRAL, "ang": ANGER, "hap": JOY, "exc": JOY, "sad": SADNESS, "fru": ANGER, "xxx": NEUTRAL},
    **{"neutral": NEUTRAL, "anger": ANGER, "joy": JOY, "sadness": SADNESS},
    **{"fear": FEAR, "disgust": DISGUST, "surprise": SURPRISE},
}
"""Labels of IEMOCAP and of MELD; exc, fru and xxx are as their neighbours are."""


@dataclass
class Speaker:
    """A voice."""

    pitch: float
    """Hz."""
    tract: float
    """Formants relative to Peterson and Barney's men."""
    level: float
    """dB."""


def speaker(female: bool, rng: np.random.Generator) -> Speaker:
    """A voice: women's pitch is 12 semitones above men's, their formants 17 % (Peterson and Barney)."""
    pitch = (210 if female else 115) * 2 ** (rng.normal(0, 1.5) / 12)
    return Speaker(pitch, (1.17 if female else 1.0) * rng.normal(1, 0.03), rng.normal(0, 2))


def speak(who: Speaker, how: Prosody, seconds: float, rng: np.random.Generator) -> Signal:
    """An utterance of about `seconds`: (samples,), within ±1."""
    near = partial(rng.normal, 1.0)
    syllables = max(2, round(seconds * how.tempo))
    lengths = rng.uniform(0.7, 1.3, syllables) / (how.tempo * near(0.08))
    edges = np.concatenate([[0], lengths.cumsum()])
    time = np.arange(0, edges[-1], FRAME / RATE)
    which = np.searchsorted(edges, time, side="right") - 1
    within = (time - edges[which]) / lengths[which]
    pitch = _pitch(who, how, edges, time, rng)
    formants = _formants(who, edges, time, rng)
    # A consonant opens each syllable: a hiss or a closure, while the voice is weak.
    hiss = np.where(rng.random(syllables) < 0.5, rng.uniform(0.2, 0.6, syllables), 0.0)[which]
    opening = np.clip(within / 0.25, 0, 1)
    voice = opening * np.clip((1 - within) / 0.1, 0.3, 1)
    source = _source(how, pitch, voice, rng)
    spoken = _resonate(source, formants)
    spoken = spoken / (np.sqrt((spoken**2).mean()) + 1e-9)
    noise = np.diff(rng.normal(0, 0.4, len(spoken)), prepend=0.0)  # a fricative's noise rises with frequency
    spoken = spoken + _held(hiss * (1 - opening)) * noise
    level = how.level + who.level + rng.normal(0, 2.5)
    spoken = 0.05 * 10 ** (level / 20) * spoken + rng.normal(0, 5e-4, len(spoken))
    clipped: Signal = np.clip(spoken, -1, 1)
    return clipped


def _pitch(who: Speaker, how: Prosody, edges: Signal, time: Signal, rng: np.random.Generator) -> Signal:
    """Hz of each frame: an accent for each syllable, a line to the end, trembling."""
    middles = (edges[:-1] + edges[1:]) / 2
    accents = rng.normal(0, how.range, len(middles))
    semitones = how.pitch + rng.normal(0, 1.0) + np.interp(time, middles, accents)
    semitones = semitones + how.end * (time / edges[-1]) ** 2 + rng.normal(0, how.tremble, len(time))
    hertz: Signal = who.pitch * 2 ** (semitones / 12)
    return hertz


def _formants(who: Speaker, edges: Signal, time: Signal, rng: np.random.Generator) -> Signal:
    """(frames, 5) Hz: each syllable's vowel is reached in its middle."""
    vowels = rng.choice(list(VOWELS), len(edges) - 1)
    targets = np.array([(*VOWELS[vowel], *HIGHER) for vowel in vowels]) * who.tract
    middles = (edges[:-1] + edges[1:]) / 2
    return np.stack([np.interp(time, middles, column) for column in targets.T], 1)


def _source(how: Prosody, pitch: Signal, voice: Signal, rng: np.random.Generator) -> Signal:
    """Glottal pulses and breath, (samples,)."""
    from scipy.signal import lfilter

    phase = (_held(pitch) / RATE).cumsum() % 1
    opened = np.clip(how.open + rng.normal(0, 0.05), 0.3, 0.9)
    place = phase / opened
    pulses = np.where(place < 1, 2 * place - 3 * place**2, 0.0)
    pole = np.exp(-2 * np.pi * how.slope * rng.lognormal(0, 0.2) / RATE)
    source = lfilter([1 - pole], [1, -pole], pulses + rng.normal(0, how.breath, len(pulses)))
    voiced: Signal = _held(voice) * source
    return voiced


def _resonate(source: Signal, formants: Signal) -> Signal:
    """The source through Klatt's resonators in cascade, y = a·x + b·y₋₁ + c·y₋₂, new ones each frame."""
    from scipy.signal import sosfilt

    c = -np.exp(-2 * np.pi * np.array(WIDTHS) / RATE)
    b = 2 * np.exp(-np.pi * np.array(WIDTHS) / RATE) * np.cos(2 * np.pi * formants / RATE)
    sections = np.zeros((*formants.shape, 6))
    sections[..., 0], sections[..., 3], sections[..., 4], sections[..., 5] = 1 - b - c, 1, -b, -c
    state = np.zeros((formants.shape[1], 2))
    spoken = []
    for section, piece in zip(sections, source.reshape(-1, FRAME), strict=True):
        heard, state = sosfilt(section, piece, zi=state)
        spoken.append(heard)
    return np.concatenate(spoken)


def _held(frames: Signal) -> Signal:
    """(frames,) -> (samples,), the frames being the samples in their middles."""
    middles = (np.arange(len(frames)) + 0.5) * FRAME
    return np.interp(np.arange(len(frames) * FRAME), middles, frames)
