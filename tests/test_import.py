"""Other people's files of experiments."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from conftest import Cli
from hypothesis import given
from hypothesis import strategies as st
from recipe_lab import RECIPES

from labtui.errors import RecipeError
from labtui.recipe.read import load
from labtui.sweep import Plan, expand
from labtui.sweep.experiments import imported

GESTURE = RECIPES / "gesture"
BASE = """
# What I learned: keep it small.
name = "base"

[data]
name = "digits"  # 8 × 8

[model]
name = "digits_cnn"

[sweep]
repeats = 2
metric = "val.acc"

[sweep.space]
"optimizer.lr" = [
    0.1,
]

[train]  # behind the sweep
epochs = 3
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "base.toml"
    path.write_text(BASE)
    return path


def cells(path: Path, base: Path) -> list[dict[str, Any]]:
    return list(tomllib.loads(imported(path, base))["sweep"]["cells"])


def written(folder: Path, content: Any, name: str = "mine.json") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize(("recipe", "file"), [("conv3d", "conv3d"), ("conv2d-rnn", "conv2d-CNN")])
def test_the_notebooks_files_give_the_shipped_grids(cli: Cli, lab: Path, recipe: str, file: str) -> None:
    """Word for word, comments and all; again where the lab has no recipes of its own."""
    path = GESTURE / f"experiments-{file}.json"
    status, out, err = cli("import", str(path))
    assert (status, err) == (0, "")
    assert out == (GESTURE / f"{recipe}-grid.toml").read_text()
    assert cli("import", str(path), "-o", "mine.toml")[0] == 0
    assert (lab / "mine.toml").read_text() == out
    assert len(expand(load(lab / "mine.toml"), "mine.toml")) == {"conv3d": 24, "conv2d-rnn": 18}[recipe]


def test_what_is_there_stays_unless_it_is_forced(cli: Cli, lab: Path) -> None:
    path = str(GESTURE / "experiments-conv3d.json")
    (lab / "mine.toml").write_text("mine")
    status, _, err = cli("import", path, "-o", "mine.toml")
    assert status == 2 and "mine.toml: is there already; give another -o, or --force" in err
    assert (lab / "mine.toml").read_text() == "mine"
    assert cli("import", path, "-o", "mine.toml", "--force")[0] == 0
    status, _, err = cli("import", path, "-o", "no/such/mine.toml")
    assert status == 2 and "cannot be written" in err


def test_the_lab_own_recipe_is_what_the_notebooks_files_vary(cli: Cli, lab: Path) -> None:
    own = lab / "recipes/gesture/conv3d-grid.toml"
    own.parent.mkdir(parents=True)
    own.write_text((GESTURE / "gesture-small.toml").read_text())
    status, out, _ = cli("import", str(GESTURE / "experiments-conv3d.json"))
    assert status == 0 and out.startswith('name = "gesture-small"')


def test_other_files_say_what_they_vary(cli: Cli, lab: Path, base: Path) -> None:
    path = written(lab, [{"optimizer.lr": 0.1}])
    status, _, err = cli("import", str(path))
    assert status == 2 and "which recipe do these experiments vary? Name it with --recipe" in err
    status, out, _ = cli("import", str(path), "--recipe", str(base))
    assert status == 0 and out.startswith("\n# What I learned")


def test_comments_and_what_else_a_sweep_says_stay(tmp_path: Path, base: Path) -> None:
    path = written(tmp_path, [{"title": "a", "optimizer.lr": 0.1}, {"optimizer.lr": 0.2}])
    text = imported(path, base)
    assert (
        text.startswith(BASE.partition("[sweep]")[0]) and "[train]  # behind the sweep\nepochs = 3\n" in text
    )
    assert tomllib.loads(text)["sweep"] == {
        "method": "list", "repeats": 2, "metric": "val.acc",
        "cells": [{"title": "a", "optimizer.lr": 0.1}, {"optimizer.lr": 0.2}],
    }  # fmt: skip
    base.write_text(BASE.partition("[sweep]")[0].replace("[data]", "sweep = { repeats = 2 }\n[data]"))
    assert tomllib.loads(imported(path, base))["sweep"]["repeats"] == 2
    base.write_text(BASE.partition("[sweep]")[0])
    assert list(tomllib.loads(imported(path, base))["sweep"]) == ["method", "cells"]


