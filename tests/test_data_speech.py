"""Speech corpora made by hand: which utterances they have, what is read of them, what is wrong with one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from scipy.signal import resample_poly

from labtui.data import Dataset, build
from labtui.data.ragged import Ragged
from labtui.data.split import split
from labtui.errors import DataError
from labtui.recipe.core import Validate
from labtui.recipe.data.speech import Speech, SpeechFeatures

TURNS = [("F000", "neu"), ("M000", "ang"), ("F001", "exc"), ("M001", "hap"), ("F002", "sad"), ("M002", "xxx")]


def wav(file: Path, samples: int = 800, rate: int = 16_000, value: float = 0.25) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(file, np.full(samples, value), rate, subtype="PCM_16")
    return file


def iemocap(folder: Path, sessions: int = 2) -> Path:
    """Session by session six turns, each a hundred samples longer than the one before."""
    for session in range(1, sessions + 1):
        dialog = f"Ses{session:02d}F_impro01"
        lines = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""]
        for number, (turn, label) in enumerate(TURNS):
            wav(
                folder / f"Session{session}/sentences/wav/{dialog}/{dialog}_{turn}.wav",
                800 + 100 * number,
                value=0.1 * session,
            )
            lines += [f"[{number}.0000 - {number}.9000]\t{dialog}_{turn}\t{label}\t[2.5000, 2.5000, 2.5000]"]
            lines += ["C-E2:\tNeutral;\t()", ""]
        table = folder / f"Session{session}/dialog/EmoEvaluation/{dialog}.txt"
        table.parent.mkdir(parents=True)
        table.write_text("\n".join(lines), encoding="utf-8")
        (table.parent / f"._{table.name}").write_bytes(b"\x00\x05\x16\x07")
    return folder


def meld(folder: Path) -> Path:
    labels = ["anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise"]
    places = {"train": "train_splits", "dev": "dev_splits_complete", "test": "output_repeated_splits_test"}
    for part, place in places.items():
        rows = ["Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID"]
        for number, label in enumerate(labels):
            rows.append(f'{number + 1},"Oh, well",Ross,{label},negative,0,{number}')
            wav(folder / place / f"dia0_utt{number}.wav")
        (folder / f"{part}_sent_emo.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def load(folder: Path, **options: Any) -> Dataset:
    dataset = build(Speech(**{"path": str(folder), "cache": str(folder / "cache")} | options), Path("/"))
    assert isinstance(dataset.x, Ragged)
    return dataset


def test_iemocap_has_turns_labels_and_speakers(tmp_path: Path) -> None:
    dataset = load(iemocap(tmp_path))
    assert dataset.classes == ["ang", "hap+exc", "neu", "sad"]
    assert dataset.y.tolist() == [2, 0, 1, 1, 3] * 2
    assert dataset.groups is not None
    assert dataset.groups.tolist() == [0, 1, 0, 1, 0, 2, 3, 2, 3, 2]  # Ses01F, Ses01M, Ses02F, Ses02M
    assert dataset.names is not None
    assert dataset.names[1] == "Ses01F_impro01_M000"
    assert dataset.lengths is not None
    assert dataset.lengths.tolist() == [800, 900, 1000, 1100, 1200] * 2
    assert isinstance(dataset.x, Ragged)
    assert torch.allclose(dataset.x[0], torch.tensor(0.1), atol=1e-4)
    assert dataset.facts["utterances of other labels"] == "2 xxx"
    assert dataset.facts["length"] == "0.1 to 0.1 s, mean 0.1"


def test_classes_are_as_the_recipe_says(tmp_path: Path) -> None:
    dataset = load(iemocap(tmp_path), classes=["sad", "hap"], groups="none")
    assert dataset.classes == ["sad", "hap"]
    assert dataset.y.tolist() == [1, 0] * 2
    assert dataset.groups is None
    assert "optimistic" in str(dataset.facts["split"])


def test_a_corpus_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(iemocap(tmp_path), features="mel", norm="utterance")
    with monkeypatch.context() as patch:
        patch.setattr("labtui.data.speech.read", None)
        again = load(tmp_path, features="mel", norm="utterance")
    assert isinstance(first.x, Ragged) and isinstance(again.x, Ragged)
    assert torch.equal(first.x.values, again.x.values)
    assert load(tmp_path, features="mel").shape == first.shape  # other options are read for themselves
    wav(tmp_path / "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav", 900)
    changed = load(tmp_path)
    assert changed.lengths is not None and changed.lengths[0] == 900


def test_meld_brings_its_split(tmp_path: Path) -> None:
    dataset = load(meld(tmp_path), layout="meld")
    assert dataset.y.tolist() == list(range(7)) * 3
    parts = split(dataset, Validate(scheme="file"))
    assert [parts[name].tolist() for name in parts] == [list(range(k, k + 7)) for k in (0, 7, 14)]
    assert dataset.names is not None
    assert dataset.names[7] == "dev/dia0_utt0"


def test_names_of_files_say_class_and_speaker(tmp_path: Path) -> None:
    for label in ("zero", "one"):
        for speaker in ("ann", "bob"):
            for take in range(2):
                wav(tmp_path / f"{label}_{speaker}_{take}.wav", rate=8000)
    wav(tmp_path / "readme.wav")
    dataset = load(
        tmp_path, layout="files", files="{label}_{speaker}_{take}.wav", test={"take": ["0"]}, rate=8000
    )
    assert dataset.classes == ["one", "zero"]
    assert dataset.y.tolist() == [0] * 4 + [1] * 4
    assert dataset.groups is not None and dataset.groups.tolist() == [0, 0, 1, 1] * 2
    assert dataset.split is not None and dataset.split["test"].tolist() == [0, 2, 4, 6]


def test_folders_say_the_class_and_other_rates_are_resampled(tmp_path: Path) -> None:
    wav(tmp_path / "angry" / "1.wav", 800, 8000)
    wav(tmp_path / "calm" / "2.wav", 800, 16_000)
    dataset = load(tmp_path, layout="files", longest=0.06)
    assert dataset.classes == ["angry", "calm"]
    assert dataset.groups is None
    assert dataset.lengths is not None and dataset.lengths.tolist() == [960, 800]


@pytest.mark.parametrize(("features", "bins"), [("stft", 257), ("mel", 40)])
def test_spectrograms_have_frames(tmp_path: Path, features: str, bins: int) -> None:
    dataset = load(iemocap(tmp_path), features=features, mels=40)
    assert dataset.shape == (1, 1 + 1200 // 160, bins)
    assert dataset.lengths is not None and dataset.lengths[0] == 6
    # Decibels above silence, so that what is behind a shorter utterance is silence and not its loudest sound.
    batch = dataset.see(dataset.x.index_select(0, torch.arange(5)))
    assert batch.amax((1, 2, 3)).tolist() == [80] * 5
    assert batch[0, 0, 6:].tolist() == [[0] * bins] * (batch.shape[2] - 6)


def test_names_of_files_are_no_patterns(tmp_path: Path) -> None:
    for name in ("a[1]_0.wav", "b[1]_0.wav", "a1_0.wav"):
        wav(tmp_path / name)
    dataset = load(tmp_path, layout="files", files="{label}[1]_{}.wav")
    assert dataset.names == ["a[1]_0", "b[1]_0"] and dataset.classes == ["a", "b"]


def test_labels_lead_to_no_other_folder(tmp_path: Path) -> None:
    table = tmp_path / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    table.parent.mkdir(parents=True)
    table.write_text("[0.0 - 1.0]\tSes01F_../../../x_F000\tneu\t[2.5, 2.5, 2.5]\n", encoding="utf-8")
    with pytest.raises(DataError, match="no turn in it"):
        load(tmp_path)


def test_norms_are_of_the_utterance_or_of_the_training_split(tmp_path: Path) -> None:
    table = tmp_path / "data"
    rng = np.random.default_rng(0)
    for label in ("a", "b"):
        for number in range(4):
            (table / label).mkdir(parents=True, exist_ok=True)
            np.save(table / label / f"{number}.npy", rng.normal(number + 1, 2, (5 + number, 3)))
    options: dict[str, Any] = {
        "path": str(table),
        "layout": "files",
        "files": "{label}/{}.npy",
        "width": 3,
        "cache": str(tmp_path / "cache"),
    }
    each = build(SpeechFeatures(**options, norm="utterance"), Path("/"))
    assert isinstance(each.x, Ragged)
    for place in range(8):
        sample = each.x[place]
        assert isinstance(sample, torch.Tensor)
        assert sample.mean(0).abs().max() < 1e-5
        assert torch.allclose(sample.std(0, correction=0), torch.ones(3), atol=1e-4)
    train = torch.tensor([0, 1, 4, 5])
    fitted = build(SpeechFeatures(**options, norm="train"), Path("/"))
    plain = build(SpeechFeatures(**options, norm="none"), Path("/"))
    fitted.learn(train)
    assert isinstance(plain.x, Ragged) and isinstance(fitted.x, Ragged)
    values = plain.x[train].values
    one = plain.x.index_select(0, torch.tensor([7]))
    expected = (one - values.mean(0)) / values.std(0, correction=0)
    assert torch.allclose(fitted.see(fitted.x.index_select(0, torch.tensor([7]))), expected, atol=1e-5)
    # What is not of the training split has no say.
    fitted_too = build(SpeechFeatures(**options, norm="train"), Path("/"))
    assert isinstance(fitted_too.x, Ragged)
    fitted_too.x.values[-8:] = 1e6
    fitted_too.learn(train)
    assert torch.equal(fitted_too.see(one), fitted.see(one))


def csv(file: Path, frames: Any, between: str = ";") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    width = len(frames[0]) if len(frames) else 2
    lines = [between.join(["name", "frameTime", *(f"f{k}" for k in range(width))])]
    lines += [between.join(["'unknown'", f"{n / 100}", *map(str, row)]) for n, row in enumerate(frames)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


@pytest.mark.parametrize("between", [";", ","])
def test_opensmiles_tables_are_cut_and_thinned(tmp_path: Path, between: str) -> None:
    frames = np.random.default_rng(0).normal(5, 1, (70, 2)).astype(np.float32)
    for label in ("a", "b"):
        csv(tmp_path / label / "1.csv", frames.tolist(), between)
    options: dict[str, Any] = {
        "path": str(tmp_path),
        "layout": "files",
        "width": 2,
        "cache": str(tmp_path / "cache"),
        "norm": "none",
    }
    whole = build(SpeechFeatures(**options), Path("/"))
    assert isinstance(whole.x, Ragged)
    assert np.array_equal(np.asarray(whole.x[0]), frames)
    thin = build(SpeechFeatures(**options, frames=60, down=10), Path("/"))
    assert isinstance(thin.x, Ragged)
    expected = resample_poly(frames[:60] - frames[:60].mean(0), 1, 10, axis=0) + frames[:60].mean(0)
    assert thin.x[0].shape == (6, 2)
    assert np.allclose(np.asarray(thin.x[0]), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"b/1\.csv: no table of features \(it has no header"),
        (b"name;frameTime;f0;f1\n", r"b/1\.csv: .*no frame below its header"),
        (b"name;frameTime;f0;f1\n'u';0;1;nan\n", r"b/1\.csv: feature 2 of frame 1 is NaN"),
        (b"name;frameTime;f0;f1\n'u';0;1;2\n'u';0.01;1", r"b/1\.csv: no table of features"),
        (b"name;frameTime;f0\n'u';0;1\n", r"b/1\.csv: frames of 1 features, expected data\.width = 2"),
        (b"name;f0;f1\n'u';\xff;2\n", r"b/1\.csv: no table of features"),
    ],
)
def test_bad_tables_are_named(tmp_path: Path, content: bytes, said: str) -> None:
    csv(tmp_path / "a" / "1.csv", [[1, 2]])
    csv(tmp_path / "b" / "2.csv", [[1, 2]])
    (tmp_path / "b" / "1.csv").write_bytes(content)
    options: dict[str, Any] = {
        "path": str(tmp_path),
        "layout": "files",
        "width": 2,
        "cache": str(tmp_path / "cache"),
    }
    with pytest.raises(DataError, match=said):
        build(SpeechFeatures(**options), Path("/"))
    dataset = build(SpeechFeatures(**options, on_error="skip"), Path("/"))
    assert (len(dataset), dataset.facts["utterances left out"]) == (2, 1)


HUGE = str({"descr": "<f4", "fortran_order": False, "shape": (10**11, 130)}).encode().ljust(128)


@pytest.mark.parametrize(
    "content",
    [
        *(slice(kept) for kept in (0, 40, 100)),
        b"PK\3\4 no archive",
        b"\x93NUMPY\1\0\x10\0{'descr': (((((((",
        b"\x93NUMPY\1\0\x80\0" + HUGE,
    ],
)
def test_bad_arrays_are_named(tmp_path: Path, content: slice | bytes) -> None:
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        np.save(tmp_path / label / "1.npy", np.zeros((4, 2)))
    file = tmp_path / "b" / "1.npy"
    file.write_bytes(file.read_bytes()[content] if isinstance(content, slice) else content)
    with pytest.raises(DataError, match=r"b/1\.npy"):
        build(
            SpeechFeatures(
                path=str(tmp_path),
                layout="files",
                files="{label}/{}.npy",
                width=2,
                cache=str(tmp_path / "cache"),
            ),
            Path("/"),
        )


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere: no such folder.*labtui data make speech --out"):
        load(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"no Session\*/dialog/EmoEvaluation"):
        load(tmp_path)
    with pytest.raises(DataError, match=r"train_sent_emo\.csv: the labels cannot be read"):
        load(tmp_path, layout="meld")
    with pytest.raises(DataError, match=r"no utterance in it"):
        load(tmp_path, layout="files")
    with pytest.raises(DataError, match=r"nowhere: no such folder.*labtui data make meld_features --out"):
        build(SpeechFeatures(path=str(tmp_path / "nowhere"), layout="meld"), Path("/"))
    with pytest.raises(DataError, match=r"nowhere: no such folder\. Put the corpus there$"):
        load(tmp_path / "nowhere", layout="files")
    for files in ("{}.wav", "{label}/{0}.wav", "{label}/{take}/{take}.wav"):
        with pytest.raises(DataError, match=r"needs \{label\}"):
            load(tmp_path, layout="files", files=files)
    for files in ("/{label}.wav", "../{label}.wav"):
        with pytest.raises(DataError, match=r"expected a path below data\.path"):
            load(tmp_path, layout="files", files=files)
    iemocap(tmp_path)
    with pytest.raises(DataError, match=r"there is no \{take\} in this layout; there are \{session\}"):
        load(tmp_path, files="{take}.wav")
    with pytest.raises(
        DataError, match=r"no utterance of joy that can be used; there are the labels ang, exc"
    ):
        load(tmp_path, classes=["ang", "joy"])
    (tmp_path / "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav").unlink()
    with pytest.raises(DataError, match=r"there is no .*Ses01F_impro01_F000\.wav"):
        load(tmp_path)
    assert load(tmp_path, on_error="skip").facts["utterances left out"] == 1
    table = tmp_path / "Session2/dialog/EmoEvaluation/Ses02F_impro01.txt"
    table.write_text("", encoding="utf-8")
    with pytest.raises(DataError, match=r"Ses02F_impro01\.txt: no turn in it"):
        load(tmp_path)


def test_a_broken_line_of_meld_is_named(tmp_path: Path) -> None:
    table = meld(tmp_path) / "dev_sent_emo.csv"
    whole = table.read_text()
    table.write_text(whole.replace("negative,0,3", "negative,0,three"), encoding="utf-8")
    with pytest.raises(DataError, match=r"dev_sent_emo\.csv: line 5 has .*'three'"):
        load(tmp_path, layout="meld")
    table.write_text(whole + '1,"' + "x" * 200_000, encoding="utf-8")
    with pytest.raises(DataError, match=r"dev_sent_emo\.csv: .* near line .*quotation mark"):
        load(tmp_path, layout="meld")


def test_what_is_said_in_meld_may_hold_other_ends_of_lines(tmp_path: Path) -> None:
    table = meld(tmp_path) / "dev_sent_emo.csv"
    before = load(tmp_path, layout="meld")
    whole = table.read_text(encoding="utf-8")
    table.write_text(whole.replace('"Oh, well"', "Oh\x85 well\u2028then\x0b"), encoding="utf-8")
    assert load(tmp_path, layout="meld").names == before.names


def test_a_template_is_filled_in_one_pass(tmp_path: Path) -> None:
    """What a label file says of a file's name is a name, no template and no pattern."""
    table = iemocap(tmp_path, 1) / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    table.write_text(table.read_text().replace("Ses01F_impro01_F000", "Ses01{dialog}_F000"), encoding="utf-8")
    with pytest.raises(DataError, match=r"there is no .*Ses01\{dialog\}_F000\.wav"):
        load(tmp_path)


