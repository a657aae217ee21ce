"""`labtui watch` as a process: in a pipe, on a terminal, on a dumb one; until the run ends."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyte
import pytest
from tui_lab import NOW, add_run

from labtui.files.paths import LabPaths
from labtui.series import DTYPE

PLAIN = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}


def command(lab: LabPaths, *words: str) -> list[str]:
    return [sys.executable, "-m", "labtui", "--lab", str(lab.root), "watch", *words]


def watched(lab: LabPaths, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command(lab, *words),
        env=PLAIN | more,
        capture_output=True,
        timeout=60,
        check=False,
        text=True,
        errors="replace",
    )
    assert "Traceback" not in done.stderr
    return done


def add_point(lab: LabPaths, key: str, step: int, value: float) -> None:
    """One more validation loss."""
    point = np.array([(2, step, NOW, value)], DTYPE)
    with open(lab.run(key).metrics, "ab") as file:
        file.write(point.tobytes())


def finish(lab: LabPaths, key: str, outcome: str = "finished") -> None:
    """The run's process is gone, and has said how it ended."""
    root = lab.run(key).root
    record = {"attempt": 1, "outcome": outcome, "started": NOW, "ended": NOW + 5}
    (root / "result.json").write_text(json.dumps(record))
    (root / "process.json").unlink()


@pytest.fixture
def lab(tmp_path: Path) -> LabPaths:
    (tmp_path / "runs" / ".labtui").mkdir(parents=True)
    return LabPaths(tmp_path)


def test_a_pipe_gets_the_charts_and_the_status(lab):
    key = add_run(lab, "over", 60)
    done = watched(lab, key, "--width", "80", "--height", "16")
    assert done.returncode == 0 and "\x1b" not in done.stdout
    lines = done.stdout.rstrip("\n").split("\n")
    assert lines[0].startswith("finished  over") and len(lines) == 17 and max(map(len, lines)) <= 80
    assert "val.loss" in done.stdout and "val.acc" in done.stdout and "epoch 20" in lines[-1]
    failed = add_run(lab, "bad", 60, "failed", reason="nan", seed=1)
    assert watched(lab, failed).returncode == 1
    assert watched(lab, failed, "--once").returncode == 1


def test_metrics_are_chosen_and_unknown_ones_are_told(lab):
    key = add_run(lab, "over", 60)
    done = watched(lab, key, "--metric", "val.acc")
    assert "val.acc" in done.stdout and "loss" not in done.stdout and "train.acc" not in done.stdout
    done = watched(lab, key, "--metric", "nope")
    assert done.returncode == 2 and "nope: not logged by this run; it has" in done.stderr
    assert watched(lab, "no-such-run").returncode == 2


@pytest.mark.parametrize("more", [{"TERM": "dumb"}, {"TERM": "linux"}, {"PYTHONIOENCODING": "latin-1"}])
def test_plain_terminals_get_ascii(lab, more):
    add_run(lab, "Été 轴承", 60)
    done = watched(lab, "@last", **more)
    assert done.stdout.isascii() and "* val.loss" in done.stdout


def test_a_live_run_in_a_pipe_is_drawn_seldom_and_to_its_end(lab):
    key = add_run(lab, "live", 60, "running", done=5)
    process = subprocess.Popen(
        command(lab, key), env=PLAIN, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        while "epoch 5" not in (line := process.stdout.readline()):
            assert line
        for step in (120, 140, 160):
            add_point(lab, key, step, 0.5)
            time.sleep(0.6)
        finish(lab, key, "failed")
        out, error = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 1
    assert out.count("failed  live") == 1 and "running  live" not in out
    assert "step 160" in out and f"failed  {key}" in error


def test_a_terminal_is_drawn_over_in_place(lab):
    key = add_run(lab, "live", 60, "running", done=5)
    master, slave = pty.openpty()
    import fcntl
    import struct
    import termios

    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    env = PLAIN | {"NO_COLOR": "1"}
    process = subprocess.Popen(
        command(lab, key), env=env, stdin=slave, stdout=slave, stderr=subprocess.DEVNULL
    )
    os.close(slave)
    seen = b""

    def until(text: bytes) -> None:
        nonlocal seen
        end = time.monotonic() + 30
        while text not in seen and time.monotonic() < end:
            try:
                seen += os.read(master, 65536)
            except OSError:
                break
        assert text in seen

    try:
        until(b"step 100 ")
        add_point(lab, key, 120, 0.5)
        until(b"step 120 ")
        finish(lab, key)
        until(b"finished  live")
        assert process.wait(30) == 0
    finally:
        process.kill()
        os.close(master)
    assert set(re.findall(rb"\x1b\[[0-9;]*.", seen)) == {b"\x1b[21A"}
    screen = pyte.Screen(80, 40)
    pyte.ByteStream(screen).feed(seen)
    shown = "\n".join(screen.display)
    assert shown.count("live") == 2 and shown.count("val.loss") == 1  # name and id
    assert screen.display[0].startswith("finished  live")


def test_an_interrupt_ends_the_drawing_only(lab):
    key = add_run(lab, "live", 60, "running", done=5)
    process = subprocess.Popen(command(lab, key), env=PLAIN, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(2)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert not (lab.run(key).root / "control.json").exists()
