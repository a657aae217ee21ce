"""Which utterances a speech corpus has: their files, classes and speakers.

Three layouts are known: files whose names say class and speaker; IEMOCAP (Busso et al. 2008, "IEMOCAP:
interactive emotional dyadic motion capture database"), whose labels stand in
`Session1/dialog/EmoEvaluation/<dialog>.txt`; and MELD (Poria et al. 2019, "MELD: a multimodal
multi-party dataset for emotion recognition in conversations"), whose labels and official split stand in
`train_sent_emo.csv`, `dev_sent_emo.csv` and `test_sent_emo.csv`.
"""

from __future__ import annotations

import csv
import glob
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from labtui.errors import DataError

Layout = Literal["files", "iemocap", "meld"]

CLASSES: dict[Layout, list[str]] = {
    "files": [],
    "iemocap": ["ang", "hap+exc", "neu", "sad"],
    "meld": ["anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise"],
}
"""Classes that a layout has where the recipe names none; files: all labels that there are."""
MELD = {
    "train": ("train", "train_splits"),
    "val": ("dev", "dev_splits_complete"),
    "test": ("test", "output_repeated_splits_test"),
}
"""Part of the official split to MELD's own name for it, and the folder of its utterances."""
TURN = re.compile(r"\[\d+\.\d+ - \d+\.\d+\]\s+(Ses(\d\d)[^\s/\0]+)_([FM])([^\s/\0]+)\s+(\w+)\s")
"""A line of an EmoEvaluation file: `[start - end] Ses01F_impro01_F000 neu [v, a, d]`. Names of files are made
of it, so that it must not hold a slash or NUL."""
FIELD = re.compile(r"\{(\w*)\}")
"""A field of a template of file names."""


@dataclass
class Utterance:
    """One utterance of a corpus."""

    name: str
    """What it is called, the same in all files about it."""
    file: Path
    """Its sound or features."""
    label: str
    """The corpus's word for its class."""
    speaker: str
    """Who says it; empty: unknown."""
    part: str = ""
    """train, val or test in a split that comes with the corpus; empty: there is none."""


def find(
    folder: Path, layout: Layout, files: str, test: Mapping[str, Sequence[str]], simulator: str
) -> list[Utterance]:
    """The utterances of a corpus with their labels, in an order that does not depend on the file system.

    Args:
        files: as `recipe.data.speech.Corpus.files`.
        test: with layout "files", values of the template's fields whose utterances are the test split.
        simulator: what `labtui data make` writes such data with; empty: nothing does.

    Raises:
        DataError: there is no such folder, label file or utterance.
    """
    if not folder.is_dir():
        more = f", or write a simulated one: labtui data make {simulator} --out {folder}" if simulator else ""
        raise DataError(f"{folder}: no such folder. Put the corpus there{more}")
    if layout == "files":
        found = _by_name(folder, files, test)
    else:
        found = (_iemocap if layout == "iemocap" else _meld)(folder, files)
    if not found:
        raise DataError(f"{folder}: no utterance in it: look at data.path, data.layout and data.files")
    return found


def _by_name(folder: Path, files: str, test: Mapping[str, Sequence[str]]) -> list[Utterance]:
    """Files below the folder whose names match the template."""
    *parts, rest = FIELD.split(files)
    texts, fields = [*parts[::2], rest], parts[1::2]
    named = [name for name in fields if name]
    if "label" not in fields or len(set(named)) < len(named) or not all(map(str.isidentifier, named)):
        raise DataError(
            f'data.files = {files!r}: with layout = "files" it needs {{label}}, and each field once, such '
            'as "{label}/{}.wav" or "{label}_{speaker}_{take}.wav"'
        )
    if Path(files).is_absolute() or ".." in Path(files).parts:
        raise DataError(f"data.files = {files!r}: expected a path below data.path")
    if unknown := [name for name in test if name not in fields]:
        raise DataError(f"data.test: there is no {{{unknown[0]}}} in data.files = {files!r}")
    matched = [f"(?P<{name}>[^/]+?)" if name else "[^/]+" for name in fields]
    pattern = re.compile("".join(map("".join, zip(map(re.escape, texts), [*matched, ""], strict=True))))
    found = []
    for file in sorted(folder.glob("*".join(map(glob.escape, texts)))):
        name = file.relative_to(folder).as_posix()
        match = pattern.fullmatch(name)
        if match is None or file.name.startswith("._"):  # what macOS leaves beside files on other disks
            continue
        said = match.groupdict()
        held = any(said[key] in values for key, values in test.items())
        part = ("test" if held else "train") if test else ""
        stem = name.removesuffix(file.suffix)
        found.append(Utterance(stem, file, said["label"], said.get("speaker", ""), part))
    return found


