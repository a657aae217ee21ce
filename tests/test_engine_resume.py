"""A training that was left and resumed is the training that was not."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_lab import ask_at, make, recipe, records, train_here

from labtui.engine import checkpoint
from labtui.errors import LabError, TrainingError

PLANS: dict[str, dict[str, Any]] = {
    "adam-cosine": {"schedule": {"name": "cosine"}, "train": {"clip_norm": 0.5}},
    "sgd-plateau": {
        "optimizer": {"name": "sgd", "momentum": 0.9, "nesterov": True, "lr": 0.05},
        "schedule": {"name": "plateau", "patience": 1, "factor": 0.5, "min_delta": 0.5},
    },
    "nadam-noam": {
        "optimizer": {"name": "nadam"},
        "schedule": {"name": "noam", "d_model": 64, "warmup": 20},
        "validate": {"every": 2, "monitor": "val.acc", "patience": 4, "min_delta": 0.01},
    },
    "half-balanced": {
        "model": {"name": "cnn2d", "hidden": [16]},
        "optimizer": {"name": "adamw", "lr": 0.01, "lr_head": 0.03},
        "schedule": {"name": "cosine"},
        "loss": {"name": "cross_entropy", "weight": "balanced", "l2": 1e-3},
        "train": {"precision": "float16", "sampler": "balanced", "clip_norm": 0.5},
    },
}
STEPS = 10
"""Optimiser steps of an epoch: 1,258 samples, 128 a step."""


@pytest.fixture(scope="module", params=PLANS)
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A recipe, and the records and result of its uninterrupted training."""
    plan = recipe(**PLANS[request.param])
    paths = make(tmp_path_factory.mktemp("whole"), plan)
    _, result = train_here(paths, plan)
    return plan, sorted(records(paths)), result, paths


@pytest.mark.parametrize("call", [1, STEPS + 4, 2 * STEPS, 3 * STEPS + 9])
def test_stopped_and_resumed_equals_uninterrupted(whole: Any, call: int, tmp_path: Path) -> None:
    plan, expected, expected_result, whole_paths = whole
    paths = make(tmp_path, plan)
    ended, _ = train_here(paths, plan, asked=ask_at(call))
    assert ended == "stop"
    assert max(step for _, step, _ in records(paths)) == call
    ended, result = train_here(paths, plan, attempt=2)
    assert ended is None
    assert sorted(records(paths)) == expected
    assert result == expected_result
    for name in ("best", "last"):
        mine = torch.load(paths.checkpoints / f"{name}.pt", weights_only=True)["model"]
        theirs = torch.load(whole_paths.checkpoints / f"{name}.pt", weights_only=True)["model"]
        assert all(torch.equal(mine[key], theirs[key]) for key in theirs)


def test_left_twice_in_one_epoch(whole: Any, tmp_path: Path) -> None:
    plan, expected, _, _ = whole
    paths = make(tmp_path, plan)
    for attempt, call in ((1, STEPS + 4), (2, 3)):
        assert train_here(paths, plan, attempt, asked=ask_at(call))[0] == "stop"
    train_here(paths, plan, attempt=3)
    assert sorted(records(paths)) == expected


def test_killed_after_a_checkpoint_within_an_epoch(
    whole: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, expected, expected_result, _ = whole
    monkeypatch.setattr(checkpoint, "RATE", 0)
    interval = plan.checkpoints.model_copy(update={"interval": 1e-9})
    often = plan.model_copy(update={"checkpoints": interval})
    paths = make(tmp_path, often)
    assert train_here(paths, often, asked=ask_at(STEPS + 4, "kill"))[0] == "kill"
    assert torch.load(paths.checkpoints / "last.pt", weights_only=True)["place"] > 0
    _, result = train_here(paths, often, attempt=2)
    assert sorted(records(paths)) == expected
    assert result == expected_result


def test_without_a_checkpoint_it_begins_anew(whole: Any, tmp_path: Path) -> None:
    plan, expected, _, _ = whole
    paths = make(tmp_path, plan)
    assert train_here(paths, plan, asked=ask_at(5, "kill"))[0] == "kill"
    assert not (paths.checkpoints / "last.pt").exists()
    train_here(paths, plan, attempt=2)
    assert sorted(records(paths)) == expected


def test_full_disk_keeps_the_checkpoint_before(tmp_path: Path) -> None:
    plan = recipe(checkpoints={"interval": 0.0})
    paths = make(tmp_path, plan)
    train_here(paths, plan, asked=ask_at(15))
    before = (paths.checkpoints / "last.pt").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The kernel refuses the file at this size, as it does on a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        with pytest.raises(TrainingError, match="free some space and resume") as caught:
            train_here(paths, plan, attempt=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.reason == "disk-full"
    assert (paths.checkpoints / "last.pt").read_bytes() == before
    assert {file.name for file in paths.checkpoints.iterdir()} == {"best.pt", "last.pt"}
    assert ("train.loss", 2 * STEPS) in {(name, step) for name, step, _ in records(paths)}
    train_here(paths, plan, attempt=3)
    fresh = make(tmp_path, plan)
    train_here(fresh, plan)
    assert sorted(records(paths)) == sorted(records(fresh))


def test_broken_checkpoint_is_named(tmp_path: Path) -> None:
    plan = recipe()
    paths = make(tmp_path, plan)
    paths.checkpoints.mkdir()
    (paths.checkpoints / "last.pt").write_bytes(b"no archive")
    with pytest.raises(LabError, match=r"last\.pt: not a readable checkpoint"):
        train_here(paths, plan, attempt=2)


def test_every_nth_epoch_and_further_bests_are_kept(tmp_path: Path) -> None:
    plan = recipe(checkpoints={"every": 2, "also_best": ["val.acc"], "interval": 0.0})
    paths = make(tmp_path, plan)
    _, result = train_here(paths, plan)
    files = {file.stem: torch.load(file, weights_only=True) for file in paths.checkpoints.iterdir()}
    assert set(files) == {"best", "best-val.acc", "epoch-00002", "epoch-00004", "last"}
    assert files["epoch-00002"]["step"] == 2 * STEPS
    accuracy = {step: value for name, step, value in records(paths) if name == "val.acc"}
    best = files["best-val.acc"]
    assert best["value"] == max(accuracy.values()) == accuracy[best["step"]]
    assert files["best"]["step"] == result["best"]["step"]


def test_only_the_newest_epochs_are_kept(tmp_path: Path) -> None:
    plan = recipe(train={"epochs": 6}, checkpoints={"every": 1, "keep": 2, "interval": 0.0})
    paths = make(tmp_path, plan)

    def kept() -> list[str]:
        return sorted(path.name for path in paths.checkpoints.glob("epoch-*"))

    assert train_here(paths, plan, asked=ask_at(4 * STEPS + 1))[0] == "stop"
    assert kept() == ["epoch-00003.pt", "epoch-00004.pt"]
    # Ahead of the training that goes on, and of the user's own making: not counted.
    for name in ("epoch-00009.pt", "epoch-mine.pt"):
        (paths.checkpoints / name).write_bytes(b"")
    train_here(paths, plan, attempt=2)
    assert kept() == ["epoch-00005.pt", "epoch-00006.pt", "epoch-00009.pt", "epoch-mine.pt"]
