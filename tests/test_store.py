"""The index says what the directories say: fresh, rebuilt, corrupted, killed, without rights."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import labtui
from labtui.files import rundir
from labtui.files.paths import LabPaths
from labtui.store import Index


def make(count: int, name: str = "exp") -> list[str]:
    made = []
    for number in range(count):
        with labtui.init(name, params={"lr": 0.1 * number}, tags=["t"], monitor="val.acc") as run:
            run.log({"val.acc": 0.5 + number / 100, "train.loss": 1.0}, 1)
        made.append(run.id)
    return made


def rows(lab: Path) -> list[dict]:
    index = Index(LabPaths(lab))
    index.refresh()
    return index.rows


def settle(lab: Path) -> None:
    """Make directories look old enough that their mtime can be trusted."""
    for path in (lab / "runs").iterdir():
        os.utime(path, (time.time() - 60, time.time() - 60))


def test_rows_say_what_the_runs_say(lab):
    ids = make(3)
    found = rows(lab)
    assert [row["id"] for row in found] == ids
    row = found[2]
    assert (row["state"], row["name"], row["tags"]) == ("finished", "exp", ["t"])
    assert row["params"]["params.lr"] == pytest.approx(0.2)
    assert row["metrics"]["val.acc"]["at_best"] == 0.52
    assert row["duration"] >= 0 and row["ended"] >= row["started"]


@pytest.mark.parametrize(
    "damage", ["delete", "truncate", "garbage", "other lab", "other version", "half a row", "wrong row"]
)
def test_a_damaged_index_is_built_again(lab, damage):
    make(3)
    settle(lab)
    before = rows(lab)
    store = lab / "runs" / ".labtui" / "store.json"
    data = json.loads(store.read_bytes())
    if damage == "delete":
        store.unlink()
    elif damage == "truncate":
        store.write_bytes(store.read_bytes()[:100])
    elif damage == "garbage":
        store.write_bytes(b'{"runs": 3, "meta": "x"}')
    elif damage == "other lab":
        data["meta"]["1"]["lab"] = "/elsewhere"
        store.write_text(json.dumps(data))
    elif damage == "other version":
        data["meta"]["1"]["version"] = 99
        store.write_text(json.dumps(data))
    elif damage == "wrong row":
        data["runs"]["1"]["offset"] = "x"
        del data["runs"]["2"]["row"]["metrics"]
        store.write_text(json.dumps(data))
    else:
        del data["runs"]["1"]["mtime"]
        store.write_text(json.dumps(data))
    assert rows(lab) == before
    assert rows(lab) == before


def test_changes_on_the_disk_are_seen(lab):
    ids = make(2)
    settle(lab)
    index = Index(LabPaths(lab))
    assert index.refresh() == set(ids)
    assert index.refresh() == set()
    from labtui import notes

    paths = LabPaths(lab).run(ids[0])
    notes.tag(paths, ["good"], [])
    assert index.refresh() == {ids[0]}
    assert index.row(ids[0])["tags"] == ["t", "good"]
    rundir.remove(LabPaths(lab), ids[1])
    assert index.refresh(every=False) == {ids[1]}
    (third,) = make(1)
    assert index.refresh(every=False) == {third}
    assert [row["id"] for row in rows(lab)] == [ids[0], third]


def test_a_loaded_index_may_be_believed_of_finished_runs_at_first(lab):
    ids = make(2)
    settle(lab)
    Index(LabPaths(lab)).refresh()
    from labtui import notes

    notes.tag(LabPaths(lab).run(ids[0]), ["good"], [])
    (third,) = make(1)
    index = Index(LabPaths(lab))
    assert index.load() and not index.load()
    assert index.refresh(every=False) == {third}
    assert index.row(ids[0])["tags"] == ["t"]
    assert index.refresh() == {ids[0]}
    assert index.row(ids[0])["tags"] == ["t", "good"]


def test_a_live_run_is_followed_without_rereading(lab):
    index = Index(LabPaths(lab))
    with labtui.init("live", monitor="val.acc") as run:
        for step in range(5):
            run.log({"val.acc": step / 10}, step)
            run.flush()
            index.refresh(every=False)
            row = index.row(run.id)
            assert row["state"] == "running" and row["metrics"]["val.acc"]["last"] == step / 10
    index.refresh(every=False)
    assert index.row(run.id)["state"] == "finished"


def test_other_things_in_runs_are_ignored(lab):
    make(1)
    runs = lab / "runs"
    (runs / "20260101-000000-norecipe-abcd").mkdir()
    (runs / "20260101-000000-file-abcd").touch()
    (runs / "tensorboard").mkdir()
    (runs / ".new-1-x").mkdir()
    assert len(rows(lab)) == 1


def test_a_lab_without_write_rights_is_listed_from_memory(lab):
    ids = make(2)
    store = lab / "runs" / ".labtui"
    for path in store.iterdir():
        path.unlink()
    store.rmdir()
    store.touch()  # a file where the folder should be: nothing can be written, also not by root
    assert [row["id"] for row in rows(lab)] == ids


def test_a_broken_recipe_and_broken_notes_break_no_listing(lab):
    ids = make(2)
    (lab / "runs" / ids[0] / "recipe.toml").write_bytes(b"\xff\xfe = [")
    (lab / "runs" / ids[1] / "notes.toml").write_text("tags = 3\n[[")
    found = rows(lab)
    assert [row["id"] for row in found] == ids and found[0]["params"] == {}


_REFRESH = """
import sys
from pathlib import Path
from labtui.files.paths import LabPaths
from labtui.store import Index
for turn in range(10**9):
    index = Index(LabPaths(Path(sys.argv[1])))
    index.refresh()
    index._save()
    if turn == 0: print("begun", flush=True)
"""


def test_writers_that_are_killed_and_meet_leave_a_whole_index(lab):
    make(20)
    settle(lab)
    before = rows(lab)
    for pause in (0.01, 0.013, 0.017, 0.021, 0.026):
        command = [sys.executable, "-c", _REFRESH, str(lab)]
        children = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
        for child in children:
            assert child.stdout is not None and child.stdout.readline() == b"begun\n"
        time.sleep(pause)
        for child in children:
            child.send_signal(signal.SIGKILL)
            child.communicate()
        json.loads((lab / "runs" / ".labtui" / "store.json").read_bytes())
        assert rows(lab) == before


def test_recipes_are_listed_with_what_is_wrong(lab):
    folder = lab / "recipes" / "a"
    folder.mkdir(parents=True)
    (folder / "good.toml").write_text('name = "实验"\ntags = ["x"]\n')
    (folder / "bad.toml").write_text("name = ")
    index = Index(LabPaths(lab))
    found = index.recipes()
    assert found["a/good.toml"]["name"] == "实验" and found["a/bad.toml"]["error"]
    (folder / "bad.toml").write_text('name = "mended"')
    os.utime(folder / "bad.toml", (1, 1))
    assert index.recipes()["a/bad.toml"]["name"] == "mended"
