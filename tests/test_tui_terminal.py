"""The whole program in a real terminal: a pty, bytes in, a screen out."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from launch_lab import eventually
from tui_lab import small_lab
from tui_terminal import LABTUI, Terminal, goes_on, restored, training

from labtui.query import open_lab
from labtui.series import DTYPE

OPEN = """
import sys
from labtui.query import open_lab
from labtui.tui import run_app
sys.exit(run_app(open_lab(sys.argv[1])))
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    small_lab(tmp_path)
    started: list[Terminal] = []

    def begin(
        size: tuple[int, int] = (80, 24), program: str = OPEN, arguments: Any = None, **environment: str
    ) -> Terminal:
        known = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "XDG_CONFIG_HOME": str(tmp_path)}
        words = [sys.executable, "-c", program, *(arguments or [str(tmp_path)])]
        started.append(Terminal(words, size, **known | environment))
        return started[-1]

    yield begin
    for terminal in started:
        terminal.close()


def test_the_terminals_own_size_counts_not_what_a_shell_exported(start):
    terminal = start((100, 30), COLUMNS="40", LINES="10")
    terminal.until("q quit")
    assert "q quit" in terminal.screen.display[29]


def test_a_session_from_start_to_end(start, tmp_path):
    terminal = start()
    terminal.until("轴承诊断", "[bold]x[/] ␛[31mred", "▶ running", "q quit")
    terminal.press("jj")
    terminal.until("━ val.acc ", "━ train.acc")
    terminal.press("\r")
    terminal.until("overview", "notes")
    terminal.press("3")
    terminal.until("epoch 20: val.acc rises")
    terminal.press("\x1b")
    terminal.until("trend", "1 queued")
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
    terminal.until("━ val.acc ", "━ train.acc")
    terminal.rest(2.0)
    assert terminal.rest(3.0) == 0


def test_a_growing_run_sends_little(start, tmp_path):
    terminal = start()
    terminal.until("▶ running", "q quit")
    terminal.press("j")
    terminal.until("━ val.loss", "━ train.loss")
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


def test_a_locale_without_other_characters_has_ascii(start):
    terminal = start(PYTHONIOENCODING="latin-1")
    terminal.until("????", "> running", "q quit")
    assert terminal.text.isascii()


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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_leaves_the_terminal_as_it_was(start, number):
    terminal = start()
    terminal.until("q quit")
    os.kill(terminal.pid, number)
    assert terminal.ended() == 128 + number
    assert restored(terminal.raw)


BROKEN = """
import sys
from labtui.cli import main
from labtui.tui.app import LabApp
LabApp.action_queue = lambda self: {}["[b]nothing[/b] \\x1b[31m"]
main(sys.argv[1:])
"""


@pytest.mark.parametrize("debug", [False, True])
def test_an_error_in_the_screens_leaves_the_terminal_as_it_was(start, tmp_path, debug):
    arguments = [*(["--debug"] if debug else []), "--lab", str(tmp_path)]
    terminal = start(program=BROKEN, arguments=arguments)
    terminal.until("q quit")
    terminal.press("Q")
    assert terminal.ended() == (1 if debug else 2)
    assert restored(terminal.raw)
    log = (tmp_path / "runs" / ".labtui" / "screens.log").read_text()
    assert "KeyError" in log and "Traceback" in log
    said = terminal.raw.rpartition(b"\x1b[?1049l")[2].decode()
    assert "the screens have failed (KeyError:" in said and "screens.log" in said.replace("\r\n", "")
    assert ("Traceback" in said) is debug
    assert debug or "\x1b[31m" not in said


def test_ctrl_c_says_how_to_leave_and_ctrl_z_suspends(start):
    terminal = start()
    terminal.until("q quit")
    terminal.press("\x03")
    terminal.until("q closes labtui; runs go on")
    terminal.press("\x1a")
    eventually(
        lambda: terminal.rest(0.1) is not None and os.waitpid(terminal.pid, os.WNOHANG | os.WUNTRACED)[0]
    )
    terminal.rest(0.2)
    assert restored(terminal.raw)
    terminal.screen.reset()  # as a shell's screen comes and goes
    os.kill(terminal.pid, signal.SIGCONT)
    eventually(lambda: terminal.rest(0.1) is not None and not restored(terminal.raw))
    terminal.until("轴承诊断", "q quit")
    terminal.press("q")
    assert terminal.ended() == 0


