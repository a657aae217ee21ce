"""One training in several processes: real ones, on CPUs (gloo)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from engine_lab import ROOT, ask_at, make, recipe, records, result_of, train_here, until, worker

from labtui import run
from labtui.engine.metrics import Errors
from labtui.engine.world import World
from labtui.files import rundir
from labtui.files.atomic import write_json
from labtui.files.paths import RunPaths
from labtui.launch import verdict
from labtui.recipe.core import Recipe

OWN = """
import os, time
from labtui.data.digits import digits

def data(root, pause=0.0, fails=""):
    made = digits(root, 1)
    shift, calls = made.transform, iter(range(10**9))

    def see(x, generator):
        if generator is not None:
            time.sleep(pause)
            if next(calls) == 12 and os.environ.get("RANK") == "1":
                if fails == "raise":
                    raise ValueError("a sample that only process 1 has")
                if fails == "memory" and len(os.listdir("runs")) and not os.path.exists("met"):
                    open("met", "w").close()
                    raise MemoryError
                if fails == "exit":
                    os._exit(3)
        return shift(x, generator)

    made.transform = see
    return made

def model(shape, outputs):
    from torch import nn
    hidden = [nn.Linear(64, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2)]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(16, outputs))
"""

NO_DROPOUT = {"dropout": 0.0}


def cut(root: Path, processes: int = 2, own: dict[str, Any] | None = None, **tables: Any) -> Recipe:
    """The tiny recipe in several processes; `own` are options of the data above, in the lab `root`."""
    (root / "own_parts.py").write_text(OWN)
    if own is not None:
        tables["data"] = {"factory": "own_parts:data"} | own
    plan = recipe(model=NO_DROPOUT, resources={"processes": processes}, **tables).tables()
    if own is not None:
        plan["data"] = tables["data"]
    return Recipe.model_validate(plan)


def children(pid: int) -> list[int]:
    """The processes that any thread of a process has started, oldest first."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        found += map(int, path.read_text().split())
    return sorted(found)


def living(pids: list[int]) -> list[int]:
    """Those that run, zombies not counted."""
    states = ((pid, Path(f"/proc/{pid}/stat")) for pid in pids)
    return [
        pid for pid, path in states if path.exists() and path.read_text().rpartition(")")[2].split()[0] != "Z"
    ]


def at_work(paths: RunPaths, written: int = 3000) -> tuple[subprocess.Popen[bytes], list[int]]:
    """A worker whose processes train and have written so many bytes, and these processes."""
    process = worker(paths)
    until(
        lambda: (
            process.poll() is not None or (paths.metrics.exists() and paths.metrics.stat().st_size > written)
        )
    )
    ranks = [
        pid for pid in children(process.pid) if "engine.rank" in Path(f"/proc/{pid}/cmdline").read_text()
    ]
    assert len(ranks) >= 2, paths.log.read_text()
    return process, ranks


def same_curve(found: RunPaths, expected: RunPaths) -> None:
    """The same metrics at the same steps, and the same values but for the last digits of a float."""
    theirs = {(name, step): value for name, step, value in records(expected)}
    mine = {(name, step): value for name, step, value in records(found)}
    assert list(mine) == list(theirs)
    assert mine == pytest.approx(theirs, rel=1e-4)


def again(paths: RunPaths, attempt: int, plan: Recipe) -> None:
    """Ask for another attempt, with another recipe."""
    from labtui.files.toml import dumps

    paths.recipe.write_bytes(dumps(plan.tables()))
    write_json(paths.queue, rundir.request(paths.root, attempt))
    rundir.claim(paths, attempt)


