"""The overview of a run: how it stands, what differs, its recipe, model, data and environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from tui_lab import NOW, add_run, small_lab
from tui_pilot import opened, pressed, screen_text, tab_key, until

from labtui.files.paths import LabPaths
from labtui.query import Lab
from labtui.tui.about import data_rows, differing, environment_rows, model_rows, recipe_rows
from labtui.tui.app import LabApp

SIZES = [(80, 24), (160, 48)]
TAB = tab_key("overview")
LAYERS = {
    "rows": [
        {"name": "Net", "type": "Net", "depth": 0, "output": [3], "params": 0},
        {"name": "conv", "type": "Conv1d", "depth": 1, "output": [8, 64], "params": 80},
        {"name": "head", "type": "Linear", "depth": 1, "output": [3], "params": 1539},
    ],
    "parameters": 1619, "trainable": 1619, "layers": 2,
}  # fmt: skip
DATA = {
    "facts": {"source": "a bench [b]", "normalisation": "mean 0, deviation 1 of each channel"},
    "task": "classes", "classes": ["normal", "inner", "rare"], "samples": 1000,
    "stored_shape": [1, 128], "shape": [1, 64], "outputs": 3, "validate": {"scheme": "holdout"},
    "splits": {
        "train": {"samples": 700, "per_class": [500, 180, 20]},
        "val": {"samples": 300, "per_class": [200, 90, 10]},
        "test": {"samples": 0, "per_class": None},
    },
}  # fmt: skip
ENVIRONMENT = {
    "code": {"commit": "0123abcd", "dirty": True},
    "versions": {"python": "3.11.7", "torch": "2.9.0"},
    "hardware": {"host": "bench", "system": "Linux", "cpu": "A CPU", "cores": 8, "memory": 2**34, "gpus": []},
    "argv": ["python", "-m", "x", "a b"],
}


def lab_of_two(root: Path) -> LabPaths:
    """Two runs of a recipe; of the newer one all is known."""
    lab = LabPaths(root)
    add_run(lab, "first", 3000, seed=1)
    key = add_run(lab, "second", 600, seed=2, extra={"model": {"name": "cnn", "channels": [8, 16]}})
    paths = lab.run(key)
    paths.artifacts.mkdir()
    (paths.artifacts / "layers.json").write_text(json.dumps(LAYERS))
    (paths.artifacts / "data.json").write_text(json.dumps(DATA))
    paths.environment.write_text(json.dumps(ENVIRONMENT))
    return lab


def text_of(rows: Any) -> str:
    return "\n".join("".join(text for text, _ in row) for row in rows)


async def shows(pilot: Pilot[Any], *texts: str) -> None:
    await until(pilot, lambda: all(text in screen_text(pilot.app) for text in texts))


async def test_state_and_best_come_first_and_then_what_differs(tmp_path):
    async with opened(lab_of_two(tmp_path)) as pilot:
        await pilot.press("enter", TAB)
        await shows(pilot, "✓ finished in 12m34s, epoch 20 of 20", "best val.acc")
        await shows(pilot, "compared with the run before it, first 0001", "model.channels")
        await pilot.press("right_square_bracket", "right_square_bracket")
        await shows(pilot, "recipe, ● differs", "● model.name", "cnn   there transformer_cls")
        await pilot.press(*["right_square_bracket"] * 5)
        await shows(pilot, "commit", "0123abcd, with changes that were not committed", "'a b'")
        await pilot.press("g")
        await shows(pilot, "best val.acc")


async def test_model_and_data_are_tables(tmp_path):
    async with opened(lab_of_two(tmp_path), (160, 60)) as pilot:
        await pilot.press("enter", TAB)
        await shows(pilot, "conv (Conv1d)", "[-1, 8, 64]", "Total params: 1,619")
        await shows(
            pilot, "a bench [b]", "1 × 64, stored as 1 × 128", "70.0 %", "23 times as many as the rarest"
        )


async def test_the_baseline_of_the_table_is_what_a_run_is_compared_with(tmp_path):
    lab = lab_of_two(tmp_path)
    add_run(lab, "third", 60, seed=3)
    async with opened(lab, (160, 48)) as pilot:
        await pilot.press("enter", TAB)
        await shows(pilot, "the run before it, second 0002")
        await pilot.press("escape", "G", "b", "g", "enter")
        await shows(pilot, "the baseline, first 0001")


async def test_the_first_run_of_a_recipe_is_compared_with_none(tmp_path):
    lab = LabPaths(tmp_path)
    add_run(lab, "only", 600, "running", metrics={})
    async with opened(lab) as pilot:
        await pilot.press("enter", TAB)
        await shows(pilot, "▶ running", "recipe", "optimizer.lr")
        assert "compared with" not in screen_text(pilot.app)


@pytest.mark.parametrize(
    "broken", [3, [], {}, {"rows": 1}, {"facts": {}}, {"rows": [{}]}, {"splits": []}, "x"]
)
def test_artifacts_of_another_form_are_told(broken):
    assert "has not the form" in text_of(model_rows(broken, broken))
    assert "has not the form" in text_of(data_rows(broken, 80))


def test_what_was_not_recorded_is_left_out_or_said():
    row = {"state": "finished", "facts": {}, "id": "x"}
    assert environment_rows({}, {}, row, 80) == []
    assert "not there yet" in text_of(environment_rows({}, {}, row | {"state": "running"}, 80))
    odd = {"code": 3, "versions": [], "hardware": None, "argv": "x"}
    assert "no git repository" in text_of(environment_rows(odd, {}, row, 80))
    copied = text_of(environment_rows(ENVIRONMENT, {"commit": "feed", "dirty": False}, row, 80))
    assert "feed" in copied and "runs/x/code" in copied and "0123abcd" not in copied


def test_options_differ_by_value_kind_and_presence():
    assert differing({"a": 1, "b": 2, "c": 1}, {"a": True, "b": 2, "d": 0}) == ["a", "c", "d"]
    rows = recipe_rows({"a": 1, "long": "word " * 40}, {"a": 2}, 60)
    assert text_of(rows[:1]).endswith("1   there 2") and "\n" not in text_of(rows[:1])
    assert all(len(text_of([row])) <= 60 for row in rows)
    assert "3   there –" in text_of(recipe_rows({"a": 3}, {}, 60))


@pytest.mark.parametrize("size", SIZES)
def test_overview_pictures(tmp_path, monkeypatch, snap_compare, size):
    monkeypatch.setattr(LabApp, "place", "~/bearings")
    app = LabApp(Lab(lab_of_two(tmp_path)), now=lambda: NOW)
    before = pressed("enter", TAB, wait=lambda app: app.screen.tab.about and app.screen.detail)
    assert snap_compare(app, terminal_size=size, run_before=before)


def test_overview_picture_of_a_failed_run(tmp_path, monkeypatch, snap_compare):
    monkeypatch.setattr(LabApp, "place", "~/bearings")
    lab = small_lab(tmp_path)
    key = next(run.id for run in Lab(lab).runs("reason=oom"))
    app = LabApp(Lab(lab), run_id=key, now=lambda: NOW)
    before = pressed(TAB, wait=lambda app: app.screen.tab.about and app.screen.detail)
    assert snap_compare(app, terminal_size=(80, 24), run_before=before)


async def test_the_open_tab_is_in_sight_where_not_all_have_room(tmp_path: Path) -> None:
    lab = lab_of_two(tmp_path)
    async with opened(lab, (40, 24), run_id=lab.run_ids()[0]) as pilot:
        await until(pilot, lambda: "charts" in screen_text(pilot.app))
        await pilot.press(tab_key("notes"))
        await until(pilot, lambda: "notes " in screen_text(pilot.app).split("\n")[1])
        assert screen_text(pilot.app).split("\n")[1].startswith("‹")