def teacher(file: Path, names: list[str], **more: Any) -> Path:
    logits = np.arange(len(names) * 4.0).reshape(-1, 4)
    np.savez(file, **{"names": names, "logits": logits} | more)
    return file


def test_a_teacher_is_found_by_the_utterances_names(tmp_path: Path) -> None:
    dataset = load(iemocap(tmp_path / "corpus"))
    names = dataset.names or []
    file = teacher(tmp_path / "t.npz", names[::-1], states=np.zeros((len(names), 3, 8)))
    taught = load(tmp_path / "corpus", teacher=str(file)).extras
    assert taught["teacher_logits"][:, 0].tolist() == [4.0 * k for k in range(len(names))][::-1]
    assert taught["teacher_states"].shape == (10, 3, 8)
    assert "teacher_states" not in load(tmp_path / "corpus", teacher=str(teacher(file, names))).extras
    teacher(file, names[1:])
    with pytest.raises(DataError, match=r"nothing of 1 of 10 samples \(first: Ses01F_impro01_F000\)"):
        load(tmp_path / "corpus", teacher=str(file))
    teacher(file, names, logits=np.zeros((3, 4)))
    with pytest.raises(
        DataError, match=r"t\.npz: expected names \(M,\), logits .*it holds .*logits \(3, 4\)"
    ):
        load(tmp_path / "corpus", teacher=str(file))
    teacher(file, names, logits=np.full((10, 4), np.nan))
    with pytest.raises(DataError, match="logits holds what is no finite number"):
        load(tmp_path / "corpus", teacher=str(file))
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(DataError, match=r"t\.npz: no readable \.npz file"):
        load(tmp_path / "corpus", teacher=str(file))
    with pytest.raises(DataError, match=r"there is no .*20260101-000000-teacher-abcd/artifacts/teacher\.npz"):
        load(tmp_path / "corpus", teacher="20260101-000000-teacher-abcd")
    with pytest.raises(DataError, match="a reference becomes a run"):
        load(tmp_path / "corpus", teacher="@last")
