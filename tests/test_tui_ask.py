"""Small questions, asked over the lab."""

from __future__ import annotations

import pytest
from tui_lab import small_lab
from tui_pilot import opened, screen_text

from labtui.tui.screens.ask import Choose, Confirm, Prompt
from labtui.tui.screens.write import Write

OPTIONS = {"a": "train.loss", "b": "val.[b]acc[/b]", "c": "val.loss"}


@pytest.fixture
def small(tmp_path):
    return small_lab(tmp_path)


async def test_several_are_chosen_in_the_order_they_were_taken(small):
    async with opened(small) as pilot:
        answers = []
        pilot.app.push_screen(Choose("Which?", OPTIONS, ["a"]), answers.append)
        await pilot.pause()
        assert "val.[b]acc[/b]" in screen_text(pilot.app)
        await pilot.press("end", "space", "home", "j", "space", "enter")
        assert answers == [["a", "c", "b"]]


async def test_one_is_searched_for_and_taken(small):
    async with opened(small) as pilot:
        answers = []
        pilot.app.push_screen(Choose("Which?", OPTIONS, several=False), answers.append)
        await pilot.press("slash", *"LOSS", "enter", "j", "enter")
        assert answers == [["c"]]
        pilot.app.push_screen(Choose("Which?", OPTIONS, several=False), answers.append)
        await pilot.press("slash", *"xyz", "enter", "enter", "escape")
        assert answers == [["c"], None]


ODD = "red \x1b[31m\x9b2J\u202e[b]"


@pytest.mark.parametrize(
    "dialog",
    [lambda: Confirm(ODD), lambda: Prompt(ODD), lambda: Choose(ODD, {"a": ODD}), lambda: Write(ODD, ODD + "\n" + ODD)],
    ids=["confirm", "prompt", "choose", "write"],
)  # fmt: skip
async def test_what_a_question_is_about_is_text(small, dialog):
    async with opened(small) as pilot:
        pilot.app.push_screen(dialog())
        await pilot.pause()
        shown = screen_text(pilot.app)
        assert "red ␛[31m" in shown and "[b]" in shown
        assert shown.replace("\n", "").isprintable()


async def test_what_a_line_begins_with_is_text(small):
    async with opened(small) as pilot:
        answers = []
        pilot.app.push_screen(Prompt("Name", ODD), answers.append)
        await pilot.pause()
        assert screen_text(pilot.app).replace("\n", "").isprintable()
        await pilot.press("x", "enter")
        assert answers == [ODD + "x"]
