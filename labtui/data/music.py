"""Music of several genres: the Free Music Archive's folders, or a folder of tracks for each genre.

FMA (Defferrard et al., "FMA: a dataset for music analysis", ISMIR 2017): `fma_metadata/tracks.csv` has a
row for each track and three rows of header, of which the first two name a column ("track", "genre_top");
track 1234 of `small` is `fma_small/001/001234.mp3`. GTZAN (Tzanetakis and Cook, "Musical genre
classification of audio signals", IEEE Trans. Speech Audio Process. 10(5), 2002): `blues/blues.00000.wav`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from labtui.data import Dataset, Transform, normal
from labtui.data.clips import IMAGE, WAVE, Augment, Cut, Look, Norm, Step, channel, keep, same, sight
from labtui.data.decoded import Decoding, Tracks, decode
from labtui.data.simulated import marked
from labtui.data.skip import OnError
from labtui.data.spectra import Spectrogram
from labtui.data.split import by_part
from labtui.errors import DataError

SOUNDS = (".mp3", ".wav", ".flac", ".ogg", ".au", ".aiff")
"""Endings of tracks."""
SUBSETS = ("small", "medium", "large", "full")
"""Subsets of the archive; each holds those before it."""
PARTS = {"training": "train", "validation": "val", "test": "test"}
"""The archive's names of its splits."""
COLUMNS = {"split": ("set", "split"), "subset": ("set", "subset"), "genre": ("track", "genre_top")}
"""Columns of `tracks.csv` that are read, by the first two rows of its header."""

NUMBER = re.compile("[0-9]{1,9}")
"""A track's number."""


@dataclass
class Track:
    """One file."""

    path: Path
    genre: str
    part: str
    """Its side of the official split: train, val or test; empty: there is none."""


def music(
    root: Path,
    path: str,
    layout: Literal["fma", "folders"],
    subset: str,
    leave_out: list[int],
    on_error: OnError,
    rate: int | None,
    clip: int,
    clips: Literal["random", "centre"],
    kept: int,
    cache: str,
    features: Literal["wave", "stft", "mel", "both"],
    n_fft: int,
    hop: int,
    mels: int,
    frames: int,
    norm: Norm | Literal["notebook"],
    pca: float | None,
    augment: dict[str, Any] | None,
) -> Dataset:
    """Tracks and their genres; the options are those of `recipe.data.Music`.

    `x` is (tracks, samples) int16, mapped into memory; clips and features follow on the device. Spectrograms of
    clips that are always the same are made once: then `x` is these, (tracks, 1, frames, bins) float32.

    Raises:
        DataError: a folder, file or genre is missing, or is not what it should be.
    """
    folder = root / path
    tracks = folders(folder) if layout == "folders" else fma(folder, subset, frozenset(leave_out))
    how = Decoding(kept if clips == "random" else clip, clip, rate, on_error)
    place = root / Path(cache).expanduser()
    decoded = decode([track.path for track in tracks], how, place)
    used = [tracks[at] for at in decoded.index]
    genres = _genres(folder, tracks, used)
    spectra = {"n_fft": n_fft, "hop": hop, "mels": None if features == "stft" else mels, "frames": frames}
    x, cut, see = _stored(decoded, Cut(clip, clips == "random"), features, spectra, place)
    looks = _looks(features, see, None if augment is None else Augment(**augment), norm == "notebook")
    return Dataset(
        x=x,
        y=torch.tensor([genres.index(track.genre) for track in used]),
        task="classes",
        classes=genres,
        split=None if layout == "folders" else by_part([track.part for track in used]),
        **sight(cut, looks, "none" if norm == "notebook" else norm, pca),
        facts={
            "source": _source(folder, layout, subset),
            "tracks": len(used),
            "tracks left out": len(tracks) - len(used),
            "sampling rate (Hz)": ", ".join(f"{r} ({n} tracks)" for r, n in decoded.rates.most_common()),
            "clip": f"{clip} samples, {clip / decoded.rate:.3g} s at {decoded.rate} Hz",
            "clips in training": "random" if clips == "random" else "from the middle",
            "features": _FEATURES[features] + ("" if features == "wave" else _in_words(spectra)),
            "normalisation": _NORMS[norm],
            "principal components": f"keep {pca:g} of the variance" if pca else "none",
            "augmentation": _in_words(augment or {}) or "none",
            "split": "official: no artist on both sides" if layout == "fma" else "of tracks at random",
        },
    )


def _stored(
    tracks: Tracks, cut: Cut, features: str, spectra: dict[str, Any], place: Path
) -> tuple[Tensor, Transform, Step]:
    """What is stored, what makes clips of it, and what makes spectrograms of these.

    Spectrograms of clips that are always the same are made once, and stored instead of tracks.
    """
    see = Spectrogram(tracks.rate, **spectra)
    if cut.anywhere or features not in ("stft", "mel"):
        return tracks.values, cut, see
    return keep(tracks, cut, see, [tracks.rate, cut.clip, spectra], place), same, same


def _genres(folder: Path, tracks: Sequence[Track], used: Sequence[Track]) -> list[str]:
    """The genres of all tracks; DataError if none of one could be used."""
    genres = sorted({track.genre for track in tracks})
    if lacking := sorted(set(genres) - {track.genre for track in used}):
        raise DataError(
            f"{folder}: no track of {', '.join(map(repr, lacking))} could be used: the log says why of each"
        )
    return genres


