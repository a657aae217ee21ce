"""The log of a run: its end, any place of it, searches; keys in, text out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from tui_lab import NOW, add_run, small_lab
from tui_pilot import opened, pressed, screen, screen_text, until

from labtui.files.paths import LabPaths
from labtui.logfile import Line
from labtui.query import Lab
from labtui.tui.app import LabApp
from labtui.tui.logreader import Page
from labtui.tui.screens.lab import LabScreen
from labtui.tui.screens.run import RunScreen
from labtui.tui.widgets.log import LogView

SIZES = [(80, 24), (160, 48)]


def lab_with(root: Path, log: bytes) -> tuple[LabPaths, Path]:
    lab = LabPaths(root)
    key = add_run(lab, "logs", 600)
    path = lab.run(key).log
    path.write_bytes(log)
    return lab, path


def many(count: int, start: int = 0) -> bytes:
    return b"".join(b"line %d of the log\n" % number for number in range(start, start + count))


def log_of(pilot: Pilot[Any]) -> LogView:
    return screen(pilot, RunScreen).query_one(LogView)


async def shows(pilot: Pilot[Any], *texts: str) -> None:
    await until(pilot, lambda: all(text in screen_text(pilot.app) for text in texts))


def said(pilot: Pilot[Any], text: str) -> bool:
    return any(text in notice.message for notice in pilot.app._notifications)


async def test_it_opens_at_the_end_and_follows_it(tmp_path):
    lab, path = lab_with(tmp_path, many(5000))
    async with opened(lab) as pilot:
        await pilot.press("enter", "3")
        await shows(pilot, "line 4999 of", "4,981–5,000 of 5,000 lines", "following")
        with open(path, "ab") as file:
            file.write(many(10, 5000))
        await shows(pilot, "line 5009 of", "5,010 lines")
        await pilot.press("up")
        await shows(pilot, "f follows")
        with open(path, "ab") as file:
            file.write(many(10, 5010))
        await shows(pilot, "5,020 lines")
        assert "line 5009 of" not in screen_text(pilot.app)
        await pilot.press("f")
        await shows(pilot, "line 5019 of", "following")
        await pilot.press("f")
        with open(path, "ab") as file:
            file.write(many(1, 5020))
        await shows(pilot, "f follows", "5,021 lines")
        assert "line 5020 of" not in screen_text(pilot.app)


async def test_every_line_can_be_scrolled_to(tmp_path):
    lab, _ = lab_with(tmp_path, many(500))
    async with opened(lab) as pilot:
        await pilot.press("enter", "3")
        await shows(pilot, "500 lines")
        await pilot.press("home")
        await shows(pilot, " 1–20 of", "line 0 of")
        seen = set()
        for _ in range(28):
            seen |= {line.split(" of")[0] for line in screen_text(pilot.app).splitlines() if "of the" in line}
            await pilot.press("pagedown")
            await until(pilot, lambda: log_of(pilot)._asked is None)
        assert len(seen) == 500 and log_of(pilot).follow
        await pilot.press("g", "down", "j", "k", "G")
        await shows(pilot, "line 499 of", "following")


async def test_a_search_finds_lines_anywhere(tmp_path):
    lab, path = lab_with(tmp_path, many(30000))
    async with opened(lab) as pilot:
        await pilot.press("enter", "3")
        await shows(pilot, "30,000 lines")
        await pilot.press("slash", *"LINE 77", "enter")  # 77, 77x, 77xx, 77xxx (not there)
        await shows(pilot, "111 of 111", "line 7799 of")
        await pilot.press("enter")
        await shows(pilot, "1 of 111", "line 77 of")
        await pilot.press("greater_than_sign", "greater_than_sign", "less_than_sign")
        await shows(pilot, "2 of 111", "line 770 of")
        with open(path, "ab") as file:
            file.write(b"line 77 again\n")
        await shows(pilot, "2 of 112")
        await pilot.press("escape")
        await until(pilot, lambda: "of 112" not in screen_text(pilot.app))
        await pilot.press("slash", *"nothing like it", "enter")
        await shows(pilot, "nowhere")
        await pilot.press("escape", "enter")
        await until(pilot, lambda: said(pilot, "nothing is searched for"))
        await pilot.press("slash", "x", "escape")
        assert pilot.app.focused is log_of(pilot)
        await pilot.press("escape")
        screen(pilot, LabScreen)


async def test_what_a_program_prints_is_text(tmp_path):
    log = b" 3%|#   |\r99%|### |\r100%|####|\n\x1b[1;31mERROR\x1b[0m [bold]no[/] \x1b]0;title\x07\xff\x1bc\tend\n"
    lab, _ = lab_with(tmp_path, log)
    async with opened(lab) as pilot:
        await pilot.press("enter", "3")
        await shows(pilot, "100%|####|", "ERROR [bold]no[/] �␛c", "1–2 of 2 lines")
        text = screen_text(pilot.app)
        assert "99%" not in text and "title" not in text and "\x1b" not in text


async def test_long_lines_are_wrapped_or_scrolled_sideways(tmp_path):
    lab, _ = lab_with(tmp_path, b"begin " + "轴x".encode() * 60 + b" end\nnext\n")
    async with opened(lab) as pilot:
        await pilot.press("enter", "3")
        await shows(pilot, "begin 轴", "next")
        assert " end" not in screen_text(pilot.app)
        await pilot.press(*["right"] * 20)
        await shows(pilot, "轴x end", "from column")
        await pilot.press(*["h"] * 20, "W")
        await shows(pilot, "begin 轴", "轴x end", "wrapped")


async def test_a_very_long_line_does_not_hang(tmp_path):
    lab, _ = lab_with(tmp_path, b"x" * 20_000_000 + b"\n" + b"99%\r" * 1_000_000)
    async with opened(lab) as pilot:
        await pilot.press("enter", "3")
        await shows(pilot, "xxx", "99%", "1–2 of 2 lines")
        await pilot.press("W", "up", "up")
        await shows(pilot, "wrapped")


async def test_another_run_has_another_log(tmp_path):
    lab, path = lab_with(tmp_path, many(3))
    add_run(lab, "other", 60, log="of the other\n")
    empty = add_run(lab, "empty", 6)
    lab.run(empty).log.unlink()
    async with opened(lab) as pilot:
        await pilot.press("enter", "3")
        await shows(pilot, "nothing was printed")
        lab.run(empty).log.write_text("now\n")
        await shows(pilot, "now", "1–1 of 1 lines")
        await pilot.press("escape", "down", "enter")
        await shows(pilot, "of the other")
        await pilot.press("escape", "down", "enter", "1")
        await pilot.press("3")
        await shows(pilot, "line 2 of the log")
        path.write_bytes(b"replaced\n")
        await shows(pilot, "replaced", "1 of 1 lines")


@pytest.mark.parametrize("size", SIZES)
def test_log_pictures(tmp_path, monkeypatch, snap_compare, size):
    monkeypatch.setattr(LabApp, "place", "~/bearings")
    lab = small_lab(tmp_path)
    lines = [f"2026-09-21 14:13:20 INFO epoch {n} val.loss {1 / (n + 1):.4f}\n" for n in range(200)]
    lines[180:182] = [
        "UserWarning: lr_scheduler.step() before optimizer.step()\n",
        "ERROR: a batch is empty\n",
    ]
    add_run(lab, "logs", 30, seed=11, log="".join(lines))
    keys = ["enter", "3", "slash", *"val.loss 0.005", "enter"]
    before = pressed(*keys, wait=lambda app: log_state(app) == (30, 200) and app.screen.detail)
    app = LabApp(Lab(lab), now=lambda: NOW)
    assert snap_compare(app, terminal_size=size, run_before=before)


def log_state(app: Any) -> tuple[int, int | None]:
    page = app.screen.query_one(LogView).page
    return page.hits, page.total


async def test_what_cannot_be_read_is_said_and_tried_again(tmp_path):
    lab, path = lab_with(tmp_path, b"")
    path.unlink()
    path.mkdir()
    async with opened(lab) as pilot:
        await pilot.press("enter", "3")
        await shows(pilot, "log.txt cannot be read (Is a directory)")
        path.rmdir()
        path.write_bytes(many(3))
        await shows(pilot, "line 2 of", "3 lines")


async def test_a_page_of_another_run_is_not_shown(tmp_path):
    lab, path = lab_with(tmp_path, many(3))
    async with opened(lab) as pilot:
        await pilot.press("enter", "3")
        await shows(pilot, "line 2 of")
        tab = screen(pilot, RunScreen).tab
        late = Page(lines=(Line(0, 5, "of another"),), size=5, path=path.with_name("other.txt"))
        tab.post_message(tab.Read(late))
        await pilot.pause(0.1)
        assert "of another" not in screen_text(pilot.app) and "line 2 of" in screen_text(pilot.app)
