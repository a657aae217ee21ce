"""Trainings that are done as one: equal to those done alone, each with its own numbers, end and files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from engine_lab import ROOT, ask_at, make, not_of_machine, recipe, records, result_of, train_here, until
from torch import Tensor, nn

from labtui.engine import optim
from labtui.engine.attempt import Asked, Terminated
from labtui.engine.together import worker
from labtui.engine.together.apart import why_not
from labtui.engine.together.optimizers import ROWS
from labtui.files import rundir, toml
from labtui.files.paths import RunPaths
from labtui.recipe.core import Recipe

SMALL: dict[str, Any] = {
    "data": {"shift": 0},
    "train": {"epochs": 2, "batch_size": 256},
    "model": {"channels": 2, "hidden": 8, "dropout": 0.3},
}


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow this machine is, everything is looked at."""
    monkeypatch.setattr("labtui.engine.budget.FREE", 1.9)


def cell(**tables: Any) -> Recipe:
    """A tiny digits recipe, with the given tables' keys over its own."""
    return recipe(**{name: SMALL.get(name, {}) | tables.get(name, {}) for name in {*SMALL, *tables}})


def attempts(all_: Sequence[RunPaths], attempt: int = 1) -> list[worker.Attempt]:
    terminated = cast(Terminated, SimpleNamespace(when=0.0))
    return [worker.Attempt(paths, attempt, Asked(terminated)) for paths in all_]


def together(all_: Sequence[RunPaths], attempt: int = 1, traced: bool | None = None) -> int:
    """Train runs together in this process; the exit status."""
    found = attempts(all_, attempt)
    worker.prepare(found)
    decision = worker.decide(found, None)
    assert decision.group is not None, decision.why
    decision.group[0].traced = decision.group[0].traced if traced is None else traced
    return worker.train(found, decision.group)


def both(root: Path, cells: Sequence[Recipe]) -> list[tuple[RunPaths, RunPaths]]:
    """Each recipe trained with the others, and alone."""
    joint = [make(root, one) for one in cells]
    assert together(joint) == 0
    alone = [make(root, one) for one in cells]
    for paths, one in zip(alone, cells, strict=True):
        train_here(paths, one)
    return list(zip(joint, alone, strict=True))


def same(joint: RunPaths, alone: RunPaths, tolerance: float = 2e-5) -> None:
    """Two runs cannot be told apart but by the last digits."""
    ours, theirs = records(joint), records(alone)
    assert [row[:2] for row in ours] == [row[:2] for row in theirs]
    values = [np.array([row[2] for row in rows]) for rows in (ours, theirs)]
    np.testing.assert_allclose(*values, rtol=tolerance, atol=tolerance)
    mine, other = result_of(joint), result_of(alone)
    for key in ("best", "last", "facts"):
        near(mine[key], other[key], tolerance)
    files = [sorted(path.name for path in (paths.checkpoints).iterdir()) for paths in (joint, alone)]
    assert files[0] == files[1]
    for name in files[0]:
        states = [torch.load(paths.checkpoints / name) for paths in (joint, alone)]
        states = [{key: state[key] for key in state if key != "tally"} for state in states]
        near(states[0], states[1], tolerance)
    artifacts = [sorted(path.name for path in paths.artifacts.iterdir()) for paths in (joint, alone)]
    assert artifacts[0] == artifacts[1]


def near(ours: Any, theirs: Any, tolerance: float, where: str = "") -> None:
    """Two trees of numbers, tensors and words are alike."""
    if isinstance(ours, dict):
        keys, others = ({key for key in one if not_of_machine(str(key))} for one in (ours, theirs))
        assert keys == others, where
        for key in keys:
            near(ours[key], theirs[key], tolerance, f"{where}.{key}")
    elif isinstance(ours, list | tuple):
        assert len(ours) == len(theirs), where
        for place, pair in enumerate(zip(ours, theirs, strict=True)):
            near(*pair, tolerance, f"{where}[{place}]")
    elif isinstance(ours, Tensor):
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape), where
        torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance, msg=where)
    elif isinstance(ours, float):
        assert ours == pytest.approx(theirs, rel=tolerance, abs=tolerance, nan_ok=True), where
    else:
        assert ours == theirs, where


