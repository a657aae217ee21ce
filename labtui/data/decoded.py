"""Tracks decoded once, into a file that all runs map into memory: each is a row of 16-bit samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from labtui.data import sound
from labtui.data.mapped import mapped, room, side_by_side, stamp
from labtui.data.skip import OnError, recall, usable
from labtui.errors import DataError

FORMAT = 1
"""Counted up when the same options come to mean other values."""
SCALE = 32767
"""Of 16-bit samples: -1..1 is stored as -SCALE..SCALE."""


@dataclass(frozen=True)
class Decoding:
    """What is kept of tracks."""

    samples: int
    """The middle so many samples, or as many as the longest track has; shorter tracks are repeated."""
    least: int
    """Tracks of fewer samples cannot be used."""
    rate: int | None
    """Samples a second; None: each track's own."""
    on_error: OnError
    """What becomes of tracks that cannot be used."""


@dataclass(frozen=True)
class Tracks:
    """Decoded tracks."""

    values: Tensor
    """(N, samples) int16, mapped into memory: writing to it changes nothing on disk."""
    index: list[int]
    """N places in the list of files: those that could be used."""
    rates: Counter[int]
    """How many tracks have which number of samples a second, as decoded."""
    named: Any
    """All that `values` depend on, as JSON takes it."""

    @property
    def rate(self) -> int:
        """The commonest number of samples a second."""
        return self.rates.most_common(1)[0][0]


def decode(files: Sequence[Path], how: Decoding, cache: Path) -> Tracks:
    """The tracks of `files`, from the cache if they are there.

    Raises:
        DataError: a track cannot be used and is not to be skipped, none can, or the cache's folder cannot be
            written or is too full.
    """
    named = [FORMAT, how.samples, how.least, how.rate, [[str(file), *stamp(file)] for file in files]]
    values, about = mapped(cache, "tracks", named, lambda out: _decode_all(out, cache, files, how), np.int16)
    recall(about["left_out"], how.on_error)
    if not about["index"]:
        raise DataError(f"none of {len(files)} tracks can be used, the first of them {files[0]}")
    rates = Counter({int(rate): count for rate, count in about["rates"].items()})
    return Tracks(values.view(len(about["index"]), -1), about["index"], rates, named)


def _decode_all(out: IO[bytes], cache: Path, files: Sequence[Path], how: Decoding) -> dict[str, Any]:
    """Write all files' samples; which of them could be used, and their rates."""
    announced = (length for _, length in side_by_side(files, lambda file: _announced(file, how.rate)))
    longest = max((length for length in announced if isinstance(length, int)), default=0)
    samples = max(how.least, min(how.samples, longest))
    room(cache, "tracks", len(files), len(files) * samples * 2)
    index: list[int] = []
    left_out: list[str] = []
    rates: Counter[int] = Counter()

    def one(place: int) -> Row:
        return _row(files[place], samples, how), how.rate or sound.rate_of(files[place])

    for place, (row, rate) in usable(side_by_side(range(len(files)), one), how.on_error, left_out):
        out.write(row.data)
        index.append(place)
        rates[rate] += 1
    return {"index": index, "rates": rates, "left_out": left_out}


def _announced(file: Path, rate: int | None) -> int:
    """Samples that a file says it has, at the rate at which it is kept."""
    samples, own = sound.about(file)
    return samples if rate is None else samples * rate // own


Row = tuple[NDArray[np.int16], int]
"""What is kept of a track, and its samples a second."""


def _row(file: Path, samples: int, how: Decoding) -> NDArray[np.int16]:
    """What is kept of a track: (samples,)."""
    wave = sound.read(file, how.rate)
    if len(wave) < how.least:
        raise DataError(
            f"{file}: {len(wave)} samples, fewer than a clip of {how.least}: lower data.clip, leave the track "
            'out, or set data.on_error = "skip"'
        )
    begin = max(0, len(wave) - samples) // 2
    scaled = (wave[begin : begin + samples].clip(-1, 1) * SCALE).round().astype(np.int16)
    return np.resize(scaled, samples)
