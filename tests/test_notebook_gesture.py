"""The gesture notebook as a report: every table, list and figure of it has its counterpart.

| notebook | report |
|---|---|
| Step 1, problem segregation | "What was tried": recipes, models, number of runs; descriptions |
| Step 3, directory structure | "Where it lies" |
| Step 4, parameters considered | "What was tried": options with their values |
| Step 4, resumed from the 13th and the 22nd | "Not done" |
| Steps 5 and 6, overall runs | "Overall runs", runs.csv |
| observations, parallel coordinates | "What matters", over all and within each model |
| best vs worst by loss, by validation accuracy | "Best versus worst", over all and within each model |
| the best_model folder | "Best model" |
| appendix, experiments-*.json | "Appendix: the grid", grid-*.json |

Step 2 (which tool tracked the runs) has none: it was this one.
"""

from __future__ import annotations

import csv
import json
import os
import re
from itertools import islice
from pathlib import Path

import gesture_lab
import pytest
from engine_lab import make, train_here
from gesture_lab import CONV2D, CONV3D
from recipe_lab import RECIPES

import labtui
from labtui.data.gestures_sim import make as make_videos
from labtui.files.paths import LabPaths, new_run_id
from labtui.launcher import plan_of
from labtui.query.checkpoints import holding, kept
from labtui.report.subject import subject
from labtui.sweep import definition
from labtui.sweep.experiments import imported

GOLDEN = Path(__file__).parent / "golden" / "report-sweep.md"
OURS = [
    "overview", "about", "best", "cells", "runs", "analysis", "extremes", "unfinished", "layout", "grid",
]  # fmt: skip
"""All but what rules say, and what other notebooks' tests look at."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both grids; tests only read them."""
    folder = tmp_path_factory.mktemp("gesture")
    (folder / "runs").mkdir()
    gesture_lab.conv3d(folder)
    gesture_lab.conv2d(folder)
    return folder


@pytest.fixture(scope="module")
def both(lab: Path) -> str:
    """The report on both grids together, without pictures."""
    return subject(labtui.open(lab), CONV3D, CONV2D).write(lab / "both.md", pictures=False).read_text()


def part(text: str, title: str) -> str:
    """A section of second order."""
    found = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert found, title
    return found[1]


def test_golden(lab: Path) -> None:
    """Run with LABTUI_GOLDEN=write to take the text as it is now."""
    out = subject(labtui.open(lab), CONV3D).write(lab / "sweep.md", sections=OURS)
    text = re.sub(r"sha256:\w+", "sha256:0", out.read_text())
    if os.environ.get("LABTUI_GOLDEN") == "write":
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()
    first = {path.name: path.read_bytes() for path in (lab / "sweep_files").iterdir()}
    named = set(re.findall(r"\]\(sweep_files/([^)]+)\)", text))
    assert set(first) == named and {"parallel.png", "best-worst-1.png", "runs.csv", "grid-1.json"} <= named


def test_same_runs_same_bytes(lab: Path) -> None:
    texts = [
        subject(labtui.open(lab), CONV3D).write(lab / "again.md", ["extremes"]).read_bytes()
        + (lab / "again_files" / "best-worst-1.png").read_bytes()
        for _ in range(2)
    ]
    assert texts[0] == texts[1]


def test_what_was_tried_has_models_counts_descriptions_and_options(both: str) -> None:
    said = part(both, "What was tried")
    assert "| gesture-conv3d-grid | conv3d | 23 | 22 |" in said
    assert "| gesture-conv2d-rnn-grid | conv2d\\_rnn | 18 | 18 |" in said
    assert "The gesture notebook's 24 experiments with Conv3D" in said and "18 experiments" in said
    assert "| factor | schedule.factor | 0.1 (14), 0.15 (14), 0.2 (13) |" in said
    assert "| optimizer | optimizer.name | sgd (12), adagrad (12), adam (12), nadam (5) |" in said