def test_runs_with_numbers_of_their_own_are_as_they_are_alone(tmp_path: Path) -> None:
    cells = [
        cell(optimizer={"name": "adam", "lr": 1e-2}, schedule={"name": "cosine"}),
        cell(
            optimizer={"name": "adam", "lr": 3e-3, "betas": [0.8, 0.99], "weight_decay": 1e-3},
            train={"seed": 1, "clip_norm": 0.3, "epochs": 3, "log_every": 2},
            model={"dropout": 0.1},
            checkpoints={"every": 1, "also_best": ["val.acc"]},
        ),
        cell(
            train={"seed": 2, "clip_value": 0.01},
            validate={"monitor": "val.acc", "val": 0.1, "every": 2},
            schedule={"name": "plateau", "patience": 0, "min_delta": 10.0},
        ),
    ]
    for joint, alone in both(tmp_path, cells):
        same(joint, alone)


def test_folds_of_unequal_size_and_augmentation(tmp_path: Path) -> None:
    folds = [
        cell(
            data={"shift": 2},
            train={"batch_size": 100},
            validate={"scheme": "kfold", "folds": 4, "fold": fold, "test": 0.05, "val": 0},
        )
        for fold in range(4)
    ]
    pairs = both(tmp_path, folds)
    sizes = {result_of(joint)["facts"]["train"] for joint, _ in pairs}
    assert len(sizes) > 1
    for joint, alone in pairs:
        same(joint, alone)


@pytest.mark.parametrize("name", list(ROWS))
def test_optimisers_are_those_of_torch(name: str) -> None:
    free: dict[str, dict[str, list[Any]]] = {
        "sgd": {"momentum": [0.0, 0.9, 0.5], "dampening": [0.3, 0.1, 0.0]},
        "adam": {"betas": [(0.9, 0.999), (0.5, 0.9), (0.8, 0.99)], "eps": [1e-8, 1e-3, 1e-5]},
        "nadam": {"momentum_decay": [4e-3, 0.0, 0.1]},
        "adagrad": {"lr_decay": [0.0, 0.1, 0.5], "initial_accumulator_value": [0.0, 0.1, 1.0]},
        "adadelta": {"rho": [0.9, 0.5, 0.99], "eps": [1e-6, 1e-4, 1e-2]},
        "rmsprop": {"alpha": [0.99, 0.9, 0.5], "momentum": [0.9, 0.0, 0.5]},
    }
    free["adamw"] = free["adam"]
    numbers = free[name] | {"lr": [1e-2, 1e-1, 3e-3], "weight_decay": [0.0, 0.1, 1e-3]}
    switches: dict[str, list[dict[str, Any]]] = {"rmsprop": [{}, {"centered": True}]}
    switches["adam"] = switches["adamw"] = [{}, {"amsgrad": True}]
    for switch in switches.get(name, [{}]):
        cells = [
            recipe(optimizer={"name": name, **switch, **{key: values[k] for key, values in numbers.items()}})
            for k in range(3)
        ]
        rows(cells)
    if name == "sgd":
        rows([recipe(optimizer={"name": "sgd", "nesterov": True, "momentum": m}) for m in (0.9, 0.5, 0.1)])


def rows(cells: Sequence[Recipe]) -> None:
    """Twenty steps of rows and of torch.optim end alike."""
    specs: list[Any] = [one.optimizer for one in cells]
    draw = torch.Generator().manual_seed(0)
    models = [nn.Linear(3, 2) for _ in cells]
    alone = [optim.build(spec, model) for spec, model in zip(specs, models, strict=True)]

    def flat(weights: Sequence[Tensor]) -> Tensor:
        return torch.cat([weight.detach().flatten() for weight in weights])

    weights = torch.stack([flat(list(model.parameters())) for model in models])
    ours = ROWS[specs[0].name](specs, weights)
    rates = np.array([[spec.lr / (1 + step) for spec in specs] for step in range(20)])
    for numbers, rate in zip(ours.plan(rates), rates, strict=True):
        gradient = torch.randn(weights.shape, generator=draw)
        for row, (model, optimizer) in enumerate(zip(models, alone, strict=True)):
            model.weight.grad, model.bias.grad = (
                gradient[row, :6].view(2, 3).clone(),
                gradient[row, 6:].clone(),
            )
            optim.set_lr(optimizer, rate[row])
            optimizer.step()
        ours.step(weights, gradient, numbers)
    theirs = torch.stack([flat(list(model.parameters())) for model in models])
    torch.testing.assert_close(weights, theirs, rtol=1e-5, atol=1e-6)