def _iemocap(folder: Path, files: str) -> list[Utterance]:
    """The turns that the EmoEvaluation files of all sessions tell of."""
    tables = sorted(folder.glob("Session*/dialog/EmoEvaluation/Ses*.txt"))
    if not tables:
        raise DataError(
            f"{folder}: no Session*/dialog/EmoEvaluation/Ses*.txt in it: data.path must be IEMOCAP's folder"
        )
    found = []
    for table in tables:
        turns = list(TURN.finditer(_text(table)))
        if not turns:
            raise DataError(
                f"{table}: no turn in it, such as [6.29 - 8.24] {table.stem}_F000 neu [2.5, 2.5, 2.5]"
            )
        for dialog, session, sex, number, label in (turn.groups() for turn in turns):
            name = f"{dialog}_{sex}{number}"
            fields = {"session": str(int(session)), "dialog": dialog, "utterance": name}
            speaker = f"Ses{session}{sex}"
            found.append(Utterance(name, folder / _filled(files, fields), label, speaker))
    return found


def _meld(folder: Path, files: str) -> list[Utterance]:
    """The utterances of MELD's three tables."""
    found = []
    for part, (name, place) in MELD.items():
        table = folder / f"{name}_sent_emo.csv"
        rows = _rows(table)
        for number, row in rows:
            values = [row.get(key) for key in ("Dialogue_ID", "Utterance_ID", "Emotion", "Speaker")]
            dialogue, utterance, label, speaker = (value or "" for value in values)
            if not (dialogue.isdecimal() and utterance.isdecimal() and label):
                raise DataError(
                    f"{table}: line {number} has Dialogue_ID {dialogue!r}, Utterance_ID {utterance!r} and "
                    f"Emotion {label!r}, expected two numbers and a word"
                )
            turn = f"dia{dialogue}_utt{utterance}"
            fields = {"part": name, "folder": place, "utterance": turn}
            file = folder / _filled(files, fields)
            found.append(Utterance(f"{name}/{turn}", file, label.lower(), speaker, part))
        if not rows:
            raise DataError(f"{table}: no utterance in it")
    return found


def _rows(table: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows of a CSV file with a header, and the line on which each ends.

    Raises:
        DataError: it cannot be read.
    """
    # No splitlines: what is said holds U+0085 and the like, which end lines for it, but not in CSV files.
    lines = csv.DictReader(io.StringIO(_text(table), newline=""))
    try:
        return [(lines.line_num, row) for row in lines]
    except csv.Error as error:
        raise DataError(
            f"{table}: the labels cannot be read near line {lines.line_num} ({error}): look for a quotation "
            "mark that is not closed"
        ) from None


def _text(path: Path) -> str:
    """A label file's text.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise DataError(f"{path}: the labels cannot be read ({error.strerror or error})") from None


def _filled(files: str, fields: Mapping[str, str]) -> str:
    """The template with its fields filled in; one pass, so that what is filled in stays as it is."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in fields:
            known = ", ".join(f"{{{name}}}" for name in fields)
            raise DataError(
                f"data.files = {files!r}: there is no {match[0]} in this layout; there are {known}"
            )
        return fields[match[1]]

    return FIELD.sub(value, files)
