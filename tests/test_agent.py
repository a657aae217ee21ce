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
from launch_lab import LOGS, SLEEP, eventually, queue, state, supervisor

from labtui import launch
from labtui.errors import LaunchError
from labtui.files import process, rundir
from labtui.files.atomic import read_json, write_json
from labtui.files.paths import LabPaths, RunPaths
from labtui.launch import queue as queueing
from labtui.launch.wake import Lock
from labtui.run import derive
from labtui.series import read

ONE = {"threads": 64}
"""Resources of a run that has the machine to itself."""


@pytest.fixture
def paths(lab: Path) -> LabPaths:
    return LabPaths(lab)


def settled(runs: list[RunPaths], *states: str) -> None:
    eventually(lambda: [state(run) for run in runs] == list(states))


def gone(lab: LabPaths) -> None:
    eventually(lambda: launch.at_work(lab) is None)


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


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_killed_worker_is_told_of(paths, number):
    run = queue(paths, LOGS)
    launch.wake(paths)
    eventually(lambda: len(read(run, "train.loss").steps) > 5)
    process.send(read_json(run.process) or {}, number)
    settled([run], "failed")
    verdict = read_json(run.verdict) or {}
    assert signal.Signals(number).name in verdict["message"] and verdict["signal"] == number
    assert not run.result.exists()


def test_a_terminated_worker_stops_with_what_it_has(paths):
    run = queue(paths, LOGS)
    launch.wake(paths)
    eventually(lambda: len(read(run, "train.loss").steps) > 5)
    process.send(read_json(run.process) or {}, signal.SIGTERM)
    settled([run], "stopped")


def test_a_claim_of_a_dead_starter_is_begun_again(paths):
    run = queue(paths, "print(1)")
    code = "import sys; from pathlib import Path; from labtui.files import paths, rundir\n"
    code += "rundir.claim(paths.RunPaths(Path(sys.argv[1])), 1)"
    subprocess.run([sys.executable, "-c", code, str(run.root)], check=True)
    assert state(run) == "queued"
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
    queueing.move(front, [blocker, *low, high, front])
    last = queue(paths, "print(1)", {"priority": 9}, resources=ONE)
    queueing.move(last, [blocker, *low, high, front, last], last=True)
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
    assert launch.why_waiting(paths, second) == f"waits for {first.id}, which is failed"
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


def test_three_failures_at_once_pause_the_queue(paths):
    broken = [queue(paths, "raise SystemExit('no such data')", resources=ONE) for _ in range(5)]
    launch.wake(paths)
    settled(broken, *["failed"] * 3, "queued", "queued")
    eventually(lambda: queueing.paused(paths))
    why = queueing.paused(paths)
    assert "3 runs in a row" in why and broken[2].id in why and "labtui queue start" in why
    gone(paths)


def test_failures_with_something_to_show_do_not_pause_the_queue(paths):
    code = "import labtui\nwith labtui.init() as r: r.log({'a': 1.0}, 1)\nraise SystemExit(1)"
    runs = [queue(paths, code, resources=ONE) for _ in range(4)]
    launch.wake(paths)
    settled(runs, *["failed"] * 4)


def test_a_killed_worker_is_tried_again_as_often_as_the_recipe_says(paths):
    code = "import os, signal; os.kill(os.getppid(), signal.SIGKILL)"
    run = queue(paths, code, resources={"retries": 2})
    launch.wake(paths)
    eventually(lambda: derive(run).attempt == 3 and state(run) == "failed")
    gone(paths)
    assert derive(run).attempt == 3 and launch.retries_left(run) == 0
    launch.resume(run)
    assert launch.retries_left(run) == 0, "queued"
    assert (read_json(run.queue) or {})["retry"] == 0, "who asks by hand has them all again"


def test_an_error_of_the_program_is_not_tried_again(paths):
    run = queue(paths, "raise SystemExit(1)", resources={"retries": 2})
    launch.wake(paths)
    settled([run], "failed")
    gone(paths)
    assert derive(run).attempt == 1


HANGS = """
import labtui, time
run = labtui.init()
for step in range(5):
    run.log({"train.loss": 1.0}, step)
run.flush()
time.sleep(60)
"""


