"""Runs that one process trains together, as their supervisor sees them: real processes, nothing started twice."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest
from group_lab import Stacked
from launch_lab import eventually, gone, settled, state, supervisor

from labtui import launch
from labtui.errors import LaunchError
from labtui.files import process, rundir
from labtui.files.atomic import read_json
from labtui.files.paths import LabPaths, RunPaths
from labtui.launch import control
from labtui.launch.queue import pause, paused, unpause
from labtui.launcher import queue_recipe
from labtui.run import derive
from labtui.series import read
from labtui.sweep import stack

LONG = 100_000


@pytest.fixture
def paths(lab: Path) -> LabPaths:
    (lab / "labtui.toml").write_text("[slots]\ncores = 1\n")
    return LabPaths(lab)


def pids(runs: list[RunPaths]) -> list[int]:
    return [(read_json(run.process) or {}).get("pid", 0) for run in runs]


def at_work(runs: list[RunPaths]) -> None:
    eventually(lambda: all(len(read(run, "train.loss").steps) > 2 for run in runs))


def said(lab: LabPaths) -> str:
    return (lab.own / "agent.log").read_text()


def test_runs_of_a_stack_are_one_process_in_one_place(paths, tmp_path, cli):
    stacked = Stacked(paths, tmp_path, decides={"together": True}, steps=LONG)
    runs = stacked.queue(3) + stacked.queue(2, sizes=(9,))
    launch.wake(paths)
    at_work(runs[:3])
    assert len(set(pids(runs[:3]))) == 1
    assert state(runs[3]) == state(runs[4]) == "queued", "the machine has one core"
    listed = cli("queue")[1]
    assert listed.count("1 core, 3 together") == 3
    assert "1 of 1 cores" in cli("gpus")[1]
    stacked.finish()
    settled(runs, *["finished"] * 5)
    assert pids(runs)[3] == pids(runs)[4] != pids(runs)[0]
    words = stacked.words()
    assert len(words) == 2 and all(line.startswith("--together --decision ") for line in words)
    assert runs[0].log.read_text() == runs[2].log.read_text() == "at work on 3\n"
    assert rundir.together(runs[1], 1) == [run.id for run in runs[:3]]
    stacked.check(runs)
    gone(paths)


def test_a_sweep_is_trained_together(paths, cli):
    """From the recipe to the results, with the worker that trains."""
    recipe = paths.root / "many.toml"
    recipe.write_text("""
