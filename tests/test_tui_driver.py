"""A terminal that goes takes the screens with it, and nothing is left that waits or spins."""

from __future__ import annotations

import errno
import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from tui_lab import small_lab

from labtui.tui.driver import Unfailing


def test_what_cannot_be_written_is_dropped_and_told_once():
    told: list[str] = []

    class Gone(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.EIO, "Input/output error")

    file = Unfailing(Gone(), lambda: told.append("gone"))
    for _ in range(3):
        file.write("x")
        file.flush()
    assert told == ["gone"] and file.getvalue() == "x"
    there = Unfailing(io.StringIO(), lambda: told.append("never"))
    there.write("text")
    there.flush()
    assert there.getvalue() == "text" and told == ["gone"]


def test_the_screens_end_when_the_terminal_goes_without_a_word(tmp_path: Path):
    lab = small_lab(tmp_path)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(  # no controlling terminal: no signal tells it
        [sys.executable, "-m", "labtui", "--lab", str(lab.root)],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env=os.environ | {"TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(theirs)
    try:
        shown = b""
        while b"lab" not in shown:
            shown += os.read(ours, 1 << 16)
        os.write(ours, b"jjjjkkkk" * 20)
        os.close(ours)
        assert process.wait(60) == 129
    except subprocess.TimeoutExpired:
        pytest.fail("it goes on without a terminal")
    finally:
        process.kill()
        process.wait()
