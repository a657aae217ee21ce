"""The worker as a process: attached before torch, graceful on SIGTERM, clear how it ended."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from engine_lab import ROOT, make, recipe, records, result_of, train_here, until, worker

from labtui.engine.failure import explain
from labtui.errors import TrainingError
from labtui.recipe.core import Recipe

LONG = {"train": {"epochs": 100_000}}


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def test_from_recipe_to_result(tmp_path: Path) -> None:
    plan = recipe()
    paths = make(tmp_path, plan)
    assert worker(paths).wait(120) == 0, paths.log.read_text()
    assert paths.log.read_text() == ""
    result = result_of(paths)
    assert (result["outcome"], result["reason"]) == ("finished", "")
    best = result["best"]
    assert {k: best[k] for k in ("metric", "goal")} == {"metric": "val.loss", "goal": "min"}
    found = records(paths)
    losses = {step: value for name, step, value in found if name == "val.loss"}
    assert list(losses) == [0, 10, 20, 30, 40]
    assert best["value"] == min(losses.values()) == losses[best["step"]]
    names = {"loss", "acc", "uar", "f1", "f1_weighted"}
    extra = {"epoch", "train.step_loss", "train.lr"}
    assert {name for name, _, _ in found} == extra | {
        f"{s}.{n}" for s in ("train", "val", "test") for n in names
    }
    assert {step for name, step, _ in found if name.startswith("test.")} == {best["step"]}
    facts = result["facts"]
    assert facts["parameters"] == sum(
        w.numel() for w in torch.load(paths.checkpoints / "best.pt")["model"].values()
    )
    assert (facts["train"], facts["val"], facts["test"]) == (1258, 359, 180)
    assert facts["steps_per_epoch"] == 10
    assert facts["baseline"]["val.acc"] == pytest.approx(0.1, abs=0.01)
    assert facts["last_epoch"]["val.loss"] == losses[40]
    environment = json.loads(paths.environment.read_text())
    assert environment["versions"]["torch"] == torch.__version__


def test_artifacts_agree_with_the_metrics(tmp_path: Path) -> None:
    plan = recipe(train={"epochs": 2})
    paths = make(tmp_path, plan)
    _, result = train_here(paths, plan)
    at_best = {n: v for n, step, v in records(paths) if step == result["best"]["step"]}
    confusion = json.loads((paths.artifacts / "confusion.json").read_text())
    predictions = np.load(paths.artifacts / "predictions.npz")
    for split in ("val", "test"):
        matrix = np.array(confusion[split]["matrix"])
        assert matrix.trace() / matrix.sum() == pytest.approx(at_best[f"{split}.acc"])
        right = predictions[f"{split}_scores"].argmax(1) == predictions[f"{split}_y"]
        assert right.mean() == pytest.approx(at_best[f"{split}.acc"])
    layers = json.loads((paths.artifacts / "layers.json").read_text())
    assert sum(row["params"] for row in layers["rows"]) == layers["parameters"]
    assert layers["rows"][1]["output"] == [4, 8, 8]
    data = json.loads((paths.artifacts / "data.json").read_text())
    assert sum(data["splits"]["train"]["per_class"]) == data["splits"]["train"]["samples"] == 1258


def test_sigterm_stops_gracefully_and_sigint_does_nothing(tmp_path: Path) -> None:
    paths = make(tmp_path, recipe(**LONG))
    process = worker(paths)
    until(lambda: size(paths.metrics) > 20_000)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert result_of(paths)["outcome"] == "stopped"
    state = torch.load(paths.checkpoints / "last.pt", weights_only=True)
    assert state["step"] == max(step for _, step, _ in records(paths)) > 0
    assert result_of(paths)["best"]["step"] <= state["step"]
    assert not any(name.startswith("test.") for name, _, _ in records(paths))


@pytest.mark.parametrize(("action", "kept"), [("stop", True), ("kill", False)])
def test_stop_and_kill_by_control_file(tmp_path: Path, action: str, kept: bool) -> None:
    paths = make(tmp_path, recipe(**LONG))
    process = worker(paths)
    until(lambda: size(paths.metrics) > 5_000)
    paths.control.write_text(json.dumps({"attempt": 1, "action": action}))
    assert process.wait(30) == 0
    assert result_of(paths)["outcome"] == "stopped"
    assert (paths.checkpoints / "last.pt").exists() is kept


def test_it_is_seen_to_run_before_torch_is_loaded() -> None:
    code = "import sys, labtui.engine.__main__; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    heavy = {"torch", "numpy", "pydantic", "labtui.recipe.core"}
    assert heavy.isdisjoint(done.stdout.split())


def test_a_directory_that_is_no_run(tmp_path: Path) -> None:
    paths = make(tmp_path, recipe())
    paths.queue.unlink()
    assert worker(paths).wait(30) == 2
    assert "not queued" in paths.log.read_text()


def test_divergence_says_where(tmp_path: Path) -> None:
    plan = recipe(optimizer={"name": "sgd", "lr": 1e30})
    paths = make(tmp_path, plan)
    assert worker(paths).wait(60) == 1
    result = result_of(paths)
    assert (result["outcome"], result["reason"]) == ("failed", "nan")
    assert "in step" in result["message"] and "lower optimizer.lr" in result["message"]
    assert result["facts"]["parameters"]
    best = torch.load(paths.checkpoints / "best.pt", weights_only=True)
    assert best["step"] == result["best"]["step"]
    said = paths.log.read_text().strip().splitlines()
    assert said[-1] == result["message"] and all(line.startswith("labtui: train.") for line in said[:-1])


def test_an_unknown_metric_is_answered_with_those_there_are(tmp_path: Path) -> None:
    for table in (
        {"validate": {"monitor": "val.accuracy"}},
        {"schedule": {"name": "plateau", "monitor": "val.accuracy"}},
        {"checkpoints": {"also_best": ["val.accuracy"]}},
    ):
        plan = recipe(**table)
        with pytest.raises(TrainingError, match=r"nearest: val\.acc\. There are val\.loss"):
            train_here(make(tmp_path, plan), plan)


def test_early_stopping_ends_with_the_test_scored(tmp_path: Path) -> None:
    plan = recipe(validate={"patience": 2, "min_delta": 10.0}, train={"epochs": 50})
    paths = make(tmp_path, plan)
    ended, result = train_here(paths, plan)
    assert ended is None
    assert result["facts"]["last_epoch"]["epoch"] == 2
    tests = [(step, value) for name, step, value in records(paths) if name == "test.acc"]
    # Of the best weights, and then of the last.
    assert [step for step, _ in tests] == list(
        dict.fromkeys([result["best"]["step"], result["facts"]["last_epoch"]["step"]])
    )
    assert tests[-1][1] == result["facts"]["last_epoch"]["test.acc"]


def test_no_epochs_score_the_untrained_model(tmp_path: Path) -> None:
    plan = recipe(train={"epochs": 0})
    paths = make(tmp_path, plan)
    _, result = train_here(paths, plan)
    assert result["best"]["step"] == 0
    assert (paths.checkpoints / "best.pt").exists()


OWN_PARTS = """
import torch
from torch import nn
from labtui.data import Dataset

