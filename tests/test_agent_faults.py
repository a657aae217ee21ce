"""What goes wrong with runs that a supervisor starts: it says what, tries again, or starts no more."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from launch_lab import LOGS, ONE, eventually, gone, queue, settled, state

from labtui import launch
from labtui.errors import LabError, LaunchError
from labtui.files import process, rundir
from labtui.files.atomic import read_json, write_json
from labtui.files.paths import LabPaths
from labtui.launch import queue as queueing
from labtui.run import derive
from labtui.series import read


@pytest.fixture
def paths(lab: Path) -> LabPaths:
    return LabPaths(lab)


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


def test_three_failures_at_once_pause_the_queue(paths):
    broken = [queue(paths, "raise SystemExit('no such data')", resources=ONE) for _ in range(5)]
    launch.wake(paths)
    settled(broken, *["failed"] * 3, "queued", "queued")
    eventually(lambda: queueing.paused(paths))
    why = queueing.paused(paths)
    assert "3 runs in a row" in why and broken[2].id in why and "labtui queue start" in why
    gone(paths)


def test_workers_that_cannot_be_started_pause_the_queue_too(paths):
    runs = [queue(paths, "print(1)", resources=ONE) for _ in range(5)]
    for run in runs:
        write_json(run.queue, (read_json(run.queue) or {}) | {"python": "/a/removed/venv/python"})
    launch.wake(paths)
    settled(runs, *["failed"] * 3, "queued", "queued")
    assert derive(runs[2]).reason == "launch" and "/a/removed/venv" in derive(runs[2]).message
    eventually(lambda: queueing.paused(paths))
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
    run = queue(paths, HANGS, resources={"hang_timeout": 4.0})
    launch.wake(paths)
    settled([run], "failed")
    status = derive(run)
    assert status.reason == "hang" and "after step 4" in status.message
    assert len(read(run, "train.loss").steps) == 5


def test_slow_is_not_hung(paths):
    code = HANGS.replace("range(5)", "range(8)").replace("run.flush()", "run.flush(); time.sleep(.5)")
    code = code.replace("    run.log", "    time.sleep(.5); run.log").replace("time.sleep(60)", "")
    run = queue(paths, code, resources={"hang_timeout": 4.0})  # half of what it takes
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


def test_a_run_that_cannot_be_placed_or_read_says_so(paths):
    large = queue(paths, "print(1)", resources={"gpus": 64})
    broken = queue(paths, "print(1)")
    broken.recipe.chmod(0o600)
    broken.recipe.write_text("name = ")
    wrong = queue(paths, "print(1)", resources={"min_free": 0.0})
    wrong.recipe.write_text(wrong.recipe.read_text().replace("min_free = 0.0", "min_free = 'little'"))
    nowhere = paths.runs / "20260101-000000-loop-abcd"
    nowhere.symlink_to(nowhere.name)
    fine = queue(paths, "print(1)")
    launch.wake(paths)
    settled([large, broken, wrong, fine], "failed", "failed", "failed", "finished")
    assert "min_free is no number" in derive(wrong).message
    assert derive(large).reason == "launch" and "64" in derive(large).message
    assert derive(broken).reason == "launch" and "recipe.toml" in derive(broken).message


@pytest.mark.parametrize(
    ("file", "before", "after", "ends"),
    [
        ("queue.json", '"priority": 0', '"priority": 1e999', "failed"),
        ("queue.json", '"after": []', '"after": ["a\\u0000b", "../../x", "\\ud800"]', "queued"),
        ("queue.json", '"python": "', '"python": "\\u0000', "failed"),
        ("recipe.toml", "name =", "a = " + "[" * 9000 + "\nname =", "failed"),
        ("recipe.toml", "command =", "data = 3\nmodel = [1]\nx =", "failed"),
        ("claim-1", "", "[" * 100_000, "finished"),
        ("result.json", "", '{"attempt": 1, "outcome": "running"}', "failed"),
    ],
)
def test_what_other_hands_wrote_into_one_run_keeps_no_other_from_starting(paths, file, before, after, ends):
    run, fine = queue(paths, "print(1)"), queue(paths, "print(1)")
    broken = run.root / file
    text = broken.read_text() if before else ""
    broken.unlink(missing_ok=True)
    broken.write_text(text.replace(before, after) if before else after)
    launch.wake(paths)
    settled([run, fine], ends, "finished")
    gone(paths)


def test_no_run_starts_on_a_disk_without_room(paths):
    with pytest.raises(LaunchError, match="min_free"):
        queue(paths, "print(1)", resources={"min_free": 1e9})
    large = queue(paths, "print(1)", resources=ONE | {"min_free": 0.0})
    large.recipe.write_text(large.recipe.read_text().replace("min_free = 0.0", "min_free = 1e9"))
    behind = queue(paths, "print(1)", resources=ONE)
    launch.wake(paths)
    settled([large, behind], "queued", "finished")
    assert "GB of disk free" in launch.why_waiting(paths, large)
    launch.stop(large)
    gone(paths)


def test_a_file_system_without_locks_is_named(paths, monkeypatch):
    run = queue(paths, "print(1)")

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", refuse)
    for act in (lambda: launch.wake(paths), lambda: launch.stop(run)):
        with pytest.raises(LabError, match=r"not implemented\); a lab has to lie on"):
            act()


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


def test_an_unexpected_error_ends_no_supervisor(paths):
    """Another one goes on where it was, with what is on the disk."""
    run = queue(paths, LOGS)
    code = """
import sys
from pathlib import Path
from labtui import agent
from labtui.launch.agent import Supervisor
agent.REST = 0.2
real, looks = Supervisor.look, []
def look(self):
    looks.append(1)
    if len(looks) in (3, 5):
        raise RuntimeError("what nobody thought of")
    return real(self)
Supervisor.look = look
agent.supervise(Path(sys.argv[1]))
"""
    with open(paths.root / "said", "wb") as said:
        words = [sys.executable, "-c", code, str(paths.root)]
        agent = subprocess.Popen(words, stdout=said, stderr=said, start_new_session=True)
    eventually(lambda: len(read(run, "train.loss").steps) > 5)

    def said_so() -> bool:
        launch.wake(paths)  # it looks when it is called
        text = (paths.root / "said").read_text()
        return text.count("what nobody thought of") >= 2 and "found at work" in text

    eventually(said_so)
    process.send(read_json(run.process) or {}, signal.SIGKILL)
    eventually(lambda: state(run) == "failed")
    assert derive(run).attempt == 1 and agent.wait(20) == 0
