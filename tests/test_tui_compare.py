"""Runs beside each other: what differs, in which direction, best against worst; and the screen's pictures."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from analysis_lab import row
from hypothesis import given
from hypothesis import strategies as st
from test_tui_pictures import SIZES, settled
from tui_lab import NOW, add_run, small_lab
from tui_pilot import opened, screen, screen_text, until

from labtui.cells import clean
from labtui.errors import LabError
from labtui.files.paths import LabPaths
from labtui.query import Lab
from labtui.query.compare import best_and_worst, figures_of, options
from labtui.tui.app import LabApp
from labtui.tui.compare_table import compare_table
from labtui.tui.screens.ask import Choose
from labtui.tui.screens.compare import CompareScreen

RUNS = [
    row(0, {"optimizer.lr": 0.1, "model.name": "gru"}, {"val.acc": 0.8, "train.loss": 0.5}),
    row(1, {"optimizer.lr": 0.2, "model.name": "gru"}, {"val.acc": 0.9, "train.loss": 0.7}),
    row(2, {"optimizer.lr": 0.1, "model.name": "gru", "data.fold": 1}, {"val.acc": 0.7, "own": 3.0}),
]


def lines(rows, base=0, every=False):
    found = compare_table(rows, {}, base, every)
    return {key.partition(".")[2]: cells for key, cells in found.cells.items() if "." in key}


def test_only_differing_options_stand_beside_each_other():
    assert [key for key, _ in options(RUNS)] == ["optimizer.lr", "data.fold"]
    assert "model.name" in [key for key, _ in options(RUNS, every=True)]
    assert lines(RUNS)["optimizer.lr"] == [("0.1", ""), ("0.2", "accent"), ("0.1", "")]
    assert lines(RUNS)["data.fold"] == [("–", ""), ("–", ""), ("1", "accent")]


def test_figures_tell_how_far_and_whether_that_is_better():
    found = lines(RUNS)
    assert found["val.acc"] == [("0.8", ""), ("0.9 ↑0.1", "good"), ("0.7 ↓0.1", "bad")]
    assert found["train.loss"] == [("0.5", ""), ("0.7 ↑0.2", "bad"), ("–", "dim")]
    assert found["own"] == [("–", "dim"), ("–", "dim"), ("3", "")], "nobody said which way it is better"
    assert lines(RUNS, base=1)["val.acc"][0] == ("0.8 ↓0.1", "bad")
    assert list(found)[-3:] == ["val.acc", "train.loss", "own"], "the monitored one first"


def test_what_is_not_finite_is_no_figure():
    odd = [row(0, {}, {"val.acc": math.nan}), row(1, {}, {"val.acc": math.inf}), row(2, {}, {"val.acc": 0.5})]
    odd[0]["metrics"]["val.acc"]["nonfinite"] = 3
    assert figures_of(odd)[0].values == [None, None, 0.5]
    assert [text for text, _ in lines(odd)["val.acc"]] == ["NaN", "–", "0.5"]
    with pytest.raises(LabError, match="fewer than two runs have a value"):
        best_and_worst(odd)


def test_the_ends_are_found_by_what_most_runs_monitor():
    assert [one["id"] for one in best_and_worst(RUNS)] == [RUNS[1]["id"], RUNS[2]["id"]]
    assert [one["id"] for one in best_and_worst(RUNS, "train.loss")] == [RUNS[0]["id"], RUNS[1]["id"]]
    same = [row(n, {}, {"val.acc": 0.5}) for n in range(3)]
    assert len({one["id"] for one in best_and_worst(same)}) == 2
    with pytest.raises(LabError, match="which way 'own' is better is not known"):
        best_and_worst([row(n, {}, {"own": n}) for n in range(3)], "own")
    with pytest.raises(LabError, match="monitor no metric"):
        best_and_worst([])


VALUES = st.none() | st.booleans() | st.floats() | st.text(max_size=30) | st.lists(st.integers(), max_size=3)


@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.text(max_size=8), VALUES, max_size=4),
            st.dictionaries(st.text(max_size=8), st.none() | st.floats(), max_size=4),
        ),
        min_size=1,
        max_size=4,
    ),
    st.booleans(),
)
def test_any_runs_can_be_compared(given, every):
    rows = [row(number, params, metrics) for number, (params, metrics) in enumerate(given)]
    found = compare_table(rows, {}, len(rows) - 1, every)
    for key in found.keys:
        assert len(found.cells[key]) == len(rows)
        for text, _ in found.cells[key]:
            assert clean(text) == text
    assert found.fitting(40, 0) >= 1


async def test_marked_runs_are_compared(tmp_path):
    async with opened(small_lab(tmp_path)) as pilot:
        await pilot.press("C")
        assert type(pilot.app.screen).__name__ == "LabScreen", "one run is none to compare"
        await pilot.press("j", "j", "space", "space", "space", "space", "C")
        shown = screen(pilot, CompareScreen)
        await until(pilot, lambda: "optimizer.lr" in screen_text(pilot.app))
        text = screen_text(pilot.app)
        assert "4 runs · 1 to 3 in sight · beside transformer-cls-small 0008" in text
        assert "model.name" not in text and "✗ nan" in text
        await pilot.press("right", "right", "right")
        assert shown.at == 3 and shown.first == 1, "the column of keys stays, runs scroll"
        assert "optimizer.lr" in screen_text(pilot.app)
        await pilot.press("b", "a")
        text = screen_text(pilot.app)
        assert "beside transformer-cls 0005" in text
        await until(pilot, lambda: "model.name" in screen_text(pilot.app))
        order = shown.ids
        await pilot.press("less_than_sign")
        assert shown.ids == [order[0], order[1], order[3], order[2]] and shown.at == 2 == shown.base
        await pilot.press("d", "d", "d")
        assert len(shown.ids) == 2, "two are left at least"
        await pilot.press("enter")
        assert type(pilot.app.screen).__name__ == "RunScreen"


async def test_charts_of_the_runs_are_one_key_away(tmp_path):
    async with opened(small_lab(tmp_path)) as pilot:
        await pilot.press("j", "j", "space", "j", "space", "C")
        shown = screen(pilot, CompareScreen)
        await until(pilot, lambda: len(shown.ids) == 2)
        await pilot.press("tab")
        await until(pilot, lambda: shown.charts.drawn and "val.acc" in screen_text(pilot.app))
        assert shown.charts.has_focus
        await pilot.press("tab")
        await until(pilot, lambda: shown.lines.has_focus and "optimizer.lr" in screen_text(pilot.app))


async def test_the_best_stands_beside_the_worst_in_one_key(tmp_path):
    async with opened(small_lab(tmp_path)) as pilot:
        await pilot.press("B")
        shown = screen(pilot, CompareScreen)
        await until(pilot, lambda: len(shown.ids) == 2)
        values = figures_of(shown.shown.rows)
        by = next(one for one in values if one.key == "val.acc")
        assert by.values[0] > by.values[1] and "best and worst  2 runs of 10" in screen_text(pilot.app)
        first = shown.ids
        await pilot.press("B")
        assert isinstance(pilot.app.screen, Choose)
        await pilot.press("slash", *"train.loss", "enter", "enter")
        await until(pilot, lambda: "best and worst by train.loss" in screen_text(pilot.app))
        await until(pilot, lambda: (shown.shown.rows and shown.ids != first) or shown.metric == "train.loss")


async def test_ends_that_there_are_not_are_told_in_words(tmp_path):
    lab = LabPaths(tmp_path)
    add_run(lab, "alone", 60)
    async with opened(lab) as pilot:
        await pilot.press("B")
        await until(pilot, lambda: "fewer than two runs have a value of 'val.acc'" in screen_text(pilot.app))
        await pilot.press(
            "left", "right", "b", "a", "d", "enter", "less_than_sign", "tab", "tab", "B", "escape"
        )
        await pilot.press("escape")
        assert len(pilot.app.screen_stack) == 1


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabApp:
    monkeypatch.setattr(LabApp, "place", "~/bearings")
    return LabApp(Lab(small_lab(tmp_path)), now=lambda: NOW)


@pytest.mark.parametrize("size", SIZES)
def test_compare(app, snap_compare, size):
    wait = lambda app: isinstance(app.screen, CompareScreen) and app.screen.table.keys  # noqa: E731
    keys = ["j", "j", "space", "space", "space", "space", "C"]
    assert snap_compare(app, terminal_size=size, run_before=settled(*keys, wait=wait))