name = "many"
data = { name = "digits", shift = 0 }
model = { name = "digits_cnn", channels = 2, hidden = 8, dropout = 0.3 }
train = { epochs = 2, batch_size = 256 }
resources = { gpus = 0, threads = 1 }
[sweep]
together = true
repeats = 2
[sweep.space]
"optimizer.lr" = [0.01, 0.001]
""")
    sweep, runs, *_ = queue_recipe(paths, recipe)
    eventually(lambda: [state(run) for run in runs] == ["finished"] * 4, 120)
    assert len(set(pids(runs))) == 1
    found = stack.decided(paths.sweep(sweep), str(read_toml(runs[0])["origin"]["stack"]))
    assert found and found.together
    assert [read(run, "epoch").values[-1] for run in runs] == [2.0] * 4
    gone(paths)


def test_a_stack_that_is_measured_waits_for_what_is_found_out(paths, tmp_path):
    decides = {"together": False, "why": "0.5 times as fast as 1 at a time", "ratio": 0.5}
    stacked = Stacked(paths, tmp_path, "auto", decides=decides, measures=1.0)
    runs = stacked.queue(3)
    launch.wake(paths)
    settled(runs, *["finished"] * 3)
    first, *others = stacked.words()
    assert first.startswith("--together --decision ") and " --slots 1 " in first and first.count("many") == 4
    assert len(others) == 3 and all(line.endswith(" 2") for line in others), "each alone, as attempt 2"
    assert len(set(pids(runs))) == 3 and all(not run.verdict.exists() for run in runs)
    assert said(paths).count("not trained together: 0.5 times as fast") == 1
    stacked.check(runs)
    more = stacked.queue(2)
    launch.wake(paths)
    settled(more, "finished", "finished")
    assert len(stacked.words()) == 6, "it is known now"


def test_what_has_places_of_its_own_is_not_measured(paths, tmp_path):
    (paths.root / "labtui.toml").write_text("[slots]\ncores = 3\n")
    stacked = Stacked(paths, tmp_path, "auto")
    runs = stacked.queue(3)
    launch.wake(paths)
    settled(runs, *["finished"] * 3)
    assert not any("--together" in line for line in stacked.words())


def test_a_worker_that_leaves_without_a_word_leaves_no_loop(paths, tmp_path):
    stacked = Stacked(paths, tmp_path, leaves=3)
    runs = stacked.queue(2)
    launch.wake(paths)
    settled(runs, "finished", "finished")
    assert [derive(run).attempt for run in runs] == [2, 2] and len(stacked.words()) == 3


def test_a_worker_that_cannot_begin_is_told_of_once(paths, tmp_path):
    stacked = Stacked(paths, tmp_path, leaves=1)
    runs = stacked.queue(2)
    launch.wake(paths)
    settled(runs, "failed", "failed")
    assert "status 1" in derive(runs[0]).message and len(stacked.words()) == 1
    gone(paths)


def test_a_recipe_that_says_why_not_starts_alone(paths, tmp_path):
    stacked = Stacked(paths, tmp_path)
    runs = stacked.queue(2, processes=2)
    (known,) = {str(read_toml(run)["origin"]["stack"]) for run in runs}
    stack.refuse(stacked.sweep, [read_toml(run) for run in runs])
    found = stack.decided(stacked.sweep, known)
    assert found and not found.together and "several processes" in found.why


def read_toml(run: RunPaths) -> dict:
    from labtui.files.toml import read as read_file

    return read_file(run.recipe)


def test_one_of_them_is_stopped_and_one_fails_and_the_others_go_on(paths, tmp_path):
    stacked = Stacked(paths, tmp_path, steps=LONG, fails={"1": "error"})
    runs = stacked.queue(4)
    launch.wake(paths)
    at_work(runs)
    launch.stop(runs[2])
    settled(runs, "running", "failed", "stopped", "running")
    eventually(lambda: f"{runs[2].id}: stopped" in said(paths))
    assert state(runs[0]) == "running", "the supervisor saw it while its process lived on"
    stacked.finish()
    settled(runs, "finished", "failed", "stopped", "finished")
    control.resume(runs[2], same=True)
    launch.wake(paths)
    settled(runs, "finished", "failed", "finished", "finished")
    assert stacked.words()[-1] == f"{runs[2].root} 2", "the last one of a stack is alone"
    assert runs[2].log.read_text() == "at work on 4\nat work on 1\n"
    assert runs[0].log.read_text() == "at work on 4\n"


def test_a_retry_does_not_wait_for_the_others(paths, tmp_path):
    (paths.root / "labtui.toml").write_text("[slots]\ncores = 2\n")
    stacked = Stacked(paths, tmp_path, decides={"together": True}, steps=LONG, fails={"1": "hang"})
    runs = stacked.queue(3, retries=1)
    launch.wake(paths)
    eventually(lambda: derive(runs[1]).attempt == 2 and state(runs[1]) == "running")
    assert state(runs[0]) == "running" and derive(runs[1]).process.get("pid") != pids(runs)[0]
    stacked.finish()
    settled(runs, *["finished"] * 3)


def test_killing_one_spares_the_others_and_killing_all_does_not(paths, tmp_path, monkeypatch):
    monkeypatch.setattr(control, "GRACE", 0.2)
    monkeypatch.setattr(control, "GRACE_TOGETHER", 0.6)
    stacked = Stacked(paths, tmp_path, steps=LONG)
    runs = stacked.queue(3)
    launch.wake(paths)
    at_work(runs)
    launch.stop(runs[0], kill=True)
    settled(runs, "stopped", "running", "running")
    launch.stop_all(runs[1:], kill=True)
    settled(runs, *["stopped"] * 3)

    stacked.does(steps=LONG, deaf=True)
    runs = stacked.queue(3)
    launch.wake(paths)
    at_work(runs)
    with pytest.raises(LaunchError, match="does not listen, and trains 2 other runs too, such as"):
        launch.stop(runs[0], kill=True)
    assert [state(run) for run in runs] == ["running"] * 3
    launch.stop_all(runs, kill=True)
    settled(runs, *["stopped"] * 3)


def test_a_killed_process_is_the_end_of_all_its_runs(paths, tmp_path):
    stacked = Stacked(paths, tmp_path, steps=LONG)
    runs = stacked.queue(3)
    launch.wake(paths)
    at_work(runs)
    process.send(read_json(runs[1].process) or {}, signal.SIGKILL)
    settled(runs, *["failed"] * 3)
    assert all("SIGKILL" in derive(run).message for run in runs)


def test_a_process_that_hangs_is_ended_for_all(paths, tmp_path):
    stacked = Stacked(paths, tmp_path, steps=LONG, stuck=True)
    runs = stacked.queue(2, hang_timeout=2.0)
    launch.wake(paths)
    settled(runs, "failed", "failed")
    assert [derive(run).reason for run in runs] == ["hang", "hang"]


def test_what_runs_out_of_memory_together_goes_on_alone(paths, tmp_path):
    stacked = Stacked(paths, tmp_path, decides={"together": True}, fails={"0": "oom", "1": "oom"})
    runs = stacked.queue(3)
    launch.wake(paths)
    settled(runs, *["finished"] * 3)
    assert [derive(run).attempt for run in runs] == [2, 2, 1]
    assert stacked.decision() == {
        "together": False,
        "why": "memory ran out with all of them",
        "ratio": 0.0,
    }


def test_the_next_supervisor_finds_a_process_of_several(paths, tmp_path):
    stacked = Stacked(paths, tmp_path, decides={"together": True}, steps=LONG, fails={"1": "error"})
    runs, waiting = stacked.queue(3), stacked.queue(1, sizes=(9,))
    launch.wake(paths)
    at_work(runs)
    process.send(supervisor(paths), signal.SIGKILL)
    eventually(lambda: state(runs[1]) == "failed")
    launch.wake(paths)
    eventually(lambda: said(paths).count("found at work") == 2)
    assert state(waiting[0]) == "queued", "its place is still taken"
    stacked.finish()
    settled(runs + waiting, "finished", "failed", "finished", "finished")


def test_a_no_that_no_supervisor_heard_is_no_end(paths, tmp_path):
    """It was killed while the worker measured: nobody knows its exit status, and no run has begun."""
    decides = {"together": False, "why": "slow", "ratio": 0.5}
    stacked = Stacked(paths, tmp_path, "auto", decides=decides, measures=2.0)
    runs = stacked.queue(2)
    launch.wake(paths)
    eventually(stacked.words)
    process.send(supervisor(paths), signal.SIGKILL)
    launch.wake(paths)
    settled(runs, "finished", "finished")
    assert [derive(run).attempt for run in runs] == [2, 2] and len(stacked.words()) == 3


def test_a_pause_holds_a_stack_back(paths, tmp_path):
    stacked = Stacked(paths, tmp_path)
    pause(paths, "by hand")
    runs = stacked.queue(2)
    launch.wake(paths)
    time.sleep(0.5)
    assert paused(paths) and [state(run) for run in runs] == ["queued"] * 2
    unpause(paths)
    launch.wake(paths)
    settled(runs, "finished", "finished")


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.stress) for seed in range(1, 5))])
def test_nothing_is_lost_and_nothing_is_twice_whoever_is_killed(paths, tmp_path, seed):
    """Supervisors at any moment, and the processes of several; the runs' retries see them through."""
    chance = random.Random(seed)
    stacked = Stacked(paths, tmp_path, decides={"together": True}, steps=120)
    runs = stacked.queue(9, sizes=(7, 8), retries=50)
    for _ in range(14):
        launch.wake(paths)
        time.sleep(chance.uniform(0.0, 0.7))
        if chance.random() < 0.7:
            process.send(read_json(paths.agent) or {}, signal.SIGKILL)
        elif living := [run for run in runs if state(run) == "running"]:
            process.send(dict(derive(chance.choice(living)).process), signal.SIGKILL)
    until = time.monotonic() + 60
    while any(state(run) != "finished" for run in runs):
        launch.wake(paths)
        time.sleep(0.2)
        assert time.monotonic() < until, [(run.id, derive(run)) for run in runs if state(run) != "finished"]
    stacked.check(runs)
    gone(paths)
