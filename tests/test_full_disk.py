"""A disk that is really full, in the middle of the work."""

from __future__ import annotations

import time

import pytest
import torch
from conftest import fill
from launch_lab import start

from labtui import launch
from labtui.errors import LabError
from labtui.files import rundir
from labtui.files.paths import LabPaths
from labtui.recipe.read import check
from labtui.run import derive
from labtui.series import read
from labtui.sweep import expand
from labtui.writer import attach


def test_the_result_has_its_room(small_disk):
    """The metrics of a worker wait in vain; its result is written all the same."""
    paths = LabPaths(small_disk("600k"))
    tables = {"name": "x", "command": ["true"], "resources": {"min_free": 0.0}}
    (made,) = launch.enqueue(paths, [check(tables, "x").tables()])
    made.recipe.write_text('format = 1\nname = "x"\n')  # its worker writes metrics itself
    assert rundir.claim(made, 1)
    run = attach(made.root, 1)
    run.log({"m": 1.0}, 0)
    assert run.flush()
    fill(paths.root)
    for step in range(1, 10_000):
        run.log({"m": 1.0}, step)
    run.finish("failed", "disk-full", "the disk is full")
    status = derive(made)
    assert (status.state, status.reason) == ("failed", "disk-full")
    steps = read(made, "m").steps.tolist()
    assert steps == list(range(len(steps))) and steps


def test_a_training_keeps_what_it_has_and_goes_on_when_there_is_room(small_disk):
    paths = LabPaths(small_disk("4m"))
    tables = {
        "name": "small", "data": {"name": "digits"}, "model": {"name": "digits_cnn", "channels": 2},
        "train": {"epochs": 120, "batch_size": 512},
        "checkpoints": {"interval": 0.0, "every": 1, "keep": 2},
        "resources": {"threads": 1, "min_free": 0.0},
    }  # fmt: skip
    (recipe,) = expand(check(tables, "small.toml"), "small.toml")
    (run,) = launch.enqueue(paths, [recipe.tables()])
    worker = start(paths, run)
    last = run.checkpoints / "last.pt"
    end = time.monotonic() + 60
    while not list(run.checkpoints.glob("epoch-*.pt")):
        assert time.monotonic() < end
        time.sleep(0.02)
    full = fill(paths.root)
    assert worker.wait(120) == 1
    status = derive(run)
    assert (status.state, status.reason) == ("failed", "disk-full"), status.result["traceback"][-900:]
    assert "free some space" in status.message
    before = read(run, "val.loss")
    assert last.stat().st_size > 0 and len(before.steps) > 0
    kept = sorted(path.name for path in run.checkpoints.glob("epoch-*"))
    assert 1 <= len(kept) <= 3  # the newest are there, also when the oldest could not yet go
    torch.load(last, weights_only=True)
    full.unlink()
    launch.resume(run)
    assert start(paths, run).wait(120) == 0
    after = read(run, "val.loss")
    assert derive(run).state == "finished" and len(after.steps) == 121
    assert after.values[: len(before.values) - 1].tolist() == before.values[:-1].tolist()
    names = {path.name for path in run.checkpoints.iterdir()}
    assert names == {"best.pt", "last.pt", "epoch-00119.pt", "epoch-00120.pt"}


PROGRAM = """
import labtui, pathlib, sys, time
state = pathlib.Path(sys.argv[1])
begin = int(state.read_text()) if state.exists() else 0
with labtui.init() as run:
    for step in range(begin + 1, 200001):
        run.log({"train.loss": 1 / step}, step)
        if step % 100 == 0:
            time.sleep(0.02)
            new = state.with_suffix(".new")
            new.write_bytes(str(step).encode() + b" " * 5000)
            new.replace(state)
        if step == begin + 3000 and begin:
            break
"""


def test_a_program_goes_on_from_what_it_kept_when_there_is_room(small_disk):
    paths = LabPaths(small_disk("1m"))
    state = paths.root / "state"
    tables = {
        "name": "own", "command": ["python", "-c", PROGRAM, str(state)], "resources": {"min_free": 0.0},
    }  # fmt: skip
    (run,) = launch.enqueue(paths, [check(tables, "own").tables()])
    worker = start(paths, run)
    end = time.monotonic() + 60
    while not state.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    full = fill(paths.root)
    assert worker.wait(120) == 1
    status = derive(run)
    assert (status.state, status.reason) == ("failed", "disk-full"), status.message
    assert "the disk is full: free some space and resume" in status.message
    kept, before = int(state.read_text()), read(run, "train.loss").steps.tolist()
    assert before == list(range(1, len(before) + 1)) and len(before) >= kept
    full.unlink()
    launch.resume(run)
    assert start(paths, run).wait(120) == 0
    assert derive(run).state == "finished"
    assert read(run, "train.loss").steps.tolist() == list(range(1, kept + 3001))


def test_nothing_is_half_made(small_disk):
    paths = LabPaths(small_disk("200k"))
    fill(paths.root)
    tables = {"name": "x", "command": ["true"], "resources": {"min_free": 0.0}}
    with pytest.raises(LabError, match="No space left"):
        launch.enqueue(paths, [check(tables, "x").tables()])
    assert paths.run_ids() == [] and not list(paths.runs.glob(".new-*"))
