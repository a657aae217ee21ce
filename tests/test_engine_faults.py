"""What goes wrong in a training or before it, each provoked in a real worker, and what the run says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import Cli
from engine_lab import ROOT, make, recipe, records, result_of, train_here, worker

from labtui.files import rundir
from labtui.files.paths import RunPaths
from labtui.recipe.core import Recipe

PARTS = """
import os, sys
import torch
from torch import nn
from labtui.data import Dataset

def data(root):
    x = torch.linspace(-1, 1, 80)[:, None]
    return Dataset(x, 3 * x[:, 0] + 1, "regression", ["y"])

class Fragile(nn.Module):
    def __init__(self, breaks):
        super().__init__()
        self.line, self.breaks, self.calls = nn.Linear(1, 1), breaks, 0
        self.odd = nn.Parameter(torch.tensor(0.0 if breaks == "weight" else 1.0))

    def forward(self, x):
        self.calls += self.training
        x = self.line(x)
        if self.breaks == "train" and self.training and self.calls > 6:
            x = x * float("nan")
        if self.breaks == "val" and not self.training and self.calls > 6:
            x = x * float("inf")
        if self.breaks == "weight" and self.calls == 6:
            # The root of 0 has a value and no slope: the loss is sound, the gradient is lost.
            x = x + 0 * self.odd.abs().sqrt()
        return x

def fragile(shape, outputs, breaks):
    return Fragile(breaks)

def model(shape, outputs):
    return nn.Linear(1, 1)

def raises(shape, outputs):
    raise ValueError("there is no such backbone")

def nothing(shape, outputs):
    return "a model, honestly"

def leaves(shape, outputs):
    sys.exit("I have seen enough")

def vanishes(shape, outputs):
    print("about to vanish", flush=True)
    os._exit(7)
"""


def own(root: Path, factory: str, code: str = PARTS, **tables: Any) -> RunPaths:
    """A queued run with parts from the module `parts` in the lab."""
    (root / "parts.py").write_text(code)
    (root / "data_parts.py").write_text(PARTS)
    plan = {
        "name": "own",
        "data": {"factory": "data_parts:data"},
        "model": {"factory": factory} | tables.pop("model", {}),
        "loss": {"name": "mse"},
        "train": {"epochs": 5, "batch_size": 16},
        "checkpoints": {"interval": 0.0},
        "resources": {"gpus": 0, "threads": 1},
    }
    return make(root, Recipe.model_validate(plan | tables))


def overview(lab: Path, paths: RunPaths) -> str:
    """The text of the run's overview in the terminal application."""
    from labtui.query import open_lab
    from labtui.tui.detail import Detail
    from labtui.tui.panes import overview_rows

    run = open_lab(lab).run(paths.id)
    status = run.status()
    detail = Detail(run.id, run.row.fields, status.message, dict(status.result), {}, run.log_tail())
    return "\n".join("".join(text for text, _ in row) for row in overview_rows(detail, 0.0))


@pytest.mark.parametrize(
    ("breaks", "message"),
    [
        ("train", "the loss became nan in step 7 (epoch 2)"),
        ("val", "the loss became inf in step 8 (epoch 2)"),
        ("weight", "a weight became nan in step 8 (epoch 2)"),
    ],
)
def test_what_is_no_number_ends_the_run(tmp_path: Path, breaks: str, message: str) -> None:
    paths = own(tmp_path, "parts:fragile", model={"breaks": breaks})  # 4 steps an epoch
    assert worker(paths).wait(60) == 1
    result = result_of(paths)
    assert (result["outcome"], result["reason"]) == ("failed", "nan")
    assert message in result["message"]
    for path in paths.checkpoints.iterdir():
        state = torch.load(path, weights_only=True)
        assert state["step"] < 7 and all(w.isfinite().all() for w in state["model"].values()), path
    assert {"best.pt", "last.pt"} <= {path.name for path in paths.checkpoints.iterdir()}


