"""False alarms: over healthy recipes, at most 2 % of all rules that are asked may find something.

`python -m pytest -m stress tests/test_diagnosis_alarms.py -s` trains shipped recipes at a sensible length on data that
is simulated or lies in `../shared`, and prints what each said, and the count so far. With `LABTUI_ALARMS=FILE` each
training is a line of FILE as soon as it is over, so that a study that was cut off has its count; and all recipes of a
system in their tiny form (one epoch) are counted too, where `LABTUI_ALARMS=FILE python -m pytest tests -k recipes` was
called before: `tried` of recipe_lab then adds a line to FILE for each training.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest
from recipe_lab import RECIPES, Asked, asked_of, healthy, shipped, tried

from labtui.data import bearings_sim, corpus_sim, fnirs_sim, gestures_sim

DATA = Path(__file__).parents[2] / "shared" / "data"
MOST = 0.02

LENGTHS: dict[str, list[str]] = {
    "digits": [],
    "diagnosis/double-softmax-mended": [],
    "diagnosis/rate-mended": [],
    "diagnosis/folds": [],
    "fnirs/cnn3d-small": [],
    "emotion/small": [],
    "timeseries/gunpoint-fcn": [],
    "timeseries/basicmotions-resnet": [],
    "timeseries/japanesevowels-fcn": ["train.epochs=30"],
    "timeseries/japanesevowels-lstm": ["train.epochs=30"],
    "speech/digits-cnn1d": ["train.epochs=30"],
    "speech/digits-cnn2d": ["train.epochs=10"],
    "fault/transformer-cls-small-honest": ["data.per_class=100", "train.epochs=15"],
    "fault/transformer-mask-small": ["data.window=16", "train.epochs=10"],
    "fault/transformer-triplet-small": ["data.per_class=60", "train.epochs=10"],
    "gesture/gesture-small": ["data.size=[20, 20]", "model.channels=[8, 16, 32]", "train.epochs=16"],
}
"""Recipe to what makes it shorter; none: as it is shipped."""
COUNTED: list[Asked] = []


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("alarms")
    data = root / "data"
    fnirs_sim.make(data / "fnirs_simulated", recordings=8)
    corpus_sim.make_features(data / "speech_features_simulated", 1)
    bearings_sim.make(data / "bearings_cwru", seconds=3.0)
    gestures_sim.make(data / "gestures_simulated", seconds=1.4, videos={"train": 40, "val": 15}, clutter=0)
    for name in ("ucr", "fsdd"):
        if (DATA / name).is_dir():
            (data / name).symlink_to(DATA / name)
    return root


@pytest.mark.stress
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", LENGTHS)
def test_a_healthy_recipe_is_trained(lab: Path, name: str) -> None:
    file = RECIPES / f"{name}.toml"
    assert healthy(file)
    needs = {"timeseries": "ucr", "speech": "fsdd"}.get(name.partition("/")[0])
    if needs and not (lab / "data" / needs).exists():
        pytest.skip(f"the data is not in {DATA / needs}")
    done = tried(file, lab, *LENGTHS[name], epochs=None)
    COUNTED.append(found := asked_of(done.paths, name))
    if told := os.environ.get("LABTUI_ALARMS"):
        with open(told, "a") as lines:
            lines.write(json.dumps(asdict(found)) + "\n")
    evaluations, alarms = counted(COUNTED)
    print(
        f"\n{name}: {len(found.asked)} asked, found {found.said or 'nothing'}; so far {alarms} in {evaluations}"
    )


def counted(known: list[Asked]) -> tuple[int, int]:
    """How many rules were asked, and how many found something."""
    return sum(len(one.asked) for one in known), sum(len(one.said) for one in known)


@pytest.mark.stress
def test_at_most_two_of_a_hundred_rules_find_something() -> None:
    known = list(COUNTED)
    if (file := os.environ.get("LABTUI_ALARMS")) and Path(file).exists():
        known = [Asked(**json.loads(line)) for line in Path(file).read_text().splitlines()]
    evaluations, alarms = counted(known)
    print(f"\n{alarms} alarms in {evaluations} evaluations of {len(known)} trainings")
    for one in known:
        if one.said:
            print(f"  {one.recipe}: {', '.join(one.said)}")
    assert known and alarms <= MOST * evaluations


def test_what_is_flawed_by_intent_is_not_healthy() -> None:
    assert not healthy(RECIPES / "fnirs/cnn3d-006.toml")
    assert healthy(RECIPES / "digits.toml") and healthy(RECIPES / "fnirs/cnn3d-006-mended.toml")
    assert all(
        healthy(file)
        == (file.stem in ("double-softmax-mended", "not-normalised-mended", "rate-mended", "folds"))
        for file in shipped("diagnosis")
    )