def test_texts_become_what_the_recipe_has_there(tmp_path: Path, base: Path) -> None:
    given = {
        "optimizer.lr": "1e-3", "train.epochs": "20.0", "train.batch_size": 16.0, "model.channels": "4",
        "train.sampler": "balanced", "validate.monitor": "val.acc", "optimizer": {"amsgrad": "true"},
        "train.clip_norm": None, "optimizer.betas": "[0.8, 0.9]",
    }  # fmt: skip
    assert cells(written(tmp_path, [given]), base) == [
        {"optimizer.lr": 0.001, "train.epochs": 20, "train.batch_size": 16, "model.channels": 4,
         "train.sampler": "balanced", "validate.monitor": "val.acc", "optimizer.amsgrad": True,
         "optimizer.betas": [0.8, 0.9]}
    ]  # fmt: skip


def test_a_table_has_its_keys_in_its_header(tmp_path: Path, base: Path) -> None:
    text = '\ufefftitle,optimizer.lr,epochs,model.channels\n"a, b",0.1,5,\n\nc,1e-2,6.0,4\n'
    found = cells(written(tmp_path, text, "mine.csv"), base)
    assert found == [
        {"title": "a, b", "optimizer.lr": 0.1, "train.epochs": 5},
        {"title": "c", "optimizer.lr": 0.01, "train.epochs": 6, "model.channels": 4},
    ]
    assert (
        cells(written(tmp_path, text.replace(",", "\t").replace("a\t b", "a, b"), "mine.tsv"), base) == found
    )


def test_keras_names_bring_keras_defaults(tmp_path: Path, base: Path) -> None:
    given = [
        {"optimizer": "RMSProp", "learningRate": "0.1", "batchSize": "8"},
        {"optimizer": "Adagrad", "reduceOnPlateau": {"monitor": "val_categorical_accuracy", "patience": "3"}},
        {"learningRateFactor": "0.20"},
    ]
    text = imported(written(tmp_path, {"parameters": given}), base)
    assert tomllib.loads(text)["sweep"]["cells"] == [
        {"optimizer.name": "rmsprop", "optimizer.lr": 0.1, "optimizer.alpha": 0.9, "optimizer.eps": 1e-7,
         "train.batch_size": 8},
        {"optimizer.name": "adagrad", "optimizer.lr": 0.001, "optimizer.initial_accumulator_value": 0.1,
         "optimizer.eps": 1e-7, "schedule.monitor": "val.acc", "schedule.name": "plateau", "schedule.patience": 3},
        {"schedule.factor": 0.2, "schedule.name": "plateau"},
    ]  # fmt: skip


