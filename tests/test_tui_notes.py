"""Notes and to-dos of a run: keys in, notes.toml out, and back."""

from __future__ import annotations

import time
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import TextArea
from tui_lab import NOW, add_run
from tui_pilot import opened, pressed, screen, screen_text, tab_key, until

from labtui import notes
from labtui.files.paths import LabPaths, RunPaths
from labtui.files.toml import dumps
from labtui.query import Lab
from labtui.tui.app import LabApp
from labtui.tui.screens.ask import Confirm
from labtui.tui.screens.run import RunScreen
from labtui.tui.screens.write import Write
from labtui.tui.widgets.entries import Entries

SIZES = [(80, 24), (160, 48)]
TAB = tab_key("notes")


@pytest.fixture
def lab(tmp_path) -> LabPaths:
    lab = LabPaths(tmp_path)
    add_run(lab, "noted", 600)
    return lab


@pytest.fixture
def run(lab) -> RunPaths:
    return lab.run(lab.run_ids()[0])


def entries(pilot: Pilot[Any]) -> list[str]:
    return [entry.text for entry in screen(pilot, RunScreen).query_one(Entries).entries]


def said(pilot: Pilot[Any], text: str) -> bool:
    return any(text in notice.message for notice in pilot.app._notifications)


async def test_notes_of_several_lines_are_added_changed_and_deleted(lab, run):
    async with opened(lab) as pilot:
        await pilot.press("enter", TAB)
        await until(pilot, lambda: "no notes; n adds one" in screen_text(pilot.app))
        await pilot.press("n", *"[b]odd", "enter", *"two", "ctrl+s")
        await until(pilot, lambda: entries(pilot) == ["[b]odd\ntwo"])
        assert "[b]odd" in screen_text(pilot.app)
        await pilot.press("e", *"!", "escape")
        await pilot.press(*"n")
        await until(pilot, lambda: isinstance(pilot.app.screen, Write))
        assert screen(pilot, Write).query_one(TextArea).text == "[b]odd\ntwo!"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: entries(pilot) == ["[b]odd\ntwo!"])
        await pilot.press("enter", "escape")  # nothing was changed: nothing is asked
        screen(pilot, RunScreen)
        await pilot.press("delete")
        assert "Delete the note “[b]odd”?" in screen(pilot, Confirm).question
        await pilot.press("y")
        await until(pilot, lambda: entries(pilot) == [])
        assert notes.read_notes(run)["notes"] == []


async def test_to_dos_are_ticked_and_say_why_they_wait(lab, run):
    async with opened(lab) as pilot:
        await pilot.press("enter", TAB, "space")
        await until(pilot, lambda: said(pilot, "T adds one"))
        for text in ("first", "second"):
            await pilot.press("T", *text, "ctrl+s")
            await until(pilot, lambda text=text: text in entries(pilot))
        await pilot.press("g", "space")
        await until(pilot, lambda: entries(pilot) == ["second", "first"])
        assert notes.todo_state(notes.read_notes(run)["todos"][0]) == "done"
        await pilot.press("g", "P", *"no GPU", "enter")
        await until(pilot, lambda: "pending: no GPU" in screen_text(pilot.app))
        await pilot.press("g", "A", *"no gain", "enter")
        await until(pilot, lambda: "abort: no gain" in screen_text(pilot.app))
        await pilot.press("G", "A")
        await until(pilot, lambda: "abort" not in screen_text(pilot.app))


async def test_what_is_written_elsewhere_appears_and_is_never_overwritten(lab, run):
    notes.add_note(run, "mine")
    async with opened(lab) as pilot:
        await pilot.press("enter", TAB)
        await until(pilot, lambda: entries(pilot) == ["mine"])
        await pilot.press("e", *" too")
        notes.write_note(run, 0, "theirs")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(pilot.app.screen, Write) and said(pilot, "nothing was written"))
        assert "changed elsewhere" in screen(pilot, Write).heading
        await pilot.press("escape")  # what was written would be lost
        screen(pilot, Confirm)
        await pilot.press("n", "ctrl+s")
        await until(pilot, lambda: set(entries(pilot)) == {"theirs", "mine too"})
        notes.add_note(run, "by the command line")
        await until(pilot, lambda: "by the command line" in screen_text(pilot.app))


async def test_broken_notes_are_told(lab, run):
    run.notes.write_text("notes = [")
    async with opened(lab) as pilot:
        await pilot.press("enter", TAB)
        await until(pilot, lambda: "notes.toml cannot be read" in screen_text(pilot.app))
        await pilot.press("n", "x", "ctrl+s")
        await until(pilot, lambda: said(pilot, "mend or remove it first"))
        await until(pilot, lambda: isinstance(pilot.app.screen, Write))
        run.notes.unlink()  # what was written is still there
        await pilot.press("ctrl+s")
        await until(pilot, lambda: [one["text"] for one in notes.read_notes(run)["notes"]] == ["x"])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("editing", [False, True])
def test_notes_pictures(lab, run, monkeypatch, snap_compare, size, editing):
    monkeypatch.setattr(LabApp, "place", "~/bearings")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    long = (
        "Fourier features help: val.acc rises from epoch 3 on, while the loss stays; see the classes 3 and 8."
    )
    written = {
        "notes": [
            {"time": NOW - 400, "text": long},
            {"time": NOW - 60, "text": "Next:\n\n- [b]seeds[/]\n- 轴承"},
        ],
        "todos": [
            {"text": "repeat with three seeds", "done": True},
            {"text": "try a smaller learning rate", "state": "pending", "reason": "the GPU is taken"},
            {"text": "label smoothing", "state": "abort"},
            {"text": "write this up"},
        ],
    }
    run.notes.write_bytes(dumps(written))

    def ready(app: Any) -> Any:
        lists = app.screen.query(Entries)
        return app.screen.detail and lists and lists.first().entries

    keys = ["enter", TAB]
    before = pressed(*keys, wait=ready)

    async def press(pilot: Any) -> None:
        await before(pilot)
        await pilot.press(*(["G", "enter"] if editing else ["j"]))
        await pilot.pause()

    assert snap_compare(LabApp(Lab(lab), now=lambda: NOW), terminal_size=size, run_before=press)
