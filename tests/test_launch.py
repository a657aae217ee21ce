"""Launching with real processes: claims, detaching, stopping, killing, resuming, removing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from launch_lab import LOGS, SLEEP, eventually, queue, start, state

from labtui import launch
from labtui.errors import LabError, LaunchError
from labtui.files.atomic import read_json, write_json
from labtui.files.paths import LabPaths, RunPaths
from labtui.launcher import queue_recipe
from labtui.recipe.read import check
from labtui.run import derive, recipe_of
from labtui.series import read
from labtui.sweep import expand


@pytest.fixture
def paths(lab: Path) -> LabPaths:
    return LabPaths(lab)


def test_a_run_ends_as_its_program_does(paths):
    good, bad = queue(paths, "print(1)"), queue(paths, "import sys; print('why'); sys.exit(3)")
    for run in (good, bad):
        worker = start(paths, run)
        assert derive(run).state == "running"
        worker.wait()
    assert derive(good).state == "finished"
    status = derive(bad)
    assert (status.state, status.reason) == ("failed", "error") and "3" in status.message
    assert bad.log.read_text().startswith("why")


def test_an_attempt_is_started_once(paths):
    run = queue(paths, "print(1)")
    workers = [start(paths, run) for _ in range(3)]
    assert [w is None for w in workers] == [False, True, True]
    workers[0].wait()


def test_a_worker_outlives_its_launcher_and_keeps_logging(paths):
    run = queue(paths, LOGS)
    code = "import sys; from pathlib import Path; from labtui.launch.start import claim, spawn\n"
    code += "from labtui.files.paths import LabPaths; lab = LabPaths(Path(sys.argv[1]))\n"
    code += "run = lab.run(sys.argv[2]); claim(run, 1); spawn(lab, run, 1)\n"
    code += "import os; os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code, str(paths.root), run.id], check=False)
    eventually(lambda: len(read(run, "train.loss").steps) > 20)
    assert derive(run).state == "running"
    launch.stop(run)
    eventually(lambda: derive(run).state == "stopped")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_killed_worker_never_shows_as_running(paths, number):
    run = queue(paths, LOGS)
    worker = start(paths, run)
    eventually(lambda: len(read(run, "train.loss").steps) > 5)
    os.kill(worker.pid, number)
    os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)
    assert derive(run).state == "lost", "also while it is an unreaped zombie"
    worker.wait()
    status = derive(run)
    assert status.state == "failed" and signal.Signals(number).name in status.message
    seen = len(read(run, "train.loss").steps)
    time.sleep(0.5)
    assert len(read(run, "train.loss").steps) == seen, "the program died with its worker"


def test_stopping_a_queued_run_keeps_it_from_starting(paths):
    run = queue(paths, "print(1)")
    launch.stop(run)
    assert derive(run).state == "stopped"
    assert start(paths, run) is None
    with pytest.raises(LaunchError, match="nothing to stop"):
        launch.stop(run)


def test_kill_ends_worker_and_program(paths):
    run = queue(paths, SLEEP)
    worker = start(paths, run)
    eventually(lambda: run.log.exists() and run.log.read_text() == "begun\n")
    launch.stop(run, kill=True)
    worker.wait(10)
    assert derive(run).state == "stopped"


def test_a_kill_reaches_what_the_program_started(paths):
    run = queue(paths, "import subprocess; subprocess.Popen(['sleep', '61']); " + SLEEP)
    start(paths, run)
    eventually(lambda: run.log.exists() and run.log.read_text() == "begun\n")
    group = [p for p in Path("/proc").glob("[0-9]*") if b"sleep\x0061" in _cmdline(p)]
    assert group
    launch.stop(run, kill=True)
    eventually(lambda: not any(b"sleep\x0061" in _cmdline(p) for p in group))
    assert derive(run).state == "stopped"


def _cmdline(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def test_a_late_verdict_is_of_its_own_attempt(paths):
    run = queue(paths, SLEEP)
    worker = start(paths, run)
    os.kill(worker.pid, signal.SIGKILL)
    os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)
    launch.resume(run)
    worker.wait()
    assert (derive(run).state, derive(run).attempt) == ("queued", 2)


def test_a_run_that_is_gone_is_said_to_be(paths):
    run = queue(paths, "print(1)")
    launch.remove(paths, run)
    for act in (launch.stop, launch.resume):
        with pytest.raises(LabError, match="is gone"):
            act(run)
    assert not run.root.exists(), "nothing is left in its place"


def test_resuming_makes_a_new_attempt(paths):
    run = queue(paths, "import sys; sys.exit(1)")
    start(paths, run).wait()
    launch.resume(run)
    assert (derive(run).state, derive(run).attempt) == ("queued", 2)
    launch.resume(run)
    assert derive(run).attempt == 2, "asking twice asks once"
    start(paths, run).wait()
    assert (derive(run).state, derive(run).attempt) == ("failed", 2)


def test_what_cannot_be_resumed_says_why(paths):
    run = queue(paths, "print(1)")
    start(paths, run).wait()
    with pytest.raises(LaunchError, match="is finished"):
        launch.resume(run)
    import labtui

    with labtui.init("by hand") as mine:
        mine.finish("stopped")
    with pytest.raises(LaunchError, match="by hand"):
        launch.resume(mine.paths)


def test_a_run_that_may_live_elsewhere_is_resumed_by_force_only(paths):
    run = queue(paths, "print(1)")
    start(paths, run).wait()
    run.result.unlink()
    record = read_json(run.process)
    record.pop("released")
    write_json(run.process, record | {"host": "elsewhere"})
    os.utime(run.heartbeat, (1, 1))
    assert derive(run).state == "lost"
    with pytest.raises(LaunchError, match="--force"):
        launch.resume(run)
    launch.resume(run, force=True)
    assert derive(run).state == "queued"


def test_a_run_that_is_queued_elsewhere_can_be_had_here(paths):
    """The machine's name has changed, as that of a container does at each start."""
    run = queue(paths, "print(1)", {"priority": 3})
    write_json(run.queue, (read_json(run.queue) or {}) | {"host": "elsewhere"})
    launch.wake(paths)
    assert state(run) == "queued" and "elsewhere; `labtui resume" in launch.why_waiting(paths, run)
    launch.resume(run)
    assert (read_json(run.queue) or {})["priority"] == 3
    launch.wake(paths)
    eventually(lambda: state(run) == "finished")


