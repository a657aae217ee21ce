"""A program's output as lines that are safe to show, of files of any length: only blocks around what is
asked for are read, and lines are numbered by a sparse index that grows with the file.
"""

from __future__ import annotations

import os
import re
import time
from array import array
from bisect import bisect_right
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from labtui.cells import clean

BLOCK = 1 << 18
"""Bytes that are read, counted and searched at once."""
LONGEST = 1 << 15
"""Bytes of the beginning, and of the end, that are shown of a line that is longer than both."""
KEPT = 8
"""Blocks that are kept in memory."""
MARK = 64
"""Bytes at the end by which a file is known again: one that was cut off and has grown anew is another."""

_ESCAPES = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|[()][0-9A-Za-z])")
"""Colours, movements of the cursor, titles, links and character sets."""
_PLAIN = bytes(range(0x20, 0x7F)) + b"\n"


def shown(data: bytes) -> str:
    """A line of a log as harmless text: of one that was written over, its last state; without its escape
    sequences; tabs as spaces; whatever else is no text made visible.

    Args:
        data: the line, with or without its newline.
    """
    text = data.rstrip(b"\r\n").rpartition(b"\r")[2].decode("utf-8", "replace")
    if text.isprintable() and text.isascii():
        return text
    return clean(_ESCAPES.sub("", text).expandtabs())


@dataclass(frozen=True)
class Line:
    """One line.

    Args:
        start, end: its bytes in the file, with its newline.
        text: as it is shown.
    """

    start: int
    end: int
    text: str


