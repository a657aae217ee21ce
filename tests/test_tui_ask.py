"""Small questions, asked over the lab."""

from __future__ import annotations

import pytest
from tui_lab import small_lab
from tui_pilot import opened, screen_text

from labtui.tui.screens.ask import Choose

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