def test_one_loses_patience_and_one_its_loss_and_the_others_go_on(tmp_path: Path) -> None:
    cells = [
        cell(train={"epochs": 4}),
        cell(train={"epochs": 4}, validate={"patience": 1, "min_delta": 10.0}),
        cell(train={"epochs": 4, "seed": 3}, optimizer={"name": "adam", "lr": 1e30}),
        cell(train={"epochs": 4, "seed": 4}),
    ]
    joint = [make(tmp_path, one) for one in cells]
    assert together(joint) == 1
    lost = result_of(joint[2])
    assert (lost["outcome"], lost["reason"]) == ("failed", "nan")
    assert "in step" in lost["message"]
    for number in (0, 1, 3):
        alone = make(tmp_path, cells[number])
        train_here(alone, cells[number])
        same(joint[number], alone)
    assert result_of(joint[1])["facts"]["last_epoch"]["epoch"] == 1


def test_a_run_stopped_with_others_goes_on_alone_and_with_others(tmp_path: Path) -> None:
    cells = [cell(train={"epochs": 3, "seed": seed, "batch_size": 50}) for seed in range(3)]
    joint = [make(tmp_path, one) for one in cells]
    found = attempts(joint)
    worker.prepare(found)
    decision = worker.decide(found, None)
    assert decision.group
    decision.group[1].inputs = asking(decision.group[1].inputs, joint[:2], 40)  # type: ignore[method-assign]
    assert worker.train(found, decision.group) == 0
    assert [result_of(paths)["outcome"] for paths in joint] == ["stopped", "stopped", "finished"]
    whole = make(tmp_path, cells[2])
    train_here(whole, cells[2])
    same(joint[2], whole)
    assert torch.load(joint[0].checkpoints / "last.pt")["place"] > 0
    train_here(joint[0], cells[0], attempt=2)
    again(joint[1], 2)
    late = make(tmp_path, cells[2])
    train_here(late, cells[2], asked=ask_at(3))
    again(late, 2)
    assert together([joint[1], late], attempt=2) == 0
    same(late, whole)
    for paths, one in zip(joint[:2], cells, strict=False):
        whole = make(tmp_path, one)
        train_here(whole, one)
        same(paths, whole)


def again(paths: RunPaths, attempt: int) -> None:
    """Ask for another attempt, and claim it."""
    paths.queue.write_text(json.dumps(rundir.request(paths.root, attempt)))
    rundir.claim(paths, attempt)


def asking(inputs: Any, whom: Sequence[RunPaths], call: int) -> Any:
    """The same function, which asks runs to stop at the given call."""
    calls = iter(range(1, 10**9))

    def wrapped(*arguments: Any) -> Any:
        if next(calls) == call:
            for paths in whom:
                paths.control.write_text(json.dumps({"attempt": 1, "action": "stop"}))
            time.sleep(0.3)  # it is looked for every so often
        return inputs(*arguments)

    return wrapped


