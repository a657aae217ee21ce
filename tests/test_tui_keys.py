"""Keys that the settings give to commands: what they do, what shows them, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tui_lab import NOW, small_lab
from tui_pilot import screen_text, until

from labtui.files.paths import LabPaths
from labtui.query import Lab
from labtui.tui.app import LabApp
from labtui.tui.keymap import declared, wrong_keys
from labtui.tui.preferences import preferences
from labtui.tui.screens.ask import Confirm
from labtui.tui.widgets.keys import Keys


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    small_lab(tmp_path)
    yield tmp_path


def app_of(root: Path, keys: str) -> LabApp:
    (root / "labtui.toml").write_text(f"[keys]\n{keys}\n")
    return LabApp(Lab(LabPaths(root)), preferences(root), now=lambda: NOW)


async def test_a_command_has_the_keys_that_the_settings_give_it(small):
    app = app_of(small, 'stop = "z,f5"\nfilter = "ctrl+f"')
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.snapshot.place)
        assert "z stop" in app.screen.query_one(Keys).render_line(0).text
        await pilot.press("j", "x")
        assert not isinstance(app.screen, Confirm)
        for key in ("z", "f5"):
            await pilot.press(key)
            assert isinstance(app.screen, Confirm), key
            await pilot.press("n")
        await pilot.press("ctrl+f", *"loss", "enter")
        assert app.screen.query_one("#filter").value == "loss"
        await pilot.press("question_mark", "slash", *"f5")
        await until(pilot, lambda: "z f5" in screen_text(app))
        await pilot.press("escape")
        await pilot.press("escape")
        titles = [command.title for command in app.get_system_commands(app.screen)]
        assert "Stop  (z f5)" in titles


async def test_two_commands_may_change_their_keys(small):
    app = app_of(small, 'stop = "n"\nnote = "x"')
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.snapshot.place)
        await pilot.pause(0.5)
        await pilot.press("j", "n")
        assert isinstance(app.screen, Confirm)
        assert not app._notifications


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ('stpo = "z"', "labtui.toml: keys.stpo = 'z': no such command; did you mean 'stop'?"),
        ('zzzz = "z"', "keys.zzzz = 'z': no such command; the help of each screen names its own"),
        ('stop = "hyper+z"', "keys.stop = 'hyper+z': no such key: hyper+z; for example 'x', 'ctrl+x', 'f5'"),
        ('stop = "z,,y"', "keys.stop = 'z,,y': no such key: none is given"),
        ('stop = "n"', "keys.stop = 'n': 'note' has this key already; give that one another"),
        ('stop = "j"', "keys.stop = 'j': 'down' has this key already"),
    ],
)
async def test_what_is_wrong_with_keys_is_told_and_leaves_the_own_ones(small, keys, message):
    app = app_of(small, keys)
    assert message in next(iter(wrong_keys(preferences(small).keys, small).values()))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app._notifications)
        (said,) = app._notifications
        assert message in said.message and said.severity == "warning"
        await pilot.press("j", "x")
        await until(pilot, lambda: isinstance(app.screen, Confirm))


async def test_of_many_wrong_settings_some_are_told_and_where_all_are(small):
    app = app_of(small, "\n".join(f'wrong-{number} = "z"' for number in range(9)))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: len(app._notifications) == 4)
        assert [said.message for said in app._notifications][-1].startswith("and 6 more in the settings")


def test_a_key_that_is_no_text_is_told_by_its_name(small):
    (small / "labtui.toml").write_text("[keys]\nstop = 3\n")
    (problem,) = preferences(small).problems
    assert problem.endswith(
        "labtui.toml: keys.stop = 3: expected keys of the keyboard, such as 'x' or 'x,ctrl+x'"
    )
    assert not preferences(small).keys


def test_the_doctor_finds_wrong_keys(small, cli):
    (small / "labtui.toml").write_text('[keys]\nstop = "n"\n[tui]\nbel = true\n')
    text = cli("--lab", str(small), "doctor")[1]
    assert "keys.stop = 'n'" in text and "tui.bel: no such key; did you mean 'bell'" in text


def test_every_declared_command_can_be_given_another_key(small):
    names = {command.name for commands in declared().values() for command in commands}
    assert {"stop", "resume", "help", "quit", "filter", "log-y"} <= names
    assert wrong_keys({"stop": "f9", "log-y": "ctrl+y"}, small) == {}


def test_a_name_means_the_same_wherever_it_is_a_command():
    actions: dict[str, set[str]] = {}
    for commands in declared().values():
        for command in commands:
            actions.setdefault(command.name, set()).add(command.action.removeprefix("screen."))
    # Done in more than one way, but one thing to the user, to whom one key is enough for it.
    alike = {"back", "charts", "complete", "launch", "note", "runs", "search"}
    assert {name for name, found in actions.items() if len(found) > 1} <= alike
