"""The lab's report as the music genre notebook has it: where we are, where we are going."""

from __future__ import annotations

from pathlib import Path

import genre_lab
import report_lab

from labtui.files.paths import LabPaths
from labtui.query.lab import Lab
from labtui.report.subject import of_lab


def test_an_empty_lab_says_how_to_begin(lab: Path) -> None:
    text = of_lab(Lab(LabPaths(lab))).text()
    assert "No runs yet: `labtui run RECIPE` starts one" in text


def test_a_lab_with_one_run(lab: Path) -> None:
    run = report_lab.finished(lab)
    text = of_lab(Lab(LabPaths(lab))).text()
    assert "1 run of 1 model family from 1 recipe: 1 finished." in text
    assert f"| small\\_cnn | 1 | 0.9 | 0.78 | 0.6 | yes | 19219 | {run.id} |" in text


def test_models_stand_side_by_side_only_where_they_are_measured_alike(lab: Path) -> None:
    text = of_lab(genre_lab.notebook(lab)).text(["families"])
    first, _, second = text.partition("### Data: music, by val.loss")
    assert "| mixnet | 1 | **0.38** | **0.36** | 0.125 | yes | 1498200 |" in first
    assert "| ae | 1 | 0.03046 | 0.034 | yes | 24419 |" in second and "| ae |" not in first


def test_what_was_tried_and_what_was_not(lab: Path) -> None:
    text = of_lab(genre_lab.notebook(lab)).text(["tried"])
    assert "| model.layers | 3 (1), 4 (2) | 4 |" in text
    assert "| data.augment | yes (3), no (2) | no |" in text
    assert "Always the same: data.clip = 262144, data.features = wave" in text
    assert "| recipes/genre/cnn2d.toml | 3 | 3 finished | 0.330 ± 0.020 (3) |" in text
