"""labtui gc: what is freed, and above all what is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import Cli

from labtui.files import rundir
from labtui.files.atomic import locked
from labtui.files.paths import LabPaths, RunPaths
from labtui.launch import freeing, resume
from labtui.writer import Run, attach

FILES = {"best.pt": 10, "last.pt": 200, "epoch-00001.pt": 40, "epoch-00002.pt": 40, "best-val.acc.pt": 20}
"""Checkpoints of every run here, and their KiB."""


def begun(lab: Path, name: str = "net", loss: float = 1.0, **tables: Any) -> Run:
    """A run at work, with checkpoints, that this process writes."""
    tables = {"format": 1, "name": name, "validate": {"monitor": "val.loss"}, **tables}
    tables.setdefault("origin", {"file": f"{name}.toml"})
    paths = rundir.create(LabPaths(lab), name, tables, queued=True)
    assert rundir.claim(paths, 1)
    run = attach(paths.root, 1)
    run.log({"val.loss": loss}, 1)
    paths.checkpoints.mkdir()
    for file, size in FILES.items():
        (paths.checkpoints / file).write_bytes(bytes(size * 1024))
    return run


def ended(
    lab: Path, name: str = "net", loss: float = 1.0, outcome: str = "finished", **more: Any
) -> RunPaths:
    run = begun(lab, name, loss, **more)
    run.finish(outcome, "error" if outcome == "failed" else "")
    return run.paths


def left(run: RunPaths) -> set[str]:
    return {path.name for path in run.checkpoints.iterdir()}


def old(path: Path) -> Path:
    """Make it two hours old."""
    os.utime(path, (time.time() - 7200,) * 2)
    return path


def test_the_best_of_a_recipe_and_of_a_sweep_keep_all(lab: Path, cli: Cli) -> None:
    worse, best, equal = (ended(lab, loss=loss) for loss in (2.0, 1.0, 1.0))
    nan = ended(lab, loss=float("nan"))
    other = ended(lab, "other", 9.0)
    cells = [ended(lab, loss=loss, origin={"sweep": "s1"}) for loss in (3.0, 4.0)]
    assert cli("gc", "--yes")[0] == 0
    for run in (best, other, cells[0]):
        assert left(run) == FILES.keys()
    for run in (worse, equal, nan, cells[1]):
        assert left(run) == {"best.pt"}
    status, out, err = cli("gc", "--all", "--yes")
    assert (status, out.count("\n")) == (0, 6)
    assert "freed 40.0 KiB" in err
    assert left(best) == FILES.keys() and left(worse) == set()


def test_the_best_finished_run_is_spared_beside_one_that_was_better_for_a_while(lab: Path, cli: Cli) -> None:
    done, diverged = ended(lab, loss=1.0), ended(lab, loss=0.5, outcome="failed")
    cli("gc", "--all", "--resumable", "--yes")
    assert left(done) == left(diverged) == FILES.keys()


def test_without_a_monitored_value_nothing_is_said_to_be_worse(lab: Path, cli: Cli) -> None:
    runs = [ended(lab, validate={}) for _ in range(2)] + [ended(lab, "x", float("nan")) for _ in range(2)]
    _, _, err = cli("gc", "--all", "--resumable", "--yes")
    assert "nothing to free" in err
    assert all(left(run) == FILES.keys() for run in runs)


@pytest.mark.parametrize("outcome", ["stopped", "failed", "preempted"])
def test_what_a_run_goes_on_from_is_asked_for_by_name(lab: Path, cli: Cli, outcome: str) -> None:
    ended(lab, loss=1.0)
    run = ended(lab, loss=2.0, outcome=outcome)
    cli("gc", "--all", "--yes")
    assert left(run) == {"last.pt", "best.pt", "best-val.acc.pt"}
    _, _, err = cli("gc")
    assert "220.0 KiB (2 files) more with --resumable" in err
    cli("gc", "--resumable", "--yes")
    assert left(run) == {"best.pt"}
    cli("gc", "--resumable", "--all", "--yes")
    assert left(run) == set()


def test_runs_at_work_or_waiting_are_not_touched_nor_what_they_start_from(lab: Path, cli: Cli) -> None:
    ended(lab, loss=0.5)
    named, resolved, wanted, spare = (ended(lab, loss=loss) for loss in (1.0, 2.0, 3.0, 4.0))
    running = begun(lab, loss=5.0)
    waiting = rundir.create(
        LabPaths(lab), "next", {"format": 1, "name": "next", "model": {"path": named.id}}, queued=True
    )
    starting = rundir.create(LabPaths(lab), "b", {"format": 1, "name": "b", "command": ["true"]}, queued=True)
    rundir.claim(starting, 1, references={"params.from": resolved.id})
    # The longest is the best by this metric, as a reference that is not yet resolved has it.
    Run(wanted, 1).log({"epoch": 9.0}, 1)
    tables = {
        "format": 1,
        "name": "c",
        "command": ["true"],
        "params": {"from": [f"@{wanted.id[-4:]}", wanted.id]},
    }
    rundir.create(LabPaths(lab), "c", tables, queued=True)
    cli("gc", "--all", "--resumable", "--yes")
    running.finish()
    for run in (named, resolved, wanted, running.paths):
        assert left(run) == FILES.keys(), run
    assert left(spare) == set() and waiting.queue.exists()


def test_a_reference_that_waits_to_be_resolved_spares_its_run(lab: Path, cli: Cli) -> None:
    ended(lab, loss=0.5)
    best_by_other = begun(lab, loss=2.0)
    best_by_other.log({"val.acc": 0.9}, 1)
    best_by_other.finish()
    rundir.create(
        LabPaths(lab), "next", {"format": 1, "name": "next", "model": {"path": "@best:val.acc"}}, queued=True
    )
    cli("gc", "--all", "--yes")
    assert left(best_by_other.paths) == FILES.keys()


def test_a_run_that_was_resumed_meanwhile_is_left_alone(lab: Path) -> None:
    ended(lab, loss=1.0)
    run = ended(lab, loss=2.0, outcome="stopped")
    found = list(freeing.checkpoints(LabPaths(lab), [run.id]))
    assert {one.kind for one in found} == {"checkpoints", "resumable", "best"}
    resume(run)
    assert [freeing.free(LabPaths(lab), one) for one in found] == [0, 0, 0]
    assert left(run) == FILES.keys()


def test_removing_waits_for_the_lock_of_the_run(lab: Path) -> None:
    run = ended(lab, loss=2.0)
    code = (
        "import sys\nfrom pathlib import Path\nfrom labtui.files.paths import LabPaths\n"
        "from labtui.launch import freeing\nlab = LabPaths(Path('.'))\n"
        f"for one in list(freeing.checkpoints(lab, [{run.id!r}])):\n    freeing.free(lab, one)"
    )
    with locked(run.root):
        process = subprocess.Popen([sys.executable, "-c", code], cwd=lab)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.5)
        assert left(run) == FILES.keys()
    assert process.wait(20) == 0 and left(run) == set()


def test_what_was_lost_on_another_host_may_live_there(lab: Path) -> None:
    run = ended(lab, loss=2.0)
    run.result.unlink()
    record = json.loads(run.process.read_text()) | {"host": "elsewhere", "released": None}
    run.process.write_text(json.dumps(record))
    old(run.heartbeat)
    assert list(freeing.checkpoints(LabPaths(lab), [run.id])) == []
    run.process.write_text(json.dumps(record | {"host": os.uname().nodename, "start": -1}))
    assert {one.kind for one in freeing.checkpoints(LabPaths(lab), [run.id])} == {
        "checkpoints", "resumable", "best",
    }  # fmt: skip


def test_decoded_data_that_was_long_not_used(lab: Path, cli: Cli) -> None:
    cache = LabPaths(lab).cache
    for name, days in (("used", 29), ("unused", 31)):
        (cache / name).mkdir(parents=True)
        (cache / name / "values").write_bytes(bytes(3 * 1024))
        os.utime(cache / name, (time.time() - days * 24 * 3600,) * 2)
    assert ".labtui/cache/unused" in cli("gc", "--yes")[1]
    assert [path.name for path in cache.iterdir()] == ["used"]


def test_leftovers_of_processes_that_are_gone(lab: Path, cli: Cli) -> None:
    run = ended(lab)
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    pid, runs = int(dead.stdout), LabPaths(lab).runs
    gone, kept = [], []
    for number, maker, young in ((1, pid, False), (2, pid, True), (3, os.getpid(), False)):
        folder = runs / f".new-{maker}-0000000{number}"
        (folder / "code").mkdir(parents=True)
        (folder / "code" / "x").write_bytes(bytes(1000))
        file = run.checkpoints / f".last.pt.{maker}.00000{number}.tmp"
        file.write_bytes(bytes(500))
        for path in (folder, file):
            (kept if young or maker != pid else gone).append(path if young else old(path))
    (runs / ".trash-00ff-x").mkdir()
    gone.append(old(runs / ".trash-00ff-x"))
    outside = lab / "precious"
    outside.mkdir()
    (outside / "data").write_text("x")
    (gone[0] / "link").symlink_to(outside)
    old(gone[0])
    assert cli("gc", "--yes")[0] == 0
    assert not any(path.exists() for path in gone) and all(path.exists() for path in kept)
    assert (outside / "data").read_text() == "x" and left(run) >= FILES.keys()


def test_it_only_lists_where_nobody_can_be_asked(lab: Path, cli: Cli) -> None:
    ended(lab, loss=1.0)
    small, large = ended(lab, loss=2.0, outcome="stopped"), ended(lab, loss=3.0)
    status, out, err = cli("gc")
    assert status == 0 and "380.0 KiB (6 files) can be freed: --yes does it" in err
    assert out.index(large.id) < out.index(small.id)
    status, out, _ = cli("gc", "--format", "json")
    rows = json.loads(out)
    assert [row["size"] for row in rows] == [300 * 1024, 80 * 1024]
    assert rows[1] == {
        "size": 80 * 1024, "run": small.id, "state": "stopped", "kind": "checkpoints",
        "files": ["checkpoints/epoch-00001.pt", "checkpoints/epoch-00002.pt"],
    }  # fmt: skip
    assert left(small) == left(large) == FILES.keys()


def test_an_empty_lab_has_nothing_to_free(cli: Cli) -> None:
    status, out, err = cli("gc")
    assert (status, out) == (0, "") and "nothing to free" in err