def test_a_copy_starts_only_when_it_is_asked_to(paths):
    import shutil

    run = queue(paths, "print(1)")
    copy = paths.run(run.id[:-4] + "copy")
    shutil.copytree(run.root, copy.root)
    assert derive(copy).state == "idle"
    launch.resume(copy)
    start(paths, copy).wait()
    assert derive(copy).state == "finished" and derive(run).state == "queued"


def test_a_copy_of_a_running_run_can_be_resumed(paths):
    import shutil

    run = queue(paths, SLEEP)
    start(paths, run)
    eventually(run.process.exists)
    copy = paths.run(run.id[:-4] + "copy")
    shutil.copytree(run.root, copy.root)
    assert derive(copy).state == "idle"
    launch.resume(copy)
    start(paths, copy)
    eventually(lambda: (read_json(copy.process) or {}).get("attempt") == 2)
    assert derive(copy).state == derive(run).state == "running"


def test_on_a_full_disk_no_attempt_is_spent(paths, monkeypatch):
    run = queue(paths, "print(1)")

    def full(*_: Any) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("labtui.files.rundir.dumps", full)
    with pytest.raises(LaunchError, match="No space left"):
        start(paths, run)
    assert derive(run).state == "queued"
    monkeypatch.undo()
    assert start(paths, run).wait() == 0


def test_a_running_run_is_not_removed(paths):
    run = queue(paths, SLEEP)
    start(paths, run)
    with pytest.raises(LaunchError, match="is running"):
        launch.remove(paths, run)
    launch.stop(run, kill=True)
    eventually(lambda: state(run) != "running")
    launch.remove(paths, run)
    assert paths.run_ids() == []


def test_a_launch_makes_all_runs_or_none(paths, monkeypatch):
    tables = check({"name": "x", "command": ["true"]}, "x").tables()
    from labtui.files import rundir

    real, made = rundir.create, []

    def scarce(*args: Any, **more: Any) -> RunPaths:
        if len(made) == 2:
            raise LabError("no space")
        made.append(1)
        return real(*args, **more)

    monkeypatch.setattr("labtui.files.rundir.create", scarce)
    with pytest.raises(LabError, match="no space"):
        launch.enqueue(paths, [tables] * 3)
    assert paths.run_ids() == []


def test_ctrl_c_takes_back_what_was_queued(paths):
    recipe = paths.root / "p.toml"
    recipe.write_text('name = "p"\ncommand = ["sleep", "60"]')
    arguments = ["run", str(recipe), "--repeats", "2000"]
    one = subprocess.Popen(
        [sys.executable, "-m", "labtui", "--lab", str(paths.root), *arguments], stderr=subprocess.PIPE
    )
    eventually(lambda: len(paths.run_ids()) > 5)
    one.send_signal(signal.SIGINT)
    assert one.communicate(timeout=30) == (None, b"") and one.returncode == 130
    assert os.listdir(paths.runs) == [".labtui"]


def test_what_nobody_would_start_is_not_queued(paths):
    recipe = paths.root / "p.toml"
    recipe.write_text('name = "p"\ncommand = ["sleep", "60"]')
    paths.agent.mkdir(parents=True)
    with pytest.raises(LabError, match="cannot be opened"):
        queue_recipe(paths, recipe, ["sweep.repeats=3"])
    assert paths.run_ids() == []


def test_folds_repeats_and_cells_are_runs_of_one_sweep(paths):
    tables = {
        "name": "many", "data": {"name": "digits"}, "model": {"name": "digits_cnn"},
        "validate": {"scheme": "kfold", "folds": 3}, "sweep": {"space": {"optimizer.lr": [0.1, 0.2]}, "repeats": 2},
    }  # fmt: skip
    found = expand(check(tables, "many.toml"), "many.toml")
    assert len(found) == 12
    assert len({recipe.origin.sweep for recipe in found}) == 1 and found[0].origin.sweep
    assert [r.validate_.fold for r in found[:3]] == [0, 1, 2]
    assert [r.train.seed for r in found[::3]] == [0, 1, 0, 1]
    assert {r.optimizer.lr for r in found[6:]} == {0.2}
    assert found[6].origin.title == "lr=0.2"
    made = launch.enqueue(paths, [recipe.tables() for recipe in found])
    assert check(recipe_of(made[0]), "recipe.toml") == found[0], "what is written reads as the same"


def test_repeats_alone_are_a_sweep():
    recipe = check({"name": "x", "command": ["true"], "sweep": {"repeats": 3}}, "x.toml")
    assert [one.origin.repeat for one in expand(recipe, "x.toml")] == [0, 1, 2]


def test_a_grid_that_is_too_large_says_how_large():
    from labtui.errors import RecipeError

    space = {f"params.{k}": list(range(1000)) for k in "abc"}
    recipe = check({"name": "x", "command": ["true"], "sweep": {"space": space}}, "x.toml")
    with pytest.raises(RecipeError, match="1,000,000,000 runs"):
        expand(recipe, "x.toml")
