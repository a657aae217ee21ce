"""The results of a run: scores, folds, the confusion matrix, classes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from textual.pilot import Pilot
from tui_lab import NOW, add_run
from tui_pilot import opened, pressed, screen_text, tab_key, until

from labtui.confusion import Confusion
from labtui.files.paths import LabPaths
from labtui.query import Lab
from labtui.tui.app import LabApp
from labtui.tui.heat import Shade, matrix_rows

SIZES = [(80, 24), (160, 48)]
TAB = tab_key("results")
NAMES = ["normal", "inner race", "outer race @6:00 centred", "ball [b]", "cage", "loose"]


def matrix(classes: int, seed: int = 0) -> list[list[int]]:
    random = np.random.default_rng(seed)
    counts = random.integers(0, 5, (classes, classes)) * (random.random((classes, classes)) < 0.4)
    return (counts + np.diag(random.integers(15, 40, classes))).tolist()


def folds(root: Path, count: int = 3) -> LabPaths:
    """One run a fold, the newest the last."""
    lab = LabPaths(root)
    for fold in range(count):
        extra = {
            "origin": {"sweep": "20260921-120000-cv-abcd", "cell": 0, "fold": fold},
            "validate": {"monitor": "val.acc", "scheme": "kfold", "folds": count, "fold": fold},
            "optimizer": {"name": "adam", "lr": 1e-3},
        }
        key = add_run(lab, "cv", 3000 - fold * 100, seed=fold + 1, extra=extra)
        parts = {split: {"matrix": matrix(6, seed)} for seed, split in enumerate(("val", "test"))}
        keep(lab, key, {"classes": NAMES, "step": 240, "epoch": 12, **parts})
    return lab


def keep(lab: LabPaths, key: str, artifact: Any) -> None:
    folder = lab.run(key).artifacts
    folder.mkdir(exist_ok=True)
    (folder / "confusion.json").write_text(artifact if isinstance(artifact, str) else json.dumps(artifact))


async def shows(pilot: Pilot[Any], *texts: str) -> None:
    await until(pilot, lambda: all(text in screen_text(pilot.app) for text in texts))


async def test_scores_stand_beside_a_constants_and_those_of_the_other_folds(tmp_path):
    async with opened(folds(tmp_path), (160, 48)) as pilot:
        await pilot.press("enter", TAB)
        await shows(pilot, "best val.acc", "at best", "constant", "2.303", "early stopping", "last epoch")
        await shows(pilot, "fold 0", "fold 1", "▸✓ fold 2", "mean ± std", "± 0.0", "(3)")


async def test_a_matrix_is_shown_as_counts_or_shares_of_either_split(tmp_path):
    lab = folds(tmp_path, 1)
    async with opened(lab, (80, 48)) as pilot:
        await pilot.press("enter", TAB)
        await shows(pilot, "test split", "2 outer race @6:0…", "3 ball [b]", "counts", "weights of epoch 12")
        await shows(pilot, "taken for", "precision", "recall", "F1", "support")
        await pilot.press("c")
        await shows(pilot, "in percents of a row")
        await pilot.press("v")
        await shows(pilot, "confusion matrix, validation split")
        await pilot.press("v")
        await shows(pilot, "confusion matrix, test split")
    async with opened(lab, (80, 24)) as pilot:
        await pilot.press("enter", TAB)
        await shows(pilot, "best val.acc")
        await pilot.press("right_square_bracket", "right_square_bracket")
        await until(pilot, lambda: "best val.acc" not in screen_text(pilot.app))
        await pilot.press("left_square_bracket", "left_square_bracket", "left_square_bracket")
        await shows(pilot, "best val.acc")


async def test_many_classes_have_shades_or_only_their_commonest_mistakes(tmp_path):
    lab = folds(tmp_path, 1)
    key = lab.run_ids()[0]
    async with opened(lab, (80, 48)) as pilot:
        keep(lab, key, matrix(30))
        await pilot.press("enter", TAB)
        await shows(pilot, "as the program kept it", "\n 29 ", "taken for")
        keep(lab, key, matrix(90))
        await shows(pilot, "90 classes: no room for all", "other kinds of mistakes")


@pytest.mark.parametrize(
    ("artifact", "said"),
    [
        ("[[1, 2], [3]]", "not square: row 1 of 2"),
        ('{"matrix": ', "artifacts/confusion.json cannot be read"),
        ('{"test": {"matrix": [[1]]}}', "there is no 'step'"),
    ],
)
async def test_a_broken_artifact_says_what_is_wrong(tmp_path, artifact, said):
    lab = folds(tmp_path, 1)
    keep(lab, lab.run_ids()[0], artifact)
    async with opened(lab, (160, 48)) as pilot:
        await pilot.press("enter", TAB)
        await shows(pilot, said)


async def test_runs_without_a_matrix_say_why(tmp_path):
    lab = LabPaths(tmp_path)
    add_run(lab, "restores", 600, extra={"loss": {"name": "reconstruction"}})
    add_run(lab, "trains", 60, "running", metrics={})
    async with opened(lab) as pilot:
        await pilot.press("enter", TAB)
        await shows(pilot, "nothing was logged yet", "none yet: it is written when training has ended")
        await pilot.press("v")
        await pilot.press("escape", "down", "enter")
        await shows(pilot, "restores what it sees, and predicts no class")


@pytest.mark.parametrize("size", SIZES)
def test_results_pictures(tmp_path, monkeypatch, snap_compare, size):
    monkeypatch.setattr(LabApp, "place", "~/bearings")
    before = pressed("enter", TAB, wait=lambda app: app.screen.tab.results and app.screen.detail)
    app = LabApp(Lab(folds(tmp_path)), now=lambda: NOW)
    assert snap_compare(app, terminal_size=size, run_before=before)


def test_results_picture_without_colours(tmp_path, monkeypatch, snap_compare):
    monkeypatch.setenv("NO_COLOR", "1")
    before = pressed("enter", TAB, wait=lambda app: app.screen.tab.results and app.screen.detail)
    app = LabApp(Lab(folds(tmp_path, 1)), now=lambda: NOW)
    assert snap_compare(app, terminal_size=(80, 24), run_before=before)


def test_a_matrix_of_a_thousand_classes_is_laid_out_at_once():
    count = 1000
    found = Confusion("test", tuple(map(str, range(count))), tuple(tuple(range(count)) for _ in range(count)))
    assert found.mistakes[0][0] == count - 1
    began = time.perf_counter()
    assert matrix_rows(found, 160, False, Shade.of("#000000", "#ffffff", True)) == []
    assert time.perf_counter() - began < 0.1
