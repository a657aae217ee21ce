"""The fNIRS notebook (seeds/0-fnirs.md), written by labtui: experiment 006, really trained, part by part."""

from __future__ import annotations

import csv
from pathlib import Path

import engine_lab
import numpy as np
import pytest

import labtui
from labtui.data.fnirs_sim import make
from labtui.notes import add_note, add_todo, mark_todo
from labtui.query.lab import Run
from labtui.recipe.read import load
from labtui.report.subject import of_run

EPOCHS = 4


def trained(lab: Path, *sets: str) -> Run:
    """Experiment 006 on eight simulated recordings, 150 samples to train on and 10 to validate."""
    recipe = load(
        engine_lab.ROOT / "recipes" / "fnirs" / "cnn3d-006.toml",
        [f"train.epochs={EPOCHS}", "resources.gpus=0", "resources.threads=1", *sets],
    )
    paths = engine_lab.make(lab, recipe)
    assert engine_lab.train_here(paths, recipe)[0] is None
    return labtui.open(lab).run(paths.id)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fnirs")
    make(root / "data" / "fnirs_simulated", seed=1, recordings=8)
    return root


@pytest.fixture(scope="module")
def run(lab: Path) -> Run:
    found = trained(lab)
    add_note(
        found.paths, "hamming score giving low values for sparse labels. try euclidean distance instead."
    )
    add_todo(found.paths, "euclidean distance")
    mark_todo(found.paths, 0, "done", "logged as val.distance")
    return found


@pytest.fixture(scope="module")
def written(lab: Path, run: Run) -> str:
    return of_run(run).write(lab / "006.md").read_text()


@pytest.mark.parametrize(
    ("in_the_notebook", "in_the_report"),
    [
        ("Experiment: 006", "# Experiment: fnirs-cnn3d-006\n"),
        ("| epochs | 30 |", f"| epochs | {EPOCHS} |"),
        ("| loss | MultiLabelSoftMarginLoss |", "| loss | multilabel\\_soft\\_margin (sums over samples) |"),
        ("| optimizer | Adam |", "| optimizer | adam |"),
        ("| learning rate | 0.001 |", "| learning rate | 0.001 |"),
        ("| accuracy | hamming_score |", "| accuracy | hamming\\_loss ↓ (less is better) |"),
        ("Model: 3D CNN", "## Model: cnn3d\n\n```\n----"),
        ("Layer (type) Output Shape Param #", "\nLayer (type)           Output Shape   Param #\n===="),
        ("Conv3d-1 [-1, 1, 5, 22, 1] 101", "  0 (Conv3d)      [-1, 1, 5, 22, 1]       101\n"),
        ("Linear-2 [-1, 9] 207", "  3 (Linear)                [-1, 9]       207\n"),
        ("Sigmoid-3 [-1, 9] 0", "  4 (Sigmoid)               [-1, 9]         0\n===="),
        ("Total params: 308", "Total params: 308\n"),
        ("Trainable params: 308", "Trainable params: 308\n"),
        ("Non-trainable params: 0", "Non-trainable params: 0\n----"),
        ("Input size (MB): 0.04", "Input size (MB): 0.042\n"),
        ("Forward/backward pass size (MB): 0.00", "Forward/backward pass size (MB): 0.0013\n"),
        ("Params size (MB): 0.00", "Params size (MB): 0.0012\n"),
        ("Estimated Total Size (MB): 0.04", "Estimated total size (MB): 0.044\n"),
        ("| timesteps | 100 |", "| time steps | 100 |"),
        ("| normalization | none |", "| normalisation | none |"),
        ("| source experiments |", "| path | data/fnirs\\_simulated |\n| source | simulated (Glover 1999) |"),
        ("| label type | multilabel; default3 |", "| label type | multilabel (several a sample); default3 |"),
        ("| label config | [ wm_o, wm_l, wm_h, v_o,", "| labels | 9: working memory off, working memory low, working"),
        ("Epoch Train Loss Validation Loss Validation Acc", "Epoch   Train Loss ↓   Validation Loss ↓   Validation Hamming loss ↓\n"),
        ("Observations", "## Observations\n\n1. "),
        ("1. hamming score giving low values", "hamming score giving low values for sparse labels. try euclidean"),
    ],
)  # fmt: skip
def test_what_the_notebook_has_stands_in_the_report(
    written: str, in_the_notebook: str, in_the_report: str
) -> None:
    assert in_the_report in written, in_the_notebook


