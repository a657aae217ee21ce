"""`labtui doctor RUN`: what the rules see wrong with runs that were really trained."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from engine_lab import make, recipe, train_here

from labtui.files import toml
from labtui.files.paths import LabPaths
from labtui.recipe.core import Recipe

LEAKY = """
import torch
from labtui.data import Dataset

def data(lab):
    g = torch.Generator().manual_seed(0)
    y = torch.arange(200) % 2
    x = torch.randn(200, 4, generator=g)
    x[:, 0] += 4 * y
    x[150:] = x[:50]
    split = {"train": torch.arange(150), "val": torch.arange(150, 200)}
    return Dataset(x, y, "classes", ["a", "b"], split=split)

def mlp(shape, outputs):
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, outputs))
"""


@pytest.fixture
def leaky(lab: Path) -> str:
    """The id of a run whose splits share samples."""
    (lab / "doctor_parts.py").write_text(LEAKY)
    tables = recipe().tables() | {
        "name": "leaky",
        "data": {"factory": "doctor_parts:data"},
        "model": {"factory": "doctor_parts:mlp"},
        "optimizer": {"name": "adam", "lr": 1e-2},
        "train": {"epochs": 5},
        "validate": {"scheme": "file"},
    }
    what = Recipe.model_validate(tables)
    paths = make(lab, what)
    train_here(paths, what)
    return paths.id


def test_a_run_is_diagnosed_with_evidence_and_advice(cli, leaky) -> None:
    status, out, _ = cli("doctor", "@last")
    assert status == 0
    assert out.splitlines()[0].startswith(f"{leaky}  ")
    assert "  ! leak suspected: train and val share samples" in out
    assert "    · 50 of 50 samples of val (100 %) are in train, bit by bit" in out
    assert "    → take duplicates out of the data" in out
    assert "  silent: " in out


def test_the_diagnosis_as_json_and_csv(cli, leaky) -> None:
    (found,) = json.loads(cli("doctor", leaky, "--format", "json")[1])
    assert found["run"] == leaky
    one = next(one for one in found["findings"] if one["rule"] == "leak suspected")
    assert set(one) == {"rule", "finding", "evidence", "advice"}
    assert "leak suspected" not in found["silent"] and "no number" in found["silent"]
    rows = list(csv.DictReader(io.StringIO(cli("doctor", leaky, "--format", "csv")[1])))
    assert "leak suspected" in [row["rule"] for row in rows]
    assert "| leak suspected |" in cli("doctor", leaky, "--format", "md")[1]


def test_what_is_not_there_cannot_be_diagnosed(cli, leaky) -> None:
    status, _, error = cli("doctor", "nothing-like-it")
    assert status == 2
    assert "nothing-like-it" in error


def test_runs_of_a_sweep_are_diagnosed_together_and_each(cli, lab: Path, leaky) -> None:
    tables = toml.read(LabPaths(lab).run(leaky).recipe)
    sweep = "20260101-000000-leaky-abcd"
    for fold in (0, 1):
        origin = {"file": "recipes/leaky.toml", "sweep": sweep, "fold": fold, "key": str(fold)}
        what = Recipe.model_validate(tables | {"origin": origin})
        train_here(make(lab, what), what)
    status, out, _ = cli("doctor", sweep)
    assert status == 0
    heads = [line for line in out.splitlines() if line and line[0] != " "]
    assert heads[0].startswith(f"{sweep}  2 runs: ")
    assert len(heads) == 3
    assert out.count("leak suspected") == 2
    assert "silent:" not in out
