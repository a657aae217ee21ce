"""Simulated speech corpora, in the layouts that `labtui.data.layouts` reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from pathlib import Path

import numpy as np

from labtui.data import sound
from labtui.data.descriptors import NAMES, describe
from labtui.data.layouts import MELD
from labtui.data.simulated import begin, mark
from labtui.data.speech_sim import EMOTIONS, RATE, Signal, Speaker, speak, speaker
from labtui.errors import DataError

SESSIONS, EACH = 5, 12
"""IEMOCAP's sessions, of two speakers; utterances of each class and speaker."""
IEMOCAP = {"ang": 1.0, "hap": 0.5, "exc": 0.5, "neu": 1.0, "sad": 1.0, "fru": 0.15, "xxx": 0.1}
"""Utterances of each label and speaker, by EACH; readers leave out the last two."""
SHARES = {
    **{"neutral": 0.47, "joy": 0.17, "surprise": 0.12, "anger": 0.11, "sadness": 0.07},
    **{"disgust": 0.03, "fear": 0.03},
}
"""MELD's classes in its training part (Poria et al. 2019, table 2)."""
SIZES = {"train": 1.0, "val": 0.17, "test": 0.33}
"""Utterances of each part, relative to the training part; of MELD's they are 0.11 and 0.26, which would leave
too few of the rare classes."""
FRIENDS = {"Chandler": 0, "Joey": 0, "Ross": 0, "Monica": 1, "Phoebe": 1, "Rachel": 1}
"""MELD's speakers; 1: a woman."""

Write = Callable[[Path, Signal], None]


def make(out: Path, seed: int = 0, seconds: float = 2.0, each: int = EACH) -> list[Path]:
    """Write a corpus as IEMOCAP is laid out: WAV files (16 kHz, 16 bit) and EmoEvaluation tables.

    Args:
        out: folder for the files; made if absent.
        seed: the same seed writes the same sounds.
        seconds: mean length of an utterance.
        each: utterances of each class and speaker.

    Raises:
        DataError: the folder already holds a corpus, or an utterance would be too short or too long.
    """
    return _iemocap(out, seed, seconds, each, "Session{session}/sentences/wav/{dialog}/{name}.wav", _wav)


def make_features(out: Path, seed: int = 0, seconds: float = 2.0, each: int = EACH) -> list[Path]:
    """Write the same utterances as CSV files of low-level descriptors, as openSMILE writes ComParE's: a
    header, `;` between cells, 100 frames a second. Arguments and errors as `make`."""
    return _iemocap(out, seed, seconds, each, "compare/{name}.csv", _csv)


def make_meld(out: Path, seed: int = 0, seconds: float = 1.5, size: int = 400) -> list[Path]:
    """Write a corpus as MELD is laid out: three CSV tables with the official split, WAV files in three
    folders, and classes as unequal as MELD's. Arguments and errors as `make`.

    Args:
        size: utterances of the training part.
    """
    return _meld(out, seed, seconds, size, "{place}/{turn}.wav", _wav)


def make_meld_features(out: Path, seed: int = 0, seconds: float = 1.5, size: int = 400) -> list[Path]:
    """Write the utterances of `make_meld` as `make_features` does those of `make`."""
    return _meld(out, seed, seconds, size, "compare/{name}/{turn}.csv", _csv)


def _meld(out: Path, seed: int, seconds: float, size: int, where: str, write: Write) -> list[Path]:
    """Three parts, in dialogues of ten utterances."""
    _prepare(out, seed, seconds, "*_sent_emo.csv")
    voices = np.random.default_rng([seed, 0])
    people = {name: speaker(bool(woman), voices) for name, woman in FRIENDS.items()}
    written = []
    for number, (part, (name, place)) in enumerate(MELD.items(), 1):
        rng = np.random.default_rng([seed, number])
        counts = {label: max(2, round(share * SIZES[part] * size)) for label, share in SHARES.items()}
        labels = [label for label, count in counts.items() for _ in range(count)]
        rows = ["Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID"]
        for row, label in enumerate(rng.permutation(labels).tolist()):
            who, turn = str(rng.choice(list(people))), f"dia{row // 10}_utt{row % 10}"
            rows.append(f'{row + 1},"(simulated, no words)",{who},{label},,{row // 10},{row % 10}')
            file = out / where.format(place=place, name=name, turn=turn)
            file.parent.mkdir(parents=True, exist_ok=True)
            write(file, _utterance(people[who], label, seconds, rng))
            written.append(file)
        table = out / f"{name}_sent_emo.csv"
        table.write_text("\n".join(rows) + "\n", encoding="utf-8")
        written.append(table)
    return written


def _iemocap(out: Path, seed: int, seconds: float, each: int, where: str, write: Write) -> list[Path]:
    """Five sessions with two dialogues each."""
    _prepare(out, seed, seconds, "Session*")
    written = []
    for session in range(1, SESSIONS + 1):
        for sex in "FM":
            rng = np.random.default_rng([seed, session, sex == "F"])
            who = speaker(sex == "F", rng)
            dialog = f"Ses{session:02d}{sex}_impro01"
            labels = [label for label, share in IEMOCAP.items() for _ in range(ceil(share * each))]
            lines, start = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""], 0.0
            for number, label in enumerate(rng.permutation(labels).tolist()):
                wave = _utterance(who, label, seconds, rng)
                name = f"{dialog}_{sex}{number:03d}"
                file = out / where.format(session=session, dialog=dialog, name=name)
                file.parent.mkdir(parents=True, exist_ok=True)
                write(file, wave)
                end = start + len(wave) / RATE
                lines.append(f"[{start:.4f} - {end:.4f}]\t{name}\t{label}\t[2.5000, 2.5000, 2.5000]")
                start = end + 1
                written.append(file)
            table = out / f"Session{session}" / "dialog" / "EmoEvaluation" / f"{dialog}.txt"
            table.parent.mkdir(parents=True, exist_ok=True)
            table.write_text("\n".join(lines) + "\n", encoding="utf-8")
            written.append(table)
    return written


def _prepare(out: Path, seed: int, seconds: float, held: str) -> None:
    """Make the folder; raise DataError if it is not new or the options make no sense."""
    if not 0.5 <= seconds <= 30:
        raise DataError(f"seconds = {seconds}: an utterance takes half a second to half a minute")
    begin(out, seed, held)
    mark(out)


def _utterance(who: Speaker, label: str, seconds: float, rng: np.random.Generator) -> Signal:
    return speak(who, EMOTIONS[label], seconds * rng.uniform(0.6, 1.4), rng)


def _wav(file: Path, wave: Signal) -> None:
    sound.write(file, wave, RATE)


def _csv(file: Path, wave: Signal) -> None:
    frames = describe(wave, RATE)
    rows: Sequence[str] = [
        ";".join(["'unknown'", f"{number / 100:.2f}", *(f"{value:.4g}" for value in frame)])
        for number, frame in enumerate(frames)
    ]
    file.write_text("\n".join([";".join(["name", "frameTime", *NAMES]), *rows]) + "\n", encoding="utf-8")
