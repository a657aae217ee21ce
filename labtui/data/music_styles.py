"""What the simulated genres have of rhythm, harmony and instruments: made up after common practice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
HIJAZ, WHOLE_TONES = (0, 1, 4, 5, 7, 8, 10), (0, 2, 4, 6, 8, 10)
TRIAD, SEVENTH, ROOT, CLUSTER = (0, 2, 4), (0, 2, 4, 6), (0,), (0, 1, 3)


@dataclass(frozen=True)
class Rhythm:
    """When something is struck."""

    tempo: tuple[float, float]
    """Slowest and fastest, in quarter notes a minute."""
    drums: dict[str, str]
    """Drum to the steps of a bar in which it is struck: x, and with half the probability o."""
    steps: int = 16
    """Steps of a bar, four to a quarter note."""
    swing: float = 0.0
    """By how much of a step each second one is late."""


@dataclass(frozen=True)
class Harmony:
    """Which pitches there are."""

    scale: tuple[int, ...]
    """Semitones above the key."""
    chords: tuple[tuple[int, ...], ...]
    """Progressions: degrees of the scale, a bar each."""
    tones: tuple[int, ...]
    """Of a chord: degrees above its root."""


@dataclass(frozen=True)
class Band:
    """What plays."""

    backing: str
    """The chords."""
    how: Literal["block", "broken", "driven", "drone"]
    """Chords are struck on each half bar, one tone after another, on each second step, or held."""
    bass: str = ""
    """The roots, on each half bar; empty: nothing."""
    lead: str = ""
    """A melody; empty: nothing."""
    busy: float = 0.0
    """Probability that the melody moves on a beat."""
    room: float = 0.4
    """Reverberation time of the room it plays in (s)."""


@dataclass(frozen=True)
class Style:
    """What a genre's tracks have in common."""

    rhythm: Rhythm
    harmony: Harmony
    band: Band


_BACKBEAT = {"kick": "x.......x.o.....", "snare": "....x.......x...", "hat": "x.x.x.x.x.x.x.x."}
STYLES = {
    "Electronic": Style(
        Rhythm(
            (118, 136), {"kick": "x...x...x...x...", "hat": "..x...x...x...x.", "snare": "....o.......x..."}
        ),
        Harmony(MINOR, ((0, 5, 2, 6), (0, 0, 5, 6)), TRIAD),
        Band("saw", "broken", bass="saw"),
    ),
    "Experimental": Style(
        Rhythm((50, 90), {"low_hand": "o......o....o...", "high_hand": "...o......o....."}, swing=0.3),
        Harmony(WHOLE_TONES, ((0, 3, 1, 4), (2, 5, 0, 3)), CLUSTER),
        Band("bell", "drone", lead="bell", busy=0.4, room=2.5),
    ),
    "Folk": Style(
        Rhythm((84, 120), {}, swing=0.1),
        Harmony(MAJOR, ((0, 3, 4, 0), (0, 4, 3, 0)), TRIAD),
        Band("string", "broken", bass="string", lead="voice", busy=0.5),
    ),
    "Hip-Hop": Style(
        Rhythm(
            (78, 98),
            {"kick": "x..o..x...x.....", "snare": "....x.......x..o", "hat": "x.x.x.x.x.x.xox."},
            swing=0.35,
        ),
        Harmony(MINOR, ((0, 3, 0, 5), (0, 5, 3, 4)), SEVENTH),
        Band("electric_piano", "block", bass="sub", room=0.3),
    ),
    "Instrumental": Style(
        Rhythm((56, 80), {}),
        Harmony(MAJOR, ((0, 5, 3, 4), (3, 0, 1, 4)), SEVENTH),
        Band("piano", "broken", bass="bowed", lead="bowed", busy=0.35, room=1.8),
    ),
    "International": Style(
        Rhythm((95, 130), {"low_hand": "x.....x.......", "high_hand": "...xo...x.xox."}, steps=14),
        Harmony(HIJAZ, ((0, 0, 1, 0), (0, 3, 1, 0)), ROOT),
        Band("steel", "drone", lead="steel", busy=0.8, room=0.5),
    ),
    "Pop": Style(
        Rhythm((98, 126), _BACKBEAT),
        Harmony(MAJOR, ((0, 4, 5, 3), (5, 3, 0, 4)), TRIAD),
        Band("piano", "block", bass="saw", lead="voice", busy=0.7, room=0.5),
    ),
    "Rock": Style(
        Rhythm((112, 160), _BACKBEAT | {"kick": "x.o...x.x.o...x."}),
        Harmony(MINOR, ((0, 5, 6, 0), (0, 2, 3, 6)), ROOT),
        Band("distorted", "driven", bass="string", lead="voice", busy=0.4, room=0.3),
    ),
}
"""The eight genres of FMA-small."""
