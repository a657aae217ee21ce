"""States are derived: from real processes, real kills, copies, other hosts and other boots."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labtui.files import process, rundir
from labtui.files.atomic import write_json
from labtui.files.paths import LabPaths, RunPaths
from labtui.run import derive

TABLES = {"format": 1, "name": "x", "origin": {"file": "x.toml"}}


@pytest.fixture
def run(lab: Path) -> RunPaths:
    return rundir.create(LabPaths(lab), "x", TABLES, queued=True)


@pytest.fixture
def sleeper():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        yield child
        child.kill()


def occupy(run: RunPaths, attempt: int = 1, pid: int | None = None, **more) -> None:
    record = process.identity(pid) | {"attempt": attempt, "directory": rundir.directory(run.root)}
    write_json(run.process, record | {"time": time.time()} | more)


def test_the_order_of_states(run, sleeper):
    assert derive(run).state == "queued"
    assert rundir.claim(run, 1)
    assert derive(run).state == "queued", "its starter, this process, lives"
    rundir.claimed_for(run, 1, sleeper.pid)
    assert derive(run).state == "running", "the worker is there, though process.json is not yet"
    write_json(run.control, {"attempt": 1, "action": "stop"})
    assert derive(run).state == "running", "a stop that was asked for has not happened"
    run.control.unlink()
    occupy(run, pid=sleeper.pid)
    assert derive(run).state == "running"
    sleeper.kill()
    sleeper.wait()
    assert derive(run).state == "lost"
    write_json(run.control, {"attempt": 1, "action": "stop"})
    assert derive(run).state == "stopped"
    write_json(run.verdict, {"attempt": 1, "outcome": "failed", "reason": "oom"})
    assert (derive(run).state, derive(run).reason) == ("failed", "oom")
    write_json(run.result, {"attempt": 1, "outcome": "finished"})
    assert derive(run).state == "finished", "the worker's own word wins"
    write_json(run.queue, rundir.request(run.root, 2))
    assert (derive(run).state, derive(run).attempt) == ("queued", 2), "only the newest attempt counts"


def test_a_claim_has_one_winner(run):
    assert [rundir.claim(run, 1) for _ in range(3)] == [True, False, False]


def test_an_unreaped_zombie_does_not_run(run, sleeper):
    rundir.claim(run, 1)
    occupy(run, pid=sleeper.pid)
    known = process.identity(sleeper.pid)
    os.kill(sleeper.pid, 9)
    process.wait(known, 10)
    assert derive(run).state == "lost"


def test_after_a_reboot_nothing_runs(run):
    rundir.claim(run, 1)
    occupy(run, boot="the boot before")
    assert derive(run).state == "lost"


def test_a_reused_pid_is_another_process(run):
    rundir.claim(run, 1)
    occupy(run, start=1)
    assert derive(run).state == "lost"


def test_on_another_host_the_heartbeat_counts(run):
    rundir.claim(run, 1)
    occupy(run, host="elsewhere")
    run.heartbeat.write_text("3")
    assert derive(run).state == "running"
    os.utime(run.heartbeat, (time.time() - 100, time.time() - 100))
    assert derive(run).state == "lost"


def test_a_process_that_left_the_run_is_not_its_process(run):
    rundir.claim(run, 1)
    occupy(run, released=time.time())
    write_json(run.result, {"attempt": 1, "outcome": "finished"})
    assert derive(run).state == "finished"


@pytest.mark.parametrize("what", ["queued", "running", "finished"])
def test_a_copy_is_idle_unless_it_has_a_result(run, lab, what):
    if what != "queued":
        rundir.claim(run, 1)
        occupy(run)
    if what == "finished":
        write_json(run.result, {"attempt": 1, "outcome": "finished"})
    copy = LabPaths(lab).run(run.id[:-4] + "copy")
    shutil.copytree(run.root, copy.root)
    assert derive(copy).state == ("finished" if what == "finished" else "idle")


@pytest.mark.parametrize("name", ["queue", "process", "result", "verdict", "control"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"attempt": "one"}', b'{"attempt": null}'])
def test_broken_records_break_nothing(run, name, content):
    getattr(run, name).write_bytes(content)
    assert derive(run).state in ("queued", "idle")


def test_creating_leaves_nothing_half_made(lab, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("labtui.files.rundir.os.fsync", fail)
    with pytest.raises(Exception, match="No space left"):
        rundir.create(LabPaths(lab), "x", TABLES, queued=True)
    assert [p.name for p in (lab / "runs").iterdir()] == [".labtui"]


_CREATE = """
import sys
from pathlib import Path
from labtui.files import rundir
from labtui.files.paths import LabPaths
for _ in range(25):
    rundir.create(LabPaths(Path(sys.argv[1])), "same", {"format": 1, "name": "same"}, queued=True)
"""


def test_many_launchers_at_once_make_every_run(lab):
    children = [subprocess.Popen([sys.executable, "-c", _CREATE, str(lab)]) for _ in range(4)]
    assert [child.wait() for child in children] == [0] * 4
    ids = LabPaths(lab).run_ids()
    assert len(ids) == 100
    for run_id in ids:
        run = LabPaths(lab).run(run_id)
        assert json.loads(run.queue.read_bytes())["directory"] == rundir.directory(run.root)
        assert run.root.stat().st_mode & 0o777 == 0o700


values = st.recursive(
    st.integers(-(2**70), 2**70)
    | st.text(max_size=5)
    | st.booleans()
    | st.floats(allow_nan=True)
    | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from(["name", "tags", "origin", "validate", "goals", "params", "train", "format", "x"])


@given(tables=st.dictionaries(keys, values, max_size=5), result=values)
@example(tables={}, result={"large": -(2**63) - 1})
@settings(max_examples=100, deadline=None)
def test_whatever_a_recipe_or_result_holds_is_listed(tables, result, tmp_path_factory):
    """What other hands wrote into one run directory must not hide the others."""
    import orjson

    import labtui
    from labtui.files.atomic import dumps
    from labtui.files.toml import dumps as toml_dumps

    lab = LabPaths(tmp_path_factory.mktemp("lab"))
    run = rundir.create(lab, "x", TABLES, queued=True)
    try:
        run.recipe.write_bytes(toml_dumps(tables))
    except (TypeError, ValueError):
        return
    run.result.write_bytes(dumps({"attempt": 1, "facts": result, "ended": result, "reason": result}))
    (row,) = labtui.open(lab.root).runs()
    orjson.dumps({key: row[key] for key in row.fields})
    from labtui.cli.listing import _columns

    _columns([row.fields])