def test_overall_runs_are_in_one_table_the_best_first_and_whole_beside_it(lab: Path, both: str) -> None:
    runs = part(both, "Overall runs")
    lines = [line for line in runs.splitlines() if line.startswith("| Experiment")]
    assert len(lines) == 23 + 18 and lines[0].startswith("| Experiment - 23 |")
    assert "disk-full" in lines[-1]
    for column in (
        "train.loss ↓",
        "val.loss ↓",
        "train.acc ↑",
        "val.acc ↑",
        "duration",
        "model",
        "epochs",
        "lr",
    ):
        assert f"| {column} |" in runs
    accuracies = [float(line.split(" | ")[9].strip("*")) for line in lines[:-1]]
    assert accuracies == sorted(accuracies, reverse=True)
    with open(lab / "both_files" / "runs.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert "| l2 |" not in runs and "and 2 more options" in runs and rows[0]["loss.l2"] == "0.01"
    assert len(rows) == 41 and rows[0]["val.acc.last"] and rows[-1]["reason"] == "disk-full"


def test_pictures_are_text_without_pictures(both: str) -> None:
    matters = part(both, "What matters")
    assert (
        matters.count("Parallel coordinates, one line a cell") == 3 and "stars: the best quarter" in matters
    )
    assert "### Within one family: conv2d\\_rnn" in matters
    assert "nadam" in matters.partition("```")[2].partition("```")[0]
    curves = part(both, "Best versus worst").partition("```")[2].partition("```")[0]
    assert "loss ↓" in curves and "best, val" in curves and "worst, train" in curves
    assert "![" not in both


def test_best_stands_beside_worst_by_loss_and_by_accuracy_in_each_family(both: str) -> None:
    ends = part(both, "Best versus worst")
    assert "`loss.l2`: their losses are not the same thing" in ends.replace("differ in ", "")
    headings = re.findall(r"^### (.*)$", ends, re.M)
    assert headings == [
        "By val.loss ↓", "By val.acc ↑",
        "By val.loss ↓, within one family: conv3d", "By val.acc ↑, within one family: conv3d",
        "By val.loss ↓, within one family: conv2d\\_rnn", "By val.acc ↑, within one family: conv2d\\_rnn",
    ]  # fmt: skip
    loss = ends.partition("### By val.acc ↑")[0]
    assert "| optimizer.name | adam | sgd |" in loss and "| train.epochs | 50 | 20 |" in loss
    assert "seed" not in loss and "resources." not in loss
    assert "| val.acc ↑ after the last |" in loss


def test_the_best_model_is_named_with_the_file_that_holds_it(lab: Path, both: str) -> None:
    best = part(both, "Best model")
    assert "**No run is best by all figures:**" in best
    assert (
        "| val.acc ↑, at any epoch | 0.82 | 50 | Experiment - 22 |" in best
        and "checkpoints/last.pt |" in best
    )
    assert "**`best.pt` is not the best by val.acc:**" in best
    run = labtui.open(lab).run("0021")
    assert holding(run, 42 * 50) == ["last.pt"]
    files = {one.file: one.step for one in kept(run)}
    assert len(files) > 20 and None not in files.values()
    named = next(
        name for name, step in files.items() if name.startswith("model-") and step == files["best.pt"]
    )
    assert holding(run, files["best.pt"]) == ["best.pt", named]


def test_a_best_figure_that_no_file_holds_is_said_to_be_gone(lab: Path) -> None:
    run = labtui.open(lab).run("0021")
    last = run.paths.checkpoints / "last.pt"
    last.rename(lab / "last.pt")
    try:
        text = subject(labtui.open(lab), CONV3D).text(["best"])
    finally:
        (lab / "last.pt").rename(last)
    assert "| none |" in text and "**No file holds the best val.acc:**" in text and "is gone" in text
    assert '`checkpoints.also_best = ["val.acc"]` keeps such weights' in text


def test_what_is_not_done_says_why_and_how_to_go_on(both: str) -> None:
    left = part(both, "Not done")
    assert "| Experiment - 13 | failed | disk-full | checkpoints/last.pt (13.2 MB) cannot be written" in left
    assert f"1 of 24 trainings of `{CONV3D}` was never made." in left
    assert f"labtui resume {CONV3D}\n" in left and f"labtui resume {CONV2D}" not in left
    assert "(attempt 2)" in left


def test_the_grid_is_a_file_of_experiments_that_can_be_imported(lab: Path, both: str) -> None:
    grid = part(both, "Appendix: the grid")
    assert grid.count("| Experiment - ") == 24 + 18 and "| not made |" in grid
    path = lab / "both_files" / "grid-1.json"
    listed = json.loads(path.read_text())["parameters"]
    assert (
        len(listed) == 24
        and listed[12]["title"] == "Experiment - 13"
        and listed[23]["optimizer.name"] == "nadam"
    )
    base = RECIPES / "gesture" / "conv3d-grid.toml"
    assert imported(path, base).count("[[sweep.cells]]") == 24


def test_rules_are_summed_up(both: str) -> None:
    found = part(both, "Diagnosis")
    assert "best file is not the best run" in found and "| over-fitting | " in found


def test_a_really_trained_grid_of_both_models_is_reported(tmp_path: Path) -> None:
    """What runs written by hand cannot show: that names and files are those which the engine writes."""
    make_videos(tmp_path / "data" / "gestures_simulated", 0, 0.5, {"train": 10, "val": 5})
    smaller = ["data.size=[8, 8]", "data.frames=4", "train.epochs=2", "resources.threads=1"]
    sweeps = [
        trained(tmp_path, "conv3d", [*smaller, "model.channels=[2, 2]", "model.hidden=4"]),
        trained(tmp_path, "conv2d-rnn", [*smaller, "model.channels=[2, 2]", "model.units=4"]),
    ]
    text = subject(labtui.open(tmp_path), *sweeps).write(tmp_path / "r.md").read_text()
    assert text.count("not made") == 24 + 18 - 4
    assert "| conv3d | 2 | 2 |" in text and "| conv2d\\_rnn | 2 | 2 |" in text
    assert len(re.findall(r"\| finished \|$", text, re.M)) == 4
    best = part(text, "Best model")
    assert "| checkpoints/best.pt" in best
    for run in labtui.open(tmp_path).runs():
        files = {one.file: one.step for one in kept(labtui.open(tmp_path).run(run.id))}
        assert {"best.pt", "last.pt"} <= set(files) and None not in files.values()
        assert run.metrics["epoch"].last == 2 and files["last.pt"] == 2
    assert (tmp_path / "r_files" / "best-worst-1.png").read_bytes().startswith(b"\x89PNG")


def trained(lab: Path, name: str, overrides: list[str]) -> str:
    """The first two cells of a shipped grid, trained here; the sweep's id."""
    paths = LabPaths(lab)
    paths.recipes.mkdir(exist_ok=True)
    file = paths.recipes / f"{name}-grid.toml"
    text = (RECIPES / "gesture" / file.name).read_text()
    file.write_text(text.replace('"train.epochs" = 20', '"train.epochs" = 2'))
    plan = plan_of(paths, file, overrides)
    sweep = new_run_id(plan.recipe.name)
    definition.write(paths.sweep(sweep), plan, overrides)
    for one in islice(plan, 2):
        recipe = plan.resolved(one, sweep)
        run = make(lab, recipe)
        assert train_here(run, recipe)[0] is None
        # Whoever trains in a test's own process is taken for one that was stopped.
        run.result.write_text(json.dumps(json.loads(run.result.read_text()) | {"outcome": "finished"}))
    return sweep
