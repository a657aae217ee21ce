"""The emotion notebook (seeds/2-emotion.md), written by labtui: configurations × repeats with acc, UAR and F1."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from report_lab import BEGUN
from sweep_lab import training

import labtui
from labtui.files.paths import LabPaths, Noted
from labtui.files.toml import dumps
from labtui.query.baseline import pin
from labtui.report.subject import subject

GOLDEN = Path(__file__).parent / "golden" / "report-repeats.md"
SWEEP = "20261120-102000-emotion-transformer-ee00"
SECTIONS = ("overview", "cells", "differences", "model", "observations", "todos")

LAYERS = {
    1: [(0.5308, 0.5482, 0.5260), (0.5343, 0.5542, 0.5271)],
    2: [],
    3: [(0.5233, 0.5429, 0.5183), (0.5348, 0.5556, 0.5303)],
    4: [(0.5423, 0.5604, 0.5405), (0.5225, 0.5453, 0.5163)],
    6: [(0.5303, 0.5423, 0.5249), (0.5371, 0.5585, 0.5326)],
}
"""The notebook's figures with warm-up, pooled by maximum: layers to acc, UAR and F1 of each repeat. It has none of
two layers, whose runs were never made."""


def layers(lab: Path) -> list[str]:
    """Its sweep over the layers of the Transformer; ids of the runs."""
    ids: list[str] = []
    for cell, (count, figures) in enumerate(LAYERS.items()):
        for repeat in range(2):
            acc, uar, f1 = figures[repeat] if figures else (0.0, 0.0, 0.0)
            points: dict[str, list[tuple[int, float]]] = {
                "val.uar": [(30, uar + 0.01), (50, uar - 0.02)], "epoch": [(30, 30.0), (50, 50.0)],
                "val.acc": [(30, acc)], "test.loss": [(30, 1.1)],
                "test.acc": [(30, acc), (50, acc - 0.03)], "test.uar": [(30, uar), (50, uar - 0.03)],
                "test.f1": [(30, f1), (50, f1 - 0.03)],
            }  # fmt: skip
            recipe = {
                "name": "emotion-transformer",
                "model": {"name": "frames", "transformer": {"nlayers": count}},
                "train": {"epochs": 50, "seed": repeat},
                "validate": {"scheme": "file", "monitor": "val.uar"},
            }
            ids.append(
                training(
                    lab, len(ids), recipe, points if figures else {}, state="finished" if figures else "stopped",
                    sweep=SWEEP, facts={"parameters": 100_000 * count, "trainable": 100_000 * count},
                    file="recipes/emotion/transformer.toml", cell=cell, title=f"nlayers={count}", repeat=repeat,
                )
            )  # fmt: skip
    return ids


def write_notes(lab: Path, ids: list[str]) -> None:
    """As the notebook has them: what is done, given up and waits, on two days."""
    paths = LabPaths(lab)
    written: dict[Noted, dict[str, Any]] = {
        paths.recipe_notes("emotion/transformer.toml"): {
            "notes": [
                {"time": BEGUN - 86_400, "text": "尝试使用1dcnn: trn提升速度稍微加快, val最大值有所提升"}
            ],
            "todos": [
                {"text": "biLSTM - 32channel norm-None", "done": True},
                {"text": "mean on utt", "state": "abort", "reason": "不太行, 一直卡在25%不动"},
                {"text": "在DNN里增加BN和LN", "state": "pending"},
                {"text": "替换LSTM为transformer"},
            ],
        },
        paths.sweep(SWEEP): {
            "notes": [
                {"time": BEGUN, "text": "结论：transformer层数对实验结果影响不大，transformer实验不是很稳定"}
            ]
        },
    }
    for place, tables in written.items():
        place.root.mkdir(parents=True, exist_ok=True)
        place.notes.write_bytes(dumps(tables))


def report(lab: Path, pinned: int | None = 0) -> str:
    """Of that sweep, beside one of its runs."""
    ids = layers(lab)
    write_notes(lab, ids)
    opened = labtui.open(lab)
    if pinned is not None:
        pin(opened.paths, [run.row.fields for run in opened.group(SWEEP)], ids[pinned])
    return subject(opened, SWEEP).text(SECTIONS)


def test_golden(lab: Path) -> None:
    """Run with LABTUI_GOLDEN=write to take the text as it is now."""
    text = report(lab)
    if os.environ.get("LABTUI_GOLDEN") == "write":
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


@pytest.mark.parametrize(
    ("in_the_notebook", "in_the_report"),
    [
        ("acc  uar  f1", "| repeat | best epoch | val.uar ↑ | val.uar.last ↑ | test.acc ↑ | test.uar ↑ | test.f1 ↑ |"),
        ("0.5308  0.5482  0.5260", "| nlayers=1 | 0 | 30 | 0.5582 | 0.5282 | 0.5308 | 0.5482 | 0.526 |"),
        ("0.5371  0.5585  0.5326", "| nlayers=6 | 1 | 30 | 0.5685 | 0.5385 | 0.5371 | 0.5585 | 0.5326 |"),
        ("2层, of which there are no figures", "| nlayers=2 | 0 | stopped | – |"),
        ("层数对实验结果影响不大", "within the spread"),
        ("[DONE]", "- [x] **\\[DONE\\]** "),
        ("[ABORT] 原因", "一直卡在25%不动"),
        ("[PENDING]", "- [ ] **\\[PENDING\\]** "),
        ("## 2021.02.20", "**2026-11-19 10:20 UTC**"),
        ("结论", "结论：transformer层数对实验结果影响不大"),
    ],
)  # fmt: skip
def test_each_part_of_the_notebook_has_its_counterpart(
    lab: Path, in_the_notebook: str, in_the_report: str
) -> None:
    assert in_the_report in report(lab), f"the counterpart of {in_the_notebook!r}"


def test_the_best_mean_is_bold_and_the_differences_are_worth_nothing(lab: Path) -> None:
    """As the notebook concludes: the number of layers does not matter."""
    text = report(lab)
    table = text.partition("## Configurations")[2].partition("###")[0]
    assert "**0.553 ± 0.011 (2)**" in table and table.count("**") == 2 * 5, "one of each figure"
    words = [line.rsplit("|", 2)[1].strip() for line in table.splitlines() if line.startswith("| ")][2:]
    assert words[0] == "baseline" and words[1] == "no run"
    assert all("within the spread" in word for word in words[2:]), words


def test_without_a_pinned_baseline_the_first_configuration_of_several_runs_is_it(lab: Path) -> None:
    text = report(lab, pinned=None)
    assert "No baseline is pinned: the first configuration of several runs stands for it." in text
    assert f"`labtui baseline {SWEEP} RUN` pins another." in text


def test_single_runs_are_compared_with_nothing(lab: Path) -> None:
    """A random search has no spread that says what a difference is worth."""
    for number, lr in enumerate([0.1, 0.01, 0.001]):
        points = {"val.uar": [(1, 0.5 + number / 10)], "epoch": [(1, 1.0)]}
        tables = {"optimizer": {"lr": lr}, "validate": {"monitor": "val.uar"}}
        training(lab, number, tables, points, sweep=SWEEP, cell=number, title=f"lr={lr}")
    text = subject(labtui.open(lab), SWEEP).text()
    assert "Difference to the baseline" not in text and "Each repeat" not in text
