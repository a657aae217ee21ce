"""A disk that is really full, in the middle of the work."""

from __future__ import annotations

import time

import pytest
from conftest import fill

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
    (made,) = launch.enqueue(paths, [check({"name": "x", "command": ["true"]}, "x").tables()])
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
        "train": {"epochs": 120, "batch_size": 512}, "checkpoints": {"interval": 0.0},
        "resources": {"threads": 1},
    }  # fmt: skip
    (recipe,) = expand(check(tables, "small.toml"), "small.toml")
    (run,) = launch.enqueue(paths, [recipe.tables()])
    worker = launch.start(paths, run)
    last = run.checkpoints / "last.pt"
    end = time.monotonic() + 60
    while not last.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    full = fill(paths.root)
    assert worker.wait(120) == 1
    status = derive(run)
    assert (status.state, status.reason) == ("failed", "disk-full"), status.result["traceback"][-900:]
    assert "free some space" in status.message
    before = read(run, "val.loss")
    assert last.stat().st_size > 0 and len(before.steps) > 0
    full.unlink()
    launch.resume(run)
    assert launch.start(paths, run).wait(120) == 0
    after = read(run, "val.loss")
    assert derive(run).state == "finished" and len(after.steps) == 121
    assert after.values[: len(before.values) - 1].tolist() == before.values[:-1].tolist()


def test_nothing_is_half_made(small_disk):
    paths = LabPaths(small_disk("200k"))
    fill(paths.root)
    with pytest.raises(LabError, match="No space left"):
        launch.enqueue(paths, [check({"name": "x", "command": ["true"]}, "x").tables()])
    assert paths.run_ids() == [] and not list(paths.runs.glob(".new-*"))
