"""The fault notebook (seeds/1-fault.md), written by labtui: its final runs, part by part, and what it says of models."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import Cli
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recipe_lab import RECIPES
from report_lab import BEGUN
from sweep_lab import training

import labtui
from labtui.files.paths import LabPaths, Noted
from labtui.files.toml import dumps
from labtui.report.subject import subject
from labtui.report.sweep.parameters import dictionary

GOLDEN = Path(__file__).parent / "golden" / "report-folds.md"
SWEEP = "20261120-102000-transformer-cls-ff00"
SECTIONS = ("overview", "folds", "model", "parameters", "observations", "todos")
STOPPED = (0.9946, 0.9929, 0.9911, 0.9964, 0.9929)
"""Validation accuracy of each fold at its best epoch: the notebook's mean of 99.358 %."""
LAST = (0.9821, 0.9750, 0.9768, 0.9839, 0.9769)
"""And after the last epoch: 97.894 %."""

RECIPE: dict[str, Any] = {
    "description": "Fourier features, class token, augmentation: the notebook's final run.",
    "tags": ["fault"],
    "data": {
        "name": "bearings", "path": "data/bearings_cwru", "features": "fourier", "modes": 40, "split": "random",
        "augment": {"p_none": 0.1, "p_two": 0.5},
    },
    "model": {
        "name": "transformer_cls", "d_model": 140, "nhead": 20, "d_hid": 300, "nlayers": 6, "dropout": 0.3,
        "freeze": False,
    },
    "optimizer": {"name": "adam", "lr": 1.0, "betas": [0.9, 0.98]},
    "schedule": {"name": "noam", "warmup": 4000},
    "train": {"epochs": 11000, "batch_size": 1024, "seed": 0},
}  # fmt: skip
VALIDATE = {"scheme": "kfold", "folds": 5, "seed": 0, "monitor": "val.acc"}
FACTS = {"device": "NVIDIA A100", "parameters": 985_870, "trainable": 985_870, "baseline": {"val.acc": 0.1}}
CHECKPOINT = 3_960_000


def final_runs(lab: Path, stopped: tuple[float, ...] = STOPPED, ended: tuple[float, ...] = LAST) -> list[str]:
    """Five folds of six hours each, and what was written on them; ids of the runs."""
    ids: list[str] = []
    for fold, (best, last) in enumerate(zip(stopped, ended, strict=True)):
        epoch = 8000 + 100 * fold
        points = {
            "val.acc": [(epoch, best), (11000, last)],
            "epoch": [(epoch, float(epoch)), (11000, 11000.0)],
        }
        recipe = {**RECIPE, "name": "transformer-cls", "validate": {**VALIDATE, "fold": fold}}
        ids.append(
            training(
                lab, fold, recipe, points, facts=FACTS, seconds=21_600 + 60 * fold, sweep=SWEEP, fold=fold,
                file="recipes/fault/transformer-cls.toml",
            )
        )  # fmt: skip
        checkpoints = lab / "runs" / ids[-1] / "checkpoints"
        checkpoints.mkdir()
        with open(checkpoints / "best.pt", "wb") as file:
            file.truncate(CHECKPOINT)
    return ids


def write_notes(lab: Path, ids: list[str]) -> None:
    """On recipe, sweep and a run, over two days."""
    paths = LabPaths(lab)
    day = 86_400
    written: dict[Noted, dict[str, Any]] = {
        paths.recipe_notes("fault/transformer-cls.toml"): {
            "notes": [
                {"time": BEGUN - day, "text": "Did better *right away*, perhaps since there is less data needed"},
                {"text": "AlexNet (63M), ResNet-50 (23M), Vanilla Transformer (65M)"},
            ],
            "todos": [{"text": "contrastive loss", "state": "abort", "reason": "no trend", "time": BEGUN}],
        },
        paths.sweep(SWEEP): {"notes": [{"time": BEGUN + 60, "text": "98 % with augmentation\nand kind of slow"}]},
        paths.run(ids[3]): {"todos": [{"text": "split by time", "done": True}, {"text": "`fft` once", "state": "pending"}]},
    }  # fmt: skip
    for place, tables in written.items():
        place.root.mkdir(parents=True, exist_ok=True)
        place.notes.write_bytes(dumps(tables))


def test_golden(lab: Path) -> None:
    """Run with LABTUI_GOLDEN=write to take the text as it is now."""
    write_notes(lab, final_runs(lab))
    text = subject(labtui.open(lab), SWEEP).text(SECTIONS)
    if os.environ.get("LABTUI_GOLDEN") == "write":
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