OWN = """
import torch
from torch import nn
from labtui.data import Dataset

def data(root, rows=60):
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(rows, 4, generator=draw)
    return Dataset(x, x @ torch.tensor([1.0, -1, 2, 0]) + 1, "regression", ["y"])

def noisy(root):
    found = data(root)
    found.transform = lambda x, generator: x if generator is None else x + torch.rand_like(x)
    return found

def uneven(root):
    return data(root, 62)

def line(shape, outputs, gain=1.0):
    return nn.Sequential(nn.Linear(*shape, 8), nn.Tanh(), nn.Linear(8, outputs))

class Choosy(nn.Module):
    def __init__(self, gain):
        super().__init__()
        self.line, self.gain, self.last = nn.Linear(4, 1), gain, torch.zeros(1)

    def forward(self, x):
        return self.line(x) * self.gain

def gains(shape, outputs, gain=1.0):
    return Choosy(gain)

class Counting(Choosy):
    def __init__(self, gain):
        super().__init__(gain)
        self.register_buffer("batches", torch.zeros(()))

    def forward(self, x):
        if self.training:
            self.batches += 1
        return super().forward(x)

def counting(shape, outputs):
    return Counting(1.0)

class Branching(Choosy):
    def forward(self, x):
        return super().forward(x) if self.line.weight.sum() > 0 else -super().forward(x)

def branching(shape, outputs):
    return Branching(1.0)

def recurrent(shape, outputs):
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell, self.head = nn.GRU(1, 4, batch_first=True), nn.Linear(4, 1)

        def forward(self, x):
            return self.head(self.cell(x[..., None])[0][:, -1])

    return Last()

def normed(shape, outputs):
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))
"""


def own(root: Path, factory: str, data: str = "parts:data", count: int = 2, **tables: Any) -> list[RunPaths]:
    """Runs of parts of the user's own, which differ in the learning rate."""
    (root / "parts.py").write_text(OWN)
    plan = {
        "name": "own",
        "data": {"factory": data},
        "model": {"factory": f"parts:{factory}"},
        "loss": {"name": "mse"},
        "train": {"epochs": 2, "batch_size": 16},
        "resources": {"gpus": 0, "threads": 1},
    } | tables
    sgd = [{"name": "sgd", "lr": 0.01 * (number + 1)} for number in range(count)]
    return [make(root, Recipe.model_validate(plan | {"optimizer": one})) for one in sgd]


def test_models_of_the_users_own(tmp_path: Path) -> None:
    joint, alone = own(tmp_path, "line"), own(tmp_path, "line")
    assert together(joint) == 0
    for one, other in zip(joint, alone, strict=True):
        train_here(other, Recipe.model_validate(tables(other)))
        same(one, other)


@pytest.mark.parametrize("traced", [False, True])
def test_batch_normalisation_has_averages_for_each_and_no_padding(tmp_path: Path, traced: bool) -> None:
    folds = {"train": {"epochs": 3, "batch_size": 16}}
    joint, alone = [], []
    for fold in range(4):
        split = {"validate": {"scheme": "kfold", "folds": 4, "fold": fold}}
        for where in (joint, alone):
            where += own(tmp_path, "normed", "parts:uneven", 1, **folds, **split)
    assert together(joint, traced=traced) == 0
    assert len({result_of(one)["facts"]["train"] for one in joint}) == 2
    for one, other in zip(joint, alone, strict=True):
        train_here(other, Recipe.model_validate(tables(other)))
        same(one, other)


def tables(paths: RunPaths) -> dict[str, Any]:
    found: dict[str, Any] = toml.read(paths.recipe)
    return found


@pytest.mark.parametrize(
    ("factory", "data", "why"),
    [
        ("counting", "parts:data", "keeps something of each batch"),
        ("branching", "parts:data", "the model cannot be stacked (vmap:"),
        ("recurrent", "parts:data", "GRU computes with one set of weights"),
        ("line", "parts:noisy", "draws from generators that all"),
    ],
)
def test_what_cannot_be_stacked_says_why(tmp_path: Path, factory: str, data: str, why: str) -> None:
    found = attempts(own(tmp_path, factory, data))
    worker.prepare(found)
    decision = worker.decide(found, None)
    assert decision.group is None
    assert why in decision.why


