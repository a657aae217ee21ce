"""Tables: aligned in cells, harmless in every format, numbers as people read them."""

from __future__ import annotations

import csv
import io
import json
import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from labtui import cells, table
from labtui.table import number, render

TEXT = st.text(max_size=30) | st.text("\x1b\x9b\n\r\t\u202e\u2066|`\\<损失é\u0301👩\u200d", max_size=12)
VALUE = st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.lists(TEXT, max_size=2)
ROWS = st.lists(st.tuples(VALUE, VALUE, VALUE), max_size=6)
COLUMNS = ["id", "名字", "val.loss"]


def unsafe(text: str) -> list[str]:
    """Characters that move, hide or reorder text on a terminal."""
    kept = "\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f"
    kinds = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return [c for c in text if unicodedata.category(c) in kinds and c not in kept]


@given(ROWS, st.none() | st.integers(1, 60))
def test_rows_are_harmless_and_of_one_width(rows, width):
    lines = render(COLUMNS, rows, width=width).removesuffix("\n").split("\n")
    assert len(lines) == len(rows) + 2
    assert unsafe("".join(lines)) == []
    sizes = {wcswidth(line) for line in lines}
    assert len(sizes) == 1
    if width is not None and width >= 6:
        assert sizes.pop() <= width


@given(TEXT, st.integers(0, 12), st.sampled_from(["left", "right", "center"]))
def test_padding_is_exact_and_never_splits_a_character(text, room, align):
    text = cells.clean(text)
    padded = cells.pad(text, room, align)
    assert wcswidth(padded) == room
    cut = cells.fit(text, room)
    assert cut == text or text.startswith(cut.removesuffix("…"))
    rest = text[len(cut.removesuffix("…")) :]
    assert cut == text or not unicodedata.combining(rest[0])


@given(TEXT)
def test_clean_text_is_safe_one_line_and_stays(text):
    cleaned = cells.clean(text)
    assert unsafe(cleaned) == [] and cells.clean(cleaned) == cleaned
    assert wcswidth(cleaned) >= 0


def test_what_cleaning_shows():
    assert cells.clean("a\x1b[31mb\nc\td") == "a␛[31mb\\nc\\td"
    assert cells.clean("\x9b2J\u202eabc\x7f\x00") == "\\x9b2J\\u202eabc␡␀"
    assert cells.clean("\udc80") == "\\udc80"
    assert cells.clean("损失 prova è 👩\u200d👧") == "损失 prova è 👩\u200d👧"
    assert cells.clean("\u0301x") == "◌\u0301x"


def test_a_table_for_a_terminal():
    rows = [["a", 1, 0.98765], ["损失", None, math.nan], ["long name here", 12345, 1e-7]]
    assert render(["name", "n", "x"], rows) == (
        "name                n       x\n"
        "──────────────  ─────  ──────\n"
        "a                   1  0.9877\n"
        "损失                –     nan\n"
        "long name here  12345    1e-7\n"
    )


def test_columns_are_cut_before_they_are_left_out():
    row = ["x" * 30, "y" * 10, 3]
    wide = render(["first", "second", "third"], [row], width=40)
    assert [wcswidth(line) for line in wide.splitlines()] == [40] * 3
    assert "y" * 10 in wide and "…" in wide
    narrow = render(["first", "second", "third"], [row], width=14)
    assert "third" not in narrow and narrow.splitlines()[0].endswith("…")


@given(ROWS)
def test_json_reads_back(rows):
    read = json.loads(render(COLUMNS, rows, format="json"))
    assert len(read) == len(rows)
    for row, back in zip(rows, read, strict=True):
        assert list(back) == COLUMNS
        for value, found in zip(row, back.values(), strict=True):
            if isinstance(value, float) and not math.isfinite(value):
                assert found is None
            else:
                assert found == value


@given(ROWS)
def test_csv_reads_back(rows):
    text = render(COLUMNS, rows, format="csv")
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read[0] == COLUMNS and len(read) == len(rows) + 1
    for row, back in zip(rows, read[1:], strict=True):
        for value, found in zip(row, back, strict=True):
            if isinstance(value, str):
                assert found == value
            elif isinstance(value, float) and not math.isnan(value):
                assert float(found) == value


def test_csv_keeps_data_as_it_is():
    assert render(["a"], [["=1+1"], ["-x"], ['q"u,o']], format="csv") == ('a\r\n=1+1\r\n-x\r\n"q""u,o"\r\n')


@given(ROWS)
def test_markdown_keeps_its_cells(rows):
    text = render(COLUMNS, rows, format="md")
    lines = text.removesuffix("\n").split("\n")
    assert len(lines) == len(rows) + 2 and unsafe("".join(lines)) == []
    for line in lines:
        bare = line.replace("\\\\", "")
        assert bare.count("|") - bare.count("\\|") == 4


def test_markdown_escapes():
    assert table.markdown("a|b `c` <d>\\\n*e*") == "a\\|b \\`c\\` \\<d\\>\\\\<br>\\*e\\*"


@pytest.mark.parametrize(
    "value, text",
    [(0.0, "0"), (0.98, "0.98"), (0.987654, "0.9877"), (3, "3"), (123456.789, "123457"),
     (1234.5678, "1235"), (1e-5, "1e-5"), (1.23456e-7, "1.235e-7"), (2.5e12, "2.5e12"),
     (-0.5, "-0.5"), (math.inf, "inf"), (math.nan, "nan"), (None, "–"), (10**20, "1" + "0" * 20),
     (0.00012345, "0.0001234"), (985870.0, "985870")],
)  # fmt: skip
def test_numbers(value, text):
    assert table.number(value) == text


@pytest.mark.parametrize(
    "seconds, text",
    [(0.004, "0.00s"), (9.994, "9.99s"), (12.34, "12.3s"), (59.96, "1m00s"), (245, "4m05s"),
     (3599.7, "1h00m"), (7390, "2h03m"), (86399.9, "1d00h"), (273600, "3d04h"), (None, "–")],
)  # fmt: skip
def test_durations(seconds, text):
    assert table.duration(seconds) == text


@given(st.floats(allow_nan=True))
def test_times_and_sizes_take_any_float(value):
    assert table.duration(value) and table.age(value) and table.size(value) and table.number(value)


def test_ages_and_sizes():
    seconds = [-5, 0.5, 42, 61, 7200, 86400 * 9, 86400 * 50, 86400 * 800, None]
    assert [table.age(s) for s in seconds] == [
        "now",
        "now",
        "42s",
        "1m",
        "2h",
        "9d",
        "7w",
        "2y",
        "–",
    ]
    assert [table.size(b) for b in (0, 812, 1536, 3.2 * 2**30)] == [
        "0 B", "812 B", "1.5 KiB", "3.2 GiB",
    ]  # fmt: skip


def test_nothing_is_less_than_nothing():
    assert [number(value) for value in (-0.0, -0, 0.0)] == ["0", "0", "0"]
