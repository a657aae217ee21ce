"""What a recipe would build, asked of a child process; layer tables; the environment's record."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_lab import DIGITS, ROOT, recipe
from torch import nn

from labtui import environment, zoo
from labtui.engine import layers
from labtui.errors import TrainingError
from labtui.recipe.models import TransformerCls


def inspect(tables: dict[str, Any], lab: Path) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "labtui.engine.inspect"],
        input=json.dumps(tables),
        capture_output=True,
        text=True,
        cwd=lab,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert not done.stderr
    return done.returncode, json.loads(done.stdout)


def test_a_sound_recipe(tmp_path: Path) -> None:
    status, found = inspect(recipe().tables(), tmp_path)
    assert status == 0
    assert found["parameters"] == sum(row["params"] for row in found["layers"])
    assert (found["shape"], found["outputs"]) == ([1, 8, 8], 10)
    assert {name: split["samples"] for name, split in found["splits"].items()} == {
        "train": 1258,
        "val": 359,
        "test": 180,
    }
    assert found["steps_per_epoch"] == 10
    assert not list(tmp_path.iterdir())


def test_what_would_fail_is_said(tmp_path: Path) -> None:
    missing = DIGITS | {"data": {"name": "bearings", "path": "nowhere"}}
    status, found = inspect(missing, tmp_path)
    assert status == 2
    assert "/nowhere: " in found["error"]
    assert found["kind"] == "DataError"
    status, found = inspect(DIGITS | {"validate": {"monitor": "val.f2"}}, tmp_path)
    assert status == 2
    assert "nearest: val.f1" in found["error"]


def test_the_layer_table_counts_each_parameter_once() -> None:
    model = zoo.build(TransformerCls(), (40, 3), 10, ROOT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = layers.table(model, torch.zeros(1, 40, 3), (10,))
    assert table["parameters"] == sum(row["params"] for row in table["rows"]) == 985_870
    shapes = {row["name"]: row["output"] for row in table["rows"] if row["depth"] == 1}
    assert shapes["embed"] == [40, 140]
    assert shapes["head"] == [10]
    assert all(row["output"] for row in table["rows"] if row["type"] != "ModuleList")
    assert model.training


def test_the_layer_table_leaves_the_model_and_the_seed_alone() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(), nn.Linear(4, 2))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    layers.table(model, torch.ones(1, 3), (2,))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_shared_weights_are_counted_once() -> None:
    layer = nn.Linear(3, 3)
    table = layers.table(nn.Sequential(layer, nn.ReLU(), layer), torch.ones(1, 3), (3,))
    assert table["parameters"] == sum(row["params"] for row in table["rows"]) == 12


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nn.Linear(4, 2), r"cannot take a sample of shape \(3,\)"),
        (nn.Linear(3, 5), r"gives \(5,\) for a sample of shape \(3,\), the data needs \(2,\)"),
        (nn.LSTM(3, 2), "gives tuple"),
    ],
)
def test_a_model_that_does_not_fit(model: nn.Module, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        layers.table(model, torch.ones(1, 3), (2,))


def test_environment_tells_code_and_machine_but_no_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2hunter2")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        (tmp_path / "file").touch()
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", "-C", tmp_path, *identity, *words], check=True)
    environment.record(tmp_path / "environment.json", tmp_path)
    text = (tmp_path / "environment.json").read_text()
    found = json.loads(text)
    assert "hunter2hunter2" not in text
    assert len(found["code"]["commit"]) == 40
    assert found["code"]["dirty"] is False
    assert found["hardware"]["memory"] > 1e8
    assert found["hardware"]["cores"] >= 1
    (tmp_path / "file").write_text("changed")
    assert environment.code(tmp_path) == {**found["code"], "dirty": True}


def test_a_lab_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment.code(tmp_path) is None
    monkeypatch.setenv("PATH", "")
    assert environment.gather(tmp_path)["code"] is None


def test_weights_by_reference_are_not_looked_for_yet(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import torch\n"
        "from labtui.data import Dataset\n"
        "def build(root):\n"
        "    x, y = torch.zeros(20, 4096 + 16), torch.arange(20) % 2\n"
        "    return Dataset(x, y, 'classes', ['a', 'b'])\n"
    )
    small = {"layers": 3, "channels": 2, "frames": 4, "bins": 4, "pool": 1, "hidden": []}
    mixnet = {"name": "mixnet", "wave_path": "@best:val.loss", **small}
    tables = DIGITS | {"data": {"factory": "mine:build"}, "model": mixnet}
    status, found = inspect(tables, tmp_path)
    assert (status, found.get("error")) == (0, None)
    status, found = inspect(tables | {"model": mixnet | {"spectrogram_path": "none.pt"}}, tmp_path)
    assert status == 2
    assert "model.spectrogram_path = 'none.pt': there is no" in found["error"]
