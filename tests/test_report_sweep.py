"""The report of a sweep: its cells, beside the baseline, and its runs."""

from __future__ import annotations

import shutil

from sweep_lab import SWEEP, accuracies, folds, training

TITLES = {"small | *net*": lambda n: 0.80 + 0.01 * n, "large <b>": lambda n: 0.85 + 0.011 * n}


def test_a_sweep_is_reported_with_cells_protocols_and_differences(cli, lab):
    ids = folds(lab, TITLES)
    cli("baseline", SWEEP, ids[0])
    status, out, err = cli("report", SWEEP)
    text = (lab / f"report-{SWEEP}.md").read_text()
    assert status == 0 and out == f"report-{SWEEP}.md\n", err
    assert "# Sweep: gestures" in text and "2 cells, runs finished: 10." in text
    assert "| small \\| \\*net\\* | 5 | 0.820 ± 0.016 (5) | 0.770 ± 0.016 (5) |" in text
    assert (
        "| large \\<b\\> | val.acc.last ↑ | 0.052 | " in text
        and "| corrected resampled t | 5 | better |" in text
    )
    assert "early stopping" in text and all(run_id in text for run_id in ids)
    assert cli("report", SWEEP)[0] == 0, "its own report may be written over"
    (lab / "mine.md").write_text("mine")
    assert cli("report", SWEEP, "-o", "mine.md")[0] == 2 and (lab / "mine.md").read_text() == "mine"


def test_the_best_configuration_is_not_picked_by_test_data(cli, lab):
    scores = {"good": (0.9, 0.6), "lucky": (0.7, 0.8)}
    for number, (title, (best, test)) in enumerate(scores.items()):
        recipe = {"optimizer": {"lr": 0.1 / (number + 1)}, "validate": {"monitor": "val.acc"}}
        training(lab, number, recipe, accuracies(best, best, test), cell=number, title=title)
    assert cli("report", SWEEP, "-o", "r.md")[0] == 0
    head = (lab / "r.md").read_text().partition("## ")[0]
    assert "Best val.acc ↑ **0.9 (1)**, test.acc ↑ **0.6 (1)**: good." in head


def test_the_report_says_what_is_not_in_it(cli, lab):
    ids = folds(lab, TITLES)
    cli("baseline", SWEEP, ids[0])
    for run_id in ids[:5]:
        shutil.rmtree(lab / "runs" / run_id)
    training(lab, 50, {"optimizer": {"lr": 0.01}}, accuracies(0.1, 0.1), state="failed", title="large <b>")
    assert cli("report", SWEEP, "-o", "r.md")[0] == 0
    text = (lab / "r.md").read_text()
    assert "were deleted" in text and "1 run not finished" in text and "Difference" not in text


def test_a_sweep_without_figures_has_a_report_too(cli, lab):
    for number in range(2):
        training(lab, number, {"train": {"seed": number}}, {})
    assert cli("report", SWEEP, "-o", "r.md")[0] == 0 and "*Not recorded" in (lab / "r.md").read_text()


def test_several_runs_and_sweeps_make_one_document(cli, lab):
    ids = folds(lab, TITLES, count=2)
    other = folds(lab, {"wide": lambda n: 0.7}, count=2, sweep="20261120-103000-wide-cc00", first=50)
    status, out, err = cli("report", SWEEP, other[1], ids[0])
    file = lab / f"report-{SWEEP}-and-{other[1]}.md"
    assert status == 0 and out == f"{file.name}\n", err
    text = file.read_text()
    assert all(run_id in text for run_id in [*ids, other[1]]) and other[0] not in text
    assert cli("report", ids[0], ids[1], "-o", "two.md")[0] == 0
    assert "| run |" in (lab / "two.md").read_text() and ids[2] not in (lab / "two.md").read_text()
    assert cli("report", ids[0], ids[0], "-o", "one.md")[0] == 0
    assert (lab / "one.md").read_text().startswith(f"<!-- labtui report {ids[0]} ")
    assert cli("report", ids[0], "nothing")[0] == 2


def test_all_runs_of_a_recipe_are_one_document(cli, lab):
    ids = folds(lab, TITLES, count=2)
    later = folds(
        lab, {"small | *net*": lambda n: 0.7}, count=2, sweep="20261120-103000-again-cc00", first=50
    )
    (lab / "recipes").mkdir()
    (lab / "recipes" / "gestures.toml").touch()
    for run_id in ids + later:
        file = lab / "runs" / run_id / "recipe.toml"
        edited = " (edited)" if run_id == ids[0] else ""
        text = file.read_text().replace('file = "gestures.toml"', f'file = "recipes/gestures.toml{edited}"')
        file.write_text(text)
    assert cli("report", "gestures.toml", "-o", "all.md")[0] == 0
    text = (lab / "all.md").read_text()
    assert text.startswith("<!-- labtui report recipes/gestures.toml ") and "# Recipe: gestures" in text
    assert all(run_id in text for run_id in ids + later), "of all launches, also when edited before"
    assert f"Sweeps `{SWEEP}`, `20261120-103000-again-cc00`, from `recipes/gestures.toml`" in text
    assert "| 0.1 | 20261120-103000-again-cc00 | 1 |" in text, "another launch is another repeat"
    (lab / "recipes" / "gestures.toml").unlink()
    assert cli("report", "recipes/gestures.toml", "-o", "all.md")[0] == 0, "runs outlive their recipe's file"
    assert (lab / "all.md").read_text() == text


def test_a_name_of_a_run_and_of_a_recipe_is_the_runs(cli, lab):
    (one,) = folds(lab, {"a": lambda n: 0.5}, count=1, sweep="")
    (lab / "recipes").mkdir()
    file = lab / "runs" / one / "recipe.toml"
    file.write_text(file.read_text().replace('file = "gestures.toml"', 'file = "recipes/gestures.toml"'))
    status, out, err = cli("report", "gestures", "-o", "r.md")
    assert status == 0 and out == "r.md\n", err
    assert (lab / "r.md").read_text().startswith(f"<!-- labtui report {one} ")
    assert (
        err
        == f"gestures: taken as {one}; all runs of the recipe are in `labtui report recipes/gestures.toml`\n"
    )
    (other,) = folds(lab, {"a": lambda n: 0.5}, count=1, sweep="", first=1)
    shutil.copy(file, lab / "runs" / other)
    assert cli("report", "gestures", "-o", "all.md") == (
        0, "all.md\n", "gestures: part of 2 ids of runs; taken as the recipe recipes/gestures.toml\n"
    )  # fmt: skip
    (lab / "recipes" / "new.toml").write_text('name = "new"\n')
    status, _, err = cli("report", "new")
    assert status == 2 and "recipe new.toml: has no runs to report on; `labtui run new` starts one" in err


def test_a_sweep_whose_definition_is_gone_or_broken_names_no_place_of_this_machine(cli, lab):
    folds(lab, TITLES, count=2)
    assert cli("report", SWEEP, "-o", "r.md", "--section", "grid")[0] == 0
    text = (lab / "r.md").read_text()
    assert "is gone: only its runs are left" in text and str(lab) not in text
    folder = lab / "runs" / ".labtui" / "sweeps" / SWEEP
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text("name = 1")
    assert cli("report", SWEEP, "-o", "r.md", "--section", "grid")[0] == 0
    text = (lab / "r.md").read_text()
    assert "cannot be read: see `labtui doctor`" in text and str(lab) not in text
