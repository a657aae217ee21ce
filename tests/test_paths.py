"""Run ids, slugs, locks, atomic files, finding a lab."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labtui.errors import LabError
from labtui.files import process
from labtui.files.atomic import dumps, locked, read_json, replacing, write_atomic
from labtui.files.paths import RUN_ID, LabPaths, created, find_lab, new_run_id, slug


@given(st.text(max_size=400))
def test_any_name_gives_a_safe_slug(name):
    found = slug(name)
    assert found and "/" not in found and "\0" not in found and not found.startswith(".")
    assert len(found.encode()) <= 100
    assert not any(c.isspace() or ord(c) < 32 for c in found)
    assert RUN_ID.fullmatch(new_run_id(name))


@pytest.mark.parametrize(
    "name, expected",
    [
        ("Größe 3", "größe-3"),
        ("实验 一", "实验-一"),
        ("../../etc/passwd", "etc-passwd"),
        ("   ", "run"),
        ("…", "run"),
    ],
)
def test_slugs_keep_letters_of_any_script(name, expected):
    assert slug(name) == expected


def test_ids_sort_by_time_and_say_when():
    ids = [new_run_id("x")]
    for _ in range(20):
        time.sleep(0.002)
        ids.append(new_run_id("x"))
    assert ids == sorted(ids)
    assert abs(created(ids[0]) - time.time()) < 5


def test_a_failed_replacement_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    write_atomic(path, b"old")
    with pytest.raises(RuntimeError), replacing(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


def test_json_has_no_nan(tmp_path):
    assert dumps({"a": [float("nan"), 1.0], "b": float("inf")}) == b'{"a": [null, 1.0], "b": null}'
    for broken in (b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000):
        (tmp_path / "x").write_bytes(broken)
        assert read_json(tmp_path / "x") is None


def test_a_lock_is_free_when_its_holder_was_killed(tmp_path):
    code = "import sys,time; from pathlib import Path; from labtui.files.atomic import locked\n"
    code += "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.kill()
    with locked(tmp_path):
        pass


def test_a_process_is_known_by_more_than_its_pid():
    me = process.identity()
    assert process.alive(me)
    assert not process.alive({**me, "start": me["start"] + 1})
    assert not process.alive({**me, "boot": "another"})
    assert not process.alive({**me, "host": "elsewhere"})
    assert not process.alive({"pid": "x"}) and not process.alive({}) and not process.alive(None)


def test_a_zombie_is_not_alive():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    known = process.identity(child.pid)
    assert process.alive(known)
    child.kill()
    assert process.wait(known, 10)
    assert not process.alive(known), "unreaped, so its pid still exists"
    child.wait()
    assert child.stdin is not None
    child.stdin.close()


def test_a_lab_is_found_from_below(tmp_path, monkeypatch):
    (tmp_path / "labtui.toml").touch()
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert find_lab() == LabPaths(tmp_path)
    monkeypatch.setenv("LABTUI_LAB", str(below))
    assert find_lab() == LabPaths(below)
    assert find_lab(tmp_path) == LabPaths(tmp_path)
    with pytest.raises(LabError, match="no such folder"):
        find_lab(tmp_path / "nothing")
    monkeypatch.delenv("LABTUI_LAB")
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(LabError, match="is gone"):
        find_lab()
