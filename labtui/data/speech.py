"""Speech as waveforms, spectrograms or frames of features, each utterance as long as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from scipy.signal import resample_poly
from torch import Tensor

from labtui.data import Dataset, Stored, Transform
from labtui.data.descriptor_files import read_frames
from labtui.data.layouts import CLASSES, Layout, Utterance, find
from labtui.data.normal import constants, standardised
from labtui.data.ragged import Ragged
from labtui.data.simulated import marked
from labtui.data.skip import OnError, each
from labtui.data.sound import read
from labtui.data.spectra import TOP_DB, Spectrogram
from labtui.data.split import by_part
from labtui.data.teacher import extras
from labtui.data.voice import Augment
from labtui.errors import DataError

Norm = Literal["none", "utterance", "train"]
SPLITS = {
    True: "by speaker: no speaker on both sides",
    False: "speakers on both sides: optimistic, unless the split comes with the corpus",
}
SIMULATORS: dict[Layout, str] = {"iemocap": "speech", "meld": "meld"}
"""Layout to what writes waves that are laid out so; what writes features ends in `_features`."""
CHUNK = 2**16
"""Frames that are looked at together while constants are fitted."""


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
    **corpus: Any,
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

    facts = {"features": seen, "rate (Hz)": rate, "cut after (s)": longest or "never"}
    if spectrogram is not None:
        return _dataset(root, path, "", one, norm, facts, rate / hop, _as_image, **corpus)
    changes = None
    if augment is not None:
        changes = Augment(augment["speed"], round(augment["shift"] * rate), augment["noise"])
        facts["augmentation"] = ", ".join(f"{name} {value:g}" for name, value in augment.items())
    return _dataset(root, path, "", one, norm, facts, rate, changes, **corpus)


def _as_image(x: Tensor, _: torch.Generator | None) -> Tensor:
    """Frames (N, T', bins) -> (N, 1, T', bins)."""
    return x[:, None]


def speech_features(
    root: Path, path: str, norm: Norm, width: int, frames: int | None, down: int, **corpus: Any
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
    return _dataset(root, path, "_features", one, norm, facts, None, None, **corpus)


def _dataset(
    root: Path,
    path: str,
    kind: str,
    one: Callable[[Path], Tensor],
    norm: Norm,
    facts: dict[str, Any],
    per_second: float | None,
    then: Transform | None,
    *,
    layout: Layout,
    files: str,
    classes: list[str],
    test: dict[str, list[str]],
    groups: Literal["speaker", "none"],
    on_error: OnError,
    teacher: str | None,
) -> Dataset:
    """All utterances of the classes, each read by `one`.

    Args:
        kind: end of the simulator's name: "", or "_features".
        per_second: values of an utterance along time in a second; None: unknown.
        then: what a batch goes through behind the norm.
    """

    def usable(utterance: Utterance) -> tuple[Utterance, Tensor]:
        values = one(utterance.file)
        if norm == "utterance":  # each feature with mean 0 and deviation 1
            values = standardised(values.view(len(values), -1).T).T.view_as(values)
        return utterance, values

    folder = root / path
    found = find(folder, layout, files, test, SIMULATORS[layout] + kind if layout in SIMULATORS else "")
    names = classes or CLASSES[layout] or sorted({utterance.label for utterance in found})
    index = {label: k for k, name in enumerate(names) for label in name.split("+")}
    read_in, left_out = each([u for u in found if u.label in index], usable, on_error)
    kept, values = [utterance for utterance, _ in read_in], [values for _, values in read_in]
    y = torch.tensor([index[utterance.label] for utterance in kept], dtype=torch.int64)
    _complete(folder, y, names, found)
    called, lengths = [utterance.name for utterance in kept], [len(one) for one in values]
    parts = [utterance.part for utterance in kept]
    speakers = sorted({utterance.speaker for utterance in kept})
    grouped = groups == "speaker" and all(speakers)
    return Dataset(
        x=Ragged(torch.cat(values), torch.tensor(lengths)),
        y=y,
        task="classes",
        classes=names,
        groups=torch.tensor([speakers.index(utterance.speaker) for utterance in kept]) if grouped else None,
        split=by_part(parts) if any(parts) else None,
        transform=None if norm == "train" else then,
        fit=_with_train_constants(then) if norm == "train" else None,
        extras=extras(teacher, root, called) if teacher else {},
        names=called,
        facts={
            "source": "simulated (Klatt 1980)" if marked(folder) else "files of speech",
            "layout": layout,
            "speakers": len(speakers) if all(speakers) else "unknown",
            "length": _span(lengths, per_second),
            **facts,
            "normalisation": norm,
            "utterances left out": left_out,
            "utterances of other labels": _others(found, index),
            "split": SPLITS[grouped],
        },
    )


def _complete(folder: Path, y: Tensor, names: Sequence[str], found: Sequence[Utterance]) -> None:
    """See to it that each class has an utterance.

    Raises:
        DataError: it has not.
    """
    counts = torch.bincount(y, minlength=len(names)).tolist()
    if lacking := [name for name, count in zip(names, counts, strict=True) if not count]:
        raise DataError(
            f"{folder}: no utterance of {', '.join(lacking)} that can be used; there are the labels "
            f"{', '.join(sorted({u.label for u in found}))}: complete the folder, or set data.classes"
        )


def _others(found: Sequence[Utterance], index: Mapping[str, int]) -> str:
    """How many utterances there are of labels that are no class."""
    counts = Counter(utterance.label for utterance in found if utterance.label not in index)
    return ", ".join(f"{count} {label}" for label, count in counts.items()) or "none"


def _span(lengths: Sequence[int], per_second: float | None) -> str:
    """The shortest, longest and mean length."""
    numbers = [min(lengths), max(lengths), sum(lengths) / len(lengths)]
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