@pytest.mark.parametrize(
    ("factory", "code", "message", "line"),
    [
        ("no_such_parts:model", PARTS, "cannot import 'no_such_parts'", "ModuleNotFoundError: No module"),
        ("parts:model", "def model(:\n", "SyntaxError: invalid syntax (parts.py, line 1)", "def model(:"),
        ("parts:model", "import missing_library", "ModuleNotFoundError: No module named", "parts.py"),
        ("parts:model", "raise SystemExit(0)", "cannot import 'parts'", "SystemExit: 0"),
        ("parts:raises", PARTS, "ValueError: there is no such backbone", "in raises"),
        ("parts:nothing", PARTS, "returned a str, expected a torch.nn.Module", "expected a torch.nn.Module"),
        ("parts:leaves", PARTS, "called sys.exit('I have seen enough')", "in leaves"),
    ],
    ids=["no module", "no syntax", "no library", "module exits", "raises", "no model", "exits"],
)
def test_a_part_that_cannot_be_built(
    lab: Path, cli: Cli, factory: str, code: str, message: str, line: str
) -> None:
    paths = own(lab, factory, code)
    assert worker(paths).wait(60) == 1
    result = result_of(paths)
    assert (result["outcome"], result["reason"]) == ("failed", "error")
    assert message in result["message"]
    status, out, _ = cli("show", paths.id)
    for shown in (out, overview(lab, paths)):
        assert status == 0 and message[:40] in shown and line in shown


def test_a_worker_that_vanishes_leaves_its_last_words(lab: Path, cli: Cli) -> None:
    paths = own(lab, "parts:vanishes")
    assert worker(paths).wait(60) == 7
    _, out, _ = cli("show", paths.id)
    for shown in (out, overview(lab, paths)):
        assert "lost" in shown and "about to vanish" in shown


def test_a_library_that_is_broken(lab: Path, cli: Cli, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    (broken / "torch").mkdir(parents=True)
    (broken / "torch" / "__init__.py").write_text("raise OSError('libtorch_cpu.so: not an ELF file')")
    paths = make(lab, recipe())
    command = [sys.executable, "-P", "-m", "labtui.engine", str(paths.root), "1"]
    environment = os.environ | {"PYTHONPATH": f"{broken}:{ROOT}"}
    assert subprocess.run(command, cwd=lab, env=environment, check=False, capture_output=True).returncode == 1
    result = result_of(paths)
    assert result["reason"] == "launch"
    assert "libtorch_cpu.so: not an ELF file" in result["message"] and sys.executable in result["message"]
    for shown in (cli("show", paths.id)[1], overview(lab, paths)):
        assert "libtorch_cpu.so: not an ELF file" in shown


def test_weights_of_another_run(lab: Path, cli: Cli) -> None:
    """What the launcher resolved is used, and told in the facts."""
    first = recipe(train={"epochs": 2})
    source = make(lab, first)
    train_here(source, first)
    scores = {(name, step): value for name, step, value in records(source)}
    best = torch.load(source.checkpoints / "best.pt", weights_only=True)
    plan = recipe(model={"path": "@best:val.loss"}, train={"epochs": 1})
    paths = make(lab, plan)
    paths.claim(1).unlink()
    rundir.claim(paths, 1, references={"model.path": source.id})
    assert worker(paths).wait(60) == 0, paths.log.read_text()
    begun = next(value for name, step, value in records(paths) if (name, step) == ("val.loss", 0))
    assert begun == pytest.approx(scores["val.loss", best["step"]])
    assert result_of(paths)["facts"]["references"] == {"model.path": source.id}
    assert source.id in cli("show", paths.id)[1] and source.id in overview(lab, paths)


def test_a_command_sees_what_was_resolved(tmp_path: Path) -> None:
    tables = {"format": 1, "name": "own", "params": {"from": "@last"}, "command": ["echo", "{params.from}"]}
    paths = make(tmp_path, tables)
    paths.claim(1).unlink()
    rundir.claim(paths, 1, references={"params.from": "the-run"})
    assert worker(paths).wait(30) == 0
    assert paths.log.read_text() == "the-run\n"
    assert result_of(paths)["facts"] == {"references": {"params.from": "the-run"}}


@pytest.mark.parametrize("wrapped", [False, True], ids=["a training", "a command"])
def test_the_heartbeat_is_as_fast_as_a_hang_is_short(tmp_path: Path, wrapped: bool) -> None:
    resources = {"gpus": 0, "threads": 1, "hang_timeout": 0.4}
    if wrapped:
        code = "import labtui, time\nrun = labtui.init()\nfor i in range(300): run.log({'x': 1.0}, i); time.sleep(.01)"
        command = [sys.executable, "-c", code]
        paths = make(tmp_path, {"format": 1, "name": "own", "command": command, "resources": resources})
    else:
        paths = make(tmp_path, recipe(resources=resources, train={"epochs": 60}))
    process = worker(paths)
    steps = set()
    while process.poll() is None:
        if paths.heartbeat.exists() and (text := paths.heartbeat.read_text()):  # empty while it is made
            steps.add(int(text))
    assert process.returncode == 0, paths.log.read_text()
    assert len(steps) > 5
    assert json.loads(paths.environment.read_text())["versions"]
