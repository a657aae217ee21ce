"""Snapshots for tests: repositories that are labs, what was taken of them, a worker's place in them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from labtui import launch
from labtui.engine.workplace import at_work
from labtui.files.paths import LabPaths, RunPaths

COMMAND = {"format": 1, "name": "own", "command": ["python", "train.py"], "origin": {"file": "own.toml"}}


def run_git(folder: Path, *words: str) -> str:
    """What git prints, in a folder."""
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=trunk"]
    command = ["git", "-C", str(folder), *identity, "-c", "protocol.file.allow=always", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path) -> str:
    """Commit all that is there, in a repository that is made if need be; the commit."""
    if not (folder / ".git").exists():
        run_git(folder, "init", "-q")
    run_git(folder, "add", ".")
    run_git(folder, "commit", "-qm", "x")
    return run_git(folder, "rev-parse", "HEAD")


def write(lab: Path, files: dict[str, str]) -> None:
    """Files by name."""
    for name, text in files.items():
        (lab / name).parent.mkdir(parents=True, exist_ok=True)
        (lab / name).write_text(text)


def queue(lab: Path, count: int = 1, **tables: Any) -> list[RunPaths]:
    """Runs of one launch; nobody is called to start them."""
    return launch.enqueue(LabPaths(lab), [COMMAND | tables] * count)


def taken(run: RunPaths) -> dict[str, str]:
    """Names and content of what is in a snapshot; of links, where they point."""
    found = {}
    for folder, folders, files in os.walk(run.code):
        for path in (Path(folder) / name for name in (*files, *folders)):
            name = str(path.relative_to(run.code))
            if path.is_symlink():
                found[name] = f"-> {os.readlink(path)}"
            elif path.is_file():
                found[name] = path.read_text(errors="replace")
    return found


def record(run: RunPaths) -> dict[str, Any]:
    """The run's `code.json`."""
    found: dict[str, Any] = json.loads(run.snapshot.read_text())
    return found


def left_out(run: RunPaths) -> dict[str, str]:
    """Names that were left out, and why."""
    return {entry["name"]: entry["why"] for entry in record(run)["left_out"]}


def repository_in(lab: Path) -> Path:
    """A lab in a repository of its own: a package, configuration, ignored data, a secret."""
    files = {
        ".gitignore": "/runs/\n/data/\n*.pt\n__pycache__/\n",
        "train.py": "import pkg\n",
        "pkg/__init__.py": "",
        "config.yaml": "lr: 1\n",
        "weights/.gitkeep": "",
    }
    write(lab, files)
    commit(lab)
    write(
        lab, {"data/big.csv": "1\n", "weights/w.pt": "w", "pkg/__pycache__/x.pyc": "", ".env": "KEY=secret"}
    )
    return lab


@contextmanager
def at_work_in(run: RunPaths) -> Iterator[Path]:
    """A worker's own context in this process; the working directory and the environment come back."""
    before, variables = Path.cwd(), dict(os.environ)
    try:
        with at_work(run) as code:
            yield code
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(variables)
