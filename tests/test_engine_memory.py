"""Batches in pieces, and memory that really runs out."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from engine_lab import ask_at, make, recipe, records, result_of, train_here, worker

from labtui.files.paths import RunPaths
from labtui.recipe.core import Recipe

# The limit is the kernel's: an allocation beyond it fails as it does on a machine that is full.
HUNGRY = """
import random, resource
from pathlib import Path
import numpy as np
import sklearn.model_selection, torch, torch._dynamo, torchinfo  # what is loaded later takes room too
from torch import nn
from labtui.data import Dataset

def data(root):
    x = torch.linspace(-1, 1, 160).view(80, 2)
    return Dataset(x, 3 * x[:, 0] + 1, "regression", ["y"], transform=noisy)

def noisy(x, generator):
    return x if generator is None else x + torch.randn(x.shape, generator=generator) / 100

class Hungry(nn.Module):
    def __init__(self, width, norm, spare_eval):
        super().__init__()
        self.first = nn.Linear(2, 8)
        self.norm = nn.BatchNorm1d(8) if norm else nn.Identity()
        self.scale = nn.Parameter(torch.linspace(0.5, 1.5, width))
        self.last = nn.Sequential(nn.Dropout(0.2), nn.Linear(8, 1))
        self.spare_eval = spare_eval

    def forward(self, x):
        x = self.norm(self.first(x))
        if self.training:
            x = x * (1 + random.random() + np.random.rand()) / 2
        scale = self.scale[:8] if self.spare_eval and not self.training else self.scale
        return self.last((x[:, :, None] * scale).tanh().mean(2))

def model(shape, outputs, width=1000, norm=True, spare_eval=True):
    if Path("limit").exists():
        now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        top = now + int(Path("limit").read_text()) * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (top, top))
    return Hungry(width, norm, spare_eval)
"""


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is freed goes back to the kernel at once: glibc would keep some of it, now more, now less."""
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", "131072")
    monkeypatch.setenv("MALLOC_ARENA_MAX", "1")


def hungry(root: Path, limit: int | None, train: dict[str, Any], **model: Any) -> tuple[RunPaths, Recipe]:
    """A run whose model may take so many MiB more than what is taken when it is built."""
    (root / "hungry.py").write_text(HUNGRY)
    (root / "limit").unlink(missing_ok=True)
    if limit:
        (root / "limit").write_text(str(limit))
    plan = Recipe.model_validate(
        {
            "name": "hungry",
            "data": {"factory": "hungry:data"},
            "model": {"factory": "hungry:model"} | model,
            "loss": {"name": "mse"},
            "train": {"epochs": 2, "batch_size": 32, "clip_norm": 0.1} | train,
            "resources": {"gpus": 0, "threads": 1},
        }
    )
    return make(root, plan), plan


def test_pieces_give_the_gradient_of_the_whole(tmp_path: Path) -> None:
    # 1,258 samples in batches of 128: the last one has 106, which 4 does not divide.
    found = []
    for accumulate in (1, 4, 128):
        plan = recipe(
            model={"dropout": 0.0},
            train={"accumulate": accumulate, "clip_norm": 0.5, "epochs": 2},
            optimizer={"name": "sgd", "lr": 0.1},
        )
        paths = make(tmp_path, plan)
        _, result = train_here(paths, plan)
        assert result["facts"]["accumulate"] == accumulate
        found.append(records(paths))
    names = [[(name, step) for name, step, _ in one] for one in found]
    assert names[0] == names[1] == names[2] and "train.grad_norm" in dict(names[0])
    whole, *others = ([value for _, _, value in one] for one in found)
    for pieces in others:
        assert pieces == pytest.approx(whole, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("spare_eval", [True, False], ids=["in training", "in validation"])
def test_when_memory_runs_out_the_step_is_done_in_smaller_pieces(tmp_path: Path, spare_eval: bool) -> None:
    model = {"width": 200_000, "spare_eval": spare_eval}
    # 6 MB a sample and tensor: 8 samples of the batch do not fit, 4 do, each by a fifth or more, so that
    # it is found out in the first step. BatchNorm would see other pieces from there on.
    paths, plan = hungry(tmp_path, 125, {"on_oom": "halve"}, **model)
    assert worker(paths).wait(120) == 0, paths.log.read_text()
    count = result_of(paths)["facts"]["accumulate"]
    assert count == 8
    log = paths.log.read_text().splitlines()
    assert len(log) == 3
    assert "going on with train.accumulate = 2, pieces of 16 of 32 samples" in log[0]
    last = torch.load(paths.checkpoints / "last.pt", weights_only=True)
    assert last["accumulate"] == count

    same, _ = hungry(tmp_path, None, {"accumulate": count}, **model)
    assert worker(same).wait(120) == 0, same.log.read_text()
    # The untrained model was scored in larger batches here, which shows in the last digits.
    mine, theirs = ([r for r in records(p) if r[1] or r[0][:4] != "val."] for p in (paths, same))
    assert mine == theirs
    others = torch.load(same.checkpoints / "last.pt", weights_only=True)
    for name, value in others["model"].items():
        assert torch.equal(last["model"][name], value), name

    _, result = train_here(paths, plan, attempt=2)
    assert result["facts"]["accumulate"] == count


def test_memory_that_does_not_do_for_the_smallest_piece(tmp_path: Path) -> None:
    paths, _ = hungry(tmp_path, 100, {"on_oom": "halve", "batch_size": 12}, width=1_600_000, norm=False)
    assert worker(paths).wait(120) == 1
    result = result_of(paths)
    assert result["reason"] == "oom"
    assert "train.batch_size = 12 in 12 pieces of 1:" in result["message"]
    assert "train.accumulate = 8, pieces of 2 of 12" in paths.log.read_text()


def test_out_of_memory_says_what_helps(tmp_path: Path) -> None:
    paths, _ = hungry(tmp_path, 200, {}, width=200_000)
    assert worker(paths).wait(120) == 1
    result = result_of(paths)
    assert result["reason"] == "oom"
    assert 'train.batch_size = 32: set train.on_oom = "halve" or train.accumulate = 2' in result["message"]
    assert "hungry.py" in result["traceback"]


@pytest.mark.parametrize("call", [2, 4])
def test_every_random_generator_survives_a_resume(tmp_path: Path, call: int) -> None:
    whole, plan = hungry(tmp_path, None, {"epochs": 3})
    train_here(whole, plan)
    parted = make(tmp_path, plan)
    assert train_here(parted, plan, asked=ask_at(call))[0] == "stop"
    random.seed(1)
    np.random.seed(1)
    train_here(parted, plan, attempt=2)
    assert sorted(records(parted)) == sorted(records(whole))
