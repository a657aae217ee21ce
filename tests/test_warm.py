"""Workers forked from the warm parent: real processes, kills, and what a fork might have left behind."""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_lab import DIGITS, ROOT, recipe, records, result_of, until, worker

from labtui.engine.warm import holds_gpu
from labtui.files import process, rundir
from labtui.files.atomic import read_json
from labtui.files.paths import LabPaths, RunPaths
from labtui.launch.warm import Event, Warm

PROBE = '''
import atexit, contextlib, json, os, signal, sys, time
from pathlib import Path
import numpy, torch

left_open = open(Path.cwd() / "left-open", "w")
left_open.write("whole")
atexit.register(lambda: Path("exited").touch())


def tell(root, out, then):
    """What this process is like, in a file; then something that ends it."""
    print("a word")
    fds = {}
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # other threads open and close theirs meanwhile
            fds[int(fd)] = os.readlink(f"/proc/self/fd/{fd}")
    threads = torch.get_num_threads()
    x = torch.randn(300, 300, requires_grad=True)
    for _ in range(20):
        (x @ x).relu().sum().backward()
    numpy.linalg.svd(numpy.random.rand(100, 100))
    found = {
        "fds": fds, "session": os.getsid(0), "pid": os.getpid(), "group": os.getpgid(0),
        "stdin": sys.stdin.read(), "folder": os.getcwd(), "argv": sys.argv, "threads": threads,
        "mask": len(signal.pthread_sigmask(signal.SIG_BLOCK, ())), "word": os.environ["WORD"],
        "tasks": len(os.listdir("/proc/self/task")), "cuda": torch.cuda.is_initialized(),
    }
    Path(out + ".new").write_text(json.dumps(found))
    os.rename(out + ".new", out)
    if then == "sleep":
        time.sleep(300)
    if then == "exit":
        sys.exit(7)
    raise RuntimeError("as it was told")
'''


class Place:
    """A lab with a warm parent, and what was heard from it."""

    def __init__(self, folder: Path) -> None:
        self.lab = LabPaths(folder)
        (folder / "probe.py").write_text(PROBE)
        self.warm = Warm(self.lab)
        self.heard: list[Event] = []

    def ask(self, tables: dict[str, Any], threads: int = 1, folder: Path | None = None) -> RunPaths:
        """Have a run of its own for this recipe started."""
        run = rundir.create(self.lab, tables["name"], tables, queued=True)
        rundir.claim(run, 1)
        environment = {"OMP_NUM_THREADS": str(threads), "WORD": run.id}
        self.warm.send(run.id, run, 1, environment=environment, folder=folder or self.lab.root, tables=tables)
        return run

    def probe(self, out: str, then: str = "raise", **options: Any) -> RunPaths:
        """Have a process look at itself."""
        data = {"factory": "probe:tell", "out": str(self.lab.root / out), "then": then}
        return self.ask(recipe().tables() | {"data": data, "resources": {"gpus": 0}}, **options)

    def found(self, out: str) -> dict[str, Any]:
        """What it saw."""
        path = self.lab.root / out
        until(path.exists)
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    def wait(self, run: RunPaths, kind: str) -> Event:
        """The event of this kind of a run."""
        end = time.monotonic() + 60
        while True:
            for event in self.heard:
                if (event.token, event.kind) == (run.id, kind):
                    return event
            assert time.monotonic() < end, f"no {kind!r} of {run.id} in {self.heard}"
            if (fd := self.warm.fileno()) is not None:
                select.select([fd], [], [], 1)
            self.heard += self.warm.receive()

    def parent(self) -> int:
        """The parent's process id."""
        assert self.warm._parent
        return self.warm._parent.pid


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A lab whose parent stays warm from test to test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONWARNINGS", "error")
        patch.setenv("PYTHONPATH", str(ROOT))
        place = Place(tmp_path_factory.mktemp("lab"))
        yield place
        place.warm.close()


def test_a_forked_training_is_the_training(place, tmp_path):
    forked = place.ask(DIGITS)
    assert place.wait(forked, "started").pid > 0
    assert place.wait(forked, "ended").status == 0
    assert result_of(forked)["outcome"] == "finished" and forked.log.read_text() == ""
    cold = rundir.create(LabPaths(tmp_path), "cold", DIGITS, queued=True)
    rundir.claim(cold, 1)
    assert worker(cold).wait() == 0
    assert records(forked) == records(cold)


def test_a_child_is_a_process_of_its_own(place):
    run = place.probe("first")
    started = place.wait(run, "started")
    assert len(os.listdir(f"/proc/{place.parent()}/task")) == 1, "threads do not survive a fork"
    found = place.found("first")
    assert {found["pid"], found["session"], found["group"]} == {started.pid}
    # What the run opens itself comes and goes; what it would have of its parent are sockets.
    assert [found["fds"][fd] for fd in "012"] == [os.devnull, str(run.log), str(run.log)]
    assert not [path for path in found["fds"].values() if path.startswith("socket:")]
    assert found["stdin"] == "" and found["mask"] == 0 and not found["cuda"]
    assert found["folder"] == str(place.lab.root) and found["word"] == run.id
    assert found["argv"][1:] == [str(run.root), "1"]
    assert place.wait(run, "ended").status == 1
    assert result_of(run)["message"] == "RuntimeError: as it was told"
    assert run.log.read_text().startswith("a word\n")
    assert (place.lab.root / "left-open").read_text() == "whole"
    assert (place.lab.root / "exited").exists()


