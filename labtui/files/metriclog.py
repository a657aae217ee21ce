"""The metric log's writer: an append-only array of 32-byte records and a list of names.

`metrics.bin` holds little-endian `(key: int64, step: int64, time: float64, value: float64)`; line k
of `metrics.keys` names key k and is written before its first record. `log` packs and queues; a
thread writes, so that no call waits for the disk.
"""

from __future__ import annotations

import _thread
import fcntl
import os
import struct
import threading
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from time import time
from typing import Any

from labtui.errors import LabError
from labtui.files.paths import RunPaths
from labtui.files.tell import tell

RECORD = 32
VOID = -1
"""Key of a record that says: earlier records with a step above mine are void."""
PAUSE = 0.1
"""Seconds between two writes: what a kill can cost at most, well below 0.25 s."""

_pack_one = struct.Struct("<qqdd").pack
_open_logs: weakref.WeakSet[MetricLog] = weakref.WeakSet()


def last_step(paths: RunPaths) -> int:
    """Step of the newest whole record in the metric log, whoever writes it; 0 if there is none."""
    with suppress(OSError), open(paths.metrics, "rb") as file:
        whole = os.fstat(file.fileno()).st_size // RECORD
        if whole:
            file.seek((whole - 1) * RECORD + 8)
            return int.from_bytes(file.read(8), "little", signed=True)
    return 0


class _Plan:
    """How the metrics of one kind of `log` call are packed; made once for each set of names."""

    __slots__ = ("keys", "last", "late", "pack", "watched")

    def __init__(self, keys: list[int], watched: int | None) -> None:
        self.keys = keys
        self.watched = watched
        self.late = False
        self.last = b""
        # One call of pack for all records is three times as fast as one for each. The generated
        # text holds numbers only.
        arguments = ", ".join(f"{key}, s, t, v[{place}]" for place, key in enumerate(keys))
        pack = struct.Struct("<" + "qqdd" * len(keys)).pack
        self.pack: Callable[[int, float, Any], bytes] = eval(f"lambda s, t, v: p({arguments})", {"p": pack})


_VOIDING = _Plan([VOID], None)


class _Refusing(dict[tuple[Any, ...], _Plan]):
    """Stands in for the plans of a log that is closed."""

    def get(self, *_: Any) -> Any:
        """Refuse."""
        raise LabError("closed")


