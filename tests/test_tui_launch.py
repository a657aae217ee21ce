"""Launching: options and text changed by keys, checked meanwhile, saved, queued."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input
from tui_lab import NOW, add_run, small_lab
from tui_pilot import opened, screen, screen_text, table, until

from labtui.files.paths import LabPaths
from labtui.query import Lab
from labtui.tui.app import LabApp
from labtui.tui.screens.ask import Choose, Confirm, Prompt
from labtui.tui.screens.lab import LabScreen
from labtui.tui.screens.launch import LaunchScreen
from labtui.tui.screens.value import EditValue
from labtui.tui.widgets.editor import Editor
from labtui.tui.widgets.lines import Lines


@pytest.fixture
def small(tmp_path: Path) -> LabPaths:
    return small_lab(tmp_path)


@pytest.fixture
def hello(tmp_path: Path) -> LabPaths:
    """A lab whose one recipe is a program that is over at once."""
    lab = LabPaths(tmp_path)
    lab.recipes.mkdir()
    lab.runs.mkdir()
    (lab.recipes / "hello.toml").write_text(
        f'name = "hello"\ncommand = ["{sys.executable}", "-c", "print(\'hello {{params.word}}\')"]\n'
        '[params]\nword = "world"\n'
    )
    return lab


async def launching(pilot: Any, path: Path) -> LaunchScreen:
    """The screen of a recipe, once its check has an answer."""
    pilot.app.push_screen(LaunchScreen(path))
    await until(pilot, lambda: isinstance(pilot.app.screen, LaunchScreen) and pilot.app.screen.checked, 30)
    return screen(pilot, LaunchScreen)


async def settled(pilot: Any, launch: LaunchScreen) -> None:
    """Until the check knows of the last change."""
    await pilot.pause(0.05)
    await until(pilot, lambda: launch.checked, 30)


def choose(launch: LaunchScreen, key: str) -> None:
    """Put the cursor on an option."""
    launch.form.table.select(key)
    assert launch.form.table.key == key


async def test_keys_before_the_recipe_is_read_do_not_replace_it(small, monkeypatch):
    path, answers = small.recipes / "digits.toml", []
    found_out = LaunchScreen.found_out
    monkeypatch.setattr(LaunchScreen, "found_out", lambda *found: answers.append(found))
    async with opened(small) as pilot:
        pilot.app.push_screen(LaunchScreen(path))
        await until(pilot, lambda: answers, 30)
        launch = screen(pilot, LaunchScreen)
        await pilot.press("e", "x")
        found_out(*answers[-1])
        assert launch.editor.text == path.read_text()
        await pilot.press("#")
        assert launch.editor.text == "#" + path.read_text()


async def test_options_are_changed_and_reset_by_keys(small):
    async with opened(small) as pilot:
        launch = await launching(pilot, small.recipes / "digits.toml")
        assert "✓ 1 run" in screen_text(pilot.app)
        choose(launch, "train.epochs")
        await pilot.press("enter")
        edit = screen(pilot, EditValue)
        edit.query_one(Input).value = "0.5"
        await pilot.press("enter")
        assert "whole" in str(edit.query_one("#wrong").content) or "integer" in str(
            edit.query_one("#wrong").content
        )
        edit.query_one(Input).value = "3"
        await pilot.press("enter")
        await settled(pilot, launch)
        assert launch.form.changes == {"train.epochs": "3"} and "1 option changed" in screen_text(pilot.app)
        await pilot.press("backspace")
        assert launch.form.changes == {}
        await pilot.press("enter")
        pilot.app.screen.query_one(Input).value = "40"
        await pilot.press("enter")
        assert launch.form.changes == {}, "the recipe's own value is no change"


async def test_names_are_chosen_and_their_options_follow(small):
    async with opened(small) as pilot:
        launch = await launching(pilot, small.recipes / "digits.toml")
        assert "optimizer.betas" in launch.form.known
        choose(launch, "optimizer.name")
        await pilot.press("enter")
        assert "Adam (Kingma and Ba 2015)." in screen_text(pilot.app)
        screen(pilot, Choose).table.select("sgd")
        await pilot.press("enter")
        await settled(pilot, launch)
        assert launch.form.changes == {"optimizer.name": "sgd"}
        assert "optimizer.momentum" in launch.form.known and "optimizer.betas" not in launch.form.known
        choose(launch, "hold")
        await pilot.press("enter")
        assert launch.form.changes["hold"] == "true" and launch.draft.held
        await pilot.press("enter")
        assert "hold" not in launch.form.changes


async def test_options_are_found_by_a_word(small):
    async with opened(small) as pilot:
        launch = await launching(pilot, small.recipes / "digits.toml")
        await pilot.press("slash", *"label_sm", "enter")
        assert launch.form.table.keys == ["loss.label_smoothing"]
        assert "Share of the target" in screen_text(pilot.app)
        await pilot.press("escape")
        assert len(launch.form.table.keys) > 50
        await pilot.press("escape")
        screen(pilot, LabScreen)


async def test_the_outlook_counts_and_says_how_long_it_takes(small):
    started = time.time()
    for seed in (21, 22):
        add_run(
            small, "digits", 5000.0 + seed, seed=seed, extra={"origin": {"file": "recipes/digits.toml"}},
            epochs=20, done=20,
        )  # fmt: skip
    async with opened(small) as pilot:
        launch = await launching(pilot, small.recipes / "digits.toml")
        await until(pilot, lambda: "from 2 earlier runs, 37.7s an epoch" in screen_text(pilot.app))
        choose(launch, "validate.scheme")
        launch.form.put("validate.scheme", "kfold")
        launch.form.put("validate.folds", "3")
        launch.form.put("sweep.repeats", "2")
        await settled(pilot, launch)
        found = launch.checked.forecast
        assert (found.cells, found.trainings, found.exact) == (1, 6, True)
        assert found.seconds == pytest.approx(37.7 * 40 * 6 / max(1, found.places), rel=0.01)
        assert found.ahead == 1 and "1 queued" in screen_text(pilot.app)
    assert time.time() - started < 60


async def test_a_wrong_recipe_says_so_at_its_line_and_is_not_launched(small):
    async with opened(small) as pilot:
        launch = await launching(pilot, small.recipes / "fault" / "wrong.toml")
        assert "did you mean 'data'" in screen_text(pilot.app)
        await pilot.press("ctrl+r")
        assert pilot.app.screen is launch
        await pilot.press("e")
        await until(pilot, lambda: launch.editor and launch.editor.wrong == {3})
        await pilot.press("ctrl+n")
        assert launch.editor.cursor_location == (2, 0)
        await until(pilot, lambda: "did you mean" in _hint(launch))


def _hint(launch: LaunchScreen) -> str:
    return "".join(text for row in launch.query_one("#hint", Lines).rows for text, _ in row)


async def test_a_vanished_or_strange_file_is_said(small):
    (small.recipes / "latin.toml").write_bytes(b'name = "\xff"\n')
    (small.recipes / "huge.toml").write_bytes(b"#" * 1_100_000)
    async with opened(small) as pilot:
        for name, said in (
            ("gone.toml", "no such file"),
            ("latin.toml", "not UTF-8"),
            ("huge.toml", "is no recipe"),
        ):
            await launching(pilot, small.recipes / name)
            assert said in screen_text(pilot.app)
            await pilot.press("e", "escape", "escape")
            screen(pilot, LabScreen)


async def test_the_text_is_completed_from_the_schema(small):
    async with opened(small) as pilot:
        launch = await launching(pilot, small.recipes / "digits.toml")
        await pilot.press("e")
        editor = screen(pilot, LaunchScreen).editor
        editor.load_text("")
        await pilot.press(*"[mod")
        await until(pilot, lambda: editor.fitting)
        await pilot.press("tab", *"]", "enter", *'name = "digits', "tab")
        await until(pilot, lambda: editor.text == '[model]\nname = "digits_cnn"')
        await pilot.press("enter", *"dro")
        await until(pilot, lambda: [one.name for one in editor.fitting] == ["dropout"])
        assert "number from 0 below 1" in screen_text(pilot.app)
        await pilot.press("tab")
        await until(pilot, lambda: editor.text.endswith("dropout = ") and editor.fitting)
        await pilot.press("escape")
        assert editor.fitting == [] and editor.has_focus
        await pilot.press("escape")
        assert launch.form.table.has_focus


async def test_an_edited_text_is_saved_only_when_asked(small):
    path = small.recipes / "digits.toml"
    before = path.read_text()
    async with opened(small) as pilot:
        launch = await launching(pilot, path)
        await pilot.press("e", *"# mine", "enter")
        await settled(pilot, launch)
        assert "text edited, not saved" in screen_text(pilot.app) and path.read_text() == before
        await pilot.press("escape", "escape")
        assert "the edited text would be lost" in screen(pilot, Confirm).question
        await pilot.press("n", "q")
        assert "Close labtui? the edited text would be lost." in screen(pilot, Confirm).question
        await pilot.press("n", "e", "ctrl+s")
        await until(pilot, lambda: path.read_text().startswith("# mine\n"))
        await until(pilot, lambda: "not saved" not in screen_text(pilot.app))
        await pilot.press("escape", "escape")
        screen(pilot, LabScreen)


async def test_what_changed_on_the_disk_is_not_overwritten(small):
    path = small.recipes / "digits.toml"
    async with opened(small) as pilot:
        launch = await launching(pilot, path)
        await pilot.press("e", *"# mine", "enter")
        theirs = path.read_text() + "# theirs\n"
        path.write_text(theirs)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: any("changed on the disk" in n.message for n in pilot.app._notifications))
        assert path.read_text() == theirs
        await pilot.press("f2")
        for name, said in (("../out", "no name"), ("digits", "is there already"), ("/tmp/x", "no name")):
            screen(pilot, Prompt).query_one(Input).value = name
            await pilot.press("enter")
            await until(pilot, lambda said=said: any(said in n.message for n in pilot.app._notifications))
            await pilot.press("f2")
        screen(pilot, Prompt).query_one(Input).value = "fault/mine"
        await pilot.press("enter")
        await until(pilot, (small.recipes / "fault" / "mine.toml").exists)
        await until(pilot, lambda: launch.name == "fault/mine.toml")
        assert path.read_text() == theirs


async def test_a_changed_recipe_is_queued_and_its_run_comes_under_the_cursor(hello):
    app = LabApp(Lab(hello))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.recipes)
        await pilot.press("r", "enter")
        launch = screen(pilot, LaunchScreen)
        await until(pilot, lambda: launch.checked)
        choose(launch, "params.word")
        await pilot.press("enter")
        screen(pilot, EditValue).query_one(Input).value = "[b]moon"
        await pilot.press("enter")
        await settled(pilot, launch)
        await pilot.press("ctrl+r", "ctrl+r")
        await until(pilot, lambda: isinstance(app.screen, LabScreen), 30)
        await until(pilot, lambda: app.snapshot.columns["state"] == ["finished"], 30)
        run = Lab(hello).runs()[0]
        assert table(pilot).key == run.id and hello.run(run.id).log.read_text() == "hello [b]moon\n"
        assert run.recipe == "recipes/hello.toml"
        # And once more, from the run's own recipe, with an edited text, held.
        await pilot.press("E")
        launch = screen(pilot, LaunchScreen)
        await until(pilot, lambda: launch.checked and launch.checked.options)
        assert launch.name.startswith("runs/")
        await until(pilot, lambda: "from 1 earlier run)" in screen_text(app))
        await pilot.press("e", "ctrl+s")
        screen(pilot, LaunchScreen)
        editor = launch.editor
        editor.load_text(editor.text.replace("[b]moon", "mars"))
        launch.form.put("hold", "true")
        await settled(pilot, launch)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: isinstance(app.screen, LabScreen), 30)
        await until(pilot, lambda: "queued" in app.snapshot.columns["state"], 30)
        again = Lab(hello).runs()[0]
        assert again.recipe.endswith("recipe.toml (edited)") and again.params["params.word"] == "mars"
        await until(pilot, lambda: table(pilot).key == again.id)


async def test_the_model_is_measured_when_asked(small):
    async with opened(small, (120, 30)) as pilot:
        await launching(pilot, small.recipes / "digits.toml")
        await pilot.press("m")
        await until(pilot, lambda: "151,306 parameters" in screen_text(pilot.app), 60)


async def test_a_large_recipe_is_edited_without_waiting(small):
    text = (small.recipes / "digits.toml").read_text()
    (small.recipes / "large.toml").write_text(text + "".join(f"# line {n} of many\n" for n in range(6000)))
    async with opened(small) as pilot:
        launch = await launching(pilot, small.recipes / "large.toml")
        await pilot.press("e")
        assert isinstance(launch.editor, Editor) and launch.editor.language is None
        started = time.monotonic()
        await pilot.press("ctrl+end", *"# ten keys")
        assert time.monotonic() - started < 5


async def test_text_that_would_move_the_cursor_is_shown_as_signs(small):
    path = small.recipes / "evil.toml"
    path.write_text('name = "a" # \x1b[2J\u202e [bold]\n[data]\nname = "digits"\n')
    async with opened(small) as pilot:
        await launching(pilot, path)
        await pilot.press("e")
        await until(pilot, lambda: "[bold]" in screen_text(pilot.app))
        text = screen_text(pilot.app)
        assert "␛[2J" in text and not {"\x1b", "\u202e"} & set(text)
        await pilot.press("x", "backspace", "ctrl+s")
        assert path.read_text().startswith('name = "a" # \x1b[2J\u202e')


async def test_without_a_grammar_the_editor_does_without_colours(small, monkeypatch):
    monkeypatch.setattr("labtui.tui.widgets.editor._grammar", lambda: False)
    async with opened(small) as pilot:
        launch = await launching(pilot, small.recipes / "digits.toml")
        await pilot.press("e", *"[tr")
        await until(pilot, lambda: launch.editor.fitting)
        assert launch.editor.language is None


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
@pytest.mark.parametrize("side", ["options", "editor", "wrong"])
def test_picture(tmp_path, snap_compare, monkeypatch, size, side):
    from test_tui_pictures import settled as before

    import labtui.forecast

    monkeypatch.setattr(labtui.forecast, "_room", lambda *_: ("2 cores", 1, 1))
    monkeypatch.setattr(LabApp, "place", "~/bearings")
    app = LabApp(Lab(small_lab(tmp_path)), now=lambda: NOW)

    def ready(app: Any) -> bool:
        launch = app.screen
        if not (isinstance(launch, LaunchScreen) and launch.checked and launch.earlier):
            return False
        if side == "options":
            return True
        if launch.editor is None:
            app.call_later(launch.action_edit)
            return False
        typed = "dropo" if side == "editor" else "dropoot = 0.5\n"
        if typed not in launch.editor.text:
            launch.editor.move_cursor((12, 0))
            launch.editor.insert(typed)
            launch.editor.offer()
            return False
        return bool(launch.editor.wrong)

    assert snap_compare(app, terminal_size=size, run_before=before("r", "j", "enter", wait=ready))
