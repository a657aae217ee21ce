"""Groups of runs on the command line: ls --group, compare of a sweep, baseline."""

from __future__ import annotations

import csv
import io
import json
import shutil

import pytest
from sweep_lab import SWEEP, accuracies, folds, training

BETTER = {"small | net": lambda n: 0.80 + 0.01 * n, "large *net*": lambda n: 0.85 + 0.011 * n}


def groups(cli, *arguments):
    status, out, err = cli("ls", "--group", "auto", "--format", "json", *arguments)
    assert status == 0, err
    return json.loads(out)


def test_cells_are_listed_with_their_means(cli, lab):
    ids = folds(lab, BETTER)
    small, large = groups(cli)
    assert small["group"] == {"optimizer.lr": 0.1} and small["runs"] == ids[:5] and small["n"] == 5
    found = large["metrics"]["val.acc"]
    assert found["mean"] == pytest.approx(0.872) and found["median"] == pytest.approx(0.872)
    assert found["std"] == pytest.approx(0.0174, abs=1e-4) and found["n"] == 5
    assert list(large["metrics"]) == ["val.acc", "test.acc"] and large["differences"] == {}
    out = cli("ls", "--group", "auto")[1]
    assert "0.872 ± 0.017 (5)" in out and "val.acc ↑" in out


def test_columns_statistics_filters_and_order_are_chosen(cli, lab):
    folds(lab, BETTER)
    out = cli("ls", "--group", "optimizer.lr,state", "--metric", "val.acc,val.acc.last", "--metric",
              "val.acc.min", "--stat", "max", "--sort", "-val.acc", "--limit", "1", "--filter", "fold<3",
              "--format", "csv")[1]  # fmt: skip
    (line,) = csv.DictReader(io.StringIO(out))
    assert line["optimizer.lr"] == "0.01" and line["runs"] == "3" and line["states"] == '{"finished":3}'
    assert float(line["val.acc max"]) == pytest.approx(0.872) and line["val.acc.min n"] == "3"
    assert cli("ls", "--group", "auto", "--limit", "1")[2].count("1 more") == 1
    assert cli("ls", "--group", "auto", "--format", "md")[1].startswith("| ")
    for wrong in (
        ["--metric", "val.acc"], ["--stat", "max"], ["--baseline", "@last"],
        ["--group", "optimizer.rl"], ["--group", "auto", "--metric", "state"],
        ["--group", "auto", "--sort", "val.loss"], ["--group", "auto", "--baseline", "none"],
    ):  # fmt: skip
        status, out, err = cli("ls", *wrong)
        assert status == 2 and not out and "should not" not in err


def test_groups_are_compared_with_a_run_that_is_named(cli, lab):
    ids = folds(lab, BETTER)
    small, large = groups(cli, "--baseline", ids[1])
    assert small["baseline"] and not small["differences"]
    found = large["differences"]["val.acc"]
    assert found["difference"] == pytest.approx(0.052) and found["word"] == "better" and found["n"] == 5
    assert found["test"] == "corrected resampled t" and 0 < found["p"] == found["adjusted"] < 0.001
    _, out, err = cli("ls", "--group", "auto", "--baseline", ids[1])
    assert "+0.052 better (p " in out and "corrected resampled t, n = 5" in err
    assert cli("ls", "--group", "auto", "--baseline", ids[1], "--filter", "optimizer.lr<0.1")[0] == 2


def test_a_sweep_keeps_its_baseline_until_it_is_cleared(cli, lab):
    ids = folds(lab, BETTER)
    assert cli("baseline", SWEEP)[0] == 2
    status, out, _ = cli("baseline", SWEEP, ids[7])
    assert status == 0 and out.count("finished") == 5 and ids[9] in out
    assert cli("baseline", "gestures-aa")[1] == out, "a part of the id will do"
    assert [group["baseline"] for group in groups(cli)] == [False, True]
    assert groups(cli)[0]["differences"]["val.acc"]["word"] == "worse"
    assert cli("ls", "--group", "auto", "--filter", "optimizer.lr=0.1")[2].count("not among") == 1
    assert cli("baseline", SWEEP, "--clear")[0] == 0
    assert not groups(cli)[0]["differences"] and "no baseline" in cli("baseline", SWEEP, "--clear")[2]


