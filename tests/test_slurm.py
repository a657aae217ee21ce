"""Runs as jobs of a real Slurm: two nodes on loopback, with GPUs in name only (`slurm_cluster`)."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine_lab import DIGITS
from launch_lab import end_all, eventually, queue, state, supervisor
from slurm_cluster import Cluster, missing

from labtui import launch
from labtui.errors import LaunchError
from labtui.files import process, rundir
from labtui.files.atomic import read_json, write_json
from labtui.files.metriclog import last_step
from labtui.files.paths import LabPaths, RunPaths
from labtui.launch.agent import Filled, Supervisor
from labtui.launch.jobs import PACE, Jobs
from labtui.launch.queue import request_of
from labtui.launch.wake import Lock
from labtui.recipe.read import check
from labtui.run import derive
from labtui.series import read
from labtui.sweep import expand

COUNT = """
import labtui, time
with labtui.init() as run:
    for step in range({}):
        run.log({{"train.loss": 1 / (step + 1)}}, step)
        time.sleep(0.02)
"""
SLEEP = "import time; print('begun', flush=True); time.sleep(120)"
SLURM = {"launcher": "slurm"}
TOKEN = "0123abcd"
DIES = f"""
import os, signal, sys
from pathlib import Path
from labtui.files import rundir
from labtui.files.paths import LabPaths
from labtui.launch import slurm
from labtui.launch.node import Work
lab = LabPaths(Path(sys.argv[1]))
run = lab.run(sys.argv[2])
rundir.claim(run, 1, submission="{TOKEN}", task=0)
slurm.submit(lab, [Work(str(run.root), "{TOKEN}")], {SLURM}, slurm.job_name("prog", "{TOKEN}"), sys.executable)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def running_cluster() -> Iterator[Cluster]:
    """One cluster for the tests of this process."""
    if why := missing():
        pytest.skip(why)
    with Cluster() as one:
        yield one


