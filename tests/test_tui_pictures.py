"""Pictures of the screens at both sizes. Look at them before you accept new ones:
`pytest tests/test_tui_pictures.py --snapshot-update`."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from tui_lab import NOW, small_lab
from tui_pilot import still

from labtui.query import Lab
from labtui.tui.app import LabApp
from labtui.tui.widgets.chart import Chart

SIZES = [(80, 24), (160, 48)]
Before = Callable[[Pilot[None]], Awaitable[None]]


def settled(*keys: str, wait: Callable[[Any], Any] | None = None) -> Before:
    """Press keys once the runs are there, and wait until the charts are drawn, twice the same."""

    async def before(pilot: Pilot[None]) -> None:
        app: Any = pilot.app
        lab = app.screen_stack[0]
        first = lab.query(Chart)
        while not (
            app.recipes and all(chart.rows for chart in first) and lab.runs.sparks and lab.machine.strip.free
        ):
            await pilot.pause(0.05)
        for key in keys:
            await pilot.press(key)
        charts: list[Any] = [None]
        for _ in range(200):
            await pilot.pause(0.15)
            now = [list(chart.rows) for chart in app.screen_stack[-1].query(Chart)]
            ready = wait(app) if wait else True
            if ready and now == charts and (not now or now[0]):
                return
            charts = now

    return before


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabApp:
    still(monkeypatch)
    return LabApp(Lab(small_lab(tmp_path)), now=lambda: NOW)


@pytest.mark.parametrize("size", SIZES)
def test_runs(app, snap_compare, size):
    before = settled("j", "j", "space", "j", "space", "k")
    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", SIZES)
def test_run(app, snap_compare, size):
    before = settled("j", "j", "enter", wait=lambda app: app.screen.detail)
    assert snap_compare(app, terminal_size=size, run_before=before)


def test_help(app, snap_compare):
    assert snap_compare(app, terminal_size=(80, 24), run_before=settled("question_mark"))


def test_light(app, snap_compare):
    app.theme = "labtui-light"
    assert snap_compare(app, terminal_size=(80, 24), run_before=settled("j", "j"))


def test_readme(tmp_path, monkeypatch, snap_compare):
    """The picture that the README opens with."""
    still(monkeypatch)
    paths = small_lab(tmp_path)
    shutil.rmtree(paths.recipes)
    shipped = Path(__file__).parents[1] / "recipes"
    (paths.recipes / "fault").mkdir(parents=True)  # a lab of one system
    for file in (*shipped.glob("fault/transformer-cls*.toml"), *shipped.glob("*.*")):
        shutil.copy(file, paths.recipes / file.relative_to(shipped))
    keys = ["slash", *"name~cls", "enter", "down", "space", "down", "space"]
    app = LabApp(Lab(paths), now=lambda: NOW)
    assert snap_compare(app, terminal_size=(120, 28), run_before=settled(*keys))
