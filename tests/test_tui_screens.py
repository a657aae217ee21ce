"""The screens: keys in, state, messages and text out, over real labs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from textual.widgets import Input
from tui_lab import NOW, add_run, large_lab, small_lab
from tui_pilot import opened, screen, screen_text, tab_key, table, until

from labtui.files.paths import LabPaths
from labtui.notes import read_notes
from labtui.query import Lab
from labtui.tui.app import LabApp
from labtui.tui.commands import MOVE
from labtui.tui.screens.ask import Confirm, Prompt
from labtui.tui.screens.help import Help
from labtui.tui.screens.lab import LabScreen
from labtui.tui.screens.launch import LaunchScreen
from labtui.tui.screens.run import RunScreen
from labtui.tui.widgets.chart import Chart
from labtui.tui.widgets.keys import Keys
from labtui.tui.widgets.lines import Lines


@pytest.fixture
def small(tmp_path: Path) -> LabPaths:
    return small_lab(tmp_path)


async def test_all_runs_are_shown_with_names_as_text(small):
    async with opened(small) as pilot:
        text = screen_text(pilot.app)
        for part in (
            "[bold]x[/] ␛[31mred",
            "轴承诊断 基线",
            "▶ running",
            "✗ oom",
            "✗ nan",
            "○ queued",
            "11/20",
        ):
            assert part in text
        assert "1 running" in text and "2 failed" in text
        assert "\x1b" not in text


async def test_marked_runs_share_the_charts(small):
    async with opened(small) as pilot:
        await pilot.press("j", "j", "space", "j", "space")
        lab = screen(pilot, LabScreen)
        assert len(lab.marked) == 2 and list(lab.targets()) == list(lab.marked)
        await until(pilot, lambda: screen_text(pilot.app).count("━") >= 2)
        assert "val.loss" in screen_text(pilot.app) and "val.acc" in screen_text(pilot.app)
        assert screen_text(pilot.app).count("●") == 2
        await pilot.press("escape")
        assert not lab.marked


async def test_filter_sort_and_clear(small):
    async with opened(small) as pilot:
        await pilot.press("slash", *"transformer", "enter")
        await until(pilot, lambda: len(table(pilot).keys) == 5)
        assert "5 shown" in screen_text(pilot.app) and pilot.app.focused is table(pilot)
        await pilot.press("s", "s")
        await until(pilot, lambda: "name▲" in screen_text(pilot.app))
        names = [pilot.app.snapshot.of(key, "name") for key in table(pilot).keys]
        await until(pilot, lambda: names == sorted(names))
        await pilot.press("s")
        await until(pilot, lambda: "val.acc▼" in screen_text(pilot.app))
        await pilot.press("S")
        await until(pilot, lambda: "val.acc▲" in screen_text(pilot.app))
        await pilot.press("escape")
        await until(pilot, lambda: len(table(pilot).keys) == 10)


async def test_a_filter_is_tried_while_it_is_typed(small):
    async with opened(small) as pilot:
        await pilot.press("slash", *"state=")
        await until(pilot, lambda: "expected a value" in screen_text(pilot.app))
        await pilot.press(*"failed")
        await until(pilot, lambda: len(table(pilot).keys) == 2)
        assert pilot.app.screen.query_one("#filter", Input).has_focus


async def test_a_run_opens_and_closes(small):
    async with opened(small) as pilot:
        await pilot.press("j", "j", "enter")
        run = screen(pilot, RunScreen)
        await until(pilot, lambda: "finished" in screen_text(pilot.app) and run.detail)
        await until(pilot, lambda: run.query(Chart) and run.query_one(Chart).rows)
        assert "train.loss" in screen_text(pilot.app)
        await pilot.press("tab")
        await until(
            pilot, lambda: "985,870" in screen_text(pilot.app) and "optimizer.lr" in screen_text(pilot.app)
        )
        await pilot.press(tab_key("log"))
        await until(pilot, lambda: "epoch 20: val.acc rises" in screen_text(pilot.app))
        await pilot.press(tab_key("system"))
        await until(pilot, lambda: "nothing of the machine was logged" in screen_text(pilot.app))
        await pilot.press(tab_key("notes"))
        await until(pilot, lambda: "no notes" in screen_text(pilot.app))
        await pilot.press("escape")
        screen(pilot, LabScreen)
        await pilot.press("j", "enter")
        await until(pilot, lambda: "✗ failed  ! 1 finding  diverged" in screen_text(pilot.app))
        await pilot.press(tab_key("overview"))
        await until(pilot, lambda: "2 NaN" in screen_text(pilot.app))


async def test_errors_and_logs_are_plain_text(small):
    key = next(k for k in Lab(small).runs() if k.reason == "oom").id
    async with opened(small, (160, 48), run_id=key) as pilot:
        await until(pilot, lambda: "MemoryError: [red]" in screen_text(pilot.app))
        assert "CUDA ran out of memory" in screen_text(pilot.app)
    key = next(k for k in Lab(small).runs() if k.name.startswith("[bold]")).id
    async with opened(small, (160, 48), run_id=key) as pilot:
        await until(pilot, lambda: pilot.app.screen.detail)
        await pilot.press("3")
        await until(pilot, lambda: "world [b]" in screen_text(pilot.app))
        assert "[bold]x[/] ␛[31mred" in screen_text(pilot.app)
        assert "\x1b" not in screen_text(pilot.app)


async def test_zooming_moves_the_axis(small):
    key = Lab(small).runs("state=finished")[0].id
    async with opened(small, (160, 40), run_id=key) as pilot:
        run = screen(pilot, RunScreen)
        await until(pilot, lambda: "200" in screen_text(pilot.app))
        await pilot.press("plus", "plus")
        charts = run.tab.charts
        assert charts.view.window == (300.0, 400.0)
        await pilot.press("H", "H", "H", "H")
        assert charts.view.window == (200.0, 300.0)
        await pilot.press("minus")
        assert charts.view.window == (100.0, 300.0)
        await pilot.press("y", "right_square_bracket")
        assert charts.view.logs == {"loss"}
        await until(pilot, lambda: "100" in screen_text(pilot.app))
        await pilot.press("0")
        assert charts.view.window is None


async def test_notes_and_tags_are_written(small):
    async with opened(small) as pilot:
        key = table(pilot).key
        await pilot.press("n")
        screen(pilot, Prompt)
        await pilot.press(*"[b]looks odd", "enter")
        await until(pilot, lambda: read_notes(small.run(key))["notes"])
        assert read_notes(small.run(key))["notes"][0]["text"] == "[b]looks odd"
        await pilot.press("t", *"good -try", "enter")
        await until(pilot, lambda: read_notes(small.run(key))["tags"] == ["good"])
        await pilot.press("enter", tab_key("notes"))
        await until(pilot, lambda: "[b]looks odd" in screen_text(pilot.app))
        await pilot.press("n", "escape")
        screen(pilot, RunScreen)


async def test_stopping_asks_first(small):
    waiting = Lab(small).runs("state=queued")[0].id
    async with opened(small) as pilot:
        table(pilot).select(waiting)
        await pilot.press("x")
        assert "waits" in screen(pilot, Confirm).question
        await pilot.press("n")
        assert pilot.app.snapshot.of(waiting, "state") == "queued"
        await pilot.press("x", "y")
        await until(pilot, lambda: pilot.app.snapshot.of(waiting, "state") == "stopped")
        finished = Lab(small).runs("state=finished")[0].id
        table(pilot).select(finished)
        await pilot.press("x", "R")
        screen(pilot, LabScreen)


async def test_help_lists_every_key(small):
    async with opened(small, (100, 140)) as pilot:
        await pilot.press("question_mark")
        screen(pilot, Help)
        for command in (*LabScreen.KEYS, *MOVE):
            assert command.help.split(":")[0][:40] in screen_text(pilot.app)
        await pilot.press("escape")
        screen(pilot, LabScreen)


async def test_the_palette_knows_the_commands(small):
    async with opened(small) as pilot:
        found = {c.title for c in pilot.app.get_system_commands(pilot.app.screen)}
        assert {"Filter  (/)", "Launch  (r)", "Theme"} <= found
        await pilot.press("j")
        await until(pilot, lambda: "val.loss" in screen_text(pilot.app))
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"log y", "enter")
        await until(pilot, lambda: pilot.app.screen_stack[0].charts.view.logs)


async def test_recipes_open_and_show_what_is_wrong(small):
    async with opened(small) as pilot:
        await pilot.press("r")
        assert table(pilot, "recipes").has_focus and "Invalid value" in screen_text(pilot.app)
        await pilot.press("x", "space")
        screen(pilot, LabScreen)
        await pilot.press("end", "enter")
        launch = screen(pilot, LaunchScreen)
        await until(pilot, lambda: "did you mean 'data'" in screen_text(pilot.app))
        await pilot.press("ctrl+r")
        assert pilot.app.screen is launch
        await pilot.press("escape", "escape")
        assert table(pilot).has_focus


async def test_many_runs_open_and_move(tmp_path):
    lab = large_lab(tmp_path, 300)
    async with opened(lab) as pilot:
        await pilot.press("end")
        assert table(pilot).cursor == 299 and "run 0 " in screen_text(pilot.app)
        await pilot.press("pageup", "home")
        assert table(pilot).cursor == 0


@pytest.mark.parametrize("size", [(80, 24), (160, 48), (40, 12), (20, 6)])
async def test_every_size_works(small, size):
    async with opened(small, size) as pilot:
        for keys in (
            ["j", "space"],
            ["enter"],
            ["tab"],
            ["escape"],
            ["r"],
            ["escape"],
            ["slash"],
            ["escape"],
        ):
            await pilot.press(*keys)
            await pilot.pause(0.05)
        await pilot.resize_terminal(100, 30)
        await pilot.pause(0.05)
        for line in screen_text(pilot.app).split("\n"):
            assert len(line) <= 100


async def test_a_growing_run_grows_on_the_screen(tmp_path):
    import numpy as np

    from labtui.series import DTYPE

    lab = LabPaths(tmp_path)
    lab.recipes.mkdir(parents=True)
    key = add_run(lab, "grows", 60, "running", done=3)
    app = LabApp(Lab(lab), now=lambda: NOW)
    async with app.run_test(size=(80, 24)) as pilot:
        chart = app.screen_stack[0].query_one(Chart)
        await until(pilot, lambda: any("⠉" <= c <= "⣿" for row in chart.rows for t, _ in row for c in t))
        before = list(chart.rows)
        record = np.zeros(1, DTYPE)
        record["key"], record["step"], record["value"] = 2, 70, 0.1
        with open(lab.run(key).metrics, "ab") as file:
            file.write(record.tobytes())
        await until(pilot, lambda: chart.rows != before, 3)
        assert "1 running" in "".join(t for t, _ in app.screen.query_one("#status", Lines).rows[0])


async def test_trouble_is_shown(tmp_path):
    lab = LabPaths(tmp_path)
    lab.runs.mkdir()
    lab.runs.chmod(0)
    try:
        app = LabApp(Lab(lab))
        async with app.run_test(size=(80, 24)) as pilot:
            import os

            if os.access(lab.runs, os.R_OK):
                pytest.skip("root reads everything")
            await until(pilot, lambda: "cannot be read" in screen_text(app))
    finally:
        lab.runs.chmod(0o700)


async def test_the_theme_comes_from_the_lab(small):
    from labtui.tui.preferences import preferences

    assert preferences(small.root).theme == ""
    (small.root / "labtui.toml").write_text('theme = "labtui-light"\n')
    assert preferences(small.root).theme == "labtui-light"
    app = LabApp(Lab(small), preferences(small.root))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.snapshot.place)
        app.theme = "nord"
        await pilot.pause(0.1)
        assert "transformer" in screen_text(app)


async def test_the_footer_follows_the_focus_and_takes_clicks(small):
    async with opened(small) as pilot:
        footer = pilot.app.screen.query_one(Keys)
        assert "x stop" in footer.render_line(0).text
        await pilot.press("r")
        await pilot.pause()
        assert "⏎ launch" in footer.render_line(0).text and "x stop" not in footer.render_line(0).text
        await pilot.press("r")
        await pilot.pause()
        at = footer.render_line(0).text.index("? help")
        await pilot.click(footer, offset=(at, 0))
        await until(pilot, lambda: isinstance(pilot.app.screen, Help))


async def test_a_removed_run_closes_its_screen(small):
    key = Lab(small).runs("state=finished")[0].id
    async with opened(small, run_id=key) as pilot:
        await until(pilot, lambda: pilot.app.screen.detail)
        shutil.rmtree(small.runs / key)
        await until(pilot, lambda: isinstance(pilot.app.screen, LabScreen))
        assert key not in table(pilot).keys


@pytest.mark.parametrize("open_screen", ["action_help", "action_queue", "action_settings", "open_sweeps"])
async def test_an_end_while_a_screen_opens_is_no_failure(small, open_screen):
    async with opened(small) as pilot:
        getattr(pilot.app, open_screen)()
        pilot.app.exit(None, 143)
    assert pilot.app.return_code == 143
    assert pilot.app.failure is None