@pytest.fixture
def cluster(running_cluster: Cluster, lab: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """The cluster, empty, as the test's Slurm; empty again afterwards."""
    monkeypatch.setenv("SLURM_CONF", running_cluster.environment["SLURM_CONF"])
    yield running_cluster
    running_cluster.start_controller()
    running_cluster.clear()
    end_all(lab)


def submit(lab: Path, code: str, **tables: Any) -> RunPaths:
    """A program as a run in Slurm."""
    resources = SLURM | tables.pop("resources", {})
    run = queue(LabPaths(lab), code, resources=resources, **tables)
    launch.wake(LabPaths(lab))
    return run


def train(lab: Path, tables: dict[str, Any]) -> RunPaths:
    """A training of labtui's own as a run in Slurm."""
    (recipe,) = expand(check(tables, "digits.toml"), "digits.toml")
    (run,) = launch.enqueue(LabPaths(lab), [recipe.tables()])
    launch.wake(LabPaths(lab))
    return run


def sweep(lab: Path, values: list[int]) -> list[RunPaths]:
    """The runs of a sweep, queued; nobody is called to submit them."""
    tables = {
        "name": "grid",
        "command": ["python", "-c", "import sys; print(sys.argv[1])", "{params.x}"],
        "params": {"x": 0},
        "sweep": {"space": {"params.x": values}},
        "resources": SLURM | {"slurm": {"array": 2}},
    }
    recipes = [one.tables() for one in expand(check(tables, "grid.toml"), "grid.toml")]
    return launch.enqueue(LabPaths(lab), recipes)


def job(run: RunPaths) -> str:
    """The run's job, once there is one."""
    return str(eventually(lambda: rundir.job_of(run, (read_json(run.queue) or {}).get("attempt", 0))))


def until(run: RunPaths, *states: str, seconds: float = 60) -> str:
    """Wait for one of these states."""
    end = time.monotonic() + seconds
    while state(run) not in states:
        assert time.monotonic() < end, (derive(run), run.log.exists() and run.log.read_text())
        time.sleep(0.05)
    return state(run)


def begun(run: RunPaths, attempt: int = 1) -> None:
    """Wait until an attempt is at work."""
    eventually(lambda: (read_json(run.process) or {}).get("attempt") == attempt, 60)


def step_beyond(run: RunPaths, step: int) -> None:
    """Wait until a run has logged a later step."""
    eventually(lambda: last_step(run) > step, 60)


def test_a_run_is_a_job_and_ends_as_its_program_does(lab: Path, cluster: Cluster) -> None:
    told = "import os; print(os.environ['OMP_NUM_THREADS'], repr(os.environ['CUDA_VISIBLE_DEVICES']))"
    good = submit(lab, told, resources={"slurm": {"cpus": 3, "time": 5, "partition": "high"}})
    bad = submit(lab, "import sys; print('why'); sys.exit(3)")
    assert until(good, "finished", "failed") == "finished"
    assert good.log.read_text().split() == ["3", "''"]
    assert until(bad, "finished", "failed") == "failed"
    assert "3" in derive(bad).message and bad.log.read_text().startswith("why")
    assert (read_json(good.process) or {})["job"] == job(good)
    assert "Partition=high" in cluster.call("scontrol", "show", "job", job(good))
    eventually(lambda: cluster.state(job(bad)) == "FAILED")
    eventually(lambda: not list((LabPaths(lab).own / "slurm").glob(f"{job(good)}_*")))


def test_slurm_says_which_gpus(lab: Path, cluster: Cluster) -> None:
    run = submit(lab, "import os; print(os.environ['CUDA_VISIBLE_DEVICES'])", resources={"gpus": 2})
    assert until(run, "finished", "failed") == "finished"
    assert run.log.read_text() == "0,1\n"


def test_what_slurm_refuses_says_so(lab: Path, cluster: Cluster) -> None:
    run = submit(lab, SLEEP, resources={"slurm": {"partition": "nowhere"}})
    assert until(run, "failed") == "failed"
    status = derive(run)
    assert status.reason == "launch" and "nvalid partition" in status.message


def test_a_waiting_job_is_queued_and_stops_at_once(lab: Path, cluster: Cluster, cli: Any) -> None:
    cluster.occupy("high")
    run = submit(lab, SLEEP)
    number = job(run)
    assert state(run) == "queued"
    assert f"job {number}" in cli("queue")[1]
    status, _, said = cli("queue", "hold", run.id)
    assert status == 2 and "scontrol" in said
    launch.stop(run)
    assert state(run) == "stopped"
    eventually(lambda: cluster.state(number) == "CANCELLED")
    assert not run.process.exists()


def test_a_running_job_stops_and_is_not_started_again(lab: Path, cluster: Cluster, cli: Any) -> None:
    soft, hard = submit(lab, COUNT.format(5000)), submit(lab, SLEEP)
    for run in (soft, hard):
        begun(run)
    assert f"job {job(soft)}" in cli("queue")[1] and f"job {job(soft)} on" in cli("show", soft.id)[1]
    step_beyond(soft, 10)
    launch.stop(soft)
    launch.stop(hard, kill=True)
    for run in (soft, hard):
        assert until(run, "stopped") == "stopped"
        eventually(lambda run=run: cluster.state(job(run)) in ("COMPLETED", "CANCELLED"), 30)
        assert derive(run).attempt == 1


def test_preemption_requeues_and_the_training_goes_on(lab: Path, cluster: Cluster) -> None:
    tables = {"train": {"epochs": 25, "batch_size": 64}, "resources": SLURM | {"gpus": 0}}
    run = train(lab, DIGITS | tables)
    number = job(run)
    step_beyond(run, 40)
    cluster.occupy("high", seconds=3)
    begun(run, attempt=2)
    assert until(run, "finished", "failed", seconds=120) == "finished"
    assert derive(run).attempt == 2 and job(run) == number
    assert rundir.claimed(run, 2)[0]["step"] > 0
    steps, _, values = read(run, "epoch")
    assert list(values) == list(range(26)) and np.all(np.diff(steps) > 0)


def test_one_training_on_two_nodes(lab: Path, cluster: Cluster) -> None:
    tables = DIGITS | {"resources": SLURM | {"gpus": 0, "nodes": 2, "threads": 1}}
    run = train(lab, tables | {"train": {"epochs": 3, "batch_size": 128}})
    assert until(run, "finished", "failed", seconds=120) == "finished"
    assert (read_json(run.result) or {})["facts"]["processes"] == 2
    assert list(read(run, "epoch")[2]) == [0, 1, 2, 3]


def test_where_preemption_is_the_end_of_the_job_another_one_goes_on(lab: Path, cluster: Cluster) -> None:
    run = submit(lab, COUNT.format(200), resources={"slurm": {"partition": "harsh"}})
    first = job(run)
    step_beyond(run, 10)
    cluster.occupy("high", seconds=1)
    assert until(run, "finished", "failed") == "finished"
    assert job(run) != first and cluster.state(first) == "PREEMPTED"
    assert list(read(run, "train.loss")[0]) == list(range(200))


def test_a_program_is_warned_before_its_time_is_over(lab: Path, cluster: Cluster) -> None:
    (lab / "count.py").write_text(COUNT.format(150))
    recipe = lab / "count.toml"
    recipe.write_text(
        'name = "count"\ncommand = ["python", "count.py"]\n'
        '[resources]\nlauncher = "slurm"\n[resources.slurm]\ntime = 1\n'
    )
    command = [sys.executable, "-c", "from labtui.cli import main; main()", "run", str(recipe)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as terminal:
        eventually(lambda: LabPaths(lab).run_ids())
        run = LabPaths(lab).run(LabPaths(lab).run_ids()[0])
        step_beyond(run, 20)
        cluster.call("scancel", "--batch", "--signal=USR2", job(run))
        begun(run, attempt=2)
        _, said = terminal.communicate(timeout=60)
    assert terminal.returncode == 0, said
    assert f"waits in Slurm as job {job(run)}" in said and "finished" in said
    assert list(read(run, "train.loss")[0]) == list(range(150))


def test_two_times_without_progress_are_the_end(lab: Path, cluster: Cluster) -> None:
    run = submit(lab, SLEEP, resources={"slurm": {"time": 1}})
    for attempt in (1, 2):
        begun(run, attempt)
        cluster.call("scancel", "--batch", "--signal=USR2", job(run))
    assert until(run, "failed") == "failed"
    status = derive(run)
    assert status.reason == "timeout" and "resources.slurm.time" in status.message and status.attempt == 2


def test_somebody_cancels_the_job(lab: Path, cluster: Cluster) -> None:
    run = submit(lab, COUNT.format(5000))
    begun(run)
    cluster.call("scancel", job(run))
    assert until(run, "stopped") == "stopped"
    assert "cancelled in Slurm" in derive(run).message
    cluster.occupy("high")
    waiting = submit(lab, SLEEP)
    cluster.call("scancel", job(waiting))
    assert until(waiting, "stopped") == "stopped" and derive(run).attempt == 1


def test_a_requeued_job_is_a_new_attempt(lab: Path, cluster: Cluster) -> None:
    run = submit(lab, COUNT.format(200))
    step_beyond(run, 10)
    worker = read_json(run.process) or {}
    cluster.call("scontrol", "requeue", job(run))
    begun(run, attempt=2)
    assert not process.alive(worker)
    assert until(run, "finished") == "finished"
    assert list(read(run, "train.loss")[0]) == list(range(200))


def test_what_is_killed_is_told(lab: Path, cluster: Cluster) -> None:
    worker, whole = submit(lab, SLEEP), submit(lab, SLEEP)
    for run in (worker, whole):
        begun(run)
    process.send(read_json(worker.process) or {}, signal.SIGKILL)
    cluster.call("scancel", "--batch", "--signal=KILL", job(whole))
    assert [until(run, "failed") for run in (worker, whole)] == ["failed"] * 2
    assert "SIGKILL" in derive(worker).message
    assert f"job {job(whole)}: FAILED" in derive(whole).message
    assert not process.alive(read_json(whole.process) or {})


def test_too_much_memory_is_the_reason(lab: Path, cluster: Cluster) -> None:
    takes = "import time; kept = bytearray(300_000_000); kept[::4096] = kept[::4096]; time.sleep(60)"
    run = submit(lab, takes, resources={"slurm": {"memory": 0.1}})
    assert until(run, "failed", "stopped") == "failed"
    status = derive(run)
    assert status.reason == "oom" and "resources.slurm.memory" in status.message


def test_an_old_heartbeat_starts_nothing(lab: Path, cluster: Cluster) -> None:
    run = submit(lab, SLEEP)
    begun(run)
    eventually(run.heartbeat.exists)
    worker = read_json(run.process) or {}
    process.send(worker, signal.SIGSTOP)
    write_json(run.process, worker | {"host": "elsewhere"})
    os.utime(run.heartbeat, (0, 0))
    assert state(run) == "lost"
    launch.wake(LabPaths(lab))
    time.sleep(2 * PACE[0])
    assert state(run) == "lost" and not run.claim(2).exists()
    with pytest.raises(LaunchError, match="may still live on elsewhere"):
        launch.resume(run)
    cluster.call("scancel", "--batch", "--signal=KILL", job(run))
    assert until(run, "failed") == "failed" and "left no result" in derive(run).message


def test_without_its_controller_nothing_is_lost(lab: Path, cluster: Cluster) -> None:
    run = submit(lab, COUNT.format(150))
    begun(run)
    cluster.stop("slurmctld")
    time.sleep(PACE[0])  # what Slurm said is no longer taken for its word
    later = submit(lab, "print(1)")
    assert until(run, "finished") == "finished"
    assert state(later) == "queued" and not later.claim(1).exists()
    cluster.start_controller()
    assert until(later, "finished") == "finished" and derive(later).attempt == 1


def test_slurm_that_goes_away_while_it_is_asked_gets_the_run_again(lab: Path, cluster: Cluster) -> None:
    run = queue(LabPaths(lab), "print(1)", resources=SLURM)
    with closing(Jobs(LabPaths(lab))) as jobs:
        eventually(lambda: jobs.look() or jobs.ready())
        cluster.stop("slurmctld")
        (said,) = jobs.submit([(request_of(run), {})])
    assert "did not take the job" in said
    assert state(run) == "queued" and derive(run).attempt == 2 and not run.claim(2).exists()
    cluster.start_controller()
    launch.wake(LabPaths(lab))
    assert until(run, "finished") == "finished" and run.log.read_text() == "1\n"


def test_more_than_slurm_takes_is_submitted_in_parts(
    lab: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labtui.launch.jobs.AGAIN", 0)
    runs = sweep(lab, [1, 2, 3, 4, 5, 6])

    def submitted() -> bool:
        jobs.look()
        waiting = [request for run in runs if not run.claim(1).exists() and (request := request_of(run))]
        if waiting and jobs.ready():
            list(jobs.submit([(request, {}) for request in waiting]))
        return not waiting

    with closing(Jobs(LabPaths(lab))) as jobs:
        eventually(submitted)
    assert [until(run, "finished", "failed") for run in runs] == ["finished"] * 6
    assert len({job(run).partition("_")[0] for run in runs}) == 2


def test_a_sweep_is_an_array(lab: Path, cluster: Cluster) -> None:
    runs = sweep(lab, [1, 2, 3])
    launch.wake(LabPaths(lab))
    numbers = [job(run) for run in runs]
    assert {number.partition("_")[2] for number in numbers} == {"0", "1", "2"}
    assert len({number.partition("_")[0] for number in numbers}) == 1
    assert [until(run, "finished", "failed") for run in runs] == ["finished"] * 3
    assert [run.log.read_text() for run in runs] == ["1\n", "2\n", "3\n"]


def test_what_the_cluster_has_been_given_of_a_sweep_still_counts(lab: Path, cluster: Cluster) -> None:
    asked: list[Counter[str]] = []

    def fill(waiting: Counter[str]) -> Filled:
        asked.append(waiting)
        return Filled(0, False, math.inf)

    sweep(lab, [1, 2, 3])
    lock = Lock(LabPaths(lab))
    assert lock.take()
    one = Supervisor(LabPaths(lab), lock, lambda *_: "", fill)

    def submitted() -> bool:
        one.look()
        one.place()
        return len(one.jobs.watched) == 3

    eventually(submitted)
    one.place()
    one.look()
    assert not one.waiting and set(asked[-1].values()) == {3}
    one.jobs.close()
    lock.close()


def test_a_job_whose_submitter_was_killed_is_found(lab: Path, cluster: Cluster) -> None:
    run = queue(LabPaths(lab), COUNT.format(100), resources=SLURM)
    done = subprocess.run([sys.executable, "-c", DIES, str(lab), run.id], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert run.claim(1).exists() and not rundir.job_of(run, 1)
    launch.wake(LabPaths(lab))
    (number,) = cluster.call("squeue", "-h", "-t", "all", "-o", "%i", "--name", f"prog.{TOKEN}").split()
    assert until(run, "finished") == "finished" and derive(run).attempt == 1
    assert job(run) == number and run.log.read_text() == ""


def test_a_job_that_was_given_up_does_nothing(lab: Path, cluster: Cluster) -> None:
    cluster.occupy("high")
    run = submit(lab, "print('once')")
    number = job(run)
    launch.resume(run, force=True)
    launch.wake(LabPaths(lab))
    eventually(lambda: rundir.job_of(run, 2))
    cluster.call("scancel", "--partition=high", "--me")
    assert until(run, "finished") == "finished" and derive(run).attempt == 2
    eventually(lambda: cluster.state(number) == "COMPLETED", 30)
    assert run.log.read_text() == "once\n"


def test_a_killed_supervisor_changes_nothing(lab: Path, cluster: Cluster) -> None:
    run = submit(lab, COUNT.format(200))
    begun(run)
    process.send(supervisor(LabPaths(lab)), signal.SIGKILL)
    launch.wake(LabPaths(lab))
    assert until(run, "finished") == "finished" and derive(run).attempt == 1


def test_a_removed_run_takes_its_job_along(lab: Path, cluster: Cluster) -> None:
    cluster.occupy("high")
    run = submit(lab, SLEEP)
    number = job(run)
    launch.remove(LabPaths(lab), run)
    eventually(lambda: cluster.state(number) == "CANCELLED")
