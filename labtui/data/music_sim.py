"""Simulated music in the files that `labtui.data.music` reads.

Genres differ as Tzanetakis and Cook 2002 say that they do, in timbre, rhythm and harmony: in the
instruments that play (see `music_synth`), in tempo and pattern of the drums, and in scale and chords (see
`music_styles`). Tracks of a genre differ in tempo, key, chords, levels, room and noise, and one layer in six
is another genre's, so that no single trait gives a genre away.
"""

from __future__ import annotations

import csv
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from labtui.data import sound
from labtui.data.music_styles import STYLES, Style
from labtui.data.music_synth import Mix, Signal
from labtui.data.simulated import begin, mark
from labtui.errors import DataError

TRACKS = 30
"""Tracks of each genre."""
BORROWED = 1 / 6
"""Probability that one of a track's layers (rhythm, harmony, instruments) is another genre's."""
NOISE = 0.002
"""Standard deviation of the noise under a track, whose peaks are 0.2 to 0.9."""


def make(
    out: Path,
    seed: int = 0,
    seconds: float = 8.0,
    tracks: int = TRACKS,
    rate: int = 44_100,
    suffix: Literal[".mp3", ".wav", ".flac"] = ".mp3",
) -> list[Path]:
    """Write tracks as the Free Music Archive's subset `small` lies on disk, with its `tracks.csv`.

    Of each genre a tenth of the tracks is for validation and a tenth for testing, but no fewer than one.

    Args:
        out: folder for the data; made if absent.
        seed: the same seed writes the same sounds.
        seconds: length of a track.
        tracks: of each genre.
        rate: samples a second.
        suffix: format of the tracks.

    Raises:
        DataError: the folder holds something already, or an argument is out of its range.
    """
    _begin(out, seed, seconds, tracks)
    held = max(1, tracks // 10)
    parts = ["training"] * (tracks - 2 * held) + ["validation"] * held + ["test"] * held
    rows, wanted = [], []
    for place in range(tracks * len(STYLES)):
        genre = list(STYLES)[place % len(STYLES)]
        number = 1000 + 37 * place  # in several folders, with gaps, as the archive's are
        wanted.append((out / "fma_small" / f"{number // 1000:03d}" / f"{number:06d}{suffix}", genre))
        rows.append([number, parts[place // len(STYLES)], "small", genre, f"{genre} No. {number}"])
    written = _write(wanted, seed, seconds, rate)
    table = out / "fma_metadata" / "tracks.csv"
    table.parent.mkdir(parents=True)
    head = [
        ["", "set", "set", "track", "track"],
        ["", "split", "subset", "genre_top", "title"],
        ["track_id"] + [""] * 4,
    ]
    with open(table, "w", encoding="utf-8", newline="") as file_:
        csv.writer(file_).writerows([*head, *rows])
    return [*written, table]


def make_folders(out: Path, seed: int = 0, seconds: float = 8.0, tracks: int = TRACKS) -> list[Path]:
    """Write the tracks of `make` as GTZAN lies on disk: WAV files at 22,050 Hz, a folder for each genre."""
    _begin(out, seed, seconds, tracks)
    wanted = [(out / genre / f"{genre}.{n:05d}.wav", genre) for n in range(tracks) for genre in STYLES]
    return _write(wanted, seed, seconds, 22_050)


def _begin(out: Path, seed: int, seconds: float, tracks: int) -> None:
    if not 0.5 <= seconds <= 600 or tracks < 3:
        raise DataError(
            f"seconds = {seconds}, tracks = {tracks}: a track lasts half a second to ten minutes, and each "
            "genre has three tracks or more"
        )
    begin(out, seed, "*")
    mark(out)


def _write(wanted: list[tuple[Path, str]], seed: int, seconds: float, rate: int) -> list[Path]:
    """The files of tracks, each of a genre, composed on all cores at once."""

    def one(place: int) -> Path:
        path, genre = wanted[place]
        path.parent.mkdir(parents=True, exist_ok=True)
        sound.write(path, compose(genre, seconds, rate, np.random.default_rng([seed, place])), rate)
        return path

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return list(pool.map(one, range(len(wanted))))


def compose(genre: str, seconds: float, rate: int, rng: np.random.Generator) -> Signal:
    """A track of a genre: (seconds · rate,), between -1 and 1."""
    style = STYLES[genre]
    for layer in ("rhythm", "harmony", "band"):
        if rng.uniform() < BORROWED:
            other = str(rng.choice([name for name in STYLES if name != genre]))
            style = replace(style, **{layer: getattr(STYLES[other], layer)})
    mix = Mix(seconds, rate, rng)
    step = 15 / rng.uniform(*style.rhythm.tempo)
    key = 45 + int(rng.integers(12))
    chords = style.harmony.chords[rng.integers(len(style.harmony.chords))]
    bar = step * style.rhythm.steps
    begin = -rng.uniform(0, 2) * bar  # recordings are cut anywhere
    for number in range(int(seconds / bar) + 4):
        here = Bar(mix, style, begin + number * bar, step, key, chords[number % len(chords)])
        here.drums()
        here.chord()
        here.melody()
    mix.room(style.band.room * rng.uniform(0.7, 1.3), rng.uniform(0.1, 0.4))
    loud = rng.uniform(0.2, 0.9) / max(1e-9, np.abs(mix.signal).max())
    signal: Signal = np.clip(loud * mix.signal + rng.normal(0, NOISE, len(mix.signal)), -1, 1)
    return signal


@dataclass(frozen=True)
class Bar:
    """A bar of a track."""

    mix: Mix
    style: Style
    begin: float
    """Seconds from the track's beginning."""
    step: float
    """Seconds of a step."""
    key: int
    """Pitch of the scale's first degree, in semitones."""
    root: int
    """Degree of the chord."""

    def pitch(self, degree: int) -> int:
        """Of a degree of the scale, which may be above its last and below its first."""
        octave, place = divmod(degree, len(self.style.harmony.scale))
        return self.key + 12 * octave + self.style.harmony.scale[place]

    def play(self, instrument: str, pitch: int, place: int, steps: int, level: float) -> None:
        """A note from one step on, for so many."""
        self.mix.note(instrument, pitch, self.begin + place * self.step, steps * self.step, level)

    def drums(self) -> None:
        """Strike the drums."""
        rng, rhythm = self.mix.rng, self.style.rhythm
        for drum, pattern in rhythm.drums.items():
            for place, struck in enumerate(pattern):
                late = rhythm.swing * self.step * (place % 2) + rng.normal(0, 0.004)
                if struck == "x" or (struck == "o" and rng.uniform() < 0.5):
                    self.mix.drum(drum, self.begin + place * self.step + late, rng.uniform(0.6, 1.0))

    def chord(self) -> None:
        """Play the chord and its bass."""
        band, steps = self.style.band, self.style.rhythm.steps
        pitches = [12 + self.pitch(self.root + tone) for tone in self.style.harmony.tones]
        if band.how == "broken":
            pattern = [*pitches, pitches[0] + 12]
            for i, place in enumerate(range(0, steps, 2)):
                self.play(band.backing, pattern[i % len(pattern)], place, 4, 0.35)
        else:
            every = {"block": steps // 2, "drone": steps, "driven": 2}[band.how]
            low = 12 if band.backing == "distorted" else 0
            for place in range(0, steps, every):
                for pitch in pitches:
                    self.play(band.backing, pitch - low, place, every, 0.8 / (1 + len(pitches)))
        for place in (0, steps // 2) if band.bass else ():
            self.play(band.bass, self.pitch(self.root) - 12, place, steps // 2, 0.5)

    def melody(self) -> None:
        """Walk about the chord."""
        rng, band = self.mix.rng, self.style.band
        degree = self.root + int(rng.choice(self.style.harmony.tones))
        for place in range(0, self.style.rhythm.steps if band.lead else 0, 2):
            if rng.uniform() < band.busy:
                degree += int(rng.integers(-2, 3))
                self.play(band.lead, 12 + self.pitch(degree), place, int(rng.choice([2, 4])), 0.4)