def test_two_processes_give_the_curve_of_one(tmp_path: Path) -> None:
    # 179 samples a step, 5 in the last one: never two equal parts.
    table = {"epochs": 4, "batch_size": 179, "clip_norm": 0.5, "accumulate": 2, "sampler": "balanced"}
    tables: dict[str, Any] = {
        "train": table,
        "loss": {"name": "cross_entropy", "weight": "balanced", "l2": 1e-3},
    }
    alone = make(tmp_path, recipe(model=NO_DROPOUT, **tables))
    _, expected = train_here(alone, recipe(model=NO_DROPOUT, **tables))
    paths = make(tmp_path, cut(tmp_path, **tables))
    assert worker(paths).wait(120) == 0, paths.log.read_text()
    assert paths.log.read_text() == ""
    same_curve(paths, alone)
    result = result_of(paths)
    assert result["outcome"] == "finished"
    assert result["best"] == pytest.approx(expected["best"], rel=1e-4)
    assert result["last"]["train.samples_per_s"] > 0
    assert result["facts"]["processes"] == 2
    assert result["facts"]["last_epoch"] == pytest.approx(expected["facts"]["last_epoch"], rel=1e-4)
    # Each validation and test sample is counted once, and the outputs are in the order of the split.
    confusion = json.loads((paths.artifacts / "confusion.json").read_text())
    mine, theirs = (np.load(one.artifacts / "predictions.npz") for one in (paths, alone))
    for split in ("val", "test"):
        assert np.array_equal(mine[f"{split}_index"], theirs[f"{split}_index"])
        assert np.allclose(mine[f"{split}_scores"], theirs[f"{split}_scores"], atol=1e-4)
        matrix = np.zeros((10, 10), int)
        np.add.at(matrix, (mine[f"{split}_y"], mine[f"{split}_scores"].argmax(1)), 1)
        assert np.array_equal(matrix, confusion[split]["matrix"])
    assert {path.name for path in paths.root.glob(".*")} == set()


