"""Settings: what may stand in the files, what the screen changes in them, the bell, help and palette."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_tui_pictures import SIZES, settled
from textual.scrollbar import ScrollBar, ScrollBarRender
from tui_lab import NOW, small_lab
from tui_pilot import opened, screen_text, still, table, until

from labtui.errors import LabError
from labtui.files.paths import LabPaths
from labtui.files.settings import SETTINGS, change, files, wrong
from labtui.query import Lab
from labtui.tui.app import LabApp
from labtui.tui.preferences import Preferences, preferences
from labtui.tui.screens.help import Help
from labtui.tui.screens.settings import SettingsScreen


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LabPaths]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    yield small_lab(tmp_path / "lab")
    ScrollBar.renderer = ScrollBarRender


def own(lab: LabPaths) -> Path:
    """The user's own file."""
    return files(lab.root)[0]


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ("theme = 3", "theme", "theme = 3: expected the name of a theme"),
        ("tehme = 'nord'", "tehme", "tehme: no such setting; did you mean 'theme'?"),
        ("tui = 3", "tui", "tui = 3: expected a table [tui] with refresh, ascii, bell, colors"),
        ("[tui]\nrefresh = 0.01", "tui.refresh", "tui.refresh = 0.01: expected seconds from 0.1 to 60"),
        ("[tui]\nascii = 'yes'", "tui.ascii", "tui.ascii = 'yes': expected true or false"),
        ("[tui]\ncolors = 17", "tui.colors", "tui.colors = 17: expected one of 'none', '16', '256', 'true'"),
        ("[tui]\nbel = true", "tui.bel", "tui.bel: no such key; did you mean 'bell'?"),
        ("[keys]\nstop = ''", "keys.stop", "keys.stop = '': expected keys of the keyboard"),
        ("keys = 1", "keys", "keys = 1: expected a table [keys]"),
    ],
)
def test_a_wrong_setting_is_told_with_file_key_and_what_fits(small, text, key, message):
    file = small.root / "labtui.toml"
    file.write_text(text + "\n")
    ((found, told),) = wrong(small.root)
    assert found == key and told.startswith(f"{file}: ") and message in told
    assert told in preferences(small.root).problems


def test_right_settings_of_both_files_count_key_by_key(small):
    own(small).parent.mkdir(parents=True)
    own(small).write_text("theme = 'nord'\n[tui]\nbell = true\nrefresh = 2\n")
    (small.root / "labtui.toml").write_text("[tui]\nrefresh = 1.5\nascii = true\n")
    assert not list(wrong(small.root))
    found = preferences(small.root)
    assert (found.theme, found.bell, found.refresh, found.ascii) == ("nord", True, 1.5, True)


def test_a_file_that_is_no_toml_is_told_and_all_is_as_by_itself(small):
    (small.root / "labtui.toml").write_text("theme = \n")
    found = preferences(small.root)
    assert "labtui.toml: cannot be read" in found.problems[0] and not found.theme


COMMENTED = """# mine
theme = "nord"  # dark

[slots]   # of this machine
gpus = [0,
        1]
[keys]
stop = "z"
"""


def test_a_change_keeps_what_else_is_in_the_file(small):
    own(small).parent.mkdir(parents=True)
    own(small).write_text(COMMENTED)
    change(small.root, "theme", "labtui-light")
    change(small.root, "tui.bell", True)
    text = own(small).read_text()
    assert text.startswith(
        '# mine\ntheme = "labtui-light"  # dark\n\n[slots]   # of this machine\ngpus = [0,\n        1]\n'
    )
    assert tomllib.loads(text)["tui"] == {"bell": True} and tomllib.loads(text)["keys"] == {"stop": "z"}
    change(small.root, "theme", None)
    assert "theme" not in tomllib.loads(own(small).read_text())


def test_a_link_stays_a_link_and_a_broken_file_stays_as_it_is(small, tmp_path):
    own(small).parent.mkdir(parents=True)
    (tmp_path / "dotfiles.toml").write_text("")
    own(small).symlink_to(tmp_path / "dotfiles.toml")
    change(small.root, "tui.bell", True)
    assert own(small).is_symlink() and "bell = true" in (tmp_path / "dotfiles.toml").read_text()
    own(small).write_text("theme = \n")
    with pytest.raises(LabError, match="cannot be changed"):
        change(small.root, "tui.bell", True)
    own(small).write_text("tui = 3\n")
    with pytest.raises(LabError, match="cannot be changed"):
        change(small.root, "tui.bell", True)
    assert own(small).read_text() == "tui = 3\n"


VALUES = st.one_of(
    st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers(), max_size=3)
)


@given(st.sampled_from(sorted(SETTINGS)), VALUES)
def test_a_setting_says_of_every_value_whether_it_fits(name, value):
    assert SETTINGS[name].fits(value) in (True, False)


async def shown(pilot: Any) -> SettingsScreen:
    await pilot.press("comma")
    await until(pilot, lambda: isinstance(pilot.app.screen, SettingsScreen) and pilot.app.screen.table.keys)
    found = pilot.app.screen
    assert isinstance(found, SettingsScreen)
    return found


