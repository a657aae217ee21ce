"""Logs of any length: what is read in blocks equals what is read whole."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labtui import logfile
from labtui.logfile import LogFile, Search, shown

PIECES = [b"\n", b"\r", b"\r\n", b"a", b"Bc", b"\t", b"\xff", "é轴".encode(), b"\x1b[31m", b"\x1b[0m", b" "]
contents = st.lists(st.sampled_from(PIECES) | st.binary(max_size=6), max_size=60).map(b"".join)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(logfile, "BLOCK", 16)


def naive(data: bytes) -> list[str]:
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [shown(line) for line in lines]


def of(data: bytes, folder: str) -> LogFile:
    path = Path(folder, "log.txt")
    path.write_bytes(data)
    log = LogFile(path)
    log.refresh()
    return log


@settings(deadline=None)
@given(contents, st.booleans())
def test_lines_forward_and_backward_are_those_of_the_whole_file(data, counted):
    with TemporaryDirectory() as folder:
        log = of(data, folder)
        assert not counted or log.count(9)
        expected = naive(data)
        found = log.forward(0, 1000)
        assert [line.text for line in found] == expected
        assert log.backward(log.size, 1000) == found
        assert all(line.text.isprintable() for line in found)
        for number, line in enumerate(found):
            assert log.forward(line.start, 2) == found[number : number + 2]
            assert log.backward(line.end, 2) == found[max(number - 1, 0) : number + 1]
            assert log.start_of((line.start + line.end - 1) // 2) == line.start
        log.close()


@settings(deadline=None)
@given(contents, contents)
def test_lines_are_numbered_as_the_file_grows(first, more):
    with TemporaryDirectory() as folder:
        log = of(first, folder)
        log.count(9)
        with open(log.path, "ab") as file:
            file.write(more)
        assert log.refresh() == bool(more) and log.count(9)
        found = log.forward(0, 1000)
        assert log.lines == len(found)
        for number, line in enumerate(found):
            assert log.number_of(line.start) == number
            assert log.start_of_number(number) == line.start
        if found:
            assert log.start_of_number(10**9) == found[-1].start
        log.close()


@settings(deadline=None)
@given(contents, contents, st.sampled_from(["a", "A", "bC", "é", " ", "31", "␛", "\\x"]))
def test_a_search_finds_each_ended_line_that_shows_the_text(first, more, text):
    with TemporaryDirectory() as folder:
        log = of(first, folder)
        search = Search(log, text)
        assert search.advance(9)
        with open(log.path, "ab") as file:
            file.write(more)
        log.refresh()
        assert search.advance(9)
        lines = [line for line in log.forward(0, 1000) if log.read(line.end - 1, line.end) == b"\n"]
        assert list(search.starts) == [x.start for x in lines if text.casefold() in x.text.casefold()]
        log.close()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b" 10%|#    |\r 90%|#### |\r100%|#####|\r\n", "100%|#####|"),
        (
            b"\x1b[1;31mERROR\x1b[0m: \x1b]8;;http://x\x1b\\link\x1b]8;;\x07 \x1b[2K\x1b(Bend",
            "ERROR: link end",
        ),
        (b"a\tb", "a       b"),
        (b"\xff\xfe half \xe2\x82", "�� half �"),
        (b"\x1b]0;never ended", "␛]0;never ended"),
        ("\u202edrow\x00\x7f".encode(), "\\u202edrow␀␡"),
    ],
)
def test_a_line_is_shown_as_its_last_state_without_escapes(data, text):
    assert shown(data) == text


def test_a_file_that_was_cut_off_replaced_or_removed_begins_anew(tmp_path):
    log = of(b"one\ntwo\nthree\n" * 9, str(tmp_path))
    assert log.count(9) and log.lines == 27
    os.truncate(log.path, 4)
    with open(log.path, "ab") as file:
        file.write(b"four\n" * 90)  # longer than before
    assert log.refresh() and log.lines is None
    assert log.count(9) and log.lines == 91
    (tmp_path / "new").write_bytes(b"new\n")
    os.replace(tmp_path / "new", log.path)
    assert log.refresh() and [line.text for line in log.forward(0, 9)] == ["new"]
    log.path.unlink()
    assert log.refresh() and log.forward(0, 9) == [] and not log.refresh()
    log.path.write_bytes(b"again")
    assert log.refresh() and log.line(0).text == "again"
    os.truncate(log.path, 0)
    assert log.refresh() and log.size == 0 and not log.refresh()
    log.close()


def test_a_search_begins_anew_with_the_file(tmp_path):
    log = of(b"one\n" * 50, str(tmp_path))
    search = Search(log, "one")
    assert search.advance(9) and len(search.starts) == 50
    log.path.write_bytes(b"one\ntwo\n")
    log.refresh()
    assert search.advance(9) and list(search.starts) == [0]
    log.close()


def test_a_very_long_line_is_shown_by_its_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(logfile, "LONGEST", 20)
    log = of(b"begin" + b"x" * 500 + b"end\nnext\n", str(tmp_path))
    first, second = log.forward(0, 9)
    assert first.text.startswith("beginx") and first.text.endswith("xend") and " … 469 bytes … " in first.text
    assert second.text == "next" and log.backward(second.start, 1) == [first]
    log.path.write_bytes(b"bar 1%\r" * 100 + b"bar 100%\n")
    log.refresh()
    assert [line.text for line in log.forward(0, 9)] == ["bar 100%"]
    log.close()
