"""A terminal for a program: its output with the time of each piece, parsed to a screen when at rest.

A thread does nothing but read, so that the program never waits for the terminal; what it wrote is
parsed only between two measurements, so that parsing takes no time from the program.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pyte
from harness import CHILDREN

WIDE, NARROW = (160, 48), (80, 24)
PAUSE = 0.01
"""Seconds of silence that end a burst of output."""

_UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[<>=][0-9;]*u")


@dataclass(frozen=True)
class Frame:
    """The screen after a piece of output that changed it.

    Args:
        time: of `time.perf_counter`.
        text: its lines.
        burst: number of the burst of output it belongs to.
    """

    time: float
    text: str
    burst: int


class Terminal:
    """Runs a program; a context that kills it at the end.

    Args:
        command: the program and its arguments.
        size: columns and lines.
    """

    def __init__(self, command: Sequence[str], size: tuple[int, int] = WIDE) -> None:
        columns, lines = size
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._shown: dict[int, list[pyte.screens.Char]] = {}
        self._pieces: list[tuple[float, bytes]] = []
        self._parsed = self._bursts = 0
        self._fd, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            env=environment, cwd=CHILDREN,
        )  # fmt: skip
        os.close(theirs)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)  # those that it has started hold the terminal, too
        self.process.wait()
        self._reader.join()
        os.close(self._fd)

    def _read(self) -> None:
        with suppress(OSError):  # the program has closed its side
            while data := os.read(self._fd, 1 << 16):
                self._pieces.append((time.perf_counter(), data))
                if b"\x1b[?2026$p" in data:
                    os.write(self._fd, b"\x1b[?2026;2$y")  # synchronised output: understood

    @property
    def written(self) -> int:
        """Bytes the program has written so far."""
        return sum(len(data) for _, data in self._pieces)

    def rest(self, quiet: float, within: float = 30.0) -> None:
        """Wait until the program has been quiet for so many seconds.

        Raises:
            SystemExit: it ended, or was not quiet within the time.
        """
        begin = time.perf_counter()
        while True:
            last = max(self._pieces[-1][0] if self._pieces else begin, begin)
            if (now := time.perf_counter()) - last >= quiet:
                return
            if self.process.poll() is not None or now - begin > within:
                raise SystemExit(f"{self.process.args}: not at rest:\n{self.text()}")
            time.sleep(min(max(quiet - (now - last), 0.001), 0.05))

    def ready(self, seen: Callable[[str], bool], quiet: float = 1.0) -> list[Frame]:
        """Wait until the screen shows something and the program is quiet; the screens up to then.

        Raises:
            SystemExit: that took too long.
        """
        begin, frames = time.perf_counter(), []
        while not seen(frames[-1].text if frames else ""):
            if time.perf_counter() - begin > 60:
                raise SystemExit(f"{self.process.args}: never ready:\n{self.text()}")
            self.rest(quiet)
            frames += self.frames()
        return frames

    def frames(self) -> list[Frame]:
        """The screens since the last call, one for each piece of output that changed it."""
        found = []
        for number in range(self._parsed, len(self._pieces)):
            when, data = self._pieces[number]
            if number == 0 or when - self._pieces[number - 1][0] >= PAUSE:
                self._bursts += 1
            self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", data))
            if self._changed():
                found.append(Frame(when, "\n".join(self._screen.display), self._bursts))
            self._parsed = number + 1
        return found

    def _changed(self) -> bool:
        """Whether a cell differs, in its character or its colours."""
        changed = False
        for number in self._screen.dirty:
            line = self._screen.buffer[number]
            cells = [line[column] for column in range(self._screen.columns)]
            changed |= self._shown.get(number) != cells
            self._shown[number] = cells
        self._screen.dirty.clear()
        return changed

    def text(self) -> str:
        """What is on the screen now."""
        self.frames()
        return "\n".join(self._screen.display)

    def press(self, keys: str, quiet: float = 0.02) -> Reaction:
        """Write keys, and wait until the screen has changed and the program is quiet again."""
        self.frames()
        at = time.perf_counter()
        os.write(self._fd, keys.encode())
        frames: list[Frame] = []
        while not frames:
            count = len(self._pieces)
            while len(self._pieces) == count:
                if time.perf_counter() - at > 10:
                    raise SystemExit(f"{keys!r} changed nothing on:\n{self.text()}")
                time.sleep(0.001)
            self.rest(quiet)
            frames = self.frames()
        return Reaction(at, frames)


@dataclass(frozen=True)
class Reaction:
    """What a key did to the screen."""

    at: float
    frames: list[Frame]

    @property
    def first(self) -> float:
        """Seconds from the key to the end of the first burst that changed the screen."""
        return max(f.time for f in self.frames if f.burst == self.frames[0].burst) - self.at

    @property
    def last(self) -> float:
        """Seconds from the key to the last change."""
        return self.frames[-1].time - self.at

    def until(self, seen: Callable[[str], bool]) -> float:
        """Seconds from the key to the first screen that shows something."""
        return next(f.time for f in self.frames if seen(f.text)) - self.at
