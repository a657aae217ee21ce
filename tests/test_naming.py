"""Checkpoints named after a pattern: which patterns are taken, what they give, which files they match."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import torch
from engine_lab import make, recipe, records, train_here
from hypothesis import given
from hypothesis import strategies as st

from labtui.errors import RecipeError, TrainingError
from labtui.files.paths import LabPaths
from labtui.launch import freeing
from labtui.recipe import naming
from labtui.recipe.read import check

KERAS = (
    "model-{epoch:05d}-{loss:.5f}-{categorical_accuracy:.5f}-{val_loss:.5f}-{val_categorical_accuracy:.5f}"
)


def test_the_name_that_the_notebook_has() -> None:
    scores = {"train.loss": 0.33229, "train.acc": 0.99698, "val.loss": 1.6365, "val.acc": 0.74, "val.f1": 0.5}
    assert naming.filled(KERAS, scores, 47, 1974) == "model-00047-0.33229-0.99698-1.63650-0.74000"
    assert naming.metrics(KERAS) == ["train.loss", "train.acc", "val.loss", "val.acc"]
    assert naming.filled("{step}_{val_f1:8.2e}", scores, 47, 1974) == "1974_5.00e-01"
    assert len(naming.filled("x-{loss:.5f}", {"train.loss": 1e300}, 1, 1)) == naming.LONGEST


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        (
            "model-{epoch:05d}-{val_los}",
            r"unknown field 'val_los'; known are epoch, step, categorical_accuracy",
        ),
        ("model-{val.acc:.3f}", "unknown field 'val.acc'"),
        ("model-{epoch.real}", "unknown field 'epoch.real'"),
        ("model-{}", "unknown field ''"),
        ("model-{loss:05d}", "expected the format of a number"),
        ("model-{epoch!r}", "expected the format of a number"),
        ("model-{loss:{epoch}}", "expected the format of a number"),
        ("model-{epoch:999999999d}", "expected the format of a number"),
        ("model-{epoch", "expected '}'"),
        ("model", r"expected a field, such as \{epoch:05d\}"),
        ("../{epoch}", "expected a file name without /"),
        ("a/{epoch}", "expected a file name without /"),
        ("best-{epoch}", "begins with none of best, last, epoch-"),
        ("x" * 200 + "{epoch}", "names of 200 bytes"),
        ("网" * 67 + "{epoch}", "names of 200 bytes"),
    ],
)
def test_a_wrong_pattern_is_an_error_in_the_recipe(pattern: str, told: str) -> None:
    tables = recipe().tables() | {"checkpoints": {"name": pattern}}
    with pytest.raises(RecipeError, match=rf"(?s)x: checkpoints\.name: .*{told}"):
        check(tables, "x")


@given(st.text("abel-[]*?", max_size=5), st.floats(), st.integers(1, 10**6))
def test_its_glob_matches_its_names_alone(text: str, loss: float, epoch: int) -> None:
    pattern = f"m{text}{{epoch:05d}}-{{loss:.5f}}"
    glob = naming.glob(pattern)
    assert fnmatchcase(naming.filled(pattern, {"train.loss": loss}, epoch, 0)[:190] + ".pt", glob)
    assert not any(fnmatchcase(name, glob) for name in ("best.pt", "last.pt", "model.pt", "best-val.acc.pt"))


@pytest.mark.parametrize("start", ["b", "l", "be", ""])
def test_no_other_checkpoint_is_taken_for_a_named_one(start: str) -> None:
    glob = naming.glob(start + "{epoch}-{val_loss}")
    assert not any(fnmatchcase(name, glob) for name in ("best.pt", "last.pt", "best-val.loss.pt"))


def test_each_better_epoch_is_kept_under_its_name(tmp_path: Path) -> None:
    what = recipe(checkpoints={"name": "m-{epoch:03d}-{val_loss:.4f}", "interval": 0.0})
    paths = make(tmp_path, what)
    train_here(paths, what)
    losses = [value for name, _, value in records(paths) if name == "val.loss"]
    better = [k for k in range(1, len(losses)) if losses[k] < min(losses[:k])]
    assert len(better) > 1
    kept = sorted(paths.checkpoints.glob("m-*.pt"))
    assert [path.name for path in kept] == [f"m-{k:03d}-{losses[k]:.4f}.pt" for k in better]
    last, best = (torch.load(path, weights_only=True) for path in (kept[-1], paths.checkpoints / "best.pt"))
    assert last["epoch"] == best["epoch"] == better[-1]
    assert all(last["model"][name].equal(value) for name, value in best["model"].items())
    found = {path.name for one in freeing.checkpoints(LabPaths(tmp_path), [paths.id]) for path in one.paths}
    assert {path.name for path in kept} < found


def test_a_metric_that_the_training_does_not_have(tmp_path: Path) -> None:
    what = recipe(checkpoints={"name": "m-{epoch}-{val_mse}"})
    with pytest.raises(
        TrainingError, match=r"checkpoints\.name = 'val\.mse': this training has no such metric"
    ):
        train_here(make(tmp_path, what), what)
