"""The notebook on the screens: of the lab with all that is in it, of a sweep, of a recipe."""

from __future__ import annotations

import time
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input
from tui_lab import NOW, add_run
from tui_pilot import opened, pressed, screen, screen_text, still, tab_key, until

from labtui import notes
from labtui.files.paths import LabPaths
from labtui.files.toml import dumps
from labtui.query import Lab
from labtui.tui.app import LabApp
from labtui.tui.screens.ask import Prompt
from labtui.tui.screens.notebook import NotebookScreen
from labtui.tui.widgets.entries import Entries

SWEEP = "20260921-130000-grid-aaaa"
RECIPE = "fault/transformer-cls.toml"


@pytest.fixture
def lab(tmp_path) -> LabPaths:
    lab = LabPaths(tmp_path)
    add_run(lab, "noted", 600, extra={"origin": {"file": f"recipes/{RECIPE}", "sweep": SWEEP}})
    (lab.recipes / "fault").mkdir(parents=True)
    (lab.recipes / RECIPE).write_text('name = "transformer-cls"\n')
    return lab


def entries(pilot: Pilot[Any]) -> list[str]:
    return [entry.text for entry in pilot.app.screen.query_one(Entries).entries]


def texts(paths: Any, kind: str = "notes") -> list[str]:
    return [entry["text"] for entry in notes.read_notes(paths)[kind]]


async def test_the_labs_notebook_has_everything_and_changes_it_where_it_was_written(lab):
    run, recipe, sweep = lab.run(lab.run_ids()[0]), lab.recipe_notes(RECIPE), lab.sweep(SWEEP)
    notes.add_note(run, "on the run")
    notes.add_todo(recipe, "on the recipe")
    notes.add_note(sweep, "on the sweep")
    async with opened(lab) as pilot:
        await pilot.press("N")
        await until(pilot, lambda: set(entries(pilot)) == {"on the run", "on the recipe", "on the sweep"})
        shown = screen_text(pilot.app)
        assert f"recipe {RECIPE}" in shown and f"sweep {SWEEP}" in shown and f"run {run.id}" in shown
        assert entries(pilot)[0] == "on the recipe"  # what is to be done comes first
        await pilot.press("space")
        await until(pilot, lambda: notes.entries(recipe)[0].state == "done")
        await pilot.press("n", *"where we go", "ctrl+s")
        await until(pilot, lambda: texts(lab) == ["where we go"] and "where we go" in entries(pilot))
        await pilot.press("T", *"clips", "ctrl+s")
        await until(pilot, lambda: "clips" in entries(pilot))
        await pilot.press("f")
        await until(pilot, lambda: entries(pilot) == ["clips"])
        await pilot.press("f", "f")
        await until(pilot, lambda: entries(pilot) == ["on the recipe"])
        await pilot.press("escape")
        assert not isinstance(pilot.app.screen, NotebookScreen)


async def test_a_runs_notes_stand_beside_those_of_its_sweep_recipe_and_lab(lab):
    run = lab.run(lab.run_ids()[0])
    for place, text in (
        (lab.recipe_notes(RECIPE), "recipe's"),
        (lab.sweep(SWEEP), "sweep's"),
        (lab, "lab's"),
    ):
        notes.add_note(place, text)
    async with opened(lab) as pilot:
        await pilot.press("enter", tab_key("notes"))
        await until(pilot, lambda: set(entries(pilot)) == {"recipe's", "sweep's", "lab's"})
        assert "the lab" in screen_text(pilot.app) and f"sweep {SWEEP}" in screen_text(pilot.app)
        await pilot.press("n", *"mine", "ctrl+s")
        await until(pilot, lambda: texts(run) == ["mine"])
        await until(pilot, lambda: "mine" in entries(pilot))


async def test_sweeps_and_recipes_are_written_on_from_their_lists(lab):
    async with opened(lab) as pilot:
        await pilot.press("w")
        await until(pilot, lambda: getattr(pilot.app.screen, "known", None))
        await pilot.press("n")
        assert screen(pilot, NotebookScreen).on == lab.sweep(SWEEP)
        await pilot.press("n", *"a sweep", "ctrl+s")
        await until(pilot, lambda: texts(lab.sweep(SWEEP)) == ["a sweep"] and entries(pilot) == ["a sweep"])
        await pilot.press("escape", "escape", "r", "j", "n")
        await until(pilot, lambda: isinstance(pilot.app.screen, NotebookScreen))
        await pilot.press("T", *"tune", "ctrl+s")
        await until(pilot, lambda: texts(lab.recipe_notes(RECIPE), "todos") == ["tune"])


async def test_a_line_that_could_not_be_written_stands_in_the_prompt_again(lab):
    run = lab.run(lab.run_ids()[0])
    run.notes.write_text("notes = [")
    async with opened(lab) as pilot:
        await pilot.press("n", *"kept", "enter")
        await until(pilot, lambda: pilot.app._notifications and isinstance(pilot.app.screen, Prompt))
        assert screen(pilot, Prompt).query_one(Input).value == "kept"
        run.notes.unlink()
        await pilot.press("enter")
        await until(pilot, lambda: texts(run) == ["kept"])


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_notebook_pictures(lab, monkeypatch, snap_compare, size):
    still(monkeypatch)
    time.tzset()
    run = lab.run(lab.run_ids()[0])
    for place, tables in (
        (lab, {
            "notes": [{"time": NOW - 900, "text": "Where we are:\n\n- CNN 1D below 30 %\n- [b]2D[/] below 33 %"}],
            "todos": [{"time": NOW, "text": "longer clips"}, {"text": "Optuna", "state": "abort", "reason": "no time"}],
        }),
        (lab.recipe_notes(RECIPE), {"todos": [{"text": "STFT only", "state": "pending", "reason": "the disk"}]}),
        (lab.sweep(SWEEP), {"notes": [{"time": NOW - 60, "text": "the spread is larger than the difference"}]}),
        (run, {"notes": [{"time": NOW - 100_000, "text": "**unstable** from epoch 3 on"}], "todos": [{"text": "seeds", "done": True}]}),
    ):  # fmt: skip
        place.notes.parent.mkdir(parents=True, exist_ok=True)
        place.notes.write_bytes(dumps(tables))
    press = pressed("N", wait=lambda app: len(app.screen.query_one(Entries).entries) == 7)
    assert snap_compare(LabApp(Lab(lab), now=lambda: NOW), terminal_size=size, run_before=press)
