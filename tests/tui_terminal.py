"""A real terminal for tests: a pty, bytes in, a screen out."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pyte
from launch_lab import eventually

from labtui.query import open_lab
from labtui.query.lab import Run

SECONDS = 30.0


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, arguments: list[str], size: tuple[int, int], **environment: str) -> None:
        columns, lines = size
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.bytes = 0
        self.raw = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
            known = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
            os.execve(arguments[0], arguments, known | environment)

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(self.screen.display)

    def read(self, seconds: float) -> bool:
        """Read once; False when there was nothing."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.bytes += len(data)
        self.raw += data
        self.stream.feed(data)
        return bool(data)

    def until(self, *parts: str) -> None:
        """Wait until all parts are on the screen."""
        end = time.monotonic() + SECONDS
        while not all(part in self.text for part in parts):
            assert time.monotonic() < end, f"{parts} not on the screen:\n{self.text}"
            self.read(0.05)

    def rest(self, seconds: float) -> int:
        """Bytes sent in so many seconds."""
        before, end = self.bytes, time.monotonic() + seconds
        while time.monotonic() < end:
            self.read(0.05)
        return self.bytes - before

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self.fd, keys.encode())

    def changed(self) -> None:
        """Wait until something else is on the screen than now."""
        before, end = self.text, time.monotonic() + SECONDS
        while self.text == before:
            assert time.monotonic() < end, f"nothing moves:\n{self.text}"
            self.read(0.05)

    def ended(self) -> int:
        """Wait for the end; the exit status."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
        raise AssertionError(f"did not end:\n{self.text}")

    def close(self) -> None:
        """End it."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


def training(lab: Path, epochs: int = 3000) -> Run:
    """A small training that goes on for minutes, once it has logged something."""
    shipped = Path(__file__).parents[1] / "recipes" / "digits.toml"
    (lab / "recipes").mkdir(exist_ok=True)
    (lab / "recipes" / "digits.toml").write_text(shipped.read_text())
    command = [
        *LABTUI,
        "--lab",
        str(lab),
        "run",
        "digits.toml",
        "--detach",
        "--set",
        f"train.epochs={epochs}",
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    run = open_lab(lab).run("@last")
    eventually(lambda: logged(run) > 10_000, 120)
    return run


def logged(run: Run) -> int:
    """Bytes of its metric log."""
    path = run.paths.metrics
    return path.stat().st_size if path.exists() else 0


def goes_on(run: Run) -> bool:
    """Whether it runs, and logs more than a moment ago."""
    before = logged(run)
    return bool(eventually(lambda: logged(run) > before, 60)) and run.status().state == "running"


LABTUI = [sys.executable, "-m", "labtui"]
RESTORED = ((b"\x1b[?1049h", b"\x1b[?1049l"), (b"\x1b[?1000h", b"\x1b[?1000l"), (b"\x1b[?25l", b"\x1b[?25h"))


def restored(raw: bytes) -> bool:
    """Whether what was switched for the application was switched back: the screen, the mouse, the cursor."""
    return all(raw.rfind(off) > raw.rfind(on) >= 0 for on, off in RESTORED)