def test_children_draw_other_numbers_each():
    code = """
import os, random, numpy, torch
from labtui.engine.warm import disperse
random.seed(0), numpy.random.seed(0), torch.manual_seed(0)
for _ in range(2):
    if os.fork() == 0:
        disperse()
        print(random.random(), numpy.random.rand(), torch.rand(1).item(), flush=True)
        os._exit(0)
    os.wait()
"""
    drawn = subprocess.check_output([sys.executable, "-W", "error", "-c", code], cwd=ROOT).split()
    assert len(set(drawn)) == 6


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_a_child_computes_with_its_threads(place, threads):
    run = place.probe(f"threads-{threads}", threads=threads)
    found = place.found(f"threads-{threads}")
    assert found["threads"] == threads
    assert found["tasks"] > threads  # those, and the writer of metrics
    place.wait(run, "ended")


def test_exit_statuses_survive(place):
    exits, killed = place.probe("exits", "exit"), place.probe("killed", "sleep")
    assert place.wait(exits, "ended").status == 1
    assert "7" in result_of(exits)["message"]
    os.kill(place.found("killed")["pid"], signal.SIGKILL)
    assert place.wait(killed, "ended").status == -signal.SIGKILL
    place.warm.send("again", exits, 1, environment={"WORD": ""}, folder=place.lab.root, tables=DIGITS)
    again = RunPaths(place.lab.runs / "again")
    assert place.wait(again, "ended").status == 2, "the attempt was already started"


def test_what_cannot_begin_is_said_and_nothing_works(place):
    run = place.ask(DIGITS, folder=place.lab.root / "gone")
    assert "gone: No such file" in place.wait(run, "failed").error
    assert not run.process.exists()
    other = place.ask(DIGITS)
    assert place.wait(other, "ended").status == 0
    assert not [event for event in place.heard if event.token == run.id and event.kind == "ended"]


def test_children_outlive_their_parent_and_the_next_one_starts(place):
    run = place.probe("orphan", "sleep")
    pid = place.found("orphan")["pid"]
    place.wait(run, "started")
    os.kill(place.parent(), signal.SIGKILL)
    unheard = place.probe("unheard")
    assert "has ended" in place.wait(unheard, "failed").error
    assert not place.warm.alive and place.warm.fileno() is None and not unheard.process.exists()
    assert process.alive(read_json(run.process))
    after = place.probe("after")
    assert place.wait(after, "ended").status == 1
    assert process.alive(read_json(run.process))
    os.kill(pid, signal.SIGKILL)


CLIENT = """
import os, sys, select, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_warm import Place
place = Place(Path(sys.argv[1]))
run = place.probe("out", "sleep")
place.wait(run, "started")
print(place.parent(), flush=True)
time.sleep(300)
"""


def test_the_parent_goes_with_the_supervisor_and_the_workers_stay(tmp_path):
    command = [sys.executable, "-c", CLIENT, str(tmp_path), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as client:
        assert client.stdout
        parent = process.identity(int(client.stdout.readline()))
        client.kill()
    (run_id,) = LabPaths(tmp_path).run_ids()
    until(lambda: not process.alive(parent))
    at_work = read_json(LabPaths(tmp_path).run(run_id).process)
    assert process.alive(at_work)
    process.send(at_work or {}, signal.SIGKILL)


def test_a_parent_that_cannot_load_says_so_of_each_request(tmp_path, monkeypatch):
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise ImportError('a broken torch')")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{ROOT}")
    place = Place(tmp_path)
    runs = [place.ask(DIGITS) for _ in range(2)]
    for run in runs:
        place.wait(run, "failed")
        assert not run.process.exists() and not run.log.exists()


def test_a_parent_that_is_not_needed_any_more_leaves_while_it_loads(tmp_path):
    place = Place(tmp_path)
    place.warm.start()
    parent = process.identity(place.parent())
    place.warm.close()
    assert not process.alive(parent) and place.warm.receive() == []


def test_the_parent_loads_what_built_in_parts_need_and_touches_no_gpu():
    code = """
import sys, torch
def touched(*_): raise AssertionError("the GPU was touched")
torch.cuda.is_available = torch.cuda.device_count = torch.cuda.init = touched
from labtui.engine.load import load, load_parts
from labtui.engine.warm import holds_gpu
load()
assert not {"sklearn", "scipy.io"} & set(sys.modules)
load_parts(None, None, "file")
load_parts("digits", "no such model", "kfold")
assert {"sklearn.datasets", "sklearn.model_selection", "labtui.data.digits"} <= set(sys.modules)
assert not torch.cuda.is_initialized() and not holds_gpu()
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=ROOT)


def test_a_parent_that_holds_a_gpu_does_not_fork(monkeypatch):
    monkeypatch.setattr(os, "readlink", lambda path: "/dev/nvidiactl")
    assert holds_gpu()


@pytest.mark.stress
@pytest.mark.parametrize("round", range(10))
def test_what_failed_with_its_parent_never_works(tmp_path, monkeypatch, round):
    """The parent is killed at a random moment of forking: a worker is at work and was announced, or
    it never is."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    place = Place(tmp_path)
    place.wait(place.probe("ready"), "ended")
    parent = place.parent()
    threading.Timer(random.uniform(0, 0.15), os.kill, (parent, signal.SIGKILL)).start()
    runs = [place.probe(f"probe-{n}", "sleep") for n in range(6)]
    until(lambda: place.heard.extend(place.warm.receive()) or not place.warm.alive)
    heard = {event.token: event.kind for event in place.heard}
    time.sleep(1)
    for run in runs:
        at_work = read_json(run.process)
        assert process.alive(at_work) == (heard[run.id] == "started")
        process.send(at_work or {}, signal.SIGKILL)
