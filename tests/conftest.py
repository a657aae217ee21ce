"""Fixtures that all tests share: a lab of their own, and a command line in it."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# Before any test imports torch: tests run side by side, and so do their workers.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ.pop("LABTUI_LAB", None)
os.environ.pop("LABTUI_RUN", None)
# Whoever runs the tests may have settings of their own.
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="labtui-config-")
atexit.register(shutil.rmtree, os.environ["XDG_CONFIG_HOME"], ignore_errors=True)


@pytest.fixture(autouse=True)
def forgotten_parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test gets parts of the same name that another wrote."""
    yield
    own = str(tmp_path_factory.getbasetemp())
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(own):
            del sys.modules[name]


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty lab, which is also the working directory; nothing of it runs on after the test."""
    folder = tmp_path / "lab"
    folder.mkdir()
    (folder / "labtui.toml").touch()
    monkeypatch.chdir(folder)
    yield folder
    from launch_lab import end_all

    end_all(folder)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a disk of so many bytes ("600k"), in memory; skipped where that is not allowed."""
    mounted: list[Path] = []

    def mount(size: str) -> Path:
        folder = tmp_path / f"disk-{len(mounted)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            pytest.skip("a small tmpfs cannot be mounted here (it needs root)")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take all the room that a disk has left; the file that holds it."""
    with open(folder / "fill", "ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return folder / "fill"


Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(lab: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Cli:
    """Run a command line in the lab: its exit status, stdout and stderr."""
    from labtui.cli import run

    def call(*arguments: str) -> tuple[int, str, str]:
        capfdbinary.readouterr()
        status = run(list(arguments))
        out, err = capfdbinary.readouterr()
        return status, out.decode(), err.decode()

    return call


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow this machine is, everything of a training is looked at."""
    monkeypatch.setattr("labtui.engine.budget.FREE", 60.0)
