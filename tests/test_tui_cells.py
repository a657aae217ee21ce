"""The screen of a sweep's cells: what it shows, sorts and pins, and its pictures at both sizes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sweep_lab import SWEEP, accuracies, folds, training
from test_tui_pictures import SIZES, settled
from test_tui_screens import opened, screen, screen_text, until
from tui_lab import NOW

from labtui.files.paths import LabPaths
from labtui.query import Lab
from labtui.query.baseline import pin
from labtui.tui.app import LabApp
from labtui.tui.screens.cells import CellsScreen

NOISE = [0.031, -0.012, 0.004, -0.027, 0.018]
CELLS = {
    "GRU 64, Adam": lambda fold: 0.80 + NOISE[fold],
    "GRU 128, Adam, dropout 0.2": lambda fold: 0.845 + NOISE[fold] + 0.001 * fold,
    "[b]LSTM[/b] 64 \x1b[31m": lambda fold: 0.79 + NOISE[-1 - fold],
    "Conv3D": lambda fold: 0.71 + 1.1 * NOISE[fold],
}


@pytest.fixture
def sweep(tmp_path: Path) -> LabPaths:
    """Four cells of five folds, the first pinned; a fifth cell with one run that failed, and a lone run."""
    paths = LabPaths(tmp_path / "gestures")
    paths.root.mkdir()
    ids = folds(paths.root, CELLS)
    recipe = {"optimizer": {"lr": 1.0}, "validate": {"monitor": "val.acc"}, "train": {"seed": 0}}
    for number, state in ((20, "finished"), (21, "failed")):
        points = accuracies(0.81, 0.66, 0.78)
        training(
            paths.root, number, recipe, points, state=state, reason="oom", cell=4, title="learning rate 1"
        )
    training(paths.root, 30, recipe, accuracies(0.5, 0.4), sweep="")
    lab = Lab(paths)
    lab.index.refresh()
    pin(paths, [row for row in lab.index.rows if row["sweep"]], ids[0])
    return paths


@pytest.fixture
def app(sweep: LabPaths, monkeypatch: pytest.MonkeyPatch) -> Iterator[LabApp]:
    (sweep.root / "recipes").mkdir()
    (sweep.root / "recipes" / "gestures.toml").write_text('name = "gestures"\n')
    monkeypatch.setattr(LabApp, "place", "~/gestures")
    yield LabApp(Lab(sweep), now=lambda: NOW)


async def test_cells_are_sorted_pinned_and_opened(sweep):
    async with opened(sweep, (160, 48)) as pilot:
        await pilot.press("j", "w")
        await until(pilot, lambda: isinstance(pilot.app.screen, CellsScreen) and pilot.app.screen.shown.lines)
        cells = screen(pilot, CellsScreen)
        assert [line[0][0] for line in cells.shown.lines.values()][:2] == list(CELLS)[:2]
        text = screen_text(pilot.app)
        assert "5 cells, runs finished: 21 of 22, 1 failed" in text and "corrected resampled t" in text
        assert "0.850 ± 0.023 (5)" in text and "+0.047 better" in text and "one run" in text
        await pilot.press("s")
        await until(pilot, lambda: cells.shown.sorted_by == 2)
        assert "val.acc ↑▼" in screen_text(pilot.app)
        assert next(iter(cells.shown.lines.values()))[0][0] == "GRU 128, Adam, dropout 0.2"
        await pilot.press("g", "b")
        await until(pilot, lambda: cells.shown.baseline == cells.table.key)
        await pilot.press("b")
        await until(pilot, lambda: not cells.shown.baseline)
        await pilot.press("enter")
        assert type(pilot.app.screen).__name__ == "RunScreen"
        await pilot.press("escape", "escape")
        assert len(pilot.app.screen_stack) == 1
        await pilot.press("w")
        await until(pilot, lambda: "GRU 128" in screen_text(pilot.app))


async def test_a_run_of_no_sweep_says_so(sweep):
    async with opened(sweep) as pilot:
        await pilot.press("w")
        await until(pilot, lambda: "of no sweep" in screen_text(pilot.app))
        await pilot.press("b", "s", "enter", "escape")
        assert SWEEP not in screen_text(pilot.app)


@pytest.mark.parametrize("size", SIZES)
def test_cells(app, snap_compare, size):
    wait = lambda app: isinstance(app.screen, CellsScreen) and app.screen.shown.lines  # noqa: E731
    assert snap_compare(app, terminal_size=size, run_before=settled("j", "w", wait=wait))