def test_a_commands_parameters_go_by_their_own_names(tmp_path: Path, base: Path) -> None:
    base.write_text('name = "x"\ncommand = ["true", "{params.lr}"]\n[params]\nlr = 0.1\ntitle_of = "x"\n')
    given = [{"lr": "0.5", "title_of": "7"}, {"params.lr": 1}]
    assert cells(written(tmp_path, given), base) == [
        {"params.lr": 0.5, "params.title_of": "7"},
        {"params.lr": 1},
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", r"mine\.json:1: not JSON: "),
        ("[" * 100_000, "nested too deeply"),
        ("7", r'expected a list of objects, or \{"parameters": \[\.\.\.\]\}'),
        ({"parameter": []}, "expected a list of objects"),
        ({"parameters": {"a": 1}}, "expected a list of objects"),
        ([], "holds no experiments"),
        ([{"epochs": 3}, 7], "experiment 2: expected an object with keys, got 7"),
        ('[{"epochs": 3, "epochs": 4}]', "'epochs' stands twice in one object"),
        ([{"title": "a", "epochs": "many"}], r"experiment 1 \(a\): epochs: expected a number, got 'many'"),
        ([{"epochs": True}], "experiment 1: epochs: expected a number, got True"),
        ([{"epochs": 1}, {"learnRate": 1}], "experiment 2: learnRate: unknown key; did you mean 'learningRate'"),
        ([{"optimizer.lrr": 1}], r"optimizer\.lrr: unknown key; did you mean 'lr'"),
        ([{"optimizer": "Adams"}], r"experiment 1: optimizer: unknown optimizer 'Adams'; did you mean 'Adam'"),
        ([{"epochs": 1.5}], r"train\.epochs: .*1\.5.*cell 0"),
        ([{"epochs": -1, "title": "b"}], r"train\.epochs: .*-1.*cell 0: b"),
        ([{"reduceOnPlateau.cooldown": 1}], r"schedule\.cooldown: unknown key"),
        ([{"optimizer.betas": "none"}], r"optimizer\.betas"),
        ([{"epochs": 1, "train.epochs": 2}], r"experiment 1: train\.epochs: another name gives train\.epochs"),
        ([{"title": "a", "epochs": 1}, {"title": "a", "epochs": 2}], "experiments 1 and 2 are both called 'a'"),
        ([{"title": "a", "epochs": 1}, {"title": "b", "epochs": 1}], r"cell 1 \(b\) is the same training as cell 0"),
        ([{"epochs": 1, "origin.cell": 3}], "origin"),
        ([{"title": "a", "optimizer.betas": [0.9, None]}], r"experiment 1 \(a\): a list holds null"),
        ([{"train.seed": n, "title": "x" * 100 + str(n)} for n in range(9000)], "too long: split the file"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, base: Path, content: Any, problem: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(RecipeError, match=problem) as error:
        imported(path, base)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "holds no experiments"),
        ("epochs\n", "holds no experiments"),
        ("epochs,title\n3\n", "experiment 1: 1 values, and the header has 2"),
        ("epochs,epochs\n3,4\n", "'epochs' stands twice"),
        ('title\n"open\n', "unexpected end of data"),
        ("title,\na,3\n", "experiment 1 \\(a\\): : unknown key"),
    ],
)
def test_what_is_wrong_with_a_table_is_named(tmp_path: Path, base: Path, content: str, problem: str) -> None:
    with pytest.raises(RecipeError, match=problem):
        imported(written(tmp_path, content, "mine.csv"), base)


def test_files_that_cannot_be_read_are_named(tmp_path: Path, base: Path) -> None:
    (tmp_path / "latin.json").write_bytes(b'[{"title": "\xe4"}]')
    for name, problem in (
        ("none.json", "No such file"),
        (".", "no ordinary file"),
        ("latin.json", "not UTF-8"),
    ):
        with pytest.raises(RecipeError, match=problem):
            imported(tmp_path / name, base)
    with pytest.raises(RecipeError, match=r"gone\.toml: no such file"):
        imported(written(tmp_path, [{"epochs": 1}]), tmp_path / "gone.toml")


VALUES = st.none() | st.booleans() | st.integers(-3, 40) | st.floats(-1, 3) | st.text(max_size=5)
NAMES = st.sampled_from(["title", "optimizer", "epochs", "optimizer.lr", "train.seed", "learningRateFactor", "sweep",
                         "name", "model", "", "a.b", "reduceOnPlateau.patience"])  # fmt: skip


@given(st.lists(st.dictionaries(NAMES, VALUES | st.lists(VALUES, max_size=2), max_size=4), max_size=3))
def test_any_file_is_a_recipe_that_runs_all_of_it_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, content: Any
) -> None:
    folder = tmp_path_factory.getbasetemp()
    base = written(folder, BASE, "base.toml")
    try:
        text = imported(written(folder, content), base)
    except RecipeError:
        return
    recipe = load(written(folder, text, "made.toml"))
    assert {training.cell.number for training in Plan(recipe, "made.toml")} == set(range(len(content)))