@pytest.mark.parametrize(
    "beyond_it",
    [
        "**Simulated data:** labtui made them up",
        "**Optimistic split:** tasks of one recording fall on both sides",
        "| train | 150 | 93.8 |\n| val | 10 | 6.2 |",
        "| working memory off |",
        "**Without a sample to train on:** auditory high.",
        "Epoch 0 is the untrained model. Losses are sums over the samples of a split (150 train, 10 val).",
        "/loss.png)",
        "/score.png)",
        "Best by val.loss ↓: epoch ",
        "Weights: of the best, `checkpoints/best.pt`, `checkpoints/epoch-0000",
        "| early stopping | none |",
        "| score | at best | last | best constant | better than it |",
        "there is no matrix; each label for itself (validation split, weights of epoch ",
        "**output and loss do not fit:** the model ends in a sigmoid",
        "Asked, and nothing found (",
        "**\\[DONE\\]** euclidean distance",
        "logged as val.distance",
        "| seed | training 0, split 0 |",
        "| data.timesteps | 100 |",
    ],
)
def test_and_what_its_author_lacked(written: str, beyond_it: str) -> None:
    assert beyond_it in written


def test_the_log_has_every_epoch_as_the_metric_log_has_it(lab: Path, run: Run, written: str) -> None:
    lines = written.partition("Validation Hamming loss ↓\n")[2].partition("\n```")[0].splitlines()
    assert [int(line.split()[0]) for line in lines] == list(range(EPOCHS + 1))
    assert sum("← best" in line for line in lines) == 1
    with open(lab / "006_files" / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    series = run.all_series()
    for name in ("train.loss", "val.loss", "val.hamming_loss"):
        values = [float(row[name]) for row in rows if row[name]]
        assert values == series[name].values.tolist()
        shown = [
            line.split()[("train.loss", "val.loss", "val.hamming_loss").index(name) + 1] for line in lines
        ]
        assert np.allclose([float(v) for v in shown if v != "–"], values, rtol=2e-3)


def test_without_pictures_the_curves_are_charts(lab: Path, run: Run) -> None:
    text = of_run(run).write(lab / "plain.md", pictures=False).read_text()
    chart = text.partition("```\nloss per sample ↓")[2].partition("\n```")[0].splitlines()
    assert "* train.loss  + val.loss" in chart[0] and chart[-1].startswith("| best: epoch ")
    assert sum("+" in line[4:] or "*" in line[4:] for line in chart[1:-2]) >= 10
    assert all(len(line) <= 88 and line.isascii() for line in chart[1:])
    assert not list((lab / "plain_files").glob("*.png"))


def test_a_collapsed_model_is_no_result(lab: Path) -> None:
    """What the notebook's author did not see: 0.160 is what a constant scores, and less of it is better."""
    text = of_run(trained(lab, "optimizer.lr=0.3", "train.epochs=6", "train.statistics=0")).text()
    head = text.partition("## Hyper-parameters")[0]
    assert "**Not better than a constant:** the best constant predictor has val.loss " in head
    assert "(less is better)" in head and "- **no better than a constant:**" in head
    evidence = text.partition("## Diagnosis")[2]
    assert "val.hamming\\_loss at best " in evidence and ", the best constant answer has " in evidence


def test_a_fold_says_whose_it_is(lab: Path) -> None:
    recipe = load(
        engine_lab.ROOT / "recipes" / "fnirs" / "cnn3d-006.toml",
        ["train.epochs=1", "validate.scheme=kfold", "validate.folds=4", "resources.gpus=0", "resources.threads=1"],
    )  # fmt: skip
    tables = recipe.tables()
    tables["validate"]["fold"] = 2
    tables["origin"] = {
        "file": "recipes/fnirs/cnn3d-006.toml",
        "sweep": "20261120-102000-fnirs-0a1b",
        "fold": 2,
    }
    run = labtui.open(lab).run(engine_lab.make(lab, tables).id)
    text = of_run(run).text(["overview", "reproduce"])
    part = "fold 2 (counted from 0) of sweep `20261120-102000-fnirs-0a1b`"
    assert (
        f"One run of several: {part}. Of all of them tells `labtui report 20261120-102000-fnirs-0a1b`."
        in text
    )
    assert f"It came from `recipes/fnirs/cnn3d-006.toml`: {part}." in text
