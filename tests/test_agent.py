"""The supervisor with real processes: one at a time, nothing lost, nothing started twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from chaos import Chaos
from launch_lab import LOGS, ONE, SLEEP, eventually, gone, queue, settled, state, supervisor

from labtui import launch
from labtui.errors import LaunchError
from labtui.files import process, rundir
from labtui.files.atomic import read_json, write_json
from labtui.files.paths import LabPaths, RunPaths
from labtui.launch import queue as queueing
from labtui.launch.wake import Lock
from labtui.recipe.read import check
from labtui.run import derive
from labtui.series import read
from labtui.sweep import expand


@pytest.fixture
def paths(lab: Path) -> LabPaths:
    return LabPaths(lab)


def begun(run: RunPaths) -> float:
    return derive(run).started or 0.0


def test_it_starts_what_is_queued_and_leaves(paths):
    good, bad = queue(paths, "print(1)"), queue(paths, "import sys; print('why'); sys.exit(3)")
    launch.wake(paths)
    settled([good, bad], "finished", "failed")
    status = derive(bad)
    assert status.reason == "error" and "3" in status.message and bad.log.read_text().startswith("why\n")
    gone(paths)
    assert Lock(paths).take(), "its lock is free"


def test_many_callers_get_one_supervisor(paths):
    run = queue(paths, SLEEP)
    code = "import sys; from pathlib import Path; from labtui.launch import wake\n"
    code += "from labtui.files.paths import LabPaths; wake(LabPaths(Path(sys.argv[1])))"
    callers = [subprocess.Popen([sys.executable, "-c", code, str(paths.root)]) for _ in range(6)]
    assert [caller.wait() for caller in callers] == [0] * 6
    eventually(lambda: state(run) == "running")
    at_work = [p for p in Path("/proc").glob("[0-9]*/cmdline") if _supervises(p, paths)]
    assert len(at_work) == 1
    assert not Lock(paths).take()


def _supervises(cmdline: Path, lab: LabPaths) -> bool:
    try:
        words = cmdline.read_bytes().split(b"\0")
    except OSError:
        return False
    return b"labtui.agent" in words and str(lab.root).encode() in words


def test_what_comes_while_it_leaves_is_started(paths):
    """Runs queued all the time around the moment at which it goes."""
    runs = []
    for number in range(12):
        runs.append(queue(paths, "print(1)"))
        launch.wake(paths)
        settled(runs, *["finished"] * len(runs))
        time.sleep(2.0 + 0.02 * number)  # about as long as it lingers
        if number >= 3 and launch.at_work(paths) is None:
            break
    gone(paths)


def test_workers_outlive_their_supervisor_and_the_next_one_finds_them(paths):
    run, waiting = queue(paths, LOGS, resources=ONE), queue(paths, "print(1)", resources=ONE)
    launch.wake(paths)
    eventually(lambda: len(read(run, "train.loss").steps) > 5)
    first = supervisor(paths)
    process.send(first, signal.SIGKILL)
    seen = len(read(run, "train.loss").steps)
    eventually(lambda: len(read(run, "train.loss").steps) > seen + 20)
    launch.wake(paths)
    second = supervisor(paths)
    eventually(lambda: "found at work" in (paths.own / "agent.log").read_text())
    assert second["pid"] != first["pid"]
    assert (state(run), state(waiting)) == ("running", "queued"), "its place is still taken"
    process.send(read_json(run.process) or {}, signal.SIGKILL)
    settled([run, waiting], "failed", "finished")
    assert "without a result" in derive(run).message and derive(run).attempt == 1


def test_a_claim_of_a_dead_starter_is_begun_again(paths):
    run = queue(paths, "print(1)")
    code = "import sys; from pathlib import Path; from labtui.files import paths, rundir\n"
    code += "rundir.claim(paths.RunPaths(Path(sys.argv[1])), 1)"
    subprocess.run([sys.executable, "-c", code, str(run.root)], check=True)
    assert state(run) == "queued"
    launch.wake(paths)
    settled([run], "finished")
    assert derive(run).attempt == 2


def test_a_claim_that_a_power_failure_left_empty_is_begun_again(paths):
    run = queue(paths, "print(1)")
    run.claim(1).touch()
    launch.wake(paths)
    settled([run], "finished")
    assert derive(run).attempt == 2


def test_a_late_worker_is_turned_away(paths):
    """The starter was killed after it had started a worker, which was slow to begin."""
    run = queue(paths, "print('once')")
    assert rundir.claim(run, 1)
    write_json(run.queue, rundir.request(run.root, 2))
    arguments = [sys.executable, "-m", "labtui.engine", str(run.root), "1"]
    late = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert late.returncode == 2 and "no longer asked for" in late.stderr
    launch.wake(paths)
    settled([run], "finished")
    assert run.log.read_text() == "once\n"


def test_higher_priorities_first_then_first_come(paths):
    blocker = queue(paths, SLEEP, resources=ONE)
    launch.wake(paths)
    settled([blocker], "running")
    low = [queue(paths, "print(1)", resources=ONE) for _ in range(2)]
    high = queue(paths, "print(1)", {"priority": 3}, resources=ONE)
    front = queue(paths, "print(1)", resources=ONE)
    queueing.move([front], [blocker, *low, high, front])
    last = queue(paths, "print(1)", {"priority": 9}, resources=ONE)
    queueing.move([last], [blocker, *low, high, front, last], last=True)
    launch.wake(paths)
    launch.stop(blocker)
    order = [front, high, *low, last]
    settled(order, *["finished"] * 5)
    assert sorted(order, key=begun) == order


def test_held_runs_wait_until_they_are_released(paths):
    held, free = queue(paths, "print(1)", {"held": True}), queue(paths, "print(1)")
    launch.wake(paths)
    settled([held, free], "queued", "finished")
    gone(paths)
    assert "held" in launch.why_waiting(paths, held)
    queueing.change(held, held=False)
    launch.wake(paths)
    settled([held], "finished")
    with pytest.raises(LaunchError, match="finished, not queued"):
        queueing.change(held, held=True)


def test_a_run_waits_for_others(paths):
    first = queue(paths, "import time; time.sleep(1)")
    second = queue(paths, "print(1)", {"after": [first.id]})
    third = queue(paths, "print(1)", {"after": [second.id, first.id]})
    launch.wake(paths)
    settled([first, second, third], *["finished"] * 3)
    assert derive(first).ended <= begun(second) and derive(second).ended <= begun(third)


def test_a_run_that_waits_for_a_failed_one_says_so_and_keeps_nobody(paths):
    first = queue(paths, "raise SystemExit(1)")
    second = queue(paths, "print(1)", {"after": [first.id]})
    third = queue(paths, "print(1)", {"after": [second.id]})
    circle = queue(paths, "print(1)")
    queueing.change(circle, after=[circle.id])
    launch.wake(paths)
    settled([first, second, third], "failed", "queued", "queued")
    gone(paths)
    assert launch.why_waiting(paths, second) == (
        f"waits for {first.id}, which is failed; `labtui resume {first.id}` goes on with it"
    )
    launch.resume(first)
    first.recipe.chmod(0o600)
    first.recipe.write_text(first.recipe.read_text().replace("SystemExit(1)", "SystemExit(0)"))
    launch.wake(paths)
    settled([first, second, third, circle], "finished", "finished", "finished", "queued")


def test_a_paused_queue_starts_nothing(paths):
    queueing.pause(paths, "maintenance")
    run = queue(paths, "print(1)")
    launch.wake(paths)
    gone(paths)
    assert state(run) == "queued"
    assert launch.why_waiting(paths, run) == "the queue is paused: maintenance"
    assert queueing.unpause(paths)
    launch.wake(paths)
    settled([run], "finished")


def test_a_clock_that_was_set_back_harms_nothing(paths):
    """Everything that is there was written in what is the future now."""
    day = time.time() + 86400
    runs = [queue(paths, "print(1)") for _ in range(2)]
    for run in runs:
        write_json(run.queue, (read_json(run.queue) or {}) | {"time": day, "order": day})
        for path in (*run.root.iterdir(), run.root, paths.runs):
            os.utime(path, (day, day))
    long = queue(paths, LOGS, resources={"hang_timeout": 30.0})
    launch.wake(paths)
    settled([*runs, long], "finished", "finished", "running")
    os.utime(long.heartbeat, (day, day))
    write_json(long.process, (read_json(long.process) or {}) | {"time": day})
    process.send(supervisor(paths), signal.SIGKILL)
    launch.wake(paths)
    eventually(lambda: "found at work" in (paths.own / "agent.log").read_text())
    assert state(long) == "running"
    launch.stop(long)
    settled([long], "stopped")
    from labtui.query import Lab

    assert all(row.fields["duration"] >= 0 for row in Lab(paths).runs())


def test_environment_of_a_worker(paths):
    code = "import os; print(os.environ['LABTUI_LAB'], os.environ['OMP_NUM_THREADS'], os.getcwd())"
    run = queue(paths, code, resources={"threads": 3, "gpus": 0})
    launch.wake(paths)
    settled([run], "finished")
    assert run.log.read_text().split()[:2] == [str(paths.root), "3"]


def test_a_queued_run_that_is_removed_is_forgotten(paths):
    first, second = queue(paths, SLEEP, resources=ONE), queue(paths, "print(1)", resources=ONE)
    launch.wake(paths)
    eventually(lambda: state(first) == "running")
    launch.remove(paths, second)
    launch.stop(first, kill=True)
    gone(paths)
    assert second.id not in (paths.own / "agent.log").read_text()


def test_a_supervisor_leaves_a_lab_that_was_moved(paths):
    run = queue(paths, SLEEP, resources=ONE)
    launch.wake(paths)
    eventually(lambda: state(run) == "running")
    before = supervisor(paths)
    there = LabPaths(paths.root.with_name("there"))
    paths.root.rename(there.root)
    later = queue(there, "print(1)", resources=ONE)
    launch.wake(there)
    assert process.wait(before, 10)
    launch.wake(there)
    launch.stop(there.run(run.id), kill=True)
    settled([later], "finished")
    gone(there)
    there.root.rename(paths.root)


def test_a_python_by_another_name_is_the_same(paths):
    """A worker is forked, which costs no start, whether `python` or `python3` asked for it."""
    tables = {"name": "x", "data": {"name": "digits"}, "model": {"name": "digits_cnn"}}
    (one,) = expand(check(tables | {"resources": {"gpus": 0}}, "x.toml"), "x.toml")
    (run,) = launch.enqueue(paths, [one.tables()])
    folder = Path(sys.executable).parent
    other = next(p for p in sorted(folder.glob("python*")) if str(p) != sys.executable)
    write_json(run.queue, (read_json(run.queue) or {}) | {"python": str(other)})
    launch.wake(paths)
    worker = eventually(lambda: read_json(run.process))
    assert b"labtui.engine.warm" in Path(f"/proc/{worker['pid']}/cmdline").read_bytes()
    launch.stop(run, kill=True)


def test_signals_of_who_started_it_are_its_own(paths):
    run, program = queue(paths, "import sys; sys.exit(3)"), queue(paths, SLEEP)
    code = (
        "import sys; from pathlib import Path; from labtui import launch; from labtui.files.paths import *\n"
    )
    code += "from signal import *; signal(SIGCHLD, SIG_IGN); pthread_sigmask(SIG_BLOCK, {SIGTERM, SIGURG})\n"
    code += "launch.wake(LabPaths(Path(sys.argv[1])))"
    subprocess.run([sys.executable, "-c", code, str(paths.root)], check=True)
    settled([run, program], "failed", "running")
    os.kill(read_json(program.process)["pid"], signal.SIGTERM)
    settled([run, program], "failed", "stopped")


def test_a_closed_terminal_ends_neither_supervisor_nor_worker(paths):
    run = queue(paths, LOGS)
    master, slave = os.openpty()
    code = "import sys, time; from pathlib import Path; from labtui.launch import wake\n"
    code += "from labtui.files.paths import LabPaths; wake(LabPaths(Path(sys.argv[1]))); time.sleep(60)"
    shell = subprocess.Popen(
        ["setsid", "--ctty", sys.executable, "-c", code, str(paths.root)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    settled([run], "running")
    os.close(master)  # the terminal goes, and everybody on it gets SIGHUP
    assert shell.wait(10) == -signal.SIGHUP
    before = len(read(run, "train.loss").steps)
    eventually(lambda: len(read(run, "train.loss").steps) > before + 20)
    assert launch.at_work(paths)


def test_a_supervisor_that_is_told_to_end_leaves_its_workers(paths):
    run = queue(paths, LOGS)
    launch.wake(paths)
    settled([run], "running")
    process.send(supervisor(paths), signal.SIGTERM)
    gone(paths)
    assert state(run) == "running"


def test_random_kills_lose_nothing_and_start_nothing_twice(paths, tmp_path):
    """The short form of the stress test of the same name."""
    (tmp_path / "diary").mkdir()
    tables = [{}, {"resources": {"retries": 2}}]
    chaos = Chaos(paths, tmp_path / "diary", tables, seed=1)
    chaos.run(kills=25, runs=24)
    assert sum(chaos.check().values()) >= 4
    assert len(chaos.killed) >= 3, chaos.killed
