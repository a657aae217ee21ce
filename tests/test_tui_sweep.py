"""The screen of a sweep: its views, what it sorts, pins, draws, resumes and stops, and its pictures."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sweep_lab import accuracies, folds, planned, training
from test_tui_pictures import SIZES, settled
from textual.pilot import Pilot
from tui_lab import NOW
from tui_pilot import opened, screen, screen_text, until

from labtui.files.paths import LabPaths
from labtui.query import Lab
from labtui.query.baseline import pin
from labtui.tui.app import LabApp
from labtui.tui.screens.ask import Choose, Confirm
from labtui.tui.screens.sweep import SweepScreen
from labtui.tui.screens.sweeps import SweepsScreen

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


def seen(pilot: Pilot[None], *texts: str) -> bool:
    """Whether all of these are on the screen."""
    shown = screen_text(pilot.app)
    return all(text in shown for text in texts)


def told(pilot: Pilot[None]) -> str:
    """What was said in passing."""
    return "\n".join(note.message for note in pilot.app._notifications)


async def open_sweep(pilot: Pilot[None], sweep: str) -> SweepScreen:
    """A sweep's screen, once it has counted."""
    pilot.app.open_sweep(sweep)  # type: ignore[attr-defined]
    await until(pilot, lambda: isinstance(pilot.app.screen, SweepScreen) and pilot.app.screen.progress, 30)
    await until(pilot, lambda: pilot.app.screen.view and pilot.app.screen.view.shown)
    return screen(pilot, SweepScreen)


async def test_means_are_sorted_pinned_and_opened(sweep):
    async with opened(sweep, (160, 48)) as pilot:
        await pilot.press("j", "w", "2")
        await until(pilot, lambda: seen(pilot, "corrected resampled t"), 30)
        view = screen(pilot, SweepScreen).view
        assert [line[0][0] for line in view.shown.lines.values()][:2] == list(CELLS)[:2]
        assert seen(pilot, "0.850 ± 0.023 (5)", "+0.047 better", "one run", "21 of 21 finished")
        await pilot.press("s")
        await until(pilot, lambda: view.shown.sorted_by == (2, True))
        assert seen(pilot, "val.acc ↑▼")
        assert next(iter(view.shown.lines.values()))[0][0] == "GRU 128, Adam, dropout 0.2"
        await pilot.press("S")
        await until(pilot, lambda: view.shown.sorted_by == (2, False))
        await pilot.press("g", "b")
        await until(pilot, lambda: view.shown.baseline == view.takes_keys.key)
        await pilot.press("b")
        await until(pilot, lambda: not view.shown.baseline)
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, Choose), "the cell has several runs"
        await pilot.press("j", "enter")
        assert type(pilot.app.screen).__name__ == "RunScreen"
        await pilot.press("escape", "escape")
        assert len(pilot.app.screen_stack) == 1


async def test_cells_show_what_is_done_and_what_is_to_come(tmp_path):
    name = planned(tmp_path, 20, {3: ("failed", "oom"), 4: ("stopped", "pruned")})
    async with opened(LabPaths(tmp_path)) as pilot:
        shown = await open_sweep(pilot, name)
        assert seen(pilot, "18 of 24 finished", "1 pruned", "1 failed", "4 not made", "best so far: val.acc")
        assert seen(pilot, "lr     batch_size dropout runs", "✓✗", "–✓", "··")
        assert shown.view.takes_keys.keys[0] == "0"
        await pilot.press("s")
        await until(pilot, lambda: shown.view.shown.sorted_by == (5, True))
        cells = [shown.view.shown.row(key) for key in shown.view.takes_keys.keys]
        assert cells[0][-1][0] == "best" and cells[0][1][0] == "0.001", "the best first"
        assert cells[-1][4][0] == "··", "without a figure last"
        await pilot.press("S")
        await until(pilot, lambda: shown.view.shown.sorted_by == (5, False))
        assert shown.view.shown.row(shown.view.takes_keys.keys[-1])[4][0] == "··", "still last"
        await pilot.press("s")
        await until(pilot, lambda: shown.view.shown.sorted_by == (4, False))
        assert shown.view.shown.row(shown.view.takes_keys.keys[0])[4][0] == "✓✗", "failures ask for a look"
        await pilot.press("G", "enter")
        assert isinstance(pilot.app.screen, Choose)


