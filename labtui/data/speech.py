"""Speech as waveforms, spectrograms or frames of features, each utterance as long as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

import torch
from scipy.signal import resample_poly
from torch import Tensor

from labtui.data import Dataset, Stored, Transform
from labtui.data.descriptor_files import read_frames
from labtui.data.layouts import CLASSES, Layout, Utterance, find
from labtui.data.normal import constants, standardised
from labtui.data.ragged import Ragged
from labtui.data.simulated import marked
from labtui.data.skip import OnError
from labtui.data.sound import read
from labtui.data.spectra import TOP_DB, Spectrogram
from labtui.data.split import by_part
from labtui.data.teacher import extras
from labtui.data.utterances import load
from labtui.data.voice import Augment
from labtui.errors import DataError

Norm = Literal["none", "utterance", "train"]
SPLITS = {
    True: "by speaker: no speaker on both sides",
    False: "speakers on both sides: optimistic, unless the split comes with the corpus",
}
SIMULATORS: dict[Layout, str] = {"files": "", "iemocap": "speech{}", "meld": "meld{}"}
"""Layout to what simulates data that is laid out so, waves or (`_features`) features; empty: nothing does."""
CHUNK = 2**16
"""Frames that are looked at together while constants are fitted."""


class Corpus(TypedDict):
    """Which utterances there are, and where: the options of `recipe.data.speech.Corpus`."""

    layout: Layout
    files: str
    classes: list[str]
    test: dict[str, list[str]]
    groups: Literal["speaker", "none"]
    on_error: OnError
    cache: str
    teacher: str | None


def speech(
    root: Path,
    path: str,
    norm: Norm,
    rate: int,
    longest: float | None,
    features: Literal["wave", "stft", "mel"],
    n_fft: int,
    hop: int,
    mels: int,
    augment: dict[str, float] | None,
    **corpus: Unpack[Corpus],
) -> Dataset:
    """Utterances as samples (T,) or spectrograms (1, T', bins); the options are those of
    `recipe.data.Speech`.

    Raises:
        DataError: a folder or file is missing or is not what it should be, or a class has no utterance.
    """
    spectrogram, seen = None, "wave"
    if features != "wave":
        spectrogram = Spectrogram(rate, n_fft, hop, mels if features == "mel" else None)
        seen = f"{features}, window {n_fft}, hop {hop}" + (f", {mels} bands" if features == "mel" else "")

    def one(file: Path) -> Tensor:
        wave = torch.from_numpy(read(file, rate))
        wave = wave if longest is None else wave[: max(1, round(longest * rate))]
        # Silence becomes 0, as what a batch holds behind shorter utterances: else that were the loudest there is.
        return wave if spectrogram is None else spectrogram(wave[None])[0, 0] + TOP_DB

    how = [features, rate, longest, n_fft, hop, mels]
    facts = {"features": seen, "rate (Hz)": rate, "cut after (s)": longest or "never"}
    if spectrogram is not None:
        return _dataset(root, path, norm, Reading("", one, how, facts, rate / hop, _as_image), **corpus)
    changes = None
    if augment is not None:
        changes = Augment(augment["speed"], round(augment["shift"] * rate), augment["noise"])
        facts["augmentation"] = ", ".join(f"{name} {value:g}" for name, value in augment.items())
    return _dataset(root, path, norm, Reading("", one, how, facts, rate, changes), **corpus)


def _as_image(x: Tensor, _: torch.Generator | None) -> Tensor:
    """Frames (N, T', bins) -> (N, 1, T', bins)."""
    return x[:, None]


def speech_features(
    root: Path, path: str, norm: Norm, width: int, frames: int | None, down: int, **corpus: Unpack[Corpus]
) -> Dataset:
    """Utterances as frames of features (T, width); the options are those of `recipe.data.SpeechFeatures`.

    Norms are those of the frames that are left after `down`.

    Raises:
        DataError: as `speech`.
    """

    def one(file: Path) -> Tensor:
        table = read_frames(file, width)[:frames]
        if down > 1:
            # Their mean goes on behind both ends: zeros would drag the first and the last frame down.
            table = resample_poly(table, 1, down, axis=0, padtype="mean")
        return torch.from_numpy(table)

    facts = {
        "features": f"{width} of each frame",
        "cut after (frames)": frames or "never",
        "one frame of": down,
    }
    how = ["frames", width, frames, down]
    return _dataset(root, path, norm, Reading("_features", one, how, facts), **corpus)


@dataclass
class Reading:
    """What is made of an utterance's file, whatever corpus it is of."""

    kind: str
    """End of the simulator's name: "", or "_features"."""
    one: Callable[[Path], Tensor]
    """A file to (T, …) float32."""
    how: list[Any]
    """All that `one` depends on beside the file, as JSON takes it."""
    facts: dict[str, Any]
    per_second: float | None = None
    """Values along time in a second; None: unknown."""
    then: Transform | None = None
    """What a batch goes through behind the norm."""


def _dataset(
    root: Path,
    path: str,
    norm: Norm,
    reading: Reading,
    *,
    layout: Layout,
    files: str,
    classes: list[str],
    test: dict[str, list[str]],
    groups: Literal["speaker", "none"],
    on_error: OnError,
    cache: str,
    teacher: str | None,
) -> Dataset:
    """All utterances of the classes."""
    folder = root / path
    found = find(folder, layout, files, test, SIMULATORS[layout].format(reading.kind))
    names = classes or CLASSES[layout] or sorted({utterance.label for utterance in found})
    index = {label: k for k, name in enumerate(names) for label in name.split("+")}
    wanted = [utterance for utterance in found if utterance.label in index]
    _complete(folder, names, wanted, found)

    def values_of(file: Path) -> Tensor:
        values = reading.one(file)
        if norm == "utterance":  # each feature with mean 0 and deviation 1
            values = standardised(values.view(len(values), -1).T).T.view_as(values)
        return values

    how, place = [*reading.how, norm == "utterance"], root / Path(cache).expanduser()
    x, places, left_out = load([utterance.file for utterance in wanted], values_of, how, place, on_error)
    kept = [wanted[place] for place in places]
    _complete(folder, names, kept, found)
    called, parts = [utterance.name for utterance in kept], [utterance.part for utterance in kept]
    speakers = sorted({utterance.speaker for utterance in kept})
    grouped = groups == "speaker" and all(speakers)
    return Dataset(
        x=x,
        y=torch.tensor([index[utterance.label] for utterance in kept], dtype=torch.int64),
        task="classes",
        classes=names,
        groups=torch.tensor([speakers.index(utterance.speaker) for utterance in kept]) if grouped else None,
        split=by_part(parts) if any(parts) else None,
        transform=None if norm == "train" else reading.then,
        fit=_with_train_constants(reading.then) if norm == "train" else None,
        frames=reading.then.frames if isinstance(reading.then, Augment) else None,
        extras=extras(teacher, root, called) if teacher else {},
        names=called,
        facts={
            "source": "simulated (Klatt 1980)" if marked(folder) else "files of speech",
            "layout": layout,
            "speakers": len(speakers) if all(speakers) else "unknown",
            "length": _span(x.lengths, reading.per_second),
            **reading.facts,
            "normalisation": norm,
            "utterances left out": left_out,
            "utterances of other labels": _others(found, index),
            "split": SPLITS[grouped],
        },
    )


def _complete(
    folder: Path, names: Sequence[str], utterances: Sequence[Utterance], found: Sequence[Utterance]
) -> None:
    """Raise DataError for a class without utterances."""
    there = {utterance.label for utterance in utterances}
    if lacking := [name for name in names if there.isdisjoint(name.split("+"))]:
        raise DataError(
            f"{folder}: no utterance of {', '.join(lacking)} that can be used; there are the labels "
            f"{', '.join(sorted({u.label for u in found}))}: complete the folder, or set data.classes"
        )


def _others(found: Sequence[Utterance], index: Mapping[str, int]) -> str:
    """How many utterances there are of labels that are no class."""
    counts = Counter(utterance.label for utterance in found if utterance.label not in index)
    return ", ".join(f"{count} {label}" for label, count in counts.items()) or "none"


def _span(lengths: Tensor, per_second: float | None) -> str:
    """The shortest, longest and mean length."""
    numbers = [float(find(lengths.double())) for find in (torch.min, torch.max, torch.mean)]
    if per_second is None:
        return "{:.0f} to {:.0f} frames, mean {:.0f}".format(*numbers)
    return "{:.1f} to {:.1f} s, mean {:.1f}".format(*(number / per_second for number in numbers))


def _with_train_constants(then: Transform | None) -> Callable[[Stored, Tensor], Transform]:
    """A fit: each feature with the mean and deviation of the training split, and `then`."""

    def fit(x: Stored, y: Tensor) -> Transform:
        assert isinstance(x, Ragged)
        parts = (x.values[start : start + CHUNK] for start in range(0, len(x.values), CHUNK))
        norm = constants(parts, per_feature=x.values.ndim > 1)
        if then is None:
            return lambda batch, _: norm(batch)
        return lambda batch, generator: then(norm(batch), generator)

    return fit
