"""Runs work in the code as it was when they were queued: links, programs, factories, what is told."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from engine_lab import DIGITS, result_of, worker
from report_lab import ENVIRONMENT, make
from snapshot_lab import COMMAND, at_work_in, queue, record, repository_in, run_git, taken, write

from labtui import environment, launch
from labtui.cli.page import page
from labtui.files import rundir
from labtui.files.paths import LabPaths
from labtui.report.document import Beside
from labtui.report.run.document import Document
from labtui.report.run.reproduce import section


@pytest.fixture
def repository(lab: Path) -> Path:
    return repository_in(lab)


def test_links_lead_to_what_was_left_out_as_long_as_it_works(repository: Path) -> None:
    (run,) = queue(repository)
    before = taken(run)
    write(repository, {"later.py": "not there when it was queued"})
    with at_work_in(run):
        assert Path("data/big.csv").read_text() == "1\n"
        assert Path("weights/w.pt").read_text() == "w"
        assert not [name for name in (".env", ".git", "runs", "later.py") if os.path.lexists(name)]
        assert os.environ["LABTUI_LAB"] == str(repository)
        Path("pkg/out.txt").write_text("mine")
        Path("data/out.txt").write_text("everybody's")
    assert taken(run) == before | {"pkg/out.txt": "mine"}
    assert (repository / "data/out.txt").exists()


def test_links_are_mended_at_the_next_start(repository: Path, tmp_path: Path) -> None:
    write(repository, {"a.pt": "a", "b.pt": "b"})
    (run,) = queue(repository)
    (run.code / "data").symlink_to("/moved/lab/data")  # as after a kill
    (run.code / "a.pt").write_text("the program's own")
    (repository / "b.pt").unlink()
    (run.code / "b.pt").symlink_to(repository / "b.pt")
    found = record(run)
    found["left_out"].append({"name": "../../escape", "why": "a copied code.json"})
    run.snapshot.unlink()
    run.snapshot.write_text(json.dumps(found))
    with at_work_in(run):
        assert Path("data").samefile(repository / "data")
        assert Path("a.pt").read_text() == "the program's own"
        assert not os.path.lexists("b.pt")
    assert not [name for name in ("data", "b.pt") if os.path.lexists(run.code / name)]
    assert (run.code / "a.pt").exists()


def test_the_labs_folders_on_the_path_are_those_of_the_snapshot(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(repository, {"src/lib.py": "", ".venv/lib/site.py": "", ".gitignore": "/runs/\n.venv/\n"})
    (run,) = queue(repository)
    ours = [str(repository / "src"), str(repository / ".venv/lib"), "/usr/lib/elsewhere"]
    monkeypatch.setattr("sys.path", list(ours))
    monkeypatch.setenv("PYTHONPATH", str(repository / "src"))
    with at_work_in(run):
        import sys

        assert sys.path == [str(run.code / "src"), *ours]
        assert os.environ["PYTHONPATH"].split(":") == [str(run.code / "src"), str(repository / "src")]


PROGRAM = """
import os, sys, helper, subprocess
from pathlib import Path
subprocess.run([sys.executable, "-m", "pkg.tool"], check=True)
print(helper.WHAT, open("config.yaml").read().strip(), open("data/big.csv").read().strip(), flush=True)
Path("history.json").write_text("{}")
import labtui
print(labtui.open().paths.root, flush=True)
sys.exit(3 if not os.path.exists("data/go") else 0)
"""


def test_a_program_runs_as_it_was_when_it_was_queued_and_resumed(repository: Path) -> None:
    write(repository, {"train.py": PROGRAM, "helper.py": "WHAT = 'old'", "pkg/tool.py": "print('old tool')"})
    write(repository, {"history.json": "from an earlier try by hand", "run.sh": "exec python train.py"})
    (run,) = queue(repository, command=["bash", "run.sh"])
    write(repository, {"run.sh": "exit 9", "helper.py": "WHAT = 'new'", "config.yaml": "lr: new"})
    (repository / "train.py").unlink()
    run_git(repository, "stash", "-q", "-u")
    for attempt, status in ((1, 1), (2, 0)):
        if attempt == 2:
            launch.resume(run)
            write(repository, {"data/go": ""})
        rundir.claim(run, attempt)
        assert worker(run, attempt).wait(30) == status, run.log.read_text()
    said = run.log.read_text().replace("bash ended with exit status 3; what it said is in the log\n", "")
    assert said == f"old tool\nold lr: 1 1\n{repository}\n" * 2
    assert (repository / "history.json").exists() is False
    assert json.loads(run.environment.read_text())["code"] == {
        "commit": record(run)["commit"],
        "dirty": True,
        "snapshot": True,
    }
    assert "data" not in taken(run)


FACTORY = """
import torch
from torch import nn

def build(shape, outputs):
    from parts import WIDTH  # late
    print("width", WIDTH, __file__)
    return nn.Sequential(nn.Flatten(), nn.Linear(shape[0] * shape[1] * shape[2], outputs))
"""


def test_a_factory_is_the_one_of_the_snapshot(lab: Path) -> None:
    write(lab, {"own.py": FACTORY, "parts.py": "WIDTH = 1"})
    tables = DIGITS | {"model": {"factory": "own:build"}, "train": {"epochs": 1}}
    (run,) = launch.enqueue(LabPaths(lab), [tables])
    (lab / "own.py").unlink()
    (lab / "parts.py").write_text("WIDTH = 2")
    rundir.claim(run, 1)
    assert worker(run).wait(60) == 0, run.log.read_text()
    assert f"width 1 {run.code}/own.py" in run.log.read_text()
    assert result_of(run)["outcome"] == "finished"


def test_a_report_and_a_page_name_the_code(lab: Path) -> None:
    code = {"commit": "abcdef0123456789" * 2, "branch": "trunk", "dirty": True, "left_out": []}
    run = make(lab, "20261120-102000-own-aa00", COMMAND, environment=ENVIRONMENT, code=code)
    text = str(list(section(Document(run, Beside("x")))))
    assert f"git {code['commit']}, with changes" in text
    assert "runs/20261120-102000-own-aa00/code" in text
    unknown = make(lab, "20261120-102000-own-bb00", COMMAND, code={"without_git": "git is not installed"})
    assert "git is not installed" in str(list(section(Document(unknown, Beside("x")))))
    told = page(run, 80, False)
    assert f"{run.paths.code} (code as it was, git abcdef012345 with changes)" in told


def test_the_environment_tells_the_snapshots_commit(repository: Path) -> None:
    (run,) = queue(repository)
    write(repository, {"train.py": "changed since"})
    environment.record(run.environment, run.code)
    found = json.loads(run.environment.read_text())["code"]
    assert found == {"commit": record(run)["commit"], "dirty": False, "snapshot": True}
