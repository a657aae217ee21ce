"""The whole program in a real terminal: a pty, bytes in, a screen out."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tui_lab import small_lab
from tui_terminal import Terminal

from labtui.query import open_lab
from labtui.series import DTYPE


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    small_lab(tmp_path)
    started: list[Terminal] = []

    def begin(size: tuple[int, int] = (80, 24), **environment: str) -> Terminal:
        program = "import sys; from labtui.query import open_lab; from labtui.tui import run_app; "
        program += f"sys.exit(run_app(open_lab({str(tmp_path)!r})))"
        known = {"TERM": "xterm-256color", "COLORTERM": "truecolor"} | environment
        started.append(Terminal([sys.executable, "-c", program], size, **known))
        return started[-1]

    yield begin
    for terminal in started:
        terminal.close()


def test_a_session_from_start_to_end(start, tmp_path):
    terminal = start()
    terminal.until("轴承诊断", "[bold]x[/] ␛[31mred", "▶ running", "q quit")
    terminal.press("jj")
    terminal.until("val.acc  ━ train.acc")
    terminal.press("\r")
    terminal.until("overview", "notes")
    terminal.press("3")
    terminal.until("epoch 20: val.acc rises")
    terminal.press("\x1b")
    terminal.until("monitor", "1 queued")
    terminal.press("/state=failed\r")
    terminal.until("2 shown", "✗ oom", "✗ nan")
    assert b"\x1b[31mred" not in terminal.raw
    terminal.press("q")
    assert terminal.ended() == 0
    assert {row.state for row in open_lab(tmp_path).runs()} >= {"running", "queued", "failed"}


def test_a_resting_screen_sends_nothing(start, tmp_path):
    terminal = start((160, 48))
    terminal.until("轴承诊断", "recipe", "digits")
    terminal.press("G")
    terminal.until("val.acc  ━ train.acc")
    terminal.rest(2.0)
    assert terminal.rest(3.0) == 0


def test_a_growing_run_sends_little(start, tmp_path):
    terminal = start()
    terminal.until("▶ running", "q quit")
    terminal.press("j")
    terminal.until("━ val.loss  ━ train.loss")
    key = next(k for k in os.listdir(tmp_path / "runs") if "small-0009" in k)
    record = np.zeros(1, DTYPE)
    terminal.rest(1.0)
    before = terminal.text
    sent = 0
    with open(tmp_path / "runs" / key / "metrics.bin", "ab", buffering=0) as log:
        for step in range(221, 241):
            record["key"], record["step"], record["value"] = 1, step, 1 / step
            log.write(record.tobytes())
            sent += terminal.rest(0.1)
    assert terminal.text != before
    assert sent < 5_000


def test_no_colour_and_a_plain_terminal(start):
    terminal = start(NO_COLOR="1")
    terminal.until("轴承诊断", "q quit")
    terminal.press("jj")
    terminal.until("* val.loss", "+ train.loss")
    terminal.press("q")
    assert terminal.ended() == 0
    assert not re.findall(rb"\x1b\[(?:[\d;]*;)?(?:3[0-8]|4[0-8]|9\d|10\d)(?:;[\d;]*)?m", terminal.raw)
    assert b"\x1b[7" in terminal.raw or b";7" in terminal.raw


@pytest.mark.parametrize("term", ["dumb", "linux"])
def test_a_plain_terminal_shows_plain_ascii(start, term):
    terminal = start(TERM=term, COLORTERM="")
    terminal.until("????", "> running", "q quit")  # names of other scripts have no likeness
    terminal.press("jj")
    terminal.until("* val.acc", "+ train.acc")
    assert terminal.text.isascii()
    reverse = {y for y, line in terminal.screen.buffer.items() if any(cell.reverse for cell in line.values())}
    colors = {cell.fg for line in terminal.screen.buffer.values() for cell in line.values()}
    assert len(reverse) == 1 if term == "dumb" else len(colors) > 3
    terminal.press("?")
    terminal.until("Enter", "esc back")
    assert terminal.text.isascii()
    terminal.press("\x1b")
    terminal.until("q quit", "> running")
    terminal.press("q")
    assert terminal.ended() == 0


def test_without_a_terminal_it_says_so(tmp_path):
    import subprocess

    small_lab(tmp_path)
    program = "from labtui.query import open_lab; from labtui.tui import run_app; run_app(open_lab('.'))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert b"need a terminal" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_as_it_was(start, number):
    terminal = start()
    terminal.until("q quit")
    os.kill(terminal.pid, number)
    assert terminal.ended() == 128 + number
    for on, off in ((b"\x1b[?1049h", b"\x1b[?1049l"), (b"\x1b[?1000h", b"\x1b[?1000l")):
        assert terminal.raw.rfind(off) > terminal.raw.rfind(on)