@pytest.mark.parametrize(
    ("in_the_notebook", "in_the_report"),
    [
        ('params = {"batch_size": 1024,', '```python\nparams = {\n'),
        ('"epochs": 11000', '    "train.epochs": 11000,\n    "train.batch_size": 1024,\n'),
        ('"d_model": 140', '    "model.d_model": 140,\n'),
        ('"freeze": False', '    "model.freeze": False,\n'),
        ('"fold": 0', "- validate.fold: 0, 1, 2, 3, 4"),
        ("About 6 hours to train", "| time to train one | 6h00m to 6h04m |"),
        ("99.358% 5-fold validation (early stopping)", "| early stopping | 8200 ± 158 (5) | 0.9936 ± 0.0020 (5) |"),
        ("97.894% taking last epoch", "| last epoch | 11000 ± 0 (5) | 0.9789 ± 0.0038 (5) |"),
        ("about 1M parameters (985,870)", "| parameters | 985,870 |\n| size in single precision | 3.94 MB |"),
        ("AlexNet (63M), ResNet-50 (23M)", "recipe `fault/transformer-cls.toml`: AlexNet (63M), ResNet-50 (23M), Vanilla Transformer (65M)"),
        ("Did better right away", "1. **2026-11-19 10:20 UTC** · recipe `fault/transformer-cls.toml`: Did better *right away*"),
        ("Gets to 98% validation accuracy", "2. **2026-11-20 10:21 UTC**: 98 % with augmentation"),
    ],
)  # fmt: skip
def test_each_part_of_the_notebook_has_its_counterpart(
    lab: Path, in_the_notebook: str, in_the_report: str
) -> None:
    write_notes(lab, final_runs(lab))
    text = subject(labtui.open(lab), SWEEP).text()
    assert in_the_report in text, f"the counterpart of {in_the_notebook!r}"


def test_it_says_what_the_notebook_does_not(lab: Path) -> None:
    """A split at random flatters; an epoch picked by the figure does; a fold may lie apart, or learn nothing."""
    final_runs(lab, (*STOPPED[:4], 0.1), (*LAST[:4], 0.1))
    text = subject(labtui.open(lab), SWEEP).text()
    assert "**Optimistic:** windows of one recording fall on both sides" in text
    assert "The epoch is picked by this very figure" in text
    assert "**Fold 4 lies apart**: 0.1, where the others have 0.9938 ± 0.0023." in text
    assert "**Not better than the best constant predictor** in val.acc: fold 4." in text


def test_folds_launched_one_by_one_are_folds_too(lab: Path) -> None:
    """`--set validate.fold=0`, then 1: runs of no sweep, put together by their recipe."""
    ids = final_runs(lab)
    for run_id in ids:
        file = lab / "runs" / run_id / "recipe.toml"
        text = file.read_text()
        file.write_text(text.replace(f'sweep = "{SWEEP}"', ""))
    text = subject(labtui.open(lab), "fault/transformer-cls").text(SECTIONS)
    assert "# Recipe: transformer-cls" in text and "One configuration in 5 folds, runs finished: 5." in text
    assert "0.9936 ± 0.0020 (5)" in text


def test_a_fold_that_has_not_finished_is_in_no_mean(lab: Path) -> None:
    ids = final_runs(lab)
    (lab / "runs" / ids[4] / "result.json").unlink()
    text = subject(labtui.open(lab), SWEEP).text()
    assert "Not in the means: 1 of 5 runs, which have not finished (4 of 5, 1 idle)." in text
    assert "| early stopping | 8150 ± 129 (4 of 5) | 0.9938 ± 0.0023 (4 of 5) |" in text
    assert "| 4 | idle | – | – | – |" in text


def test_folds_that_were_trained(cli: Cli, lab: Path) -> None:
    """Two folds of the digits, two epochs each: nothing that a training leaves is missing from their report."""
    (lab / "recipes").mkdir()
    shutil.copy(RECIPES / "digits.toml", lab / "recipes")
    sets = [
        "validate.scheme=kfold",
        "validate.folds=2",
        "validate.test=0",
        "train.epochs=2",
        "resources.threads=1",
    ]
    status, _, err = cli("run", "digits", *(word for one in sets for word in ("--set", one)))
    assert status == 0, err
    text = subject(labtui.open(lab), "digits.toml").text()
    assert "One configuration in 2 folds, runs finished: 2." in text and "Not recorded" not in text
    table = text.partition("## Model, time and split")[2].partition("## Parameters")[0]
    facts = dict(re.findall(r"^\| (.+?) \| (.+) \|$", table, re.MULTILINE))
    assert facts["model"] == "digits\\_cnn" and facts["trained on"] == "cpu"
    assert facts["size in single precision"].endswith(" MB") and facts[
        "checkpoint of the best epoch"
    ].endswith(" MB")
    assert facts["validation"] == "2 folds" and int(facts["parameters"].replace(",", "")) > 1000
    params: dict[str, Any] = {}
    exec(text.partition("```python\n")[2].partition("\n```")[0], params)
    assert params["params"]["train.epochs"] == 2 and params["params"]["model.name"] == "digits_cnn"


def test_an_honest_split_is_said_to_be_one(lab: Path) -> None:
    for run_id in final_runs(lab):
        file = lab / "runs" / run_id / "recipe.toml"
        file.write_text(file.read_text().replace('split = "random"', 'split = "time"'))
    text = subject(labtui.open(lab), SWEEP).text()
    assert "**Honest split:** blocks of time stay together" in text and "Optimistic" not in text
    assert "| validation | 5 folds (blocks of time) |" in text


options = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.text(), options, max_size=4))
def test_the_dictionary_is_python_and_means_the_same(known: dict[str, Any]) -> None:
    found: dict[str, Any] = {}
    exec(dictionary(known), found)
    assert repr(found["params"]) == repr(known)