def test_a_stop_that_nobody_announced_is_gone_on_from(start):
    terminal = start()
    before = termios.tcgetattr(terminal.fd)
    terminal.until("q quit")
    for stop in (True, False):  # a shell that ends says "go on" to those that run, too
        sent = terminal.raw.count(b"\x1b[?1049h")
        if stop:
            os.kill(terminal.pid, signal.SIGSTOP)
            os.waitpid(terminal.pid, os.WUNTRACED)
        terminal.screen.reset()
        os.kill(terminal.pid, signal.SIGCONT)
        eventually(lambda: terminal.rest(0.1) is not None and terminal.raw.count(b"\x1b[?1049h") > sent)  # noqa: B023
        terminal.until("轴承诊断", "q quit")
    terminal.press("q")
    assert terminal.ended() == 0
    assert restored(terminal.raw) and termios.tcgetattr(terminal.fd) == before


def test_a_day_s_work_and_quitting_stops_nothing(lab):
    run = training(lab)
    environment = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "XDG_CONFIG_HOME": str(lab / "config")}
    terminal = Terminal([*LABTUI, "--lab", str(lab)], (100, 30), **environment)
    try:
        terminal.until("digits", "▶ running", "q quit")
        terminal.press("q")
        assert terminal.ended() == 0 and goes_on(run)
    finally:
        terminal.close()
    terminal = Terminal([*LABTUI, "--lab", str(lab)], (100, 30), **environment)
    try:
        terminal.until("digits", "▶ running")
        terminal.press("/state=running and name~digits\r")
        terminal.until("state=running and name~digits", "▶ running")
        terminal.rest(1.0)
        terminal.press("\r")
        terminal.until("charts", "overview", "train.loss")
        for _ in range(3):
            terminal.changed()
        terminal.press("+")
        terminal.changed()
        terminal.press("n")
        terminal.until("Note on", "save")
        terminal.press("it learns\r")
        eventually(lambda: terminal.rest(0.05) is not None and run.notes()["notes"], 30)
        terminal.press("x")
        terminal.until("Stop “digits", "y yes")
        assert run.status().state == "running"
        terminal.press("y")
        terminal.until("■ stopped")
        terminal.press("q")
        assert terminal.ended() == 0 and restored(terminal.raw)
    finally:
        terminal.close()
    assert run.status().state == "stopped" and (run.paths.root / "checkpoints" / "last.pt").exists()
    assert [note["text"] for note in run.notes()["notes"]] == ["it learns"]


@pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not installed")
def test_inside_tmux(tmp_path):
    small_lab(tmp_path)
    tmux = ["tmux", "-S", str(tmp_path / "socket"), "-f", "/dev/null"]

    def text() -> str:
        return subprocess.run(
            [*tmux, "capture-pane", "-p"], capture_output=True, check=True, text=True
        ).stdout

    words = [*LABTUI, "--lab", str(tmp_path)]
    known = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TMUX")}
    command = [*tmux, "-u", "new-session", "-d", "-x", "80", "-y", "24", "sh"]
    subprocess.run(command, check=True, env=known | {"TERM": "xterm-256color"})
    try:
        subprocess.run([*tmux, "send-keys", shlex.join(words), "Enter"], check=True)
        eventually(lambda: "▶ running" in text() and "q quit" in text(), 30)
        subprocess.run([*tmux, "send-keys", "j", "j", "Enter"], check=True)
        eventually(lambda: "overview" in text(), 30)
        subprocess.run([*tmux, "send-keys", "Escape"], check=True)
        eventually(lambda: "▶ running" in text() and "overview" not in text(), 30)
        subprocess.run([*tmux, "send-keys", "q"], check=True)
        eventually(lambda: ("running" not in text() and "$" in text()) or "#" in text(), 30)
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)
