"""The lab's own code as it was when a run was queued: what is taken and shared."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import fill
from snapshot_lab import (
    COMMAND,
    at_work_in,
    commit,
    left_out,
    queue,
    record,
    repository_in,
    run_git,
    taken,
    write,
)

from labtui import launch, snapshot
from labtui.errors import LabError
from labtui.files import rundir
from labtui.files.paths import LabPaths
from labtui.snapshot import git, selection


@pytest.fixture
def repository(lab: Path) -> Path:
    return repository_in(lab)


def test_tracked_changed_and_new_files_are_taken_as_they_are(repository: Path) -> None:
    write(repository, {"train.py": "changed\n", "new.py": "new\n", "pkg/deep/er.py": "deep\n"})
    (repository / "config.yaml").unlink()
    (run,) = queue(repository)
    assert taken(run) == {
        ".gitignore": (repository / ".gitignore").read_text(),
        "train.py": "changed\n",
        "new.py": "new\n",
        "pkg/__init__.py": "",
        "pkg/deep/er.py": "deep\n",
    }
    found = record(run)
    head = run_git(repository, "rev-parse", "HEAD")
    assert (found["commit"], found["branch"], found["dirty"]) == (head, "trunk", True)
    assert left_out(run) == {"data": "ignored by git", "weights": "ignored by git"}
    assert not list(run.root.parent.glob(".new-*"))


def test_the_diff_can_be_applied_and_tells_no_secret(repository: Path) -> None:
    write(repository, {".env.local": "KEY=old", "sub/.env/x": "old", "runs/.gitkeep": "old"})
    run_git(repository, "add", "-f", ".env.local", "sub", "runs/.gitkeep")
    commit(repository)
    write(repository, {".env.local": "KEY=hunter2", "sub/.env/x": "hunter2", "runs/.gitkeep": "hunter2"})
    (repository / "train.py").write_bytes(b"\xff\x00binary")
    (run,) = queue(repository)
    assert b"hunter2" not in run.diff.read_bytes()
    assert not [name for name in taken(run) if ".env" in name]
    run_git(repository, "checkout", "-q", "train.py")
    run_git(repository, "apply", str(run.diff))
    assert (repository / "train.py").read_bytes() == b"\xff\x00binary"


def test_a_clean_lab_has_no_diff(repository: Path) -> None:
    run_git(repository, "add", "-f", ".env")
    run_git(repository, "rm", "-q", "--cached", ".env")
    write(repository, {".git/info/exclude": ".env\n"})
    (run,) = queue(repository)
    assert (record(run)["dirty"], record(run)["diff"], run.diff.exists()) == (False, None, False)
    run_git(repository, "checkout", "-q", "--detach")
    (run,) = queue(repository)
    assert (record(run)["branch"], len(record(run)["commit"])) == (None, 40)


def test_before_the_first_commit(lab: Path) -> None:
    run_git(lab, "init", "-q")
    write(lab, {"train.py": "1"})
    (run,) = queue(lab)
    assert taken(run) == {"train.py": "1"}
    assert (record(run)["commit"], record(run)["dirty"]) == (None, True)


def test_a_lab_in_a_folder_of_a_repository(tmp_path: Path, lab: Path) -> None:
    write(tmp_path, {"outside.py": "o", "lab/train.py": "t", "lab/runs/.gitkeep": ""})
    commit(tmp_path)
    write(tmp_path, {"outside.py": "changed", "lab/train.py": "changed"})
    (run,) = queue(lab)
    assert taken(run) == {"train.py": "changed"}
    assert record(run)["folder"] == "lab/"
    assert b"outside" not in run.diff.read_bytes()
    (again,) = queue(lab)  # runs that git does not ignore are no code
    assert taken(again) == {"train.py": "changed"}
    run_git(tmp_path, "checkout", "-q", ".")
    run_git(tmp_path, "apply", str(run.diff))
    assert (lab / "train.py").read_text() == "changed"


def test_a_lab_that_the_repository_around_it_ignores(tmp_path: Path, lab: Path) -> None:
    write(tmp_path, {".gitignore": "/lab/\n", "lab/train.py": "t"})
    commit(tmp_path)
    (run,) = queue(lab)
    assert taken(run) == {"train.py": "t"}
    assert "ignores it" in record(run)["without_git"]


def test_submodules_and_inner_repositories(tmp_path: Path, repository: Path) -> None:
    write(tmp_path / "lib", {"lib.py": "l", ".gitignore": "secret\n"})
    commit(tmp_path / "lib")
    run_git(repository, "submodule", "add", "-q", str(tmp_path / "lib"), "ext/lib")
    commit(repository)
    write(repository, {"ext/lib/secret": "s", "ext/lib/new.py": "n", "inner/i.py": "i"})
    commit(repository / "inner")
    (run,) = queue(repository)
    found = taken(run)
    assert (found["ext/lib/lib.py"], found["ext/lib/new.py"], found["inner/i.py"]) == ("l", "n", "i")
    assert left_out(run)["ext/lib/secret"] == "ignored by git"
    assert not [name for name in found if name.endswith(".git")]


def test_names_are_bytes(repository: Path) -> None:
    names = [b"new\nline.py", b"\xff\xfe.py", b" -n", "é 日本.py".encode(), b'quo"te\\', b"d\nir/\xff", b"*"]
    for name in names:
        path = repository / os.fsdecode(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    ignored = repository / os.fsdecode(b"\xfe\n.pt")
    ignored.touch()
    (run,) = queue(repository)
    assert {os.fsdecode(name) for name in names} <= taken(run).keys()
    with at_work_in(run):
        assert (run.code / ignored.name).samefile(ignored)


def test_large_files_stay_where_they_are(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"LARGEST": 100, "LARGEST_TRACKED": 200, "SOURCES": (270, 9), "OTHERS": (150, 4)}
    for name, value in sizes.items():
        monkeypatch.setattr(selection, name, value)
    write(repository, {"mid.py": "m" * 150, "large.bin": "l" * 201})
    commit(repository)
    crowd = {f"many/{i}.txt": "x" * i for i in range(9)}
    write(repository, {"new.bin": "n" * 101, "also.py": "a" * 99, **crowd})
    (run,) = queue(repository)
    found = taken(run)
    assert {"mid.py", "config.yaml", "train.py"} <= found.keys()
    assert not {"large.bin", "new.bin", "many/0.txt", "many/8.txt"} & found.keys()
    why = left_out(run)
    assert (why["large.bin"], why["new.bin"]) == ("larger than 0.0002 MB", "larger than 0.0001 MB")
    assert why["many"] == "beyond 0.00015 MB or 4 files in all"  # one link, not nine
    assert sum(len(text) for name, text in found.items() if name.endswith(".py")) <= 270


def test_a_diff_that_is_too_large_is_left_out(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "DIFF", 1000)
    write(repository, {"train.py": "x\n" * 2000})
    (run,) = queue(repository)
    assert not run.diff.exists()
    assert (record(run)["dirty"], record(run)["diff"][:9]) == (True, "too large")


def test_links(tmp_path: Path, repository: Path) -> None:
    (tmp_path / "outside").mkdir()
    links = {
        "in": "pkg",
        "pkg/up": "../train.py",
        "absolute": str(repository / "train.py"),
        "round": "../lab/train.py",
        "dangling": "nothing",
        "out": str(tmp_path / "outside"),
        "far": "../outside",
        "chain": "out",
        "best": "runs/x/best.pt",
        "secret": ".env",
    }
    for name, to in links.items():
        (repository / name).symlink_to(to)
    (run,) = queue(repository)
    found = {name: text[3:] for name, text in taken(run).items() if text.startswith("->")}
    expected = {name: links[name] for name in ("in", "pkg/up", "dangling")}
    assert found == expected | {"absolute": "train.py", "round": "train.py"}
    assert all(left_out(run)[name] == "points out of the lab" for name in ("out", "far", "chain", "best"))
    with at_work_in(run):
        assert (run.code / "chain").samefile(tmp_path / "outside")


def test_what_is_no_file_is_never_taken(repository: Path) -> None:
    os.mkfifo(repository / "fifo")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(repository / "socket"))
        (run,) = queue(repository)
    assert not {"fifo", "socket"} & taken(run).keys()


def test_git_runs_nothing_of_the_users(repository: Path) -> None:
    trap = repository.parent / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {repository.parent / 'sprung'}\n")
    trap.chmod(0o755)
    for key in ("core.fsmonitor", "diff.external", "diff.x.textconv", "diff.x.command"):
        run_git(repository, "config", key, str(trap))
    write(repository, {".git/hooks/post-index-change": trap.read_text(), ".gitattributes": "*.py diff=x\n"})
    (repository / ".git/hooks/post-index-change").chmod(0o755)
    write(repository, {"train.py": "changed"})
    (run,) = queue(repository)
    assert b"changed" in run.diff.read_bytes()
    assert not (repository.parent / "sprung").exists()


def test_a_call_from_a_git_hook(repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write(tmp_path / "other", {"a": "a"})
    commit(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "other" / ".git" / "index"))
    (run,) = queue(repository)
    assert "train.py" in taken(run) and record(run)["commit"]


FILES = {
    "train.py": "t",
    "pkg/a.py": "a",
    "pkg/a.pyc": "",
    "pkg/__pycache__/a.pyc": "",
    ".env": "secret",
    "sub/.env.production": "secret",
    ".hidden/x.py": "h",
    "venv/pyvenv.cfg": "",
    "venv/lib/x.py": "v",
    "node_modules/x.js": "n",
    "empty/gone": "",
}


@pytest.mark.parametrize("how", ["no repository", "no git", "not ours", "slow"])
def test_without_git(lab: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str) -> None:
    write(lab, FILES)
    (lab / "empty/gone").unlink()
    if how != "no repository":
        run_git(lab, "init", "-q")
    if how == "no git":
        monkeypatch.setenv("PATH", str(tmp_path))
    elif how == "not ours":
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    elif how == "slow":
        write(tmp_path, {"bin/git": "#!/bin/sh\nsleep 60\n"})
        (tmp_path / "bin/git").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
        monkeypatch.setattr(git, "SECONDS", 0.2)
    (run,) = queue(lab)
    assert taken(run) == {"train.py": "t", "pkg/a.py": "a"}
    said = {"no repository": "not a git", "no git": "not installed", "not ours": "dubious", "slow": "longer"}
    assert said[how] in record(run)["without_git"]
    assert not [name for name in left_out(run) if ".env" in name or "__pycache__" in name]
    with at_work_in(run):
        assert (run.code / "venv/lib/x.py").is_file() and (run.code / "empty").is_dir()


def test_a_vast_folder_without_git_is_not_searched(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "LOOKED_AT", 10)
    write(lab, {"train.py": "t", **{f"data/{i}/{i}.py": "x" for i in range(20)}})
    (run,) = queue(lab)
    assert taken(run) == {"train.py": "t"}
    assert left_out(run).keys() == {"data"}


def test_sources_are_shared_and_all_else_is_the_runs_own(repository: Path) -> None:
    (repository / "train.py").chmod(0o755)
    runs = queue(repository, 50)
    assert len({(run.code / "train.py").stat().st_ino for run in runs}) == 1
    assert len({(run.code / "config.yaml").stat().st_ino for run in runs}) == 50
    one = runs[0].code
    assert [stat.S_IMODE((one / name).stat().st_mode) for name in ("train.py", "pkg/__init__.py")] == [
        0o555,
        0o444,
    ]
    assert (one / "train.py").stat().st_mtime_ns == (repository / "train.py").stat().st_mtime_ns
    (one / "config.yaml").write_text("lr: 2\n")
    assert {taken(run)["config.yaml"] for run in runs[1:]} == {"lr: 1\n"}
    assert (runs[0].snapshot.stat().st_nlink, runs[0].snapshot.stat().st_mode & 0o222) == (50, 0)
    rundir.remove(LabPaths(repository), runs[0].id)
    assert taken(runs[1])["train.py"] == "import pkg\n"


def test_where_there_are_no_hard_links(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "not on this file system")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(os, "copy_file_range", refuse)
    runs = queue(repository, 2)
    assert taken(runs[0]) == taken(runs[1]) != {}
    assert (runs[0].code / "train.py").stat().st_mode & 0o222 == 0


def test_only_runs_with_code_of_their_own_have_a_snapshot(repository: Path) -> None:
    (own,) = queue(repository)
    built_in = {"format": 1, "name": "b", "data": {"name": "digits"}, "model": {"name": "digits_cnn"}}
    (other,) = launch.enqueue(LabPaths(repository), [built_in])
    assert own.code.is_dir() and not (other.code.exists() or other.snapshot.exists())
    for part in ("data", "model"):
        assert snapshot.needed(built_in | {part: {"factory": "m:f"}})


def test_a_full_disk_leaves_nothing(small_disk: Callable[[str], Path]) -> None:
    lab = small_disk("2m")
    write(lab, {f"{i}.py": "x" * 10_000 for i in range(20)})
    for room in (300_000, 150_000, 50_000, 5_000):
        with open(fill(lab), "ab") as file:
            file.truncate(os.stat(lab / "fill").st_size - room)
        with pytest.raises(LabError, match="No space left"):
            launch.enqueue(LabPaths(lab), [COMMAND | {"resources": {"min_free": 0}}] * 40)
        assert [path.name for path in (lab / "runs").iterdir()] in ([], [".labtui"])
