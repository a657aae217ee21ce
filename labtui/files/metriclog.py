"""The metric log's writer: an append-only array of 32-byte records and a list of names.

`metrics.bin` holds little-endian `(key: int64, step: int64, time: float64, value: float64)`; line k
of `metrics.keys` names key k and is written before its first record. `log` only appends to a queue:
a thread packs whole batches column by column (`array` slices, no Python per record) and writes.
"""

from __future__ import annotations

import fcntl
import os
import sys
import threading
import weakref
from array import array
from collections import deque
from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter
from time import time
from typing import Any

from labtui.errors import LabError
from labtui.files.paths import RunPaths

RECORD = 32
VOID = -1
"""Key of a record that says: earlier records with a step above mine are void."""
PAUSE = 0.1
"""Seconds between two writes: what a kill can cost at most, well below 0.25 s."""
_BATCH = 4096

Row = tuple[tuple[str, ...], tuple[Any, ...], int, float]
_open_logs: weakref.WeakSet[MetricLog] = weakref.WeakSet()


class MetricLog:
    """Appends metrics to one run. Never blocks on the disk, never raises into the caller.

    Args:
        paths: the run's files; a torn record or key line left by a kill is cut off first.
        monitor, goal: the metric, and its direction, whose best value `best` keeps.

    Raises:
        LabError: another process writes this log.
    """

    def __init__(self, paths: RunPaths, monitor: str = "", goal: str = "min") -> None:
        self.last: dict[str, float] = {}
        """Newest value of each metric that this process wrote."""
        self.best: dict[str, Any] | None = None
        """Metric, goal, value and step of the monitored metric's best value, if there is one."""
        self.step = 0
        self._rows: deque[Row] = deque()
        self._unwritten = b""
        self._unwritten_keys = b""
        self._warned: set[str] = set()
        self._monitor, self._goal = monitor, goal
        self._open(paths)
        self._awake = False
        self._wake, self._closing = threading.Event(), threading.Event()
        self._writing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="labtui-log", daemon=True)
        self._thread.start()
        _open_logs.add(self)

    def _open(self, paths: RunPaths) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._bin = os.open(paths.metrics, flags, 0o600)
        try:
            fcntl.flock(self._bin, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._bin)
            raise LabError(f"{paths.metrics}: another process writes this metric log") from None
        self._keys_file = os.open(paths.keys, flags, 0o600)
        names = os.pread(self._keys_file, os.fstat(self._keys_file).st_size, 0)
        whole = names.rfind(b"\n") + 1
        if whole < len(names):
            os.ftruncate(self._keys_file, whole)
        size = os.fstat(self._bin).st_size
        if size % RECORD:
            os.ftruncate(self._bin, size - size % RECORD)
        lines = names[:whole].decode("utf-8", "replace").split("\n")[:-1]
        self._keys = {name: number for number, name in enumerate(lines)}
        self._count = len(lines)

    def log(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Record values at a step (optimiser steps done; absent: one more than the last).

        NaN and infinities are values. A tensor is copied on its device, not synchronised.
        """
        now = time()
        if step is None:
            step = self.step + 1
        elif step.__class__ is not int:
            step = self._whole(step)
        self.step = step
        try:
            names, values = tuple(metrics), tuple(metrics.values())
            for value in values:
                if value.__class__ is not float:
                    values = tuple(map(_plain, values))
                    break
        except Exception as error:
            return self._warn(f"log() could not take {metrics!r:.80}: {error}")
        self._rows.append((names, values, step, now))
        if not self._awake:
            self._awake = True
            self._wake.set()

    def void_after(self, step: int) -> None:
        """Declare all earlier records with a step above this one void (resume from a checkpoint)."""
        self._rows.append((("",), (0.0,), step, time()))
        self.step = step
        self._awake = True
        self._wake.set()

    def flush(self) -> bool:
        """Write all that was logged so far; False when the disk does not take it."""
        with self._writing:
            self._write()
            return not self._unwritten and not self._unwritten_keys

    def close(self) -> bool:
        """Flush and let go of the files; False when something could not be written."""
        if self._closing.is_set():
            return True
        self._closing.set()
        self._wake.set()
        self._thread.join(timeout=10)
        done = self.flush()
        _open_logs.discard(self)
        os.close(self._bin)
        os.close(self._keys_file)
        return done

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            # In this order a row that arrives during the write wakes the next round.
            self._wake.clear()
            self._awake = False
            try:
                with self._writing:
                    self._write()
            except Exception as error:
                self._warn(f"the metric log's thread: {error!r}")
            if self._unwritten:
                self._wake.set()
            self._closing.wait(1.0 if self._unwritten else PAUSE)

    def _write(self) -> None:
        while True:
            rows = [self._rows.popleft() for _ in range(min(len(self._rows), _BATCH))]
            packed = [self._pack(names, list(group)) for names, group in groupby(rows, itemgetter(0))]
            self._unwritten += b"".join(packed)
            # A name must be on disk before its first record.
            self._unwritten_keys = self._append(self._keys_file, self._unwritten_keys)
            if not self._unwritten_keys:
                self._unwritten = self._append(self._bin, self._unwritten)
            if not self._rows:
                return

    def _append(self, fd: int, data: bytes) -> bytes:
        """Write what the disk takes; the rest comes back, to be written later."""
        while data:
            try:
                data = data[os.write(fd, data) :]
            except OSError as error:
                self._warn(f"metrics cannot be written ({error.strerror}); kept in memory, tried again")
                break
        return data

    def _pack(self, names: tuple[str, ...], rows: list[Row]) -> bytes:
        """Rows that share their names as records, in the order of logging."""
        _, values, steps, times = zip(*rows, strict=True)
        try:
            columns = [array("d", column) for column in zip(*values, strict=True)]
            step_column = array("q", steps)
        except Exception:
            return self._pack_one_by_one(names, rows)
        width = 4 * len(names)
        records = array("q", bytes(8 * width * len(rows)))
        time_bits = array("q", array("d", times).tobytes())
        for place, (name, column) in enumerate(zip(names, columns, strict=True)):
            records[4 * place :: width] = array("q", [self._key(name)]) * len(rows)
            records[4 * place + 1 :: width] = step_column
            records[4 * place + 2 :: width] = time_bits
            records[4 * place + 3 :: width] = array("q", column.tobytes())
            if name:
                self.last[name] = column[-1]
            if name and name == self._monitor:
                self._keep_best(column, step_column)
        if sys.byteorder == "big":
            records.byteswap()
        return records.tobytes()

    def _keep_best(self, values: array[float], steps: array[int]) -> None:
        finite = [(value, -place) for place, value in enumerate(values) if value - value == 0]
        if not finite:
            return
        value, place = max(finite) if self._goal == "max" else min(finite, key=lambda f: (f[0], -f[1]))
        known = None if self.best is None else self.best["value"]
        if known is None or (value > known if self._goal == "max" else value < known):
            step = steps[-place]
            self.best = {"metric": self._monitor, "goal": self._goal, "value": value, "step": step}

    def _pack_one_by_one(self, names: tuple[str, ...], rows: list[Row]) -> bytes:
        """The slow way, which leaves out single values that are no numbers."""
        packed = b""
        for _, values, step, now in rows:
            for name, value in zip(names, values, strict=True):
                try:
                    number = float(value)
                    array("q", (step,))
                except Exception as error:
                    self._warn(f"{name} at step {step!r:.40} was not recorded: {error}")
                else:
                    packed += self._pack((name,), [((name,), (number,), step, now)])
        return packed

    def _key(self, name: Any) -> int:
        if name == "":
            return VOID
        key = self._keys.get(name)
        if key is None:
            # Unreadable characters in a name must not break the list of names.
            clean = str(name).encode("utf-8", "backslashreplace").decode()
            clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in clean)
            key = self._keys.setdefault(clean, self._count)
            self._keys[name] = key
            if key == self._count:
                self._count += 1
                self._unwritten_keys += clean.encode() + b"\n"
        return key

    def _whole(self, step: Any) -> int:
        try:
            return int(step)
        except (TypeError, ValueError, OverflowError):
            self._warn(f"step {step!r:.40} is not a whole number; the last step is used")
            return self.step

    def _warn(self, message: str) -> None:
        if message not in self._warned and len(self._warned) < 100:
            self._warned.add(message)
            print(f"labtui: {message}", file=sys.stderr, flush=True)

    def _forget(self) -> None:
        """In a forked child: the rows, the files and the run belong to the parent."""
        self._rows = deque(maxlen=0)
        self._unwritten = self._unwritten_keys = b""
        self._awake = True
        self._closing = threading.Event()
        self._closing.set()
        self._writing = threading.Lock()
        os.close(self._bin)
        os.close(self._keys_file)


def _plain(value: Any) -> Any:
    """A number as float; a tensor as a copy that later changes in place cannot reach."""
    if hasattr(value, "detach"):
        return value.detach().clone()
    return float(value)


def _after_fork() -> None:
    for log in list(_open_logs):
        log._forget()
    _open_logs.clear()


os.register_at_fork(after_in_child=_after_fork)
