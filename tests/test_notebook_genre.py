"""The lab's report as the music genre notebook has it: every list and remark of it has its counterpart.

| notebook | report |
|---|---|
| WHERE WE ARE, the line for all models | head of the report: notes on the lab |
| of each model: accuracy | "Where we are": best, test figure, chance, parameters; a picture |
| of each model: layers, normalisations, features that were compared | "What was tried": a figure for each value |
| of each model: only clips of 6 s | "What was tried": "Always the same" |
| of each model: no augmentation, no PCA, no search | "What was tried": "Never used", "So far" |
| of each model: remarks ("logarithms are OK") | "What was tried": its notes |
| WHERE ARE WE GOING, TO DO | "Where we are going", by model, with states and reasons |
| models and their problems | "Problems seen", by model; the table's column of rules |
| spatial transformer: say what it is | "What was tried": what the model is |
| vanishing gradient, and what was done against it | "Problems seen": evidence by layer, and the option that it goes with |
| analysis of the weights is missing | "Weights and gradients of the best"; the same section of a run's report |
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import genre_lab
import numpy as np
import report_lab

from labtui.files.paths import LabPaths
from labtui.query.diagnosis import diagnoses
from labtui.query.families import families
from labtui.query.lab import Lab
from labtui.report.inside import inside, picture, text
from labtui.report.subject import of_lab, of_run


def test_an_empty_lab_says_how_to_begin(lab: Path) -> None:
    text = of_lab(Lab(LabPaths(lab))).text()
    assert "No runs yet: `labtui run RECIPE` starts one" in text


def test_a_lab_with_one_run(lab: Path) -> None:
    run = report_lab.finished(lab)
    text = of_lab(Lab(LabPaths(lab))).text()
    assert "1 run of 1 model family from 1 recipe: 1 finished." in text
    assert (
        f"| small\\_cnn | 1 | 0.9 | 0.78 | 0.6 | yes | 19219 | class never predicted | 1 | {run.id} |" in text
    )


def test_models_stand_side_by_side_only_where_they_are_measured_alike(lab: Path) -> None:
    text = of_lab(genre_lab.notebook(lab)).text(["families"])
    first, _, second = text.partition("### Data: music, by val.loss")
    assert "| mixnet | 1 | **0.38** | **0.36** | 0.125 | yes | 1498200 |" in first
    assert "| ae | 1 | 0.03046 | 0.034 | yes | 24419 |" in second and "| ae |" not in first


def test_what_was_tried_and_what_was_not(lab: Path) -> None:
    text = of_lab(genre_lab.notebook(lab)).text(["tried"])
    assert "| model.layers | 3: 0.25 (1), 4: 0.28 (2) | 4 |" in text
    assert "| data.augment | yes: 0.33 (3), no: 0.36 (2) | no |" in text
    assert "Always the same: data.clip = 262144, data.features = wave" in text
    assert "| recipes/genre/cnn2d.toml | 3 | 3 finished | 0.330 ± 0.020 (3) |" in text
    assert "### Model: stn\n\n`cnn2d` behind a spatial transformer" in text
    never = "Never used: data.rate, data.pca, data.augment, train.clip\\_norm, train.clip\\_value, validate.patience."
    assert never in text.partition("### Model: cnn2d")[0]
    of_cnn2d = text.partition("### Model: cnn2d")[2].partition("### Model: ")[0]
    assert "logarithms are OK" in of_cnn2d and "very promising" in of_cnn2d


def test_problems_say_where_how_often_and_which_option_they_go_with(lab: Path) -> None:
    text = of_lab(genre_lab.notebook(lab)).text(["problems"])
    assert "1 run failed (oom): `20261123-142000-genre-cnn2d-stft-0700`." in text
    assert "The rules of the diagnosis were asked of 10 runs (all)." in text
    assert "| vanishing gradients | 1 | 9 | cnn1d 1 of 3 |" in text
    gone = text.partition("### Problem: vanishing gradients")[2]
    assert "conv1.weight: 1e-09, conv2.weight: 1e-08" in gone
    assert "(1 with, 2 without): `data.norm` is min\\_max with it and train without." in gone


def test_to_dos_stand_with_their_models_and_reasons(lab: Path) -> None:
    text = of_lab(genre_lab.notebook(lab)).text(["todos"])
    assert "2 open, 1 pending, 1 done, 1 given up." in text
    general, _, rest = text.partition("### Model: cnn1d")
    assert "- [ ] analysis of the weights *(2026-11-24 15:20 UTC)*" in general
    assert "**\\[PENDING\\]** run `20261120-102000-genre-cnn1d-0000`: Optuna hyperparams tuning — GPU" in rest
    past = rest.partition("### Done and given up")[2]
    assert ": clip the gradients — it was the normalisation" in past
    assert "- [x] **\\[DONE\\]** run `20261123-102000-genre-cnn2d-stft-0600`: data augmentation" in past


def test_the_journal_has_runs_bests_and_notes_by_day(lab: Path) -> None:
    text = of_lab(genre_lab.notebook(lab)).text(["journal"])
    days = [line for line in text.splitlines() if line.startswith("### ")]
    assert days == [f"### 2026-11-{day}" for day in range(20, 26)]
    last = text.partition("### 2026-11-23\n\n")[2].partition("\n\n###")[0].split("\n")
    assert last == [
        "- 2 runs: cnn2d 2.",
        "- New best of cnn2d val.acc ↑ **0.36**: `20261123-102000-genre-cnn2d-stft-0600`.",
        "",
        "1. **2026-11-23 11:20 UTC** · run `20261123-102000-genre-cnn2d-stft-0600`: very promising",
    ]


def test_nothing_that_people_wrote_is_formatting(lab: Path) -> None:
    genre_lab.made(lab, 0, "cnn1d", {"name": "a|b*c*"}, 0.3, written={
        "notes": [genre_lab.entry(0, "# <script>alert(1)</script>\n- [x] no")],
        "todos": [genre_lab.entry(0, "![x](y) | z", state="abort", reason="**why**")],
    })  # fmt: skip
    text = of_lab(Lab(LabPaths(lab))).text()
    assert "<script>" not in text and "![x]" not in text and "**why**" not in text
    assert "| a\\|b\\*c\\* | 1 |" in text


def test_a_run_says_what_its_layers_did_and_the_lab_of_the_best(lab: Path) -> None:
    found = genre_lab.notebook(lab)
    text = of_run(found.run("cnn1d-norms")).text(["weights"])
    assert "| conv1.weight | 5 | 7 | 7e-9 | 1e-10 | 1e-9 |" in text
    assert "smallest gradient beside its weights: conv1.weight (1e-9)" in text
    whole = of_lab(found).text(["weights"])
    assert "| cnn1d | 3 | 0.01 in conv2.weight | 0.02 in conv1.weight | 0.001 | 1.4 |" in whole
    assert "`labtui report RUN --section weights`" in whole


def test_gradients_are_drawn_as_pictures_and_as_text(lab: Path) -> None:
    found = inside(genre_lab.notebook(lab).run("cnn1d-norms").artifact("weights"))
    assert found is not None
    assert picture(found)[:4] == b"\x89PNG" and picture(found) == picture(found)
    head, first, _, last = text(found).splitlines()
    assert head == "gradient norm, 5.4e-9 to 0.07, from step 0 to 200"
    assert first == "conv1.weight   ▁▁▁▁▁" and last == "head.weight    █████"


def test_weights_of_another_form_are_no_weights(lab: Path) -> None:
    run = genre_lab.notebook(lab).run("cnn1d-norms")
    np.savez(run.paths.artifacts / "weights.npz", layers=np.array(["a"]), steps=np.zeros(2))
    assert "`artifacts/weights.npz` has not the form that labtui writes" in of_run(run).text(["weights"])
    assert inside({"layers": np.array([]), "steps": np.zeros(0)}) is None


def test_golden(lab: Path) -> None:
    """Run with LABTUI_GOLDEN=write to take the text as it is now. What rules say has tests of its own."""
    found = of_lab(genre_lab.notebook(lab))
    path = found.write(lab / "lab.md", sections=[name for name in found.sections if name != "problems"])
    words = re.sub(r"sha256:\w+", "sha256:0", path.read_text())
    golden = Path(__file__).parent / "golden" / "report-lab.md"
    if os.environ.get("LABTUI_GOLDEN") == "write":
        golden.write_text(words)
    assert words == golden.read_text()
    assert sorted(one.name for one in (lab / "lab_files").iterdir()) == ["families-1.png", "families-2.png"]


def test_a_large_lab_is_told_from_the_index(lab: Path) -> None:
    """A thousand runs of which a few directories are read."""
    first = genre_lab.made(lab, 0, "cnn1d", {"name": "cnn1d"}, 0.3)
    row = Lab(LabPaths(lab)).run(first).row.fields
    found = Lab(LabPaths(lab))
    found.index.refresh()
    many = [
        {
            **row,
            "id": f"{first[:-4]}{n:04d}",
            "params": {**row["params"], "optimizer.lr": n / 1000, "train.seed": n},
        }
        for n in range(1000)
    ]
    made = families(many)
    assert len(made) == 1 and len(made[0].rows) == 1000
    option = next(one for one in made[0].options if one.key == "optimizer.lr")
    assert [(value.label, value.runs) for value in option.values] == [("1000 values, 0 to 0.999", 1000)]
    assert made[0].best is not None and made[0].chance["val.acc"] == 0.125


def test_more_than_so_many_runs_are_not_diagnosed(lab: Path) -> None:
    found = genre_lab.notebook(lab)
    runs = [found.run(row.id) for row in found.runs()]
    assert len(diagnoses(runs, most=3)) == 3
    assert len(diagnoses(runs)) == len(runs) - 1  # one waits
    gone = runs[1]
    shutil.rmtree(gone.paths.root)
    assert {run.id for run in runs[2:]} <= diagnoses(runs).keys()


def test_losses_of_several_kinds_are_not_compared_in_silence(lab: Path) -> None:
    genre_lab.made(lab, 0, "ae", {"name": "ae"}, None, loss="reconstruction")
    one = of_lab(Lab(LabPaths(lab))).text(["tried"])
    genre_lab.made(lab, 1, "ae-l1", {"name": "ae"}, None, loss="l1")
    two = of_lab(Lab(LabPaths(lab))).text(["tried"])
    words = "**Its losses are of several kinds:** val.loss does not compare them."
    assert words in two and words not in one


def test_better_than_chance_is_more_than_better(lab: Path) -> None:
    """Of 800 samples, 2.5 standard errors of a share of an eighth are 0.029."""
    genre_lab.made(lab, 0, "cnn1d", {"name": "cnn1d"}, 0.16)
    genre_lab.made(lab, 1, "cnn2d", {"name": "cnn2d"}, 0.2)
    genre_lab.made(lab, 2, "stn", {"name": "stn"}, 0.14)
    rows = [line.split(" | ") for line in of_lab(Lab(LabPaths(lab))).text(["families"]).splitlines()]
    words = {row[0].removeprefix("| "): row[5] for row in rows if len(row) > 6}
    assert words["cnn2d"] == "yes" and words["cnn1d"] == "within chance" and words["stn"] == "NO"


def test_what_other_hands_broke_breaks_no_report(lab: Path) -> None:
    report_lab.script(lab)
    report_lab.failed(lab)
    broken = report_lab.finished(lab)
    broken.paths.recipe.write_text("not = toml = at all")
    paths = LabPaths(lab)
    for file in (paths.notes, paths.sweeps / "bad" / "recipe.toml", paths.sweeps / "bad" / "notes.toml"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x = = 1")
    text = of_lab(Lab(paths)).text()
    assert "3 runs of 3 model families" in text
    assert "*The notes on the lab are missing here: notes.toml cannot be read" in text
    assert "### Data: a program's own, by val.精度" in text
    assert "1 run: 1 finished. Best: not known, since nothing is monitored." in text