class MetricLog:
    """Appends metrics to one run. Never blocks on the disk, never raises into the caller.

    Args:
        paths: the run's files; a torn record or key line left by a kill is cut off first.
        monitor, goal: the metric, and its direction, whose best value `best` keeps.

    Raises:
        LabError: another process writes this log.
    """

    def __init__(self, paths: RunPaths, monitor: str = "", goal: str = "min") -> None:
        self.best: dict[str, Any] | None = None
        """Metric, goal, value and step of the monitored metric's best value, if there is one."""
        self.step = 0
        """The newest step."""
        self._monitor, self._goal = monitor, goal
        # Never replaced, only added to and cut in single operations, which threads cannot tear.
        self._packed = bytearray()
        self._late: deque[tuple[_Plan, int, float, tuple[Any, ...]]] = deque()
        self._names: deque[bytes] = deque()
        self._unwritten: bytes | bytearray = b""
        self._unwritten_names: bytes | bytearray = b""
        self._plans: dict[tuple[Any, ...], _Plan] = {}
        self._warned: set[str] = set()
        self._open(paths)
        self._awake = False
        self._wake, self._closing = threading.Event(), threading.Event()
        self._naming, self._queueing, self._writing = (threading.Lock() for _ in range(3))
        # threading.Thread would wait until the thread has begun, milliseconds on a busy machine.
        _thread.start_new_thread(self._run, ())
        _open_logs.add(self)

    def _open(self, paths: RunPaths) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._bin = os.open(paths.metrics, flags, 0o600)
        try:
            fcntl.flock(self._bin, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._bin)
            if not isinstance(error, BlockingIOError):
                raise  # no locks on this file system
            raise LabError(f"{paths.metrics}: another process writes this metric log") from None
        self._names_file = os.open(paths.keys, flags, 0o600)
        names = os.pread(self._names_file, os.fstat(self._names_file).st_size, 0)
        whole = names.rfind(b"\n") + 1
        if whole < len(names):
            os.ftruncate(self._names_file, whole)
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
        try:
            if step is None:
                step = self.step + 1
            elif step.__class__ is not int:
                step = int(step)
            values = tuple(metrics.values())
            names = tuple(metrics)
            plan = self._plans.get(names) or self._plan(names)
            for value in values:
                if value.__class__ is not float:
                    values = tuple(map(_plain, values))
                    plan.late = plan.late or not all(value.__class__ is float for value in values)
                    break
            if plan.late or self._late:  # what comes after a waiting row waits too
                with self._queueing:
                    self._late.append((plan, step, now, values))
            else:
                plan.last = packed = plan.pack(step, now, values)
                self._packed += packed
                if plan.watched is not None:
                    self._keep_best(values[plan.watched], step)
            self.step = step
        except Exception as error:
            if self._closing.is_set():
                return self._warn("log() is of no use here: the run has ended, or is the parent process's")
            return self._warn(f"log() could not take {metrics!r:.200} at step {step!r:.40}: {error}")
        if not self._awake:
            self._awake = True
            self._wake.set()

    def void_after(self, step: int) -> None:
        """Declare all earlier records with a step above this one void (resume from a checkpoint)."""
        with self._queueing:
            if self._late:
                self._late.append((_VOIDING, step, time(), (0.0,)))
            else:
                self._packed += _pack_one(VOID, step, time(), 0.0)
        self.step = step
        self._awake = True
        self._wake.set()

    def last(self) -> dict[str, float]:
        """Newest value of each metric that this process wrote."""
        newest: dict[int, tuple[float, float]] = {}
        for plan in self._plans.values():
            for key, _, when, value in struct.iter_unpack("<qqdd", plan.last):
                if when >= newest.get(key, (0.0, 0.0))[0]:
                    newest[key] = (when, value)
        return {name: newest[key][1] for name, key in self._keys.items() if key in newest}

    def flush(self) -> bool:
        """Write all that was logged so far; False when the disk does not take it."""
        with self._writing:
            if not self._closing.is_set():
                self._write()
            return not self._unwritten and not self._unwritten_names

    def close(self) -> bool:
        """Flush and let go of the files; False when something could not be written."""
        with self._writing:
            if not self._closing.is_set():
                self._write()
                self._closing.set()
                self._plans = _Refusing(self._plans)
                os.close(self._bin)
                os.close(self._names_file)
        _open_logs.discard(self)
        # The thread need not be waited for: it finds the log closed. Later calls do not wake it.
        self._awake = True
        self._wake.set()
        return self.flush()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            # In this order a row that arrives during the write wakes the next round.
            self._wake.clear()
            self._awake = False
            full = not self.flush()
            if full:
                self._wake.set()
            self._closing.wait(1.0 if full else PAUSE)

    def _write(self) -> None:
        with self._queueing:  # so that no row that waits overtakes one that does not
            size = len(self._packed)
            packed = self._packed[:size]
            del self._packed[:size]
            late = list(self._late)
            self._late.clear()
        # Taken after the records: the names of all of them are in it, and are written first.
        names = b"".join(self._names.popleft() for _ in range(len(self._names)))
        self._unwritten_names = self._append(self._names_file, self._unwritten_names + names)
        for row in late:
            packed += self._pack_late(*row)
        self._unwritten = self._unwritten + packed if self._unwritten else packed
        if not self._unwritten_names:
            self._unwritten = self._append(self._bin, self._unwritten)

    def _append(self, fd: int, data: bytes | bytearray) -> bytes | bytearray:
        """Write what the disk takes; the rest comes back, to be written later."""
        done = 0
        try:
            while done < len(data):
                done += os.write(fd, data[done:] if done else data)
        except OSError as error:
            self._warn(f"metrics cannot be written ({error.strerror}); kept in memory, tried again")
        return data[done:]

    def _pack_late(self, plan: _Plan, step: int, now: float, values: tuple[Any, ...]) -> bytes:
        """Pack a row that held tensors, which waits for the device; leave out what is no number."""
        packed = []
        for place, (key, value) in enumerate(zip(plan.keys, values, strict=True)):
            try:
                number = float(value)
                packed.append(_pack_one(key, step, now, number))
            except Exception as error:
                name = next(n for n, k in self._keys.items() if k == key)
                self._warn(f"{name}: {value!r:.80} was not recorded: {error}")
                continue
            if place == plan.watched:
                self._keep_best(number, step)
        plan.last = b"".join(packed)
        return plan.last

    def _keep_best(self, value: float, step: int) -> None:
        if value - value != 0:  # NaN and infinities are never best
            return
        known = self.best["value"] if self.best else None
        if known is None or (value > known if self._goal == "max" else value < known):
            self.best = {"metric": self._monitor, "goal": self._goal, "value": value, "step": step}

    def _plan(self, names: tuple[Any, ...]) -> _Plan:
        with self._naming:
            keys = [self._key(name) for name in names]
            watched = names.index(self._monitor) if self._monitor in names else None
            return self._plans.setdefault(names, _Plan(keys, watched))

    def _key(self, name: Any) -> int:
        # A line of the list of names must stay one line, and readable.
        text = str(name).encode("utf-8", "backslashreplace").decode()
        text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text) or "unnamed"
        if text not in self._keys:
            self._keys[text] = self._count
            self._count += 1
            self._names.append(text.encode() + b"\n")
        return self._keys[text]

    def _warn(self, message: str) -> None:
        if message not in self._warned and len(self._warned) < 100:
            self._warned.add(message)
            tell(f"labtui: {message}")

    def _forget(self) -> None:
        """In a forked child: the rows, the files and the run belong to the parent."""
        self._packed.clear()
        self._late.clear()
        self._names.clear()
        self._unwritten = self._unwritten_names = b""
        self._awake = True
        self._naming, self._queueing, self._writing = (threading.Lock() for _ in range(3))
        self._closing = threading.Event()
        self._closing.set()
        self._plans = _Refusing()
        # The lock on the metric log is shared with the parent until the child lets go of it.
        os.close(self._bin)
        os.close(self._names_file)


def _plain(value: Any) -> Any:
    """A number as float; a tensor on a device as a copy that later changes in place cannot reach."""
    if not hasattr(value, "detach"):
        return float(value)
    value = value.detach()
    if getattr(value, "is_cpu", False) and value.numel() == 1:
        return value.item()  # nothing to wait for
    return value.clone()


def _after_fork() -> None:
    for log in list(_open_logs):
        log._forget()
    _open_logs.clear()


os.register_at_fork(after_in_child=_after_fork)