def _in_words(options: dict[str, Any]) -> str:
    """Options for the data table."""
    return ", ".join(f"{name} {value}" for name, value in options.items() if value is not None)


_FEATURES = {
    "wave": "wave",
    "stft": "power spectrum in dB: ",
    "mel": "mel spectrum in dB: ",
    "both": "wave, and mel spectrum in dB: ",
}
_NORMS = {
    "none": "none",
    "train": "mean and deviation of the training split",
    "notebook": "the notebook's constants",
    "min_max": "each sample from 0 to 1",
    "sample": "each sample by its mean and deviation",
    "batch": "each batch by its mean and deviation",
}


def _looks(features: str, see: Step, augment: Augment | None, notebook: bool) -> list[Look]:
    """The ways in which a clip is looked at, with the notebook's constants if they are wanted."""
    wave, image = (
        normal.Affine(torch.tensor(shift), torch.tensor(scale)) if notebook else None
        for shift, scale in (WAVE, IMAGE)
    )
    looks = [Look(channel, None, wave)] if features in ("wave", "both") else []
    return looks if features == "wave" else [*looks, Look(see, augment, image)]


def _source(folder: Path, layout: str, subset: str) -> str:
    """What the data is."""
    if marked(folder):
        return "simulated (labtui data make music)"
    return f"FMA, {subset}" if layout == "fma" else "folders of tracks"


def folders(folder: Path) -> list[Track]:
    """All tracks below `folder`, where each genre has a folder of its own, in order of their names.

    Raises:
        DataError: no such folder, or one of its folders has no track in it.
    """
    if not folder.is_dir():
        raise DataError(
            f"{folder}: no such folder. Put a folder of tracks for each genre there, or write simulated "
            f"ones: labtui data make music_folders --out {folder}"
        )
    found: list[Track] = []
    for genre in filter(Path.is_dir, _entries(folder)):
        own = [file for file in _entries(genre) if file.suffix.lower() in SOUNDS]
        if not own:
            raise DataError(f"{genre}: no track in it ({', '.join(SOUNDS)}): fill or remove the folder")
        found += [Track(file, genre.name, "") for file in own]
    if len({track.genre for track in found}) < 2:
        raise DataError(f"{folder}: it needs a folder of tracks for each of two genres or more")
    return found


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, in order of the names; what begins with a dot, such as macOS's "._" files, is not."""
    try:
        return sorted(entry for entry in folder.iterdir() if entry.name[0] != ".")
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror}): see to its permissions") from None


def fma(folder: Path, subset: str, leave_out: frozenset[int]) -> list[Track]:
    """The tracks of a subset of the archive, in order of their numbers.

    Raises:
        DataError: `tracks.csv` is missing or is not what it should be, or a track has no file.
    """
    table = folder / "fma_metadata" / "tracks.csv"
    audio = folder / f"fma_{subset}"
    wanted = SUBSETS[: SUBSETS.index(subset) + 1]
    found: list[Track] = []
    for number, row in read_tracks(table):
        if row["subset"] not in wanted or number in leave_out or not row["genre"]:
            continue
        if row["split"] not in PARTS:
            raise DataError(
                f"{table}: track {number} has the split {row['split']!r}, expected {', '.join(PARTS)}"
            )
        found.append(Track(file_of(audio, number), row["genre"], PARTS[row["split"]]))
    if len({track.genre for track in found}) < 2:
        raise DataError(
            f"{table}: the subset {subset!r} has tracks of fewer than two genres: see data.subset"
        )
    return found


def read_tracks(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Number of each track in `tracks.csv`, and its split, subset and genre ("" where it has none).

    Raises:
        DataError: the file is missing, empty, lacks a column, or a row is cut off.
    """
    limit = csv.field_size_limit(2**24)  # some tracks come with long stories
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if row]
    except FileNotFoundError:
        raise DataError(
            f"there is no {path}: unpack fma_metadata.zip there, or write simulated tracks: "
            f"labtui data make music --out {path.parents[1]}"
        ) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: it cannot be read ({error}): fetch it again") from None
    finally:
        csv.field_size_limit(limit)
    names = list(zip(*rows[:2], strict=False)) if len(rows) > 3 else []
    places = {key: names.index(name) for key, name in COLUMNS.items() if name in names}
    if lacking := [" ".join(COLUMNS[key]) for key in COLUMNS if key not in places]:
        what = f"has no column {', '.join(lacking)}" if names else "holds no tracks"
        raise DataError(f"{path}: it {what}; expected FMA's three rows of header and a row for each track")
    found = []
    for line, row in enumerate(rows[3:], 4):
        if not NUMBER.fullmatch(row[0].strip()) or len(row) <= max(places.values()):
            raise DataError(
                f"{path}: row {line} begins {row[0][:40]!r} and has {len(row)} cells, expected "
                f"a track's number and {len(names)} cells: fetch the file again"
            )
        found.append((int(row[0]), {key: row[place].strip() for key, place in places.items()}))
    return found


def file_of(audio: Path, number: int) -> Path:
    """Where the sound of a track is: an MP3 file, unless one of another kind is there."""
    name = audio / f"{number // 1000:03d}" / f"{number:06d}"
    paths = (name.with_suffix(suffix) for suffix in SOUNDS)
    return next((path for path in paths if path.exists()), name.with_suffix(SOUNDS[0]))
