"""Small archives of music, written by hand: each track a tone or noise of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import soundfile

RATE = 11_025
HEAD = [
    ",album,set,set,track,track",
    ",comments,split,subset,genre_top,title",
    "track_id,,,,,",
]
PARTS = ("training", "training", "validation", "test")


def tone(place: int, samples: int = 4096) -> Any:
    """A sine whose pitch and level are those of this place alone."""
    return (0.2 + 0.02 * place) * np.sin(2 * np.pi * (200 + 50 * place) * np.arange(samples) / RATE)


def archive(
    folder: Path, genres: tuple[str, ...] = ("Folk", "Rock"), samples: int = 4096, suffix: str = ".wav"
) -> Path:
    """An archive of four tracks of each genre: two to train, one to validate and one to test on."""
    rows = list(HEAD)
    for place, (genre, part) in enumerate((genre, part) for genre in genres for part in PARTS):
        number = 998 + place
        file = folder / "fma_small" / f"{number // 1000:03d}" / f"{number:06d}{suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, tone(place, samples), RATE)
        rows.append(f'{number},0,{part},small,{genre},"One, ""two""\nthree"')
    table(folder).parent.mkdir(exist_ok=True)
    table(folder).write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def table(folder: Path) -> Path:
    """Its list of tracks."""
    return folder / "fma_metadata" / "tracks.csv"
