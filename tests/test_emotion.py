"""The speech emotion system whole: simulated corpora, every recipe on them, a student and its teacher."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from recipe_lab import shipped, tried

from labtui.data import build
from labtui.data.__main__ import show
from labtui.data.corpus_sim import make, make_features, make_meld, make_meld_features
from labtui.data.descriptors import NAMES, describe
from labtui.data.layouts import find
from labtui.data.ragged import Ragged
from labtui.data.show import describe as shown
from labtui.data.speech_sim import ANGER, EMOTIONS, NEUTRAL, RATE, SADNESS, SURPRISE, Prosody, speak, speaker
from labtui.errors import DataError, TrainingError
from labtui.files.paths import RunPaths
from labtui.recipe.data.speech import Speech, SpeechFeatures

EACH, SECONDS = 1, 0.6


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lab with small corpora, VGGish's features and a teacher's file beside them, and a student's weights."""
    lab = tmp_path_factory.mktemp("lab")
    data = lab / "data"
    make(data / "speech_simulated", 1, SECONDS, EACH)
    make_features(data / "speech_features_simulated", 1, SECONDS, EACH)
    make_meld_features(data / "meld_features_simulated", 1, SECONDS, 40)
    rng = np.random.default_rng(0)
    utterances = find(data / "speech_simulated", "iemocap", "vggish/{utterance}.npy", {}, "speech")
    (data / "speech_simulated" / "vggish").mkdir()
    for utterance in utterances:
        np.save(utterance.file, rng.normal(size=(rng.integers(1, 4), 128)))
    names = [utterance.name for utterance in utterances]
    logits, states = rng.normal(size=(len(names), 4)), rng.normal(size=(len(names), 4, 8))
    np.savez(data / "teacher.npz", names=names, logits=logits, states=states)
    return lab


def prosody(how: Prosody, seed: int) -> tuple[float, float, float]:
    """Mean pitch (Hz), its deviation in semitones and loudness of five utterances of one voice."""
    rng = np.random.default_rng(seed)
    who = speaker(False, np.random.default_rng(7))
    tables = [(wave, describe(wave, RATE)) for wave in (speak(who, how, 1.0, rng) for _ in range(5))]
    pitches = [frames[frames[:, 1] > 0.6, 0] for _, frames in tables]
    pitches = [pitch[pitch > 0] for pitch in pitches]
    spread = np.mean([(12 * np.log2(pitch)).std() for pitch in pitches])
    level = np.mean([10 * np.log10((wave**2).mean()) for wave, _ in tables])
    return float(np.mean([np.median(pitch) for pitch in pitches])), float(spread), float(level)


def test_emotions_differ_as_the_literature_says() -> None:
    found = {name: prosody(how, 0) for name, how in {"ang": ANGER, "neu": NEUTRAL, "sad": SADNESS}.items()}
    pitch, _, level = zip(*found.values(), strict=True)
    assert pitch[0] > pitch[1] > pitch[2]
    assert level[0] > level[1] > level[2]
    assert prosody(SURPRISE, 0)[1] > 1.5 * found["sad"][1]


def test_women_speak_higher() -> None:
    pitches = [
        speaker(female, np.random.default_rng(seed)).pitch for female in (False, True) for seed in range(9)
    ]
    assert max(pitches[:9]) < min(pitches[9:])


def test_a_voice_has_its_pitch_and_its_descriptors() -> None:
    time = np.arange(RATE) / RATE
    pulses = np.sign(np.sin(2 * np.pi * 200 * time))
    frames = describe(pulses, RATE)
    assert frames.shape == (98, 130) and len(NAMES) == len(set(NAMES)) == 130
    assert np.isfinite(frames).all()
    assert frames[:, 0] == pytest.approx(200, abs=1)
    assert np.isfinite(describe(np.zeros(10), RATE)).all()
    with pytest.raises(KeyError):
        EMOTIONS["bored"]


def test_corpora_are_what_their_readers_read(lab: Path) -> None:
    wave = build(Speech(path="data/speech_simulated"), lab)
    features = build(SpeechFeatures(path="data/speech_features_simulated"), lab)
    assert wave.names == features.names
    assert wave.y.tolist() == features.y.tolist()
    assert len(wave) == 10 * 5 * EACH  # hap and exc, of which there are no halves
    assert wave.groups is not None and len(set(wave.groups.tolist())) == 10
    assert isinstance(wave.x, Ragged) and isinstance(features.x, Ragged)
    frames = (wave.x.lengths - round(0.025 * RATE)) // round(0.01 * RATE) + 1
    assert features.x.lengths.tolist() == frames.tolist()
    meld = build(SpeechFeatures(path="data/meld_features_simulated", layout="meld"), lab)
    assert meld.split is not None and {name: len(part) for name, part in meld.split.items()}["train"] >= 40
    told = shown(wave)
    assert told["groups"] == 10
    assert [entry["samples"] for entry in told["classes"]] == [10, 20, 10, 10]