async def test_a_cell_without_runs_says_so(tmp_path):
    name = planned(tmp_path, 3)
    async with opened(LabPaths(tmp_path)) as pilot:
        await open_sweep(pilot, name)
        await pilot.press("G", "enter")
        assert "this cell has no runs yet" in told(pilot)


async def test_folds_of_one_recipe_are_a_row_each(tmp_path):
    folds(tmp_path, {"": lambda fold: 0.8 + NOISE[fold]})
    async with opened(LabPaths(tmp_path)) as pilot:
        await pilot.press("w")
        await until(pilot, lambda: seen(pilot, "fold 0", "fold 4", "✓ finished", "0.831"), 30)
        await pilot.press("enter")
        assert type(pilot.app.screen).__name__ == "RunScreen"


async def test_drawings_are_those_of_the_analysis(tmp_path):
    name = planned(tmp_path, 24)
    async with opened(LabPaths(tmp_path), (100, 40)) as pilot:
        shown = await open_sweep(pilot, name)
        await pilot.press("3")
        await until(pilot, lambda: seen(pilot, "light lines: best", "12 cells of 24 runs"), 60)
        await pilot.press("5")
        await until(pilot, lambda: seen(pilot, "a dot: a cell", "dropout", "batch_size"), 60)
        await pilot.press("v", "space", "enter")  # all but the first
        await until(pilot, lambda: len(shown.view.shown.shown) == 2)
        await pilot.press("6")
        await until(pilot, lambda: seen(pilot, "batch_size", "(better)"), 60)
        first = shown.view.shown.shown
        await pilot.press("right")
        await until(pilot, lambda: shown.view.shown.shown != first)
        await pilot.press("left")
        await until(pilot, lambda: shown.view.shown.shown == first)
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: shown.view.shown.metric == "val.acc" == shown.metric)
        await pilot.press("right_square_bracket")
        await until(
            pilot, lambda: seen(pilot, "by val.acc.last") and shown.view.shown.metric == "val.acc.last"
        )


async def test_importances_come_from_a_worker(tmp_path, monkeypatch):
    from labtui.plots import drawing
    from labtui.query.importance import importance

    go_on = threading.Event()
    module = sys.modules[drawing.__module__]
    monkeypatch.setattr(module, "importance", lambda found: go_on.wait(60) and importance(found))
    name = planned(tmp_path, 24)
    async with opened(LabPaths(tmp_path), (100, 40)) as pilot:
        await open_sweep(pilot, name)
        await pilot.press("4")
        await until(pilot, lambda: seen(pilot, "computing …"), 60)
        await pilot.press("1")  # no key waits for it
        await until(pilot, lambda: seen(pilot, "✓✓"))
        go_on.set()
        await pilot.press("4")
        await until(pilot, lambda: seen(pilot, "fANOVA over 12 cells", "Spearman", "optimizer.lr"), 120)


async def test_what_cannot_be_drawn_is_said_in_words(tmp_path):
    name = planned(tmp_path, 1, {0: ("failed", "oom")})
    async with opened(LabPaths(tmp_path)) as pilot:
        await open_sweep(pilot, name)
        for key in "3456":
            await pilot.press(key)
            await until(pilot, lambda: seen(pilot, "none has finished with a value of val.acc"), 60)


async def test_the_figure_can_be_chosen(tmp_path):
    name = planned(tmp_path, 24)
    async with opened(LabPaths(tmp_path), (100, 30)) as pilot:
        shown = await open_sweep(pilot, name)
        await pilot.press("2", "f")
        await until(pilot, lambda: isinstance(pilot.app.screen, Choose))
        await pilot.press("slash", *"last", "enter", "enter")
        await until(pilot, lambda: shown.metric == "val.acc.last" and seen(pilot, "by val.acc.last"), 30)