def test_a_baseline_whose_runs_are_gone_says_so_and_what_to_do(cli, lab):
    ids = folds(lab, BETTER)
    assert cli("baseline", SWEEP, ids[0])[0] == 0
    for run_id in ids[:4]:
        shutil.rmtree(lab / "runs" / run_id)
    assert [group["baseline"] for group in groups(cli)] == [True, False], "one of its runs is still there"
    shutil.rmtree(lab / "runs" / ids[4])
    status, _, err = cli("baseline", SWEEP)
    assert status == 2 and "were deleted" in err and f"labtui baseline {SWEEP} RUN" in err
    status, out, err = cli("ls", "--group", "optimizer.lr")
    assert status == 0 and "0.872" in out and "were deleted" in err, "the table is not lost with it"
    pin = lab / "runs" / ".labtui" / "sweeps" / SWEEP / "baseline.json"
    assert pin.exists(), "nothing is lost"
    pin.write_text("{")
    assert "is broken" in cli("baseline", SWEEP)[2]
    assert cli("baseline", SWEEP, ids[5])[0] == 0 and cli("baseline", SWEEP)[0] == 0
    shutil.rmtree(lab / "runs")
    for words in (["baseline", SWEEP], ["baseline", SWEEP, "--clear"], ["baseline", "../x", "@last"]):
        assert cli(*words)[0] == 2


def test_a_sweep_with_the_name_of_a_path_writes_nothing(cli, lab):
    for number in range(2):
        training(lab, number, {"validate": {"monitor": "val.acc"}}, accuracies(0.5, 0.4), sweep="../../x")
    status, _, err = cli("baseline", "../../x", "@last")
    assert status == 2 and "no name of a folder" in err and not (lab / "x").exists()
    assert cli("ls", "--group", "name")[0] == 0


def test_the_cells_of_a_sweep_are_compared_by_both_protocols(cli, lab):
    ids = folds(lab, BETTER)
    cli("baseline", SWEEP, ids[0])
    _, large = json.loads(cli("compare", SWEEP, "--format", "json")[1])
    assert list(large["metrics"]) == ["val.acc", "val.acc.last", "test.acc", "test.acc.last"]
    assert large["metrics"]["test.acc.last"]["mean"] == pytest.approx(0.752)
    assert large["differences"]["val.acc.last"]["word"] == "better"
    assert "key" in json.loads(cli("compare", *ids[:2], "--format", "json")[1])[0], "runs one by one"


def test_what_did_not_finish_is_shown_and_not_in_the_mean(cli, lab):
    nan = float("nan")
    recipe = {"validate": {"monitor": "val.acc"}, "train": {"seed": 0}}
    for number, (points, state) in enumerate([
        (accuracies(0.8, 0.7), "finished"), (accuracies(0.6, nan), "finished"),
        (accuracies(0.1, 0.1), "stopped"), ({}, "failed"), ({"val.loss": [(1, nan)]}, "finished"),
    ]):  # fmt: skip
        training(lab, number, recipe, points, state=state)
    _, out, err = cli("ls", "--group", "auto", "--metric", "val.acc,val.acc.last,val.loss")
    assert "3 of 5, 1 stopped, 1 failed" in out and "0.70 ± 0.14 (2 of 5)" in out
    assert "0.7 (1 of 5, 1 NaN)" in out and "– (0 of 5, 1 NaN)" in out and "2 runs not finished" in err
    (group,) = groups(cli, "--metric", "val.acc", "--unfinished")
    assert group["metrics"]["val.acc"]["n"] == 3 and group["metrics"]["val.acc"]["missing"] == 2
    rows = {row["key"]: row for row in json.loads(cli("compare", SWEEP, "--format", "json")[1])}
    assert rows["val.acc"]["mean"] == pytest.approx(0.7) and rows["val.acc"]["n"] == 2


def test_a_lab_without_figures_says_how_to_choose_some(cli, lab):
    assert cli("ls", "--group", "auto")[::2] == (0, "no run fits\n")
    training(lab, 0, {"name": "plain"}, {"x.y": [(1, 1.0)]})
    assert "--metric" in cli("ls", "--group", "auto")[2]
    training(lab, 1, {"validate": {"monitor": "x.y"}}, {"x.y": [(1, 1.0)]}, state="stopped")
    assert "--unfinished" in cli("ls", "--group", "auto", "--filter", "state=stopped")[2]
    assert groups(cli, "--metric", "x.y")[0]["metrics"]["x.y"]["n"] == 1