class LogFile:
    """A log that is read where it is looked at. All offsets are in bytes; a line is known by its start.

    Args:
        path: of the file; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        """Bytes, at the last refresh."""
        self.generation = 0
        """Grows whenever what was read is no longer in the file."""
        self.problem = ""
        """Why it cannot be read."""
        self._fd = -1
        self._mark = b""
        self._blocks: dict[int, bytes] = {}
        self._before = array("Q", [0])
        """Lines that end before each block; the last entry is of the first block that is not counted."""

    def refresh(self) -> bool:
        """Look at the file again; whether it changed. A file that was replaced or cut off begins anew."""
        try:
            found = os.stat(self.path)
        except OSError:
            found = None
        gone = False
        if found is None or not self._same(found):
            gone, self.problem = self.close(), ""
            if found is None:
                return gone
            try:
                self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                self.problem = f"{self.path.name} cannot be read ({error.strerror})"
                return True
        size = os.fstat(self._fd).st_size
        if size == self.size:
            return gone
        self._blocks.pop(self.size // BLOCK, None)
        self.size = size
        self._mark = os.pread(self._fd, MARK, max(0, size - MARK))
        return True

    def _same(self, found: os.stat_result) -> bool:
        """Whether the open file is the one on the disk, and has what was read of it."""
        if self._fd < 0 or not os.path.samestat(found, os.fstat(self._fd)) or found.st_size < self.size:
            return False
        return os.pread(self._fd, MARK, max(0, self.size - MARK))[: len(self._mark)] == self._mark

    def close(self) -> bool:
        """Let go of the file and all that is known of it; whether there was any."""
        known = self._fd >= 0
        if known:
            os.close(self._fd)
            self.generation += 1
        self._fd, self.size, self._mark, self._before = -1, 0, b"", array("Q", [0])
        self._blocks.clear()
        return known

    def fail(self, error: OSError) -> None:
        """Take the file for one of which nothing can be read, until it is another."""
        with suppress(OSError):
            self.close()
        self.problem = f"{self.path.name} cannot be read ({error.strerror})"

    def block(self, number: int) -> bytes:
        """The bytes of a block, fewer at the end; those read last are kept."""
        found = self._blocks.pop(number, None)
        if found is None:
            length = min(BLOCK, self.size - number * BLOCK)
            found = os.pread(self._fd, length, number * BLOCK) if self._fd >= 0 and length > 0 else b""
            if len(self._blocks) >= KEPT:
                del self._blocks[next(iter(self._blocks))]
        self._blocks[number] = found
        return found

    def read(self, start: int, end: int) -> bytes:
        """Bytes from `start` up to `end`."""
        parts = []
        for number in range(start // BLOCK, -(-end // BLOCK)):
            low = number * BLOCK
            parts.append(self.block(number)[max(start - low, 0) : end - low])
        return b"".join(parts)

    def _empty(self, number: int) -> bool:
        """Whether a block is known to have no end of a line."""
        return number + 1 < len(self._before) and self._before[number] == self._before[number + 1]

    def end_of(self, offset: int) -> int:
        """Where the line that holds an offset ends: after its newline, or at the end of the file."""
        for number in range(offset // BLOCK, -(-self.size // BLOCK)):
            if self._empty(number):
                continue
            at = self.block(number).find(b"\n", max(offset - number * BLOCK, 0))
            if at >= 0:
                return number * BLOCK + at + 1
        return self.size

    def start_of(self, offset: int) -> int:
        """Where the line that holds an offset starts."""
        for number in range(min(offset, self.size) // BLOCK, -1, -1):
            if self._empty(number):
                continue
            at = self.block(number).rfind(b"\n", 0, max(offset - number * BLOCK, 0))
            if at >= 0:
                return number * BLOCK + at + 1
        return 0

    def line(self, start: int) -> Line:
        """The line that starts at an offset. Of a very long one that was not written over the middle is left
        out, so that none takes longer than others."""
        end = self.end_of(start)
        if end - start <= 2 * LONGEST:
            return Line(start, end, shown(self.read(start, end)))
        head, tail = self.read(start, start + LONGEST), self.read(end - LONGEST, end)
        if b"\r" in tail.rstrip(b"\r\n"):
            return Line(start, end, shown(tail))
        tail = tail.lstrip(bytes(range(0x80, 0xC0)))  # the rest of a character
        left_out = f" … {end - start - 2 * LONGEST:,} bytes … "
        return Line(start, end, shown(head) + left_out + shown(tail))

    def forward(self, start: int, count: int) -> list[Line]:
        """At most so many lines, from the one that starts at an offset."""
        found: list[Line] = []
        while start < self.size and len(found) < count:
            found.append(self.line(start))
            start = found[-1].end
        return found

    def backward(self, end: int, count: int) -> list[Line]:
        """At most so many lines, in their order, up to the one that ends at an offset."""
        found: list[Line] = []
        while end > 0 and len(found) < count:
            end = self.start_of(end - 1)
            found.append(self.line(end))
        return found[::-1]

    def count(self, seconds: float) -> bool:
        """Count lines for at most so long; whether all whole blocks are counted."""
        until = time.monotonic() + seconds
        while (number := len(self._before) - 1) < self.size // BLOCK:
            if time.monotonic() >= until:
                return False
            data = os.pread(self._fd, BLOCK, number * BLOCK)  # not kept: what is in sight is
            self._before.append(self._before[-1] + data.count(b"\n"))
        return True

    def number_of(self, start: int) -> int | None:
        """The number of the line that starts at an offset, from 0; None: it is not counted so far yet."""
        block = start // BLOCK
        if block >= len(self._before):
            return None
        return self._before[block] + self.block(block).count(b"\n", 0, start - block * BLOCK)

    def start_of_number(self, number: int) -> int | None:
        """Where the line of a number, from 0, starts; of the last line where there are fewer; None: it is not
        counted so far yet."""
        if number <= 0:
            return 0
        block = bisect_right(self._before, number - 1) - 1
        if block == len(self._before) - 1 < self.size // BLOCK:
            return None
        at, data = -1, self.block(block)
        for _ in range(number - self._before[block]):
            at = data.find(b"\n", at + 1)
            if at < 0:
                return self.start_of(max(self.size - 1, 0))
        start = block * BLOCK + at + 1
        return start if start < self.size else self.start_of(max(self.size - 1, 0))

    @property
    def lines(self) -> int | None:
        """How many lines there are; None: they are not counted yet."""
        whole = self.number_of(self.size)
        if whole is None:
            return None
        return whole + (self.size > 0 and self.read(self.size - 1, self.size) != b"\n")


class Search:
    """Lines that hold a text, upper and lower case alike, found bit by bit as the file grows.

    Args:
        log: where; used by one thread.
        text: as it is shown: what was written over or left out of a long line is not found.
    """

    def __init__(self, log: LogFile, text: str) -> None:
        self.log, self.text = log, text.casefold()
        self.starts = array("Q")
        """Of the lines found, in their order."""
        self.done = 0
        """Up to here the file is searched; at a line's start."""
        self._generation = log.generation

    def advance(self, seconds: float) -> bool:
        """Search for at most so long; whether all is searched. The last line is not searched before it has
        ended."""
        if self._generation != self.log.generation:
            self._generation, self.done, self.starts = self.log.generation, 0, array("Q")
        until = time.monotonic() + seconds
        while self.done < self.log.size:
            if time.monotonic() >= until:
                return False
            start = self.done
            end = self.log.start_of(min(start + BLOCK, self.log.size))
            if end <= start:  # one long line
                end = self.log.end_of(start)
                if self.log.read(end - 1, end) != b"\n":
                    return True
                self._look_line(self.log.line(start))
            else:
                self._look(self.log.read(start, end), start)
            self.done = end
        return True

    def _look_line(self, line: Line) -> None:
        if self.text in line.text.casefold():
            self.starts.append(line.start)

    def _look(self, data: bytes, start: int) -> None:
        """Whole lines."""
        if data.translate(None, _PLAIN):  # a character counts that may be shown otherwise
            for line in data[:-1].split(b"\n"):
                if self.text in shown(line).casefold():
                    self.starts.append(start)
                start += len(line) + 1
            return
        data, word, at = data.lower(), self.text.encode("utf-8", "replace"), 0
        while (at := data.find(word, at)) >= 0:
            self.starts.append(start + data.rfind(b"\n", 0, at) + 1)
            at = data.find(b"\n", at) + 1