async def test_what_is_not_done_is_resumed_and_all_of_it_stopped(tmp_path, monkeypatch):
    from labtui.tui import acts

    asked = []
    monkeypatch.setattr(acts, "resume_sweep", lambda lab, sweep: asked.append(("resume", sweep)) or "resumed")
    monkeypatch.setattr(acts, "stop_sweep", lambda lab, sweep: asked.append(("stop", sweep)) or "stopped")
    name = planned(tmp_path, 20, {3: ("failed", "oom")})
    async with opened(LabPaths(tmp_path)) as pilot:
        await open_sweep(pilot, name)
        await pilot.press("x")
        assert "nothing to stop" in told(pilot)
        await pilot.press("R")
        assert isinstance(pilot.app.screen, Confirm)
        assert "5 trainings are not done: 1 failed, 4 not made" in pilot.app.screen.question
        await pilot.press("n")
        assert not asked
        await pilot.press("R", "y")
        await until(pilot, lambda: asked == [("resume", name)])
        (LabPaths(tmp_path).sweep(name).request).write_text("{}")
        await until(pilot, lambda: pilot.app.screen.progress.hosts, 30)
        await pilot.press("x")
        assert "4 to come" in pilot.app.screen.question
        await pilot.press("y")
        await until(pilot, lambda: asked[1:] == [("stop", name)])


def test_a_resumed_sweep_gets_what_is_missing_and_a_stopped_one_nothing_more(tmp_path, monkeypatch):
    from labtui import launch
    from labtui.query.sweeps import progress
    from labtui.tui import acts

    monkeypatch.setattr(launch, "wake", lambda lab: None)  # nothing is to start
    name, lab = planned(tmp_path, 20, {3: ("failed", "oom"), 4: ("stopped", "pruned")}), LabPaths(tmp_path)
    assert acts.resume_sweep(lab, name) == "5 runs of the sweep queued"
    found = progress(Lab(lab), name)
    assert found.counts == {"finished": 18, "pruned": 1, "queued": 5, "to_come": 0}
    assert acts.stop_sweep(lab, name) == "asked 5 runs of the sweep to stop; nothing more is made of it"
    assert progress(Lab(lab), name).counts["stopped"] == 5
    assert acts.resume_sweep(lab, name) == "5 runs of the sweep queued"


async def test_sweeps_are_listed_and_opened(sweep):
    planned(sweep.root, 5)
    async with opened(sweep) as pilot:
        await pilot.press("W")
        await until(pilot, lambda: seen(pilot, "5 of 24", "21 of 21", "0.850 ± 0.023 (5)"), 30)
        assert screen(pilot, SweepsScreen).table.key.endswith("gestures-aa00")
        await pilot.press("enter")
        await until(
            pilot, lambda: isinstance(pilot.app.screen, SweepScreen) and pilot.app.screen.progress, 30
        )
        await pilot.press("W", "escape")
        assert len(pilot.app.screen_stack) == 1


async def test_a_run_of_no_sweep_says_so(sweep):
    async with opened(sweep) as pilot:
        await pilot.press("w")
        await until(pilot, lambda: seen(pilot, "of no sweep", "W lists the sweeps"))
        await pilot.press("b", "s", "enter", "R", "x", "2", "3", "f", "escape", "escape")
        await until(pilot, lambda: len(pilot.app.screen_stack) == 1)


def view(number: int):
    """Waits until a view of the grid is drawn."""

    def ready(app):
        shown = app.screen
        return (
            isinstance(shown, SweepScreen)
            and shown.progress
            and shown.open_view == number
            and shown.view.shown
        )

    return ready


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("number", [0, 2, 3, 5], ids=["cells", "parallel", "importance", "heat"])
def test_views(tmp_path, monkeypatch, snap_compare, size, number):
    monkeypatch.setattr(LabApp, "place", "~/digits")
    planned(tmp_path, 20, {3: ("failed", "oom"), 4: ("stopped", "pruned")})
    app = LabApp(Lab(LabPaths(tmp_path)), now=lambda: NOW)
    before = settled("w", str(number + 1), wait=view(number))
    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", SIZES)
def test_means_beside_a_baseline(app, snap_compare, size):
    wait = lambda app: view(1)(app) and app.screen.view.shown.lines  # noqa: E731
    assert snap_compare(app, terminal_size=size, run_before=settled("j", "w", "2", wait=wait))
