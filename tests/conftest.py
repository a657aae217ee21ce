"""Fixtures that all tests share: a lab of their own, and a command line in it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

# Before any test imports torch: tests run side by side, and so do their workers.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ.pop("LABTUI_LAB", None)
os.environ.pop("LABTUI_RUN", None)


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty lab, which is also the working directory."""
    folder = tmp_path / "lab"
    folder.mkdir()
    (folder / "labtui.toml").touch()
    monkeypatch.chdir(folder)
    return folder


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