def test_the_same_seed_writes_the_same(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        make_meld(tmp_path / name, seed, 0.5, 7)
    a, b, c = ((tmp_path / name / "train_splits" / "dia0_utt0.wav").read_bytes() for name in "abc")
    assert a == b != c
    assert soundfile.info(tmp_path / "a" / "train_splits" / "dia0_utt0.wav").samplerate == 16_000
    with pytest.raises(DataError, match="already holds"):
        make_meld(tmp_path / "a")
    with pytest.raises(DataError, match="half a second"):
        make(tmp_path / "d", seconds=0.1)


SMALLER: dict[str, list[str]] = {
    # Half precision takes a minute on a CPU.
    "sincnet": ["data.longest=0.4", "train.precision=float32"],
    **{name: ["data.longest=0.3"] for name in ("resnet18-2d", "resnet18-2d-lstm")},
    "wav-bilstm-channels": ["model.channels=16"],
}
"""What makes a recipe cheap enough to be tried, beside one epoch on a small corpus."""


@pytest.mark.parametrize("file", shipped("emotion"), ids=lambda file: file.stem)
def test_recipes(file: Path, lab: Path) -> None:
    more = ["model.path=student.pt"] if file.stem.startswith("finetune") else []
    more += ["data.teacher=data/teacher.npz"] if file.stem in STUDENTS else []
    if file.stem.startswith("finetune") and not (lab / "student.pt").exists():
        source = next(file for file in shipped("emotion") if file.stem == "distillation-none")
        (lab / "student.pt").write_bytes((tried(source, lab).paths.checkpoints / "best.pt").read_bytes())
    done = tried(file, lab, *SMALLER.get(file.stem, []), *more)
    assert done.result["facts"]["parameters"] == PARAMETERS.get(file.stem, done.seen["parameters"])
    if file.stem in STUDENTS:
        agreement = json.loads((done.paths.artifacts / "agreement.json").read_text())
        assert np.array(agreement["test"]["matrix"]).sum() == done.result["facts"]["test"]


STUDENTS = ("distillation", "distillation-4mse-nokd", "distillation-small")
PARAMETERS = {
    "wav-lstm": 410_564,
    "wav-bilstm-norm": 526_276,
    "wav-bilstm-mended": 526_276,
    "cnn1d": 1_381_760 + 256 * 128 + 128 + 128 * 128 + 128 + 128 * 4 + 4,
    "transformer": 479_236,
    "resnet1d": 3_528_516,
}


def test_a_student_follows_a_run(lab: Path) -> None:
    files = {file.stem: file for file in shipped("emotion")}
    paths = tried(files["teacher"], lab).paths
    with np.load(paths.artifacts / "teacher.npz") as kept:
        table = dict(kept)
    dataset = build(SpeechFeatures(path="data/speech_features_simulated"), lab)
    assert table["names"].tolist() == dataset.names
    assert table["logits"].shape == (len(dataset), 4)
    assert table["states"].shape == (len(dataset), 4, 256)
    # The kept logits are those that the run was scored by.
    with np.load(paths.artifacts / "predictions.npz") as predictions:
        assert np.allclose(table["logits"][predictions["test_index"]], predictions["test_scores"], atol=1e-5)
    student = tried(files["distillation"], lab, f"data.teacher={paths.id}").paths
    found = json.loads((student.artifacts / "agreement.json").read_text())
    taught = np.bincount(table["logits"][predictions_index(student)].argmax(1), minlength=4)
    assert np.array(found["test"]["matrix"]).sum(1).tolist() == taught.tolist()
    assert found["test"]["agreement"] == pytest.approx(np.trace(found["test"]["matrix"]) / taught.sum())


def predictions_index(paths: RunPaths) -> np.ndarray[Any, Any]:
    with np.load(paths.artifacts / "predictions.npz") as predictions:
        index: np.ndarray[Any, Any] = predictions["test_index"]
    return index


def test_a_student_s_data_is_shown_before_there_is_a_teacher(lab: Path) -> None:
    (file,) = (file for file in shipped("emotion") if file.stem == "distillation")
    assert show(str(file), lab, [])["samples"] == 10 * 5 * EACH


def test_only_classifiers_of_named_samples_teach(lab: Path) -> None:
    with pytest.raises(TrainingError, match=r"checkpoints\.teacher = true needs a classifier"):
        tried(next(file for file in shipped("") if file.stem == "digits"), lab, "checkpoints.teacher=true")


def test_the_small_recipe_learns(tmp_path: Path) -> None:
    make_features(tmp_path / "data" / "speech_features_simulated", 3, 0.8, 4)
    (file,) = (file for file in shipped("emotion") if file.stem == "small")
    result: dict[str, Any] = tried(file, tmp_path, epochs=12).result
    assert result["best"]["value"] > 0.6 > 2 * result["facts"]["baseline"]["val.uar"]
