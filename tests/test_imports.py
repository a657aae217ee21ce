"""What each entrance loads: the command line feels instant because it loads little."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "textual", "matplotlib", "sklearn", "scipy", "plotext", "optuna")


def loaded(code: str, folder: Path) -> set[str]:
    """Names of the modules that a fresh interpreter has after `code`."""
    code += "\nimport sys; print('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=folder, check=True)
    return set(done.stderr.decode().split())


def test_a_script_that_only_writes_loads_almost_nothing(tmp_path):
    found = loaded(
        "import labtui\nwith labtui.init('x', monitor='val.acc') as r: r.log({'val.acc': 1.0})", tmp_path
    )
    assert not found & {*HEAVY, "numpy", "pydantic", "typer", "rich", "tinydb", "orjson"}


@pytest.mark.parametrize("command", [["--help"], ["ls"], ["ls", "--format", "json"], ["recipes"]])
def test_listing_loads_neither_torch_nor_textual(tmp_path, command):
    found = loaded(f"from labtui.cli import run\nrun({command!r})", tmp_path)
    assert not found & {*HEAVY, "pydantic"}
    if command == ["--help"]:
        assert not found & {"numpy", "tinydb", "rich"}


def test_reading_rows_that_are_fresh_needs_no_numpy(lab):
    import os
    import time

    import labtui

    with labtui.init("x") as run:
        run.log({"a": 1.0})
    os.utime(run.paths.root, (time.time() - 60, time.time() - 60))
    loaded("from labtui.cli import run\nrun(['ls'])", lab)
    assert "numpy" not in loaded("from labtui.cli import run\nrun(['ls'])", lab)


@pytest.mark.parametrize(
    "module, forbidden",
    [
        ("labtui.recipe.core", {"torch", "numpy", "textual"}),
        ("labtui.launch", {"torch", "pydantic", "textual", "numpy", "submitit"}),
        ("labtui.launch.agent", {"torch", "textual", "submitit"}),
        ("labtui.tui", {"torch", "pydantic", "matplotlib", "sklearn", "scipy"}),
        ("labtui.report", {"torch", "textual", "sklearn"}),
        ("labtui.engine", {"torch"}),
        ("labtui.engine.train", {"textual", "typer", "tinydb", "rich"}),
    ],
)
def test_modules_load_no_more_than_their_side(tmp_path, module, forbidden):
    assert not loaded(f"import {module}", tmp_path) & forbidden
