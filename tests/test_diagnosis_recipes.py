"""What the notebooks got wrong, reproduced by shipped recipes, and what labtui says by itself of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
from diagnosed_lab import unhurried
from engine_lab import make, train_here
from recipe_lab import shipped

from labtui.data.corpus_sim import make_features as make_speech
from labtui.data.fnirs_sim import make as make_fnirs
from labtui.diagnose import Diagnosis, Finding
from labtui.files.goals import goal_of
from labtui.query import Lab
from labtui.query.aggregate import aggregate, protocols
from labtui.query.diagnosis import case, diagnosis
from labtui.query.group_diagnosis import group_diagnosis
from labtui.query.lab import Run
from labtui.recipe.read import load
from labtui.sweep import expand

FILES = {file.stem: file for file in shipped("diagnosis")}
FLAWED = {
    "collapsed": {"output and loss do not fit", "constant outputs", "no better than a constant"},
    "double-softmax": {"output and loss do not fit"},
    "not-normalised": {"input not normalised"},
    "over-fitting": {"over-fitting"},
    "rate-too-low": {"learning rate too low"},
}
"""Recipes of one training, and what is found in it."""
GROUPS = {
    "best-file": {"best file is not the best run"},
    "spread": {"difference within the spread"},
    "stuck": {"some repeats stuck at chance"},
}
"""Recipes of several, and what is found of them together."""
FINE = ["double-softmax-mended", "folds", "not-normalised-mended", "rate-mended"]
Trained = Callable[[str], list[Run]]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """All runs of a recipe as it is shipped, trained once."""
    root = tmp_path_factory.mktemp("diagnosis")

    @cache
    def runs(name: str) -> list[Run]:
        if name == "collapsed":
            make_fnirs(root / "data" / "fnirs_simulated")
        if name.startswith("not-normalised") and not (root / "data" / "speech_features_simulated").exists():
            make_speech(root / "data" / "speech_features_simulated", 1, each=6)
        found = []
        for recipe in expand(load(FILES[name], ["resources.gpus=0", "resources.threads=1"]), f"{name}.toml"):
            paths = make(root, recipe)
            with unhurried():
                train_here(paths, recipe)
            found.append(paths)
        return [Lab(paths.lab).run(paths.id) for paths in found]

    return runs


def names(found: Diagnosis) -> set[str]:
    return {one.rule for one in found.findings}


def finding(found: Diagnosis, rule: str) -> Finding:
    return next(one for one in found.findings if one.rule == rule)


def finished(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Rows as they are when a worker has ended by itself."""
    return [run.row.fields | {"state": "finished"} for run in runs]


def test_every_recipe_is_here() -> None:
    assert sorted(FILES) == sorted([*FLAWED, *GROUPS, *FINE])


@pytest.mark.parametrize("name", FLAWED)
def test_a_flawed_recipe_is_found_out(trained: Trained, name: str) -> None:
    (run,) = trained(name)
    assert FLAWED[name] <= names(diagnosis(run))


@pytest.mark.parametrize("name", FINE)
def test_nothing_is_found_in_a_mended_one(trained: Trained, name: str) -> None:
    for run in trained(name):
        assert names(diagnosis(run)) == set()


@pytest.mark.parametrize("name", GROUPS)
def test_flaws_of_several_runs_are_found(trained: Trained, name: str) -> None:
    assert GROUPS[name] <= names(group_diagnosis(finished(trained(name))))


def test_a_collapsed_model_has_all_constructs_off_and_is_worth_a_constant_and_a_hamming_loss_is_no_score(
    trained: Trained,
) -> None:
    (run,) = trained("collapsed")
    found = diagnosis(run)
    said = finding(found, "constant outputs")
    off = "'working memory off', 'visual off', 'auditory off'"
    assert said.text == f"predictions constant: every sample gets the same 3 of 9 labels on: {off}"
    constant = f"{run.row.facts['baseline']['val.hamming_loss']:.4g}"
    equal = f"val.hamming_loss {constant} at the end equals the best constant predictor's score"
    assert equal in said.evidence
    assert "a double sigmoid" in finding(found, "output and loss do not fit").text
    assert goal_of("val.hamming_loss") == "min" == run.row.metrics["val.hamming_loss"].goal


def test_gradients_that_seemed_to_vanish_and_it_was_the_normalisation(trained: Trained) -> None:
    shares = []
    for name in ("not-normalised", "not-normalised-mended"):
        weights = case(trained(name)[0]).weights
        layers = weights["layers"].tolist()
        looks = [
            weights["grad_norm"][:, layers.index(layer)]
            for layer in ("context.lstm.weight_hh_l0", "head.0.weight")
        ]
        first, last = (float(one[np.isfinite(one)][0]) for one in looks)
        shares.append(first / last)
    assert shares[0] < 0.25 * shares[1]
    (run,) = trained("not-normalised")
    said = " ".join(finding(diagnosis(run), "input not normalised").evidence)
    assert "standard deviation" in said and "the gradient's norm" in said


def test_a_double_softmax_has_a_floor(trained: Trained) -> None:
    (run,) = trained("double-softmax")
    said = finding(diagnosis(run), "output and loss do not fit")
    assert "cannot fall below 1.461" in " ".join(said.evidence)
    assert run.row.metrics["train.loss"].min > 1.461


def test_over_fitting_since_an_epoch_with_the_gap(trained: Trained) -> None:
    (run,) = trained("over-fitting")
    said = finding(diagnosis(run), "over-fitting")
    assert "since epoch" in said.text
    assert {line.partition(" ")[0] for line in said.evidence} == {"val.loss", "train.loss"}


def test_folds_have_both_protocols_each_and_together(trained: Trained) -> None:
    rows = finished(trained("folds"))
    (group,) = aggregate(rows, metrics=protocols(rows)).groups
    assert len(rows) == 3 and {row["fold"] for row in rows} == {0, 1, 2}
    best, last = group.spreads["val.acc"], group.spreads["val.acc.last"]
    assert best.n == last.n == 3 and best.std is not None and last.std is not None
    assert best.mean is not None and last.mean is not None and best.mean > last.mean


def test_stuck_at_chance_of_so_many_classes_from_an_epoch(trained: Trained) -> None:
    runs = trained("stuck")
    stuck = [run for run in runs if "stuck at chance" in names(diagnosis(run))]
    assert 0 < len(stuck) < len(runs)
    assert "stuck at chance (1/10) from epoch" in finding(diagnosis(stuck[0]), "stuck at chance").text
    said = finding(group_diagnosis(finished(runs)), "some repeats stuck at chance")
    assert f"{len(stuck)} of {len(runs)} runs" in said.evidence[0]


def test_a_difference_stands_beside_the_spread(trained: Trained) -> None:
    said = finding(group_diagnosis(finished(trained("spread"))), "difference within the spread")
    assert "±" in said.evidence[0] and "n = 3" in said.evidence[0] and "p = " in said.evidence[1]


def test_the_best_run_is_named_by_each_metric_with_its_file(trained: Trained) -> None:
    runs = trained("best-file")
    said = finding(group_diagnosis(finished(runs)), "best file is not the best run")
    text = " ".join(said.evidence)
    assert all(f"runs/{run.id}/checkpoints/best.pt" in text for run in runs)
    assert all((run.paths.checkpoints / "best.pt").exists() for run in runs)
