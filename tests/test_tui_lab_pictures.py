"""Pictures of the first screen, with nothing in it, one run, a thousand; groups, and a baseline. Look at them
before you accept new ones: `pytest tests/test_tui_lab_pictures.py --snapshot-update`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from tui_lab import NOW, add_run, large_lab, sweep_lab
from tui_pilot import still

from labtui.files.paths import LabPaths
from labtui.query import Lab
from labtui.tui.app import LabApp

SIZES = [(80, 24), (160, 48)]
Before = Callable[[Pilot[None]], Awaitable[None]]


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same lab and machine everywhere."""
    still(monkeypatch)


def lab_of(root: Path, runs: int) -> LabPaths:
    """A lab with no run, one, or many."""
    if runs > 1:
        return large_lab(root, runs)
    lab = LabPaths(root)
    lab.recipes.mkdir(parents=True)
    for folder, number in (("fault", 3), ("speech", 14)):
        (lab.recipes / folder).mkdir()
        for n in range(number):
            (lab.recipes / folder / f"recipe-{n:02d}.toml").write_text(f'name = "r{n}"\n')
    if runs:
        add_run(lab, "first", 600)
    return lab


def settled(*keys: str) -> Before:
    """Press keys when all is there, and wait until what was asked for has come."""

    async def before(pilot: Pilot[None]) -> None:
        app: Any = pilot.app
        while app.known is None or app.screen_stack[0].machine.strip.free is None:
            await pilot.pause(0.05)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.2)
        same = 0
        text: list[str] = []
        while same < 5:
            await pilot.pause(0.2)
            now = [strip.text for strip in app.screen._compositor.render_strips(app.screen.size)]
            same, text = (same + 1 if now == text else 0), now

    return before


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("runs", [0, 1, 1000])
def test_runs(tmp_path, snap_compare, runs, size):
    app = LabApp(Lab(lab_of(tmp_path, runs)), now=lambda: NOW)
    assert snap_compare(app, terminal_size=size, run_before=settled())


@pytest.mark.parametrize("size", SIZES)
def test_groups(tmp_path, snap_compare, size):
    lab = sweep_lab(tmp_path)
    lab.own.mkdir()
    kept = {"group": ["optimizer.lr", "model.nlayers"], "sort": "value"}
    lab.screens.write_text(json.dumps({"lab": kept}))
    app = LabApp(Lab(lab), now=lambda: NOW)
    assert snap_compare(app, terminal_size=size, run_before=settled("enter"))


@pytest.mark.parametrize("size", SIZES)
def test_baseline(tmp_path, snap_compare, size):
    app = LabApp(Lab(sweep_lab(tmp_path)), now=lambda: NOW)
    assert snap_compare(app, terminal_size=size, run_before=settled("j", "b", "j", "space", "space", "space"))


@pytest.mark.parametrize("size", SIZES)
def test_recipes(tmp_path, snap_compare, size):
    app = LabApp(Lab(lab_of(tmp_path, 1)), now=lambda: NOW)
    assert snap_compare(app, terminal_size=size, run_before=settled("r", "enter", "j"))


def test_completion(tmp_path, snap_compare):
    app = LabApp(Lab(sweep_lab(tmp_path)), now=lambda: NOW)
    before = settled("slash", *"optimizer.lr=", "tab")
    assert snap_compare(app, terminal_size=(80, 24), run_before=before)


def test_columns(tmp_path, snap_compare):
    app = LabApp(Lab(sweep_lab(tmp_path)), now=lambda: NOW)
    assert snap_compare(app, terminal_size=(80, 24), run_before=settled("v", "j", "j", "space"))