def data(root, n=61):
    x = torch.linspace(-1, 1, n)[:, None]
    return Dataset(x=x, y=3 * x[:, 0] + 1, task="regression", classes=["y"])

def model(shape, outputs, wide=1):
    return nn.Sequential(nn.Linear(*shape, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, wide))

def greedy(shape, outputs):
    class Greedy(nn.Linear):
        def forward(self, x):
            return super().forward(x) + (torch.empty(10**15) if self.training else 0)
    return Greedy(*shape, outputs)
"""


def own(root: Path, factory: str = "model", **model: Any) -> Recipe:
    (root / "own_parts.py").write_text(OWN_PARTS)
    return Recipe.model_validate(
        {
            "name": "own",
            "data": {"factory": "own_parts:data"},
            "model": {"factory": f"own_parts:{factory}"} | model,
            "loss": {"name": "huber", "report": "sum"},
            "optimizer": {"name": "adam", "lr": 0.05},
            "train": {"epochs": 30, "batch_size": 8, "clip_value": 1.0},
            "validate": {"monitor": "val.r2"},
            "resources": {"gpus": 0, "threads": 1},
        }
    )


def test_parts_of_ones_own(tmp_path: Path) -> None:
    # 49 training samples in batches of 8: the last one joins its neighbours, or BatchNorm fails.
    paths = make(tmp_path, own(tmp_path))
    assert worker(paths).wait(60) == 0, paths.log.read_text()
    result = result_of(paths)
    assert result["best"]["goal"] == "max"
    assert result["best"]["value"] > 0.8
    assert result["facts"]["baseline"]["val.r2"] == pytest.approx(0, abs=1e-6)


def test_a_model_that_does_not_fit_the_data(tmp_path: Path) -> None:
    paths = make(tmp_path, own(tmp_path, wide=7))
    assert worker(paths).wait(60) == 1
    assert "gives (7,) for a sample of shape (1,)" in result_of(paths)["message"]


def test_out_of_memory_names_the_batch_size(tmp_path: Path) -> None:
    paths = make(tmp_path, own(tmp_path, "greedy"))
    assert worker(paths).wait(60) == 1
    result = result_of(paths)
    assert result["reason"] == "oom"
    assert "train.batch_size = 8" in result["message"]
    assert "own_parts.py" in result["traceback"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), "oom"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "oom"),
        (OSError(28, "No space left on device", "x"), "disk-full"),
        (OSError(122, "Disk quota exceeded"), "disk-full"),
        (OSError(13, "Permission denied"), "error"),
        (ValueError("out of memory of words"), "error"),
    ],
)
def test_reasons(error: Exception, reason: str) -> None:
    assert explain(error)[0] == reason


def test_a_gpu_that_is_not_there(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    plan = recipe(resources={"gpus": 1})
    with pytest.raises(TrainingError, match="no CUDA device") as caught:
        train_here(make(tmp_path, plan), plan)
    assert caught.value.reason == "launch"