def test_a_hang_is_ended_and_said(paths):
    run = queue(paths, HANGS, resources={"hang_timeout": 1.5})
    launch.wake(paths)
    settled([run], "failed")
    status = derive(run)
    assert status.reason == "hang" and "after step 4" in status.message
    assert len(read(run, "train.loss").steps) == 5


def test_slow_is_not_hung(paths):
    code = HANGS.replace("range(5)", "range(8)").replace("run.flush()", "run.flush(); time.sleep(.5)")
    code = code.replace("    run.log", "    time.sleep(.5); run.log").replace("time.sleep(60)", "")
    run = queue(paths, code, resources={"hang_timeout": 2.0})
    launch.wake(paths)
    settled([run], "finished")


def test_after_a_reboot_a_run_is_lost_and_tried_again_if_it_may_be(paths):
    runs = [queue(paths, "print(1)", resources={"retries": n}) for n in (0, 1)]
    for run in runs:
        rundir.claim(run, 1)
        before = process.identity() | {"boot": "another"}
        mine = {"attempt": 1, "launcher": "labtui", "directory": rundir.directory(run.root)}
        write_json(run.process, before | mine | {"time": time.time()})
    assert [state(run) for run in runs] == ["lost", "lost"]
    launch.wake(paths)
    settled(runs, "lost", "finished")


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


def test_a_run_that_cannot_be_placed_or_read_says_so(paths):
    large = queue(paths, "print(1)", resources={"gpus": 64})
    broken = queue(paths, "print(1)")
    broken.recipe.chmod(0o600)
    broken.recipe.write_text("name = ")
    fine = queue(paths, "print(1)")
    launch.wake(paths)
    settled([large, broken, fine], "failed", "failed", "finished")
    assert derive(large).reason == "launch" and "64" in derive(large).message
    assert derive(broken).reason == "launch" and "recipe.toml" in derive(broken).message


def test_no_run_starts_on_a_disk_without_room(paths):
    with pytest.raises(LaunchError, match="min_free"):
        queue(paths, "print(1)", resources={"min_free": 1e9})
    run = queue(paths, "print(1)")
    text = run.recipe.read_text()
    run.recipe.chmod(0o600)
    run.recipe.write_text(text.replace("min_free = 0.5", "") + "[resources]\nmin_free = 1e9\n")
    launch.wake(paths)
    supervisor(paths)
    time.sleep(1)
    assert state(run) == "queued" and "GB of disk free" in launch.why_waiting(paths, run)
    run.recipe.write_text(text)
    launch.stop(run)
    gone(paths)


def test_environment_of_a_worker(paths):
    code = "import os; print(os.environ['LABTUI_LAB'], os.environ['OMP_NUM_THREADS'], os.getcwd())"
    run = queue(paths, code, resources={"threads": 3, "gpus": 0})
    launch.wake(paths)
    settled([run], "finished")
    assert run.log.read_text().split()[:2] == [str(paths.root), "3"]


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


@pytest.fixture
def little_memory():
    """A control group with 200 MB, of which a process joins itself; skipped where there can be none."""
    base = Path("/sys/fs/cgroup")
    base, limit = (
        (base / "memory", "memory.limit_in_bytes") if (base / "memory").is_dir() else (base, "memory.max")
    )
    group = base / f"labtui-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / limit).write_text(str(200 * 2**20))
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    yield group
    for pid in (group / "cgroup.procs").read_text().split():
        os.kill(int(pid), signal.SIGKILL)
    eventually(lambda: not (group / "cgroup.procs").read_text())
    group.rmdir()


def test_a_worker_that_the_kernel_kills_for_memory_is_out_of_memory(paths, little_memory):
    """The worker is a wrapper here, which is put into the group by its program."""
    code = f"""
import os, time
worker = os.getppid()
open("/proc/%d/oom_score_adj" % worker, "w").write("1000")
open({str(little_memory / "cgroup.procs")!r}, "w").write(str(worker))
time.sleep(60)
"""
    run = queue(paths, code)
    launch.wake(paths)
    eventually((little_memory / "cgroup.procs").read_text)
    # Another process that joins takes too much, and the kernel's choice falls on the worker first.
    greedy = "import os, sys; open(sys.argv[1], 'w').write(str(os.getpid())); bytearray(300 << 20)"
    subprocess.run([sys.executable, "-c", greedy, str(little_memory / "cgroup.procs")], check=False)
    settled([run], "failed")
    assert derive(run).reason == "oom" and "memory ran out" in derive(run).message