async def test_a_setting_counts_at_once_and_is_kept(small):
    async with opened(small) as pilot:
        await shown(pilot)
        table(pilot, "settings").select("tui.bell")
        await pilot.press("enter")
        assert pilot.app.wanted.bell
        await until(
            pilot, lambda: own(small).exists() and tomllib.loads(own(small).read_text())["tui"]["bell"]
        )
        await until(pilot, lambda: "your own file" in screen_text(pilot.app))
        await pilot.press("backspace")
        assert not pilot.app.wanted.bell
        await until(pilot, lambda: "bell" not in own(small).read_text())
        table(pilot, "settings").select("tui.ascii")
        await pilot.press("enter")
        await until(pilot, lambda: screen_text(pilot.app).isascii())


async def test_the_theme_is_chosen_from_a_list(small):
    async with opened(small) as pilot:
        await shown(pilot)
        table(pilot, "settings").select("theme")
        await pilot.press("enter", "down", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, SettingsScreen))
        assert pilot.app.theme.startswith("labtui-")
        await until(pilot, lambda: own(small).exists())
        assert tomllib.loads(own(small).read_text())["theme"] == pilot.app.theme


async def test_how_often_it_looks_is_asked_for(small):
    async with opened(small) as pilot:
        await shown(pilot)
        table(pilot, "settings").select("tui.refresh")
        await pilot.press("enter", *["backspace"] * 5, *"2.5", "enter")
        assert pilot.app.feed.pace == 2.5
        await until(pilot, lambda: own(small).exists() and "refresh = 2.5" in own(small).read_text())
        await pilot.press("enter", *"x", "enter")
        assert any("expected seconds from" in one.message for one in pilot.app._notifications)


async def test_the_lab_s_word_is_shown_as_such(small):
    (small.root / "labtui.toml").write_text("[tui]\nbell = true\n[keys]\nstop = 'z'\n[tiu]\nx = 1\n")
    app = LabApp(Lab(small), preferences(small.root), now=lambda: NOW)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: app.snapshot.place)
        await shown(pilot)
        await until(pilot, lambda: "the lab" in screen_text(app) and "keys.stop" in screen_text(app))
        assert "wrong; it does not count" in screen_text(app)
        table(pilot, "settings").select("tui.bell")
        await pilot.press("enter")
        await until(
            pilot, lambda: any("says otherwise at the next start" in n.message for n in app._notifications)
        )


def finish(lab: LabPaths) -> None:
    """The run that goes on ends."""
    (key,) = (path.name for path in lab.runs.iterdir() if path.name.endswith("-0009"))
    record = {"attempt": 1, "outcome": "finished", "reason": "", "facts": {}, "ended": NOW}
    (lab.run(key).root / "result.json").write_text(json.dumps(record))
    (lab.run(key).root / "process.json").unlink()


@pytest.mark.parametrize("wanted", [True, False])
async def test_the_bell_rings_once_when_a_run_ends_and_only_if_asked_for(small, monkeypatch, wanted):
    rung: list[int] = []
    app = LabApp(Lab(small), Preferences(bell=wanted), now=lambda: NOW)
    monkeypatch.setattr(app, "bell", lambda: rung.append(1))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.snapshot.place)
        await pilot.pause(0.2)
        assert not rung
        finish(small)
        await until(pilot, lambda: app.snapshot.counts().get("running", 0) == 0)
        await pilot.pause(0.1)
        assert rung == [1] * wanted


async def test_the_palette_has_every_command_the_theme_and_the_bell(small):
    async with opened(small) as pilot:
        titles = {one.title for one in pilot.app.get_system_commands(pilot.app.screen)}
        assert {"Stop  (x)", "Settings  (,)", "Queue  (Q)", "Theme", "Bell"} <= titles
        assert {f"{c.label.capitalize()}  ({pilot.app.keys_of(c)})" for c in pilot.app.screen.commands
                if c.name != "commands"} <= titles  # fmt: skip
        (bell,) = (one for one in pilot.app.get_system_commands(pilot.app.screen) if one.title == "Bell")
        bell.callback()
        assert pilot.app.wanted.bell and not own(small).exists()


async def test_help_is_searched_and_says_what_settings_call_a_command(small):
    async with opened(small) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(pilot.app.screen, Help)
        view = pilot.app.screen.view
        text = "\n".join(part for row in view.rows for part, _ in row)
        for title in ("lab", "selected runs", "everywhere", "lists and texts"):
            assert f" {title}" in text
        assert "page-up" in text
        await pilot.press("slash", *"checkpoint")
        await until(pilot, lambda: len(view.rows) < 6)
        assert any("stop" in part for row in view.rows for part, _ in row)
        await pilot.press("escape", "escape")
        assert not isinstance(pilot.app.screen, Help)


@pytest.fixture
def app(small: LabPaths, monkeypatch: pytest.MonkeyPatch) -> LabApp:
    still(monkeypatch)
    monkeypatch.setenv("HOME", str(small.root.parent))
    (small.root / "labtui.toml").write_text("[tui]\nbell = true\n[keys]\nstop = 'z,f5'\n")
    return LabApp(Lab(small), Preferences(bell=True), now=lambda: NOW)


@pytest.mark.parametrize("size", SIZES)
def test_settings(app, snap_compare, size):
    wait = lambda app: app.screen.given.values  # noqa: E731
    assert snap_compare(app, terminal_size=size, run_before=settled("comma", "j", "j", wait=wait))


@pytest.mark.parametrize("size", SIZES)
def test_help(app, snap_compare, size):
    assert snap_compare(app, terminal_size=size, run_before=settled("question_mark"))
