"""The writing side of the Python API: a run seen from the process that trains.

    with labtui.init(recipe="my-exp", params={"lr": 1e-3}, monitor="val.acc") as run:
        run.log({"train.loss": loss}, step=step)

The engine writes its runs through the same class. Standard library and a TOML writer only.
"""

from __future__ import annotations

import _thread
import atexit
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from labtui.errors import LabError, LaunchError
from labtui.files import process, rundir
from labtui.files.atomic import finite, locked, read_json, replacing, write_json
from labtui.files.goals import goal_of
from labtui.files.layout import layout
from labtui.files.metriclog import MetricLog, last_step
from labtui.files.paths import RunPaths, find_lab
from labtui.files.tell import tell

HEARTBEAT = 15.0
"""Most seconds between two touches of `heartbeat`."""
_BEATS = 4
"""Touches within `resources.hang_timeout`, so that a step that moves is seen to move."""
SETTLED = 1.0
"""Seconds after which a script's run has its environment recorded."""
_RESERVE = 64 * 1024
_LOOK = 0.2


class Run:
    """One attempt of a run. Use `init` (a script) or `attach` (a worker) to get one.

    Args:
        paths: the run's files.
        attempt: number of the attempt.
        guest: the script runs inside a `command` run, whose wrapper owns process, result and heartbeat.
        metrics: whether this process writes the metric log.
        monitor, goal: the metric whose best value `result.json` names when `finish` is not told.
        settled: seconds after which the environment is worth recording; it costs as much as many
            a short script.
        beats: whether this process keeps `heartbeat` and the environment.
        hang_timeout: seconds after which somebody takes an unchanged step in `heartbeat` for a hang.
        like: another run of this process, whose environment is this one's too.
    """

    log: Callable[..., None]
    """`log(metrics, step=None)`: record metrics, named `split.metric`, at a step (optimiser steps
    done). Takes numbers and one-element tensors; a tensor is copied, not synchronised. Never blocks
    on the disk and never raises: what cannot be recorded is told on stderr, once."""

    def __init__(
        self,
        paths: RunPaths,
        attempt: int,
        *,
        guest: bool = False,
        metrics: bool = True,
        monitor: str = "",
        goal: str = "min",
        settled: float = 0.0,
        beats: bool = True,
        hang_timeout: float | None = None,
        like: Run | None = None,
    ) -> None:
        self.paths, self.attempt, self.guest, self._like = paths, attempt, guest, like
        self._started = time.time()
        self._settled, self._folder = settled, Path.cwd()
        self._pause = min(HEARTBEAT, hang_timeout / _BEATS) if hang_timeout else HEARTBEAT
        self._pid = os.getpid()
        self._finished, self._recorded = threading.Event(), threading.Event()
        self._look_at, self._asked = 0.0, None
        self._metrics: MetricLog | None = None
        if metrics:
            try:
                self._metrics = MetricLog(paths, monitor, goal)
            except (LabError, OSError) as error:
                tell(f"labtui: metrics of this process are not recorded: {error}")
        # The log's own method, so that a call costs one Python frame and not two.
        self.log = self._metrics.log if self._metrics else _nowhere
        if guest and attempt > 1 and self._metrics:
            self.log = self._first_log
        if beats and not guest:
            _thread.start_new_thread(self._beat, ())
        else:
            self._recorded.set()
        atexit.register(self._at_exit)

    @property
    def id(self) -> str:
        """The run's id."""
        return self.paths.id

    @property
    def step(self) -> int:
        """The newest step."""
        return self._metrics.step if self._metrics else last_step(self.paths)

    def _first_log(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """A program that was resumed goes on from its first step: what was there beyond is void."""
        assert self._metrics
        if self.log == self._first_log:
            self._metrics.void_after(step - 1 if isinstance(step, int) else -1)
            self.log = self._metrics.log
        self._metrics.log(metrics, step)

    def void_after(self, step: int) -> None:
        """Declare earlier records with a step above this one void (resume from a checkpoint)."""
        if self._metrics:
            self._metrics.void_after(step)

    def flush(self) -> bool:
        """Wait until all that was logged is in the file; False when the disk does not take it."""
        return self._metrics.flush() if self._metrics else True

    def artifact(self, name: str, value: Any) -> Path:
        """Keep a result beside the run, replaced whole when it is written again.

        Args:
            name: a file name without extension.
            value: anything JSON can hold (arrays and tensors become lists), or a mapping of names
                to numpy arrays, kept as NPZ.

        Raises:
            LabError: the name is no plain file name, or the artifact cannot be written.
        """
        if not name or name.startswith(".") or "/" in name or "\0" in name:
            raise LabError(f"artifact {name!r}: the name must be a plain file name")
        from labtui.files.plain import array, listed

        folder = self.paths.artifacts
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            if value and isinstance(value, dict) and all(hasattr(v, "__array__") for v in value.values()):
                import numpy

                path = folder / f"{name}.npz"
                with replacing(path, fsync=False) as file:
                    numpy.savez_compressed(file, **{key: array(v) for key, v in value.items()})
            else:
                path = folder / f"{name}.json"
                write_json(path, finite(listed(value)), fsync=False)
        except OSError as error:
            raise LabError(f"{folder}: {name} cannot be written ({error.strerror})") from error
        return path

    def asked(self) -> str | None:
        """ "stop" or "kill" when somebody asked for it, else None. Cheap enough for every step."""
        now = time.monotonic()
        if self._asked is None and now > self._look_at:
            self._look_at = now + _LOOK
            control = read_json(self.paths.control)
            if control and control.get("attempt") == self.attempt:
                self._asked = control.get("action")
        return self._asked

    def finish(
        self,
        outcome: str = "finished",
        reason: str = "",
        message: str = "",
        best: Mapping[str, Any] | None = None,
        facts: Mapping[str, Any] | None = None,
        traceback: str = "",
    ) -> None:
        """Write all metrics and the result; the second call does nothing.

        Args:
            outcome: finished, failed, stopped or preempted.
            reason: why it failed: error, oom, disk-full, nan, timeout, hang, launch.
            message: what happened and what to do, for people.
            best: metric, goal, step, epoch and value of the best epoch; absent: from the log.
            facts: parameters, layers, steps per epoch and the like.
            traceback: of the error that ended it.
        """
        if self._finished.is_set() or os.getpid() != self._pid:
            return
        self._finished.set()
        atexit.unregister(self._at_exit)
        log = self._metrics
        if log and not log.close():
            tell(f"labtui: some metrics of {self.id} could not be written: disk full?")
        with suppress(OSError):  # only now: on a full disk its room is for the result
            (self.paths.root / ".reserve").unlink()
        if self.guest:
            return
        found = dict(best) if best else (log.best if log else None)
        result = {
            "attempt": self.attempt,
            "outcome": outcome,
            "reason": reason,
            "message": message,
            "best": found,
            "last": log.last() if log else {},
            "facts": dict(facts or {}),
            "traceback": traceback,
            "started": self._started,
            "ended": time.time(),
        }
        try:
            write_json(self.paths.result, result)
        except OSError as error:
            tell(f"labtui: the result of {self.id} could not be written: {error}")
        if not self._settled:  # long done, unless the work was very short
            self._recorded.wait(5)
        _release(self.paths)

    def leave(self) -> None:
        """End without a word: another process of this run has said how it ended."""
        self._finished.set()
        atexit.unregister(self._at_exit)
        self._recorded.wait(5)

    def _beat(self) -> None:
        """Record the environment, and touch `heartbeat` with the current step until the end."""
        self._touch()
        if not self._settled or not self._finished.wait(self._settled):
            # Beside the beat: git may take its time in a large or slow folder.
            _thread.start_new_thread(self._record, ())
        else:
            self._recorded.set()
        while not self._finished.wait(self._pause):
            self._touch()

    def _record(self) -> None:
        from labtui import environment

        known = self._like and self._like._recorded.wait(30) and read_json(self._like.paths.environment)
        if known:
            with suppress(OSError):
                write_json(self.paths.environment, known, fsync=False)
        else:
            environment.record(self.paths.environment, self._folder)
        self._recorded.set()

    def _touch(self) -> None:
        with suppress(OSError):
            fd = os.open(self.paths.heartbeat, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                # Written over in place: never empty for a reader, and no new room on a full disk.
                os.pwrite(fd, b"%-19d\n" % self.step, 0)
            finally:
                os.close(fd)

    def _at_exit(self) -> None:
        # What ended the script; the status of a bare sys.exit() is not to be had here.
        self._ended_by(getattr(sys, "last_value", None))

    def _ended_by(self, error: BaseException | None) -> None:
        """Finish as an error says: none and exit status 0 finished, Ctrl-C stopped, others failed."""
        if error is None or (isinstance(error, SystemExit) and not error.code):
            self.finish()
        elif isinstance(error, KeyboardInterrupt):
            self.finish("stopped")
        else:
            import traceback

            text = "".join(traceback.format_exception(error))
            self.finish("failed", "error", f"{type(error).__name__}: {error}", traceback=text)

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended_by(error)


def init(
    recipe: str = "run",
    params: Mapping[str, Any] | None = None,
    tags: list[str] | None = None,
    goals: Mapping[str, str] | None = None,
    monitor: str = "",
    description: str = "",
    lab: str | Path | None = None,
) -> Run:
    """Begin a run of this script, or join the `command` run that started it (`$LABTUI_RUN`).

    Args:
        recipe: the run's name, in any script.
        params: numbers, strings, booleans, lists and tables of them.
        tags: words to filter by.
        goals: metric to "min" or "max", for metrics that labtui does not know.
        monitor: the metric that says which step is best.
        description: what the run is for.
        lab: the lab folder; absent: `$LABTUI_LAB`, the nearest parent that is a lab, or here.

    Inside a `command` run the recipe says all of this, and what is given here is not used.

    Raises:
        LabError: the lab cannot be written; a value has no TOML form; a goal is no direction.
    """
    joined = os.environ.get("LABTUI_RUN")
    if joined:
        paths = RunPaths(Path(joined))
        attempt = (read_json(paths.process) or {}).get("attempt", 1)
        return Run(paths, attempt, guest=True)
    from labtui.files.plain import tomlable

    recipe, monitor, goals = str(recipe), str(monitor), dict(goals or {})
    for metric, goal in goals.items():
        if goal not in ("min", "max"):
            raise LabError(f'goals: {metric} is {goal!r}, expected "min" or "max"')
    script = os.path.abspath(sys.argv[0]) if sys.argv and sys.argv[0] not in ("", "-c") else ""
    tables: dict[str, Any] = {"format": 1, "name": recipe or "run", "description": description}
    tables |= {"tags": [str(tag) for tag in tags or []], "params": tomlable(params or {}), "goals": goals}
    tables |= {"validate": {"monitor": monitor} if monitor else {}, "origin": {"script": script}}
    tables = {key: value for key, value in tables.items() if value not in ("", [], {})}
    try:
        paths = rundir.create(find_lab(lab), tables["name"], tables, queued=False)
    except TypeError as error:
        raise LabError(f"params: {error}; give numbers, strings, booleans or lists of them") from None
    rundir.claim(paths, 1)
    _occupy(paths, 1, "script")
    return Run(paths, 1, monitor=monitor, goal=goal_of(monitor, goals) or "min", settled=SETTLED)


def attach(root: Path, attempt: int, like: Run | None = None) -> Run:
    """Take over a claimed run as its worker: writes `process.json`, starts the heartbeat.

    Args:
        attempt: what this worker was started for. A worker that comes late, after somebody gave the
            run up and asked for a new attempt, is turned away here.
        like: another run that this process has taken over.

    Raises:
        LaunchError: the directory is not queued, not claimed, or another process has it.
    """
    paths = RunPaths(root)
    with locked(root):
        queue = read_json(paths.queue)
        if queue is None or queue.get("directory") != rundir.directory(root):
            raise LaunchError(f"{root}: not queued; start it with `labtui resume {root.name}`")
        if queue.get("attempt") != attempt:
            raise LaunchError(f"{root}: attempt {attempt} is no longer asked for")
        if not paths.claim(attempt).exists():
            raise LaunchError(f"{root}: attempt {attempt} was not claimed by a launcher")
        known = read_json(paths.process) or {}
        if known.get("directory") != rundir.directory(root):
            known = {}  # copied with the directory
        at_work = process.alive(known) and not known.get("released")
        if at_work or known.get("attempt") == attempt:
            raise LaunchError(f"{root}: attempt {attempt} was already started")
        given = rundir.claimed(paths, attempt)[0] | {"job": rundir.job_of(paths, attempt) or None}
        _occupy(paths, attempt, "labtui", gpus=given.get("gpus", []), job=given["job"])
        for stale in (*root.glob(".*.tmp"), *paths.checkpoints.glob(".*.tmp")):
            stale.unlink(missing_ok=True)  # what a killed writer left half done
    _reserve(paths)
    from labtui.files.toml import read

    tables = read(paths.recipe)
    hang_timeout = tables.get("resources", {}).get("hang_timeout")
    # A program's own metrics are written by it, those of several processes by their first.
    alone = "command" not in tables and layout(tables) == (1, 1)
    return Run(paths, attempt, metrics=alone, hang_timeout=hang_timeout, like=like)


def _occupy(paths: RunPaths, attempt: int, launcher: str, **more: Any) -> None:
    here = {"attempt": attempt, "launcher": launcher, "directory": rundir.directory(paths.root)}
    record = process.identity() | more | here | {"time": time.time()}
    write_json(paths.process, record, fsync=False)


def _release(paths: RunPaths) -> None:
    """Say that the process, which may live on in a notebook or a script, has left the run."""
    record = read_json(paths.process)
    if record:
        with suppress(OSError):
            write_json(paths.process, record | {"released": time.time()}, fsync=False)


def _reserve(paths: RunPaths) -> None:
    """Keep room on the disk for the result, which must be written also when the disk is full."""
    with suppress(OSError):
        fd = os.open(paths.root / ".reserve", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(fd, 0, _RESERVE)
        finally:
            os.close(fd)


def _nowhere(metrics: Mapping[str, Any], step: int | None = None) -> None:
    """Stands in for the log when another process writes it."""
