"""Charts of the screens: the grid, its cursor, zoom, axes, smoothing, pages, colours, mouse."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui_lab import NOW, add_run, curves
from tui_pilot import opened, screen, screen_text, until

from labtui import grid
from labtui.curves import Course, Scale, groups, members
from labtui.files.paths import LabPaths
from labtui.series import Series
from labtui.tui.screens.run import RunScreen
from labtui.tui.tabs.all import TABS
from labtui.view import View

STEPS = np.arange(20.0, 420.0, 20.0)


def course(key: str = "x-aaaa", color: int = 0, monitor: str = "val.acc", **metrics: Any) -> Course:
    found = {
        name.replace("__", "."): Series(
            STEPS.astype(np.int64), NOW + STEPS, np.resize(values, STEPS.size).astype(float)
        )
        for name, values in metrics.items()
    }
    return Course(key, "run", color, found, monitor)


def text(page: grid.Page) -> list[str]:
    return ["".join(t for t, _ in row) for row in page.rows]


RUN = course(
    train__loss=STEPS[::-1], val__loss=STEPS, epoch=STEPS / 20, train__lr=[0.1], val__acc=STEPS / 400, val__f1=[0.5],
    train__step_loss=[3.0], sys__cpu=[50.0], sys__gpu0__use=[90.0], sys__gpu1__use=[80.0],
)  # fmt: skip


@pytest.fixture
def lab(tmp_path: Path) -> LabPaths:
    lab = LabPaths(tmp_path)
    lab.recipes.mkdir(parents=True)
    more = {f"val.m{n}": np.column_stack([STEPS, np.full(STEPS.size, n / 10)]) for n in range(9)}
    machine = {
        "sys.cpu": np.column_stack([STEPS, 50 + STEPS / 100]),
        "sys.disk_free": np.column_stack([STEPS, STEPS]),
    }
    add_run(lab, "many", 60, metrics=curves(20, 0) | more | machine)
    return lab


def test_losses_come_first_then_what_is_monitored_and_the_machine_apart():
    assert groups([RUN]) == ["loss", "acc", "train.lr".removeprefix("train."), "f1"]
    assert members(RUN.series, "loss") == ["val.loss", "train.loss"]
    assert groups([RUN], machine=True) == ["sys.gpu.use", "sys.cpu"]
    assert members(RUN.series, "sys.gpu.use") == ["sys.gpu0.use", "sys.gpu1.use"]
    alone = course(train__step_loss=[1.0])
    assert members(alone.series, "loss") == ["train.step_loss"]


@given(st.integers(1, 40), st.integers(20, 240), st.integers(8, 80), st.integers(0, 9), st.integers(0, 9))
def test_a_grid_fits_its_room(count, width, height, columns, rows):
    found = grid.shape(count, width, height, columns, rows)
    assert found[0] >= 1 and found[1] >= 1
    assert not columns or found[0] == min(columns, max(1, width // 12))
    assert not rows or found[1] == min(rows, max(1, height // 4))
    page = grid.page([RUN], View(columns=columns, rows=rows), width, height, grid.Look())
    assert len(page.rows) == height and {sum(len(t) for t, _ in row) for row in page.rows} == {width}


def test_a_grid_is_as_people_would_lay_it_out():
    assert grid.shape(1, 106, 43) == (1, 1)
    assert grid.shape(2, 80, 20) == (1, 2)
    assert grid.shape(4, 106, 43) == (2, 2)
    assert grid.shape(6, 106, 43) == (2, 3)


def test_the_cursor_is_the_same_on_all_charts_and_reads_them():
    page = grid.page([RUN], View(cursor=200.0), 160, 30, grid.Look(focus=False))
    shown = "\n".join(text(page))
    assert "val.loss 200.0" in shown and "val.acc 0.5000" in shown and "train.loss 220.0" in shown
    assert text(page)[-1].startswith(" step 200 · epoch 10 · 3m · ")
    assert page.stops == tuple(STEPS)
    assert "train.step_loss" not in shown


@pytest.mark.parametrize(
    "axis, last, words", [("step", 400.0, "step"), ("epoch", 20.0, "epoch"), ("time", 380.0, "time"), ("clock", 400.0, "local time")]
)  # fmt: skip
def test_every_axis_has_the_points_in_their_places(axis, last, words):
    scale = Scale(axis, (RUN,))
    x = scale.x(RUN, RUN.series["val.loss"])
    assert x[-1] == pytest.approx(last, abs=20) and scale.label == words
    page = grid.page([RUN], View(axis=axis, units=axis), 100, 20, grid.Look())
    assert len(page.stops) == STEPS.size and page.ends[1] == pytest.approx(x[-1])


def test_a_cursor_stays_at_its_point_when_the_axis_changes():
    page = grid.page([RUN], View(axis="epoch", units="step", cursor=200.0), 100, 20, grid.Look())
    assert page.cursor == pytest.approx(10.0)


def test_a_run_without_epochs_is_drawn_by_its_steps():
    alone = course(val__loss=STEPS)
    scale = Scale("epoch", (alone,))
    assert scale.label == "step" and scale.x(alone, alone.series["val.loss"]).tolist() == STEPS.tolist()


def test_epochs_go_on_beyond_the_last_one_that_was_logged():
    short = course(val__loss=STEPS, epoch=STEPS / 20)
    assert short.epoch_at(np.array([10.0, 30.0, 440.0])).tolist() == pytest.approx([0.5, 1.5, 22.0])


def test_axes_of_a_live_run_grow_in_jumps():
    before, changes = None, 0
    steps = np.arange(1000)
    for size in range(2, 1000, 4):
        run = replace(
            RUN, series={"val.loss": Series(steps[:size], NOW + steps[:size], np.sin(steps[:size]))}
        )
        page = grid.page([run], View(), 100, 20, grid.Look(), before)
        changes += before is not None and page.whole != before.whole
        before = page
    assert changes <= 36


def test_several_runs_keep_their_colours():
    runs = [course("a-aaaa", 3, val__loss=STEPS), course("b-bbbb", 17, val__loss=STEPS)]
    page = grid.page(runs, View(), 100, 20, grid.Look(color=lambda n: f"line-{n + 1}"))
    styles = {style for row in page.rows for _, style in row}
    assert {"line-4", "line-18"} <= styles and "line-1" not in styles
    assert text(page)[0].startswith("val.loss")


async def test_keys_look_around_in_the_charts(lab):
    key = lab.run_ids()[0]
    async with opened(lab, (160, 48), run_id=key) as pilot:
        run = screen(pilot, RunScreen)
        await until(pilot, lambda: run.tab and run.tab.charts.drawn)
        charts = run.tab.charts
        await pilot.press("left")
        assert charts.view.cursor == 400.0
        await pilot.press("h", "h")
        assert charts.view.cursor == 360.0
        await until(pilot, lambda: "step 360 · epoch 18 " in screen_text(pilot.app))
        await pilot.press("plus", "plus")
        low, high = charts.view.window
        assert high - low == pytest.approx(100.0) and low < 360 < high
        await until(pilot, lambda: charts.drawn.page.shown != charts.drawn.page.whole)
        assert charts.drawn.page.shown[1] - charts.drawn.page.shown[0] == pytest.approx(100.0)
        await pilot.press("0")
        assert charts.view.window is None and charts.view.cursor is None
        await pilot.press("m", "m", "M")
        assert charts.view.smoothing == 0.3
        await pilot.press("X")
        await until(pilot, lambda: "by epoch" in screen_text(pilot.app))
        await pilot.press("y")
        await until(
            pilot, lambda: "log y" in screen_text(pilot.app) and "smooth 0.3" in screen_text(pilot.app)
        )


async def test_the_grid_has_pages_and_one_chart_in_full(lab):
    key = lab.run_ids()[0]
    async with opened(lab, (80, 24), run_id=key) as pilot:
        run = screen(pilot, RunScreen)
        await until(pilot, lambda: run.tab and run.tab.charts.drawn)
        charts = run.tab.charts
        count = len(charts.drawn.page.groups)
        assert count == 11 and len(charts.drawn.page.places) < count
        await pilot.press("c", "2", "r", "2")
        await until(pilot, lambda: len(charts.drawn.page.places) == 4)
        assert run.open_tab == 0
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "5–8 of 11" in screen_text(pilot.app))
        await pilot.press("right_square_bracket", "right_square_bracket")
        await until(pilot, lambda: "1–4 of 11" in screen_text(pilot.app))
        await pilot.press("j", "enter")
        await until(pilot, lambda: len(charts.drawn.page.places) == 1)
        assert charts.drawn.page.places[0].number == 1
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: charts.drawn.page.places[0].number == 2)
        await pilot.press("enter")
        await until(pilot, lambda: len(charts.drawn.page.places) == 4)


async def test_the_mouse_sets_the_cursor_and_zooms(lab):
    key = lab.run_ids()[0]
    async with opened(lab, (160, 48), run_id=key) as pilot:
        run = screen(pilot, RunScreen)
        await until(pilot, lambda: run.tab and run.tab.charts.drawn)
        charts = run.tab.charts
        place = charts.drawn.page.places[1]
        await pilot.click(charts, offset=(1 + place.x + place.left + place.columns // 2, place.y + 3))
        assert charts.view.cursor == pytest.approx(200.0, abs=20) and charts.view.focus == 1
        at = (1 + place.x + place.left + place.columns // 2, place.y + 3)
        await pilot._post_mouse_events([_wheel()], charts, offset=at)
        assert charts.view.window is not None
        low, high = charts.view.window
        assert high - low == pytest.approx(200.0) and low < 200 < high


def _wheel() -> Any:
    from textual import events

    return events.MouseScrollUp


async def test_the_machine_has_a_tab_of_its_own(lab):
    key = lab.run_ids()[0]
    number = [tab.TITLE for tab in TABS].index("system")
    async with opened(lab, (80, 24), run_id=key) as pilot:
        run = screen(pilot, RunScreen)
        await until(pilot, lambda: run.tab)
        await run.action_tab(number)
        await until(pilot, lambda: "disk_free" in screen_text(pilot.app))
        assert "cpu % 54.00" in screen_text(pilot.app) and "loss" not in screen_text(pilot.app).split("\n")[3]
        assert "by time" in screen_text(pilot.app)