def test_two_processes_keep_of_a_model_s_inside_what_one_does(tmp_path: Path) -> None:
    (tmp_path / "own_parts.py").write_text(OWN)
    # However slow this machine is, everything is looked at: each process takes this up as it starts.
    home = tmp_path / "site"
    home.mkdir()
    (home / "sitecustomize.py").write_text("import labtui.engine.budget\nlabtui.engine.budget.FREE = 1.9\n")
    tables: dict[str, Any] = {"train": {"epochs": 3, "batch_size": 179}}
    all_ = [make(tmp_path, recipe(model=NO_DROPOUT, **tables)), make(tmp_path, cut(tmp_path, **tables))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine_lab.ROOT", f"{home}{os.pathsep}{ROOT}")
        for paths in all_:
            assert worker(paths).wait(120) == 0, paths.log.read_text()
    alone, paths = all_
    same_curve(paths, alone)
    for name in ("weights", "activations", "embedding"):
        mine, theirs = (dict(np.load(one.artifacts / f"{name}.npz")) for one in (paths, alone))
        assert {key: mine[key].shape for key in mine} == {key: theirs[key].shape for key in theirs}
        for key in ("steps", "layers", "index", "y", "prediction", "units"):
            if key in theirs:
                np.testing.assert_array_equal(mine[key], theirs[key], key)
        for key in ("weight_norm", "points"):
            if key in theirs:
                np.testing.assert_allclose(mine[key], theirs[key], rtol=1e-3, atol=1e-3, err_msg=key)
    mine, theirs = (json.loads((one.artifacts / "inputs.json").read_text()) for one in (paths, alone))
    assert mine == theirs
    mine, theirs = (json.loads((one.artifacts / "outputs.json").read_text()) for one in (paths, alone))
    assert mine.keys() == theirs.keys()
    for split in ("val", "test"):
        assert mine[split]["samples"] == theirs[split]["samples"]
        assert mine[split]["mean"] == pytest.approx(theirs[split]["mean"], rel=1e-3, abs=1e-3)


def test_two_processes_in_half_precision(tmp_path: Path) -> None:
    tables: dict[str, Any] = {"train": {"epochs": 2, "precision": "float16", "clip_norm": 0.5}}
    alone = make(tmp_path, recipe(model=NO_DROPOUT, **tables))
    train_here(alone, recipe(model=NO_DROPOUT, **tables))
    paths = make(tmp_path, cut(tmp_path, **tables))
    assert worker(paths).wait(120) == 0, paths.log.read_text()
    theirs, mine = ({(name, step): value for name, step, value in records(one)} for one in (alone, paths))
    assert list(mine) == list(theirs)
    steps = [key for key in mine if key[0] in ("train.step_loss", "train.grad_norm", "train.skipped_steps")]
    assert [mine[key] for key in steps] == pytest.approx([theirs[key] for key in steps], rel=0.05)


def test_resumed_by_one_process_and_by_two_again(tmp_path: Path) -> None:
    tables: dict[str, Any] = {"train": {"epochs": 4, "batch_size": 179}}
    alone = make(tmp_path, cut(tmp_path, 1, {}, **tables))
    train_here(alone, cut(tmp_path, 1, {}, **tables))
    paths = make(tmp_path, cut(tmp_path, 2, {"pause": 0.1}, **tables))
    process, _ = at_work(paths, 300)
    write_json(paths.control, {"attempt": 1, "action": "stop"})
    assert process.wait(60) == 0, paths.log.read_text()
    assert result_of(paths)["outcome"] == "stopped"
    reached = torch.load(paths.checkpoints / "last.pt", weights_only=True)
    assert 0 < reached["step"] == max(step for _, step, _ in records(paths)) < 28

    ended, _ = train_here(paths, cut(tmp_path, 1, {}, **tables), 2, asked=ask_at(3))
    assert ended == "stop"
    again(paths, 3, cut(tmp_path, 2, {}, **tables))
    assert worker(paths, 3).wait(60) == 0, paths.log.read_text()
    assert result_of(paths)["outcome"] == "finished"
    same_curve(paths, alone)


def test_sigterm_stops_all_at_the_same_step(tmp_path: Path) -> None:
    tables = cut(tmp_path, 3, train={"epochs": 100_000, "batch_size": 179}).tables()
    # 5 samples in the last batch: too few for BatchNorm in three processes, so that one takes none.
    paths = make(tmp_path, tables | {"model": {"factory": "own_parts:model"}})
    process, ranks = at_work(paths)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0, paths.log.read_text()
    assert result_of(paths)["outcome"] == "stopped"
    assert not living(ranks)
    state = torch.load(paths.checkpoints / "last.pt", weights_only=True)
    assert state["step"] == max(step for _, step, _ in records(paths))
    # Dropout differs, augmentation does not.
    first, *others = [state["rng"], *state["others"]]
    assert len(others) == 2
    assert all(torch.equal(first["augment"], other["augment"]) for other in others)
    assert not any(torch.equal(first["torch"], other["torch"]) for other in others)


@pytest.mark.parametrize("victim", ["second", "first", "worker"])
def test_who_is_killed_takes_the_others_along(victim: str, tmp_path: Path) -> None:
    paths = make(tmp_path, cut(tmp_path, train={"epochs": 100_000}))
    process, ranks = at_work(paths)
    killed = {"worker": process.pid, "first": ranks[0], "second": ranks[1]}[victim]
    begun = time.monotonic()
    os.kill(killed, signal.SIGKILL)
    assert process.wait(30) == -signal.SIGKILL  # so that its supervisor sees what happened
    until(lambda: not living(ranks), 5)
    assert time.monotonic() - begun < 10
    assert not paths.result.exists()
    if victim != "worker":
        number = ranks.index(killed)
        assert f"process {number} of 2 (pid {killed} on" in paths.log.read_text()
    verdict.judge(paths, 1, process.returncode)
    status = run.derive(paths)
    assert (status.state, status.reason) == ("failed", "error")
    assert "killed by SIGKILL" in status.message
    assert verdict.may_pass(status.state, status.result)


def test_an_error_in_one_process_is_the_error_of_the_run(tmp_path: Path) -> None:
    paths = make(tmp_path, cut(tmp_path, own={"fails": "raise"}))
    process = worker(paths)
    assert process.wait(60) == 1
    result = result_of(paths)
    assert (result["outcome"], result["reason"]) == ("failed", "error")
    assert result["message"] == "ValueError: a sample that only process 1 has (in process 1 of 2)"
    assert "own_parts.py" in result["traceback"]
    assert result["facts"]["processes"] == 2
    assert result["best"]["metric"] == "val.loss"
    assert result["last"]["train.step_loss"]
    assert not children(process.pid)
    assert not list(paths.root.glob(".failure*"))


def test_a_process_that_ends_without_a_word(tmp_path: Path) -> None:
    paths = make(tmp_path, cut(tmp_path, own={"fails": "exit"}))
    assert worker(paths).wait(60) == 1
    assert "process 1 of 2" in result_of(paths)["message"]
    assert "exit status 3" in result_of(paths)["message"]


def test_all_find_a_lost_loss_together(tmp_path: Path) -> None:
    paths = make(tmp_path, cut(tmp_path, optimizer={"name": "sgd", "lr": 1e30}))
    assert worker(paths).wait(60) == 1
    result = result_of(paths)
    assert (result["outcome"], result["reason"]) == ("failed", "nan")
    assert "in step" in result["message"]
    assert (paths.checkpoints / "best.pt").exists()


def test_out_of_memory_starts_all_again_in_smaller_pieces(tmp_path: Path) -> None:
    tables: dict[str, Any] = {"train": {"epochs": 4, "on_oom": "halve"}}
    alone = make(tmp_path, cut(tmp_path, 1, {}, **tables))
    train_here(alone, cut(tmp_path, 1, {}, **tables))
    paths = make(tmp_path, cut(tmp_path, 2, {"fails": "memory"}, **tables))
    assert worker(paths).wait(90) == 0, paths.log.read_text()
    assert "starting again with train.accumulate = 2" in paths.log.read_text()
    assert result_of(paths)["facts"]["accumulate"] == 2
    same_curve(paths, alone)


def test_gpus_that_are_not_there(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    paths = make(tmp_path, recipe(resources={"gpus": 2}))
    assert worker(paths).wait(60) == 1
    assert result_of(paths)["reason"] == "launch"
    assert "resources.gpus = 2, but torch finds no CUDA device" in result_of(paths)["message"]


def test_two_machines(tmp_path: Path) -> None:
    tables: dict[str, Any] = {"train": {"epochs": 2}}
    alone = make(tmp_path, recipe(model=NO_DROPOUT, **tables))
    train_here(alone, recipe(model=NO_DROPOUT, **tables))
    slurm = {"processes": 1, "nodes": 2, "launcher": "slurm"}
    paths = make(tmp_path, recipe(model=NO_DROPOUT, resources=slurm, **tables))
    job = {"SLURM_LAUNCH_NODE_IPADDR": "127.0.0.1", "SLURM_JOB_ID": str(os.getpid())}
    processes = []
    for number in range(2):
        os.environ.update(job | {"SLURM_NODEID": str(number)})
        processes.append(worker(paths))
    for key in (*job, "SLURM_NODEID"):
        del os.environ[key]
    assert [process.wait(60) for process in processes] == [0, 0], paths.log.read_text()
    same_curve(paths, alone)


def test_parts_are_disjoint_and_whole() -> None:
    for size in (1, 2, 3, 8):
        for samples in range(1, 40):
            for least in (1, 2):
                parts = []
                for rank in range(size):
                    world = World()
                    world.rank, world.size = rank, size
                    parts.append(world.part(samples, least))
                taken = [i for part in parts for i in range(samples)[part.own]]
                assert taken == list(range(samples))
                assert all(part.size == 0 or part.size >= min(least, samples) for part in parts)
                assert all(range(samples)[part.fed] for part in parts)


def test_errors_of_parts_are_those_of_the_whole() -> None:
    torch.manual_seed(0)
    output, target = torch.randn(2, 101, 3, dtype=torch.float64) + torch.tensor([1e6, 0.0, -5.0])
    whole = Errors(3)
    whole.update(output, target)
    parts = [Errors(3) for _ in range(4)]
    for part, at in zip(parts, (slice(0, 7), slice(7, 60), slice(60, 101)), strict=False):
        part.update(output[at], target[at])
    parts[3].add(part.state_dict() for part in parts[:3])  # the last one counted nothing
    assert parts[3].scores() == pytest.approx(whole.scores(), rel=1e-12)
