"""`labtui queue`, `labtui agent`, `run` with its queueing options, and the Python API's `enqueue`."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from launch_lab import ONE, SLEEP, eventually, queue, state, supervisor

import labtui
from labtui import launch
from labtui.errors import LabError, RunNotFound
from labtui.files.paths import LabPaths
from labtui.launch import queue as queueing
from labtui.launch.wake import Lock


@pytest.fixture
def paths(lab: Path) -> LabPaths:
    return LabPaths(lab)


def recipe(lab: Path, code: str = "print(1)", more: str = "") -> str:
    file = lab / "prog.toml"
    file.write_text(f'name = "prog"\ncommand = ["python", "-c", {json.dumps(code)}]\n{more}')
    return str(file)


def lines(cli, *arguments: str) -> list[list[str]]:
    status, out, _ = cli("queue", "--format", "json", *arguments)
    assert status == 0
    return [list(row.values()) for row in json.loads(out)]


def test_the_queue_says_what_runs_where_and_what_waits_why(paths, cli):
    running = queue(paths, SLEEP, resources=ONE)
    launch.wake(paths)
    eventually(lambda: state(running) == "running")
    waiting = queue(paths, "print(1)", resources=ONE)
    held = queue(paths, "print(1)", {"held": True, "priority": 2})
    after = queue(paths, "print(1)", {"after": [running.id]})
    short = queue(paths, "print(1)", resources={"gpus": 64})
    found = {row[1]: row for row in lines(cli)}
    assert found[running.id][2] == "running" and "core" in found[running.id][4]
    assert found[held.id][:4] == [1, held.id, "queued", 2] and "release" in found[held.id][5]
    assert found[waiting.id][0] == 2 and "CPU cores" in found[waiting.id][5]
    assert found[after.id][5] == f"waits for {running.id}, which is running"
    assert "64 GPUs" in found[short.id][5]
    launch.stop(running, kill=True)


def test_actions_on_the_queue(paths, cli):
    queueing.pause(paths, "not yet")
    runs = [queue(paths, "print(1)", resources=ONE) for _ in range(4)]
    a, b, c, d = (run.id for run in runs)

    def order() -> list[str]:
        return [row[1] for row in lines(cli)]

    assert order() == [a, b, c, d]
    assert cli("queue", "first", d, c)[0] == 0
    assert order() == [d, c, a, b]
    assert cli("queue", "last", d)[0] == 0
    assert order() == [c, a, b, d]
    assert cli("queue", "last", b, c, a, d)[0] == 0, "there are no others"
    assert order() == [b, c, a, d]
    assert cli("queue", "first", c, a, b)[0] == 0
    assert order() == [c, a, b, d]
    assert cli("queue", "priority", "5", b)[0] == 0
    assert order() == [b, c, a, d]
    assert cli("queue", "priority", "-1", c)[0] == 0
    assert order() == [b, a, d, c]
    assert cli("queue", "hold", a, b)[0] == 0
    assert cli("queue", "release", b)[0] == 0
    _, out, err = cli("queue")
    assert "the queue is paused: not yet" in err and "held" in out
    assert cli("queue", "start")[0] == 0
    eventually(lambda: [state(run) for run in runs] == ["queued", "finished", "finished", "finished"])
    assert cli("queue", "hold", b) == (2, "", f"labtui: {b}: is finished, not queued\n")
    assert cli("queue", "pause", "--why", "lunch")[0] == 0
    assert queueing.paused(paths) == "lunch"


def test_an_empty_queue_says_what_to_do(cli):
    status, _, err = cli("queue")
    assert status == 0 and "labtui run" in err


def test_runs_with_priority_wait_and_hold(paths, cli, lab):
    file = recipe(lab)
    status, out, _ = cli("run", file, "--hold", "--priority", "4")
    first = out.strip()
    assert status == 0 and state(paths.run(first)) == "queued"
    status, out, _ = cli("run", file, "--detach", "--after", first[-4:])
    second = out.strip()
    assert [row[:4] for row in lines(cli)] == [[1, first, "queued", 4], [2, second, "queued", 0]]
    assert lines(cli)[1][5] == f"waits for {first}, which is queued"
    assert cli("queue", "release", first)[0] == 0
    eventually(lambda: state(paths.run(second)) == "finished")
    assert cli("run", file, "--after", "nothing-like-it")[0] == 2


def test_a_recipe_says_when_it_may_start(paths, cli, lab):
    held = queue(paths, "print(1)", {"held": True})
    file = recipe(lab, more=f'[resources]\npriority = 7\nafter = ["{held.id}"]\n')
    assert cli("run", file, "--detach")[0] == 0
    waiting = lines(cli)[0]
    assert waiting[3] == 7 and waiting[5] == f"waits for {held.id}, which is queued"


def test_following_says_what_a_run_waits_for(paths, cli, lab):
    queueing.pause(paths, "maintenance")
    words = [sys.executable, "-m", "labtui", "run", recipe(lab)]
    follower = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, cwd=lab)
    assert follower.stderr
    said = [follower.stderr.readline() for _ in range(2)]
    assert said[1] == "queued: the queue is paused: maintenance\n"
    queueing.unpause(paths)
    assert follower.wait(30) == 0, "it calls a supervisor itself"
    follower.stderr.close()


def test_what_stands_in_the_way_is_named(paths, cli):
    for folder in (paths.pause, paths.own / "agent.log"):
        folder.mkdir(parents=True)
        status, _, said = cli("queue", "start")
        assert status == 2 and str(folder) in said and "Is a directory" in said
        folder.rmdir()


def test_closed_streams_harm_nothing(paths, lab):
    """As `ssh -f` and cron leave them: the next files that are opened get their numbers."""
    labtui = f"{sys.executable} -m labtui run {recipe(lab)}"
    for closed in ("<&- >&- 2>&-", "<&-", "2>&-"):
        subprocess.run(f"{labtui} {closed}", shell=True, cwd=lab, timeout=30, check=True)
    api = f"import labtui; (run,) = labtui.enqueue({recipe(lab)!r}); run.wait()"
    command = f"{sys.executable} -c {shlex.quote(api)} <&- >&- 2>&-"
    subprocess.run(command, shell=True, cwd=lab, timeout=30, check=True)
    assert [state(paths.run(run_id)) for run_id in paths.run_ids()] == ["finished"] * 4


def test_a_follower_replaces_a_killed_supervisor(paths, lab):
    words = [sys.executable, "-m", "labtui", "run", recipe(lab, "import time; time.sleep(4)")]
    follower = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, cwd=lab)
    (run_id,) = eventually(paths.run_ids)
    eventually(lambda: state(paths.run(run_id)) == "running")
    from labtui.files import process

    before = supervisor(paths)
    process.kill_group(before)
    eventually(lambda: (launch.at_work(paths) or before)["pid"] != before["pid"])
    _, said = follower.communicate(timeout=30)
    assert follower.returncode == 0, said


def test_a_wrong_setting_is_told_before_anything_is_queued(paths, cli, lab):
    (lab / "labtui.toml").write_text("[slots]\ncroes = 3\n")
    status, _, err = cli("run", recipe(lab))
    assert status == 2 and "croes" in err and "cores" in err and paths.run_ids() == []


def test_a_second_supervisor_says_that_there_is_one(paths, cli):
    lock = Lock(paths)
    assert lock.take()
    lock.sign()
    status, _, err = cli("agent")
    assert status == 0 and "at work already: process" in err
    lock.close()
    paths.agent.unlink()  # it names this process


def test_the_supervisor_in_the_foreground(paths, lab):
    run = queue(paths, "print(1)")
    done = subprocess.run(
        [sys.executable, "-m", "labtui", "agent"],
        cwd=lab,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert state(run) == "finished" and f"{run.id}: attempt 1 on" in done.stdout


def test_the_python_api_queues_and_waits(paths, lab):
    runs = labtui.enqueue(recipe(lab), ["name=api"], repeats=2, priority=1)
    assert [run.wait(30).state for run in runs] == ["finished", "finished"]
    assert [row.name for row in labtui.open().runs()] == ["api", "api"]
    held = labtui.enqueue(recipe(lab), held=True)[0]
    assert held.wait(0.2).state == "queued"
    with pytest.raises(RunNotFound):
        labtui.enqueue(recipe(lab), after=["nothing"])
    (lab / "labtui.toml").write_text("slots = 3\n")
    with pytest.raises(LabError, match="slots"):
        labtui.enqueue(recipe(lab))


def test_the_doctor_says_when_nobody_sees_to_the_queue(paths, cli):
    queue(paths, "print(1)", {"held": True})
    assert "no supervisor is at work" in cli("doctor")[1]
    queueing.pause(paths, "lunch")
    assert "paused: lunch" in cli("doctor")[1]


def test_references_are_decided_at_the_start_and_never_mean_the_run_itself(paths, lab, cli):
    code = "import labtui\nwith labtui.init() as r: r.log({'val.loss': %s}, 1)"
    monitored = '[validate]\nmonitor = "val.loss"\n'
    good, bad = (cli("run", recipe(lab, code % loss, monitored), "-d")[1].strip() for loss in (0.1, 0.9))
    eventually(lambda: [state(paths.run(one)) for one in (good, bad)] == ["finished"] * 2)
    says = "import sys; print('was', *sys.argv[1:])"
    file = lab / "next.toml"
    words = json.dumps(["python", "-c", says, "{params.best}", "{params.last}"])
    file.write_text(f'name = "next"\ncommand = {words}\n[params]\nbest = "@best:val.loss"\nlast = "@last"\n')
    runs = [paths.run(one) for one in cli("run", str(file), "--repeats", "2", "-d")[1].split()]
    eventually(lambda: [state(run) for run in runs] == ["finished"] * 2)
    assert [run.log.read_text() for run in runs] == [f"was {good} {bad}\n"] * 2
    file.write_text(file.read_text().replace("val.loss", "val.gain"))
    status, _, err = cli("run", str(file))
    assert status == 1 and "val.gain" in err
