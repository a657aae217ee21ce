"""Terminals that draw ASCII only, or few colours, or none."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import Color, ColorSystem
from textual._border import BORDER_CHARS
from textual.scrollbar import ScrollBar, ScrollBarRender
from tui_lab import NOW, small_lab
from tui_pilot import screen_text, until

from labtui.query import Lab
from labtui.tui.app import LabApp
from labtui.tui.plain import ascii_of
from labtui.tui.preferences import Preferences, draws_ascii_only, terminal_colors
from labtui.tui.themes import THEMES


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))))
def test_ascii_takes_as_many_cells(text):
    found = ascii_of(text)
    assert found.isascii()
    assert len(found) == cell_len(text)


def test_what_is_drawn_looks_alike():
    assert ascii_of("╭─ val.loss ━┤ │ ╯") == "+- val.loss -+ | +"
    assert ascii_of("▶ running ✓ … ⏎ 轴 é ñ ß") == "> running + ~ / ?? e n ?"
    drawn = "".join(char for rows in BORDER_CHARS.values() for row in rows for char in row)
    assert "?" not in ascii_of(drawn)
    boxes = (
        "".join(map(chr, range(0x2500, 0x2580)))
        + "▁▂▃▄▅▆▇█▏▎▍▌▋▊▉░▒▓"
        + "".join(map(chr, range(0x2800, 0x2900)))
    )
    assert "?" not in ascii_of(boxes)


def test_every_sign_of_the_screens_has_a_likeness():
    source = Path(__file__).parents[1] / "labtui" / "tui"
    texts = [path.read_text() for path in source.rglob("*.py") if path.name != "plain.py"]
    signs = {char for text in texts for char in text if not char.isascii()}
    lost = [char for char in sorted(signs) if "?" in ascii_of(char) and unicodedata.category(char) != "Lo"]
    assert not lost


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_all_is_drawn_in_ascii_where_it_is_wanted(tmp_path, size):
    app = LabApp(Lab(small_lab(tmp_path)), Preferences(ascii=True), now=lambda: NOW)
    try:
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: app.snapshot.place)
            for keys in ("j", "space", "enter", "question_mark", "escape", "escape", "r", "ctrl+p"):
                await pilot.press(keys)
                await pilot.pause(0.2)
                assert screen_text(app).isascii()
            assert "Enter" in screen_text(app)
    finally:
        ScrollBar.renderer = ScrollBarRender


async def test_dialogs_have_words_for_keys_that_have_no_sign(tmp_path):
    app = LabApp(Lab(small_lab(tmp_path)), Preferences(ascii=True), now=lambda: NOW)
    try:
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: app.snapshot.place)
            await pilot.press("j", "n")
            await until(pilot, lambda: "Enter save   esc cancel" in screen_text(app))
    finally:
        ScrollBar.renderer = ScrollBarRender


async def test_it_changes_while_the_app_is_open(tmp_path):
    app = LabApp(Lab(small_lab(tmp_path)), Preferences(ascii=False), now=lambda: NOW)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.snapshot.place)
        assert not screen_text(app).isascii()
        app.prefer(ascii=True)
        await until(pilot, lambda: screen_text(app).isascii())
        app.prefer(ascii=False)
        await until(pilot, lambda: "▶ running" in screen_text(app))
        assert ScrollBar.renderer is ScrollBarRender


@pytest.mark.parametrize(
    ("term", "plain"), [("linux", True), ("dumb", True), ("xterm", False), ("tmux-256color", False)]
)
def test_the_terminal_says_what_it_draws(monkeypatch, term, plain):
    monkeypatch.setenv("TERM", term)
    assert draws_ascii_only() is plain


def test_a_locale_without_other_characters_is_ascii(monkeypatch):
    class Latin:
        encoding = "iso8859-1"

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.__stdout__", Latin())
    assert draws_ascii_only()


@pytest.mark.parametrize(
    ("environment", "colors", "theme"),
    [
        ({"TERM": "xterm", "COLORTERM": ""}, "", "labtui-16"),
        ({"TERM": "xterm-256color", "COLORTERM": ""}, "", "labtui"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "", "labtui"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "16", "labtui-16"),
        ({"TERM": "dumb", "COLORTERM": ""}, "", "labtui-16"),
        ({"TERM": "xterm", "COLORTERM": "truecolor", "NO_COLOR": "1"}, "", "labtui-16"),
    ],
)
def test_the_theme_has_as_many_colours_as_there_are(tmp_path, monkeypatch, environment, colors, theme):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    colors = colors or terminal_colors()
    app = LabApp(Lab(small_lab(tmp_path)), Preferences(colors=colors))
    assert app.theme == theme
    assert LabApp(app.lab, Preferences(colors=colors, theme="labtui-light")).theme == "labtui-light"
    assert LabApp(app.lab, Preferences(colors=colors, theme="no such")).theme == theme
    ScrollBar.renderer = ScrollBarRender


def test_in_16_colours_lines_differ_and_text_is_read():
    (theme,) = (one for one in THEMES if one.name == "labtui-16")
    number = {
        name: Color.parse(code).downgrade(ColorSystem.STANDARD).number
        for name, code in theme.variables.items()
    }
    assert len(set(number.values())) == 7 and 0 not in number.values()
    shades = {n: Color.parse(getattr(theme, n)).downgrade(ColorSystem.STANDARD).number
              for n in ("foreground", "background", "panel", "error", "success", "warning", "primary")}  # fmt: skip
    assert len(set(shades.values())) == len(shades)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_the_words_of_each_theme_stand_out_of_its_background(theme):
    def luminance(code: str) -> float:
        parts = [int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def contrast(one: str, other: str) -> float:
        high, low = sorted((luminance(one), luminance(other)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    least = 7 if theme.name == "labtui-contrast" else 4.5
    for name in ("foreground", "primary", "error", "success", "warning"):
        assert contrast(getattr(theme, name), theme.background) >= least, name
    if theme.name == "labtui-contrast":
        assert all(contrast(code, theme.background) >= least for code in theme.variables.values())
