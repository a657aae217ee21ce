"""The report's screen: what is shown, chosen, saved and copied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tui_lab import add_run, small_lab
from tui_pilot import opened, screen, screen_text, table, until

from labtui.files.paths import LabPaths
from labtui.query import Lab
from labtui.tui.app import LabApp
from labtui.tui.markdown import rendered
from labtui.tui.screens.ask import Choose, Prompt
from labtui.tui.screens.lab import LabScreen
from labtui.tui.screens.report import WAYS, ReportScreen
from labtui.tui.widgets.recipes import RecipeTable


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabPaths:
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    return small_lab(tmp_path / "lab")


def named(lab: LabPaths, word: str) -> str:
    return next(run.id for run in Lab(lab).runs() if word in run.name)


async def shown(pilot: Any, lab: LabPaths, word: str) -> ReportScreen:
    """The report of the run whose name holds a word."""
    table(pilot).select(named(lab, word))
    await pilot.press("p")
    found: ReportScreen = screen(pilot, ReportScreen)
    await until(pilot, lambda: found.text)
    await pilot.pause()
    return found


async def test_a_report_is_shown_as_it_will_look(small):
    async with opened(small) as pilot:
        found = await shown(pilot, small, "più")
        text = screen_text(pilot.app)
        assert "Experiment: rete neurale più profonda" in text and "**" not in text
        assert "all sections" in text and "report-2026" in text
        await pilot.press("G")
        await until(pilot, lambda: "duration" in screen_text(pilot.app))
        await pilot.press("g", "j", "pagedown", "k", "pageup")
        assert found.view.scroll_offset.y == 0
        await pilot.press("escape")
        screen(pilot, LabScreen)


async def test_names_are_text_and_nothing_can_be_followed(small):
    async with opened(small, (100, 30)) as pilot:
        found = await shown(pilot, small, "[bold]")
        assert "Experiment: [bold]x[/] ␛[31mred" in screen_text(pilot.app)
        strips = [found.view.render_line(y) for y in range(10)]
        styles = [piece.style for strip in strips for piece in strip if piece.style]
        assert not any(style.link or "@click" in style.meta for style in styles)


async def test_sections_are_chosen(small):
    async with opened(small) as pilot:
        found = await shown(pilot, small, "più")
        await pilot.press("o")
        choose = screen(pilot, Choose)
        many = len(choose.options)
        assert len(choose.chosen) == many > 10
        for _ in range(many):
            await pilot.press("space")
        choose.table.select("observations")
        await pilot.press("space", "enter")
        await until(pilot, lambda: f"1 of {many} sections" in screen_text(pilot.app))
        assert "Observations" in screen_text(pilot.app) and "Hyper" not in found.text


async def test_it_is_saved_where_the_user_says_but_over_no_foreign_file(small):
    async with opened(small) as pilot:
        found = await shown(pilot, small, "più")
        Path("thesis.md").write_text("# My thesis\n")
        await pilot.press("ctrl+s")
        prompt = screen(pilot, Prompt)
        assert prompt.value == str(Path.cwd() / found.subject.file)
        line = prompt.query_one("Input")
        line.value = "thesis.md"
        await pilot.press("enter")
        told = lambda word: any(word in note.message for note in pilot.app._notifications)  # noqa: E731
        await until(pilot, lambda: told("was not written by labtui"))
        await until(pilot, lambda: isinstance(pilot.app.screen, Prompt) and pilot.app.screen is not prompt)
        assert Path("thesis.md").read_text() == "# My thesis\n"
        pilot.app.screen.query_one("Input").value = "mine.md"
        await pilot.press("enter")
        await until(pilot, lambda: Path("mine.md").exists(), 30)
        text = Path("mine.md").read_text()
        body = text.partition("\n")[2].replace("<!-- notes -->\n\n<!-- /notes -->\n\n", "")
        assert body[:2000] == found.text[:2000] and "](mine_files/log.csv)" in text
        assert (Path("mine_files") / "loss.png").exists()
        await until(pilot, lambda: told("mine.md, with"))


async def test_it_is_saved_in_the_chosen_format_or_as_the_name_says(small):
    async with opened(small) as pilot:
        found = await shown(pilot, small, "più")
        stem = f"report-{found.subject.name}"
        told = lambda word: any(word in note.message for note in pilot.app._notifications)  # noqa: E731
        for word, name in (("HTML, one", f"{stem}.html"), ("LaTeX", f"{stem}.tex"), ("CSV", f"{stem}_csv")):
            await pilot.press("f")
            choose = screen(pilot, Choose)
            choose.table.select(next(way for way in WAYS if way.startswith(word)))
            await pilot.press("enter", "ctrl+s")
            assert screen(pilot, Prompt).value == str(Path.cwd() / name)
            await pilot.press("enter")
            await until(pilot, lambda name=name: told(f"saved {Path.cwd() / name}"), 30)
        assert "<!DOCTYPE html>" in Path(f"{stem}.html").read_text() and told(f"files in {stem}_csv/")
        await pilot.press("ctrl+s")
        screen(pilot, Prompt).query_one("Input").value = "mine.tex"
        await pilot.press("enter")
        await until(pilot, lambda: told("mine.tex"), 30)
        assert Path("mine.tex").read_text().startswith("% labtui report ")


async def test_the_lab_and_a_recipe_have_reports(small):
    async with opened(small, (100, 40)) as pilot:
        await pilot.press("P")
        await until(pilot, lambda: screen(pilot, ReportScreen).text, 30)
        assert "Lab: " in screen_text(pilot.app)
        await pilot.press("escape", "r")
        screen(pilot, LabScreen).query_one(RecipeTable).select("digits.toml")
        await pilot.press("p")
        await until(
            pilot, lambda: "no runs" in screen_text(pilot.app) or "digits" in screen_text(pilot.app), 30
        )
        assert screen(pilot, ReportScreen).keys == ("digits.toml",)


async def test_the_markdown_is_copied_through_the_terminal(small, monkeypatch):
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    async with opened(small) as pilot:
        found = await shown(pilot, small, "più")
        sent: list[str] = []
        monkeypatch.setattr(pilot.app._driver, "write", sent.append)
        await pilot.press("y")
        assert pilot.app.clipboard == found.text
        assert any(text.startswith("\x1b]52;c;") for text in sent)
        assert any(text.startswith("\x1bPtmux;\x1b\x1b]52;c;") for text in sent)
        await until(pilot, lambda: any("OSC 52" in note.message for note in pilot.app._notifications))


async def test_a_sweep_has_a_report_too(small):
    for seed in range(3):
        add_run(
            small, "cell", 100.0 + seed, seed=seed, extra={"origin": {"sweep": "20260101-000000-cell-swee"}}
        )
    async with opened(small, (100, 40)) as pilot:
        pilot.app.push_screen(ReportScreen("20260101-000000-cell-swee"))
        await until(pilot, lambda: "Sweep: cell" in screen_text(pilot.app))
        assert "Best model" in screen_text(pilot.app)


async def test_a_run_that_is_gone_is_said(small):
    async with opened(small) as pilot:
        pilot.app.push_screen(ReportScreen("20260101-000000-gone-0000"))
        await until(pilot, lambda: "no such run" in screen_text(pilot.app))
        await pilot.press("ctrl+s", "y", "o")
        screen(pilot, ReportScreen)


def test_markdown_becomes_rows_of_a_width():
    text = (
        "<!-- mark -->\n\n# Title: \\[b\\]\n\nOne **two** `three` *four*<br>five <https://a.example/x>\n\n"
        "[log](files/log.csv)\n\n![Curves of x](files/x.png)\n\n```\n" + "x" * 90 + "\n```\n\n"
        "| a | b |\n| :-- | --: |\n| [b]u[/] | 2 |\n\n- item\n"
    )
    rows = rendered(text, 60)
    lines = ["".join(part for part, _ in row) for row in rows]
    assert lines[0] == "Title: [b]" and rows[0][0][1] == "title"
    assert lines[2:4] == ["One two three four", "five https://a.example/x"]
    assert ("two", "bold") in rows[2] and ("three", "accent") in rows[2] and ("four", "dim") in rows[2]
    assert "log (files/log.csv)" in lines and "picture: Curves of x" in lines
    assert all(len(line) <= 60 for line in lines)
    assert any(line.endswith("…") for line in lines) and any("[b]u[/]" in line for line in lines)
    assert all("mark" not in line for line in lines)


def test_long_tables_are_shown_by_their_first_rows():
    text = "| a | b |\n| :-- | --: |\n" + "| x | 1 |\n" * 5000 + "\nafter\n"
    lines = ["".join(part for part, _ in row) for row in rendered(text, 60)]
    assert len(lines) < 320 and "… and 4,700 more rows, which the file will have." in lines
    assert lines[-1] == "after"


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_picture(small, snap_compare, monkeypatch, size):
    from test_tui_pictures import settled
    from tui_lab import NOW

    monkeypatch.setattr(LabApp, "place", "~/bearings")
    app = LabApp(Lab(small), now=lambda: NOW)
    before = settled("j", "j", "p", wait=lambda app: app.screen.text)
    assert snap_compare(app, terminal_size=size, run_before=before)


async def test_marked_runs_have_one_report(small):
    async with opened(small) as pilot:
        await pilot.press("j", "space", "j", "space", "p")
        found: ReportScreen = screen(pilot, ReportScreen)
        await until(pilot, lambda: found.text)
        assert len(found.keys) == 2 and "Overall runs" in found.text
        assert all(key in found.text for key in found.keys)