def process(root: Path, all_: Sequence[RunPaths], *options: str | Path) -> subprocess.Popen[bytes]:
    """The worker of several runs, as the supervisor starts it."""
    words = [word for paths in all_ for word in (os.fspath(paths.root), "1")]
    return subprocess.Popen(
        [sys.executable, "-P", "-W", "error", "-m", "labtui.engine", "--together", *options, *words],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


def test_sigterm_stops_all_and_keeps_their_checkpoints(tmp_path: Path) -> None:
    cells = [cell(train={"epochs": 10_000, "seed": seed}, checkpoints={"interval": 1e6}) for seed in range(3)]
    joint = [make(tmp_path, one) for one in cells]
    worker = process(tmp_path, joint)
    until(lambda: all(paths.metrics.exists() and paths.metrics.stat().st_size > 3_000 for paths in joint))
    records_of = [json.loads(paths.process.read_text()) for paths in joint]
    assert {one["pid"] for one in records_of} == {worker.pid}
    until(lambda: all(paths.heartbeat.exists() for paths in joint))
    joint[1].control.write_text(json.dumps({"attempt": 1, "action": "stop"}))
    until(joint[1].result.exists)
    assert not joint[0].result.exists()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0
    assert [result_of(paths)["outcome"] for paths in joint] == ["stopped"] * 3
    steps = [torch.load(paths.checkpoints / "last.pt")["step"] for paths in joint]
    assert 0 < steps[1] < min(steps[0], steps[2])
    until(lambda: all(paths.environment.exists() for paths in joint))


def test_the_decision_is_written_and_followed_and_no_run_knows_of_a_no(tmp_path: Path) -> None:
    joint, decision = (
        [make(tmp_path, cell(train={"seed": seed})) for seed in range(2)],
        tmp_path / "stack.json",
    )
    unlike = make(tmp_path, cell(train={"batch_size": 10}))
    assert process(tmp_path, [*joint, unlike], "--decision", decision, "--slots", "2").wait(60) == 3
    said = json.loads(decision.read_text())
    assert said == {"together": False, "why": "they differ in train.batch_size", "ratio": 0.0}
    assert process(tmp_path, joint, "--decision", decision).wait(60) == 3
    for paths in (*joint, unlike):
        assert not paths.process.exists() and not paths.metrics.exists()
    decision.write_text(json.dumps({"together": True}))
    assert process(tmp_path, joint, "--decision", decision).wait(60) == 0
    assert [result_of(paths)["outcome"] for paths in joint] == ["finished"] * 2
    assert json.loads(decision.read_text()) == {"together": True}


def test_a_run_that_cannot_begin_fails_and_the_others_do_not(tmp_path: Path) -> None:
    joint = [make(tmp_path, cell(train={"seed": seed})) for seed in range(2)]
    wrong = make(tmp_path, cell(validate={"monitor": "val.nothing"}))
    taken = make(tmp_path, cell(train={"seed": 5}))
    taken.queue.unlink()
    assert together([joint[0], wrong, taken, joint[1]]) == 1
    assert [result_of(paths)["outcome"] for paths in joint] == ["finished"] * 2
    assert "val.nothing" in result_of(wrong)["message"]
    assert not taken.result.exists()
    alone = make(tmp_path, cell(train={"seed": 1}))
    train_here(alone, cell(train={"seed": 1}))
    same(joint[1], alone)


@pytest.mark.parametrize(
    ("tables", "why"),
    [
        ({"train": {"batch_size": 8}}, "they differ in train.batch_size"),
        ({"model": {"hidden": 9}}, "they differ in model.hidden"),
        ({"optimizer": {"name": "sgd"}}, "they differ in optimizer.name"),
        ({"train": {"precision": "bfloat16"}}, "train.precision = 'bfloat16' is for one training alone"),
        ({"train": {"accumulate": 2}}, "batches are cut into pieces"),
        ({"checkpoints": {"teacher": True}}, "each of them is a teacher"),
        ({"resources": {"processes": 2, "gpus": None}}, "each of them is trained by several processes"),
        ({"loss": {"name": "batch_hard_triplet"}}, "'batch_hard_triplet' is more than"),
    ],
)
def test_recipes_say_why_not(tables: dict[str, Any], why: str) -> None:
    assert why in str(why_not([cell(), cell(**tables)]))
    numbers = cell(train={"seed": 1, "epochs": 9}, optimizer={"lr": 0.1}, model={"dropout": 0.0})
    assert why_not([cell(), numbers, cell(schedule={"name": "noam", "d_model": 8})]) is None


def test_a_transformer_with_dropout_draws_the_masks_that_it_would_alone(tmp_path: Path) -> None:
    tables = {
        "name": "transformer",
        "data": {"name": "digits", "shift": 0},
        "model": {"factory": "sequences:transformer", "dropout": 0.2},
        "optimizer": {"name": "sgd", "lr": 0.05, "momentum": 0.9},
        "train": {"epochs": 2, "batch_size": 400},
        "resources": {"gpus": 0, "threads": 1},
    }
    (tmp_path / "sequences.py").write_text(
        "from torch import nn\n"
        "from labtui.zoo.transformer import TransformerCls\n"
        "def transformer(shape, outputs, dropout):\n"
        "    sizes = dict(d_model=8, nhead=2, d_hid=8, nlayers=1, dropout=dropout, max_len=9)\n"
        "    return nn.Sequential(nn.Flatten(1, 2), TransformerCls(shape[1:], outputs, **sizes))\n"
    )
    cells = [
        Recipe.model_validate(
            tables
            | {
                "validate": {"scheme": "kfold", "folds": 4, "fold": fold},
                "train": {"epochs": 2, "batch_size": 400, "seed": fold},
            }
        )
        for fold in range(4)
    ]
    pairs = both(tmp_path, cells)
    assert len({result_of(joint)["facts"]["train"] for joint, _ in pairs}) == 2
    for joint, alone in pairs:
        same(joint, alone)


def test_what_else_a_loss_and_an_optimiser_have(tmp_path: Path) -> None:
    heads: dict[str, Any] = {"model": {"factory": "heads:headed"}, "loss": {"name": "mse", "l2": 1e-2}}
    text = OWN + (
        "\ndef headed(shape, outputs):\n"
        "    found = nn.Sequential()\n"
        "    found.add_module('body', nn.Linear(4, 8))\n"
        "    found.add_module('head', nn.Linear(8, 1))\n"
        "    return found\n"
    )
    (tmp_path / "heads.py").write_text(text)
    plan = {"name": "own", "data": {"factory": "heads:data"}, "resources": {"gpus": 0, "threads": 1}} | heads
    cells = [
        Recipe.model_validate(
            plan
            | {
                "optimizer": {"name": "adamw", "lr": lr, "lr_head": head},
                "train": {"epochs": 2, "batch_size": 16},
            }
        )
        for lr, head in ((1e-3, 1e-2), (1e-2, 1e-3))
    ]
    for joint, alone in both(tmp_path, cells):
        same(joint, alone)
    weighted = [
        cell(
            loss={"name": "cross_entropy", "weight": "balanced", "label_smoothing": 0.1}, train={"seed": seed}
        )
        for seed in range(2)
    ]
    for joint, alone in both(tmp_path, weighted):
        same(joint, alone)


def test_what_goes_wrong_in_a_step_is_said_of_all(tmp_path: Path) -> None:
    joint = [make(tmp_path, cell(train={"seed": seed})) for seed in range(2)]
    found = attempts(joint)
    worker.prepare(found)
    decision = worker.decide(found, None)
    assert decision.group

    def out_of_memory(*_: Any) -> Any:
        raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")

    decision.group[0].step = out_of_memory  # type: ignore[method-assign]
    assert worker.train(found, decision.group) == 1
    assert [result_of(paths)["reason"] for paths in joint] == ["oom", "oom"]


def test_those_that_end_early_leave_their_row_and_the_masks_go_on(tmp_path: Path) -> None:
    cells = [
        cell(train={"epochs": 1, "seed": 0}, model={"dropout": 0.5}),
        cell(train={"epochs": 3, "seed": 1}, model={"dropout": 0.0}),
        cell(train={"epochs": 2, "seed": 2}, model={"dropout": 0.2}),
    ]
    for joint, alone in both(tmp_path, cells):
        same(joint, alone)


def test_a_plateau_and_a_head_start_are_each_ones_own(tmp_path: Path) -> None:
    cells = [
        cell(
            train={"epochs": 4, "seed": seed},
            schedule={"name": "plateau", "patience": patience, "min_delta": 10.0, "warmup_epochs": seed},
        )
        for seed, patience in enumerate((0, 1))
    ]
    for joint, alone in both(tmp_path, cells):
        same(joint, alone)
        assert len({value for name, _, value in records(joint) if name == "train.lr"}) > 1
