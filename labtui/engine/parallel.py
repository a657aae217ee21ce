"""A training in several processes: this one starts them with torch's own launcher, and watches.

    labtui.engine           the run's worker; on each machine one, of which the first attaches
    └── labtui.engine.rank  the processes that train, started by torch.distributed.run in a thread here;
                            the first of all writes metrics, checkpoints and the result

Nothing trains on unseen: the kernel kills a process whose worker has ended, and when one of them
fails the others are ended. The first that fails says why (`labtui.engine.failure`): what the others say
then is a consequence. When one was killed, the worker ends by the same signal, so that whoever
started it finds what it would find of a single process.

On several machines of a Slurm job, `srun` starts one worker on each.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from labtui.engine import failure
from labtui.errors import LabtuiError, TrainingError
from labtui.files import toml
from labtui.files.atomic import read_json
from labtui.files.layout import layout
from labtui.files.paths import RunPaths
from labtui.files.process import host
from labtui.files.tell import tell
from labtui.writer import Run

GRACE = 5.0
"""Seconds that the others have to end when one has failed: the first writes the result."""
AT_ONCE = 1.0
"""The same, when the run is to be killed."""
LOOK = 0.2
LOST = 75
"""Exit status of a process that only says that another one is gone."""


class Told(LabtuiError):
    """The run says already how it ended."""


def lead(run: Run, tables: Mapping[str, Any], asked: Callable[[], str | None]) -> str | None:
    """Have the run's processes started, and wait until they have ended.

    Returns:
        None when they ended by themselves, else what was asked.

    Raises:
        Told: they failed; the result is written.
        TrainingError: they failed, and nobody said why.
    """
    pieces = 0
    while True:
        ranks = Ranks(run.paths, run.attempt, tables, pieces)
        ranks.watch(asked)
        result = read_json(run.paths.result) or {}
        if result.get("attempt") == run.attempt:
            run.leave()
            run.paths.failure(run.attempt).unlink(missing_ok=True)
            if result.get("outcome") == "failed":
                raise Told(result.get("message", ""))
            return asked()
        why = failure.first(run.paths, run.attempt, 0 if ranks.alone else GRACE)
        run.paths.failure(run.attempt).unlink(missing_ok=True)
        if not why and (word := asked()):
            return word
        pieces = why.pop("accumulate", 0)
        if not pieces or not ranks.alone:
            break
        tell(f"labtui: {why['message']}: starting again with train.accumulate = {pieces}")
    if number := why.pop("signal", 0):
        _end_by(number)
    if not why:
        raise TrainingError("error", "the processes of the training have lost each other; see the log")
    run.finish("failed", **why)
    raise Told(why["message"])


def assist(paths: RunPaths, attempt: int, asked: Callable[[], str | None]) -> int:
    """Have the processes on a further machine of a run started; the exit status."""
    os.environ["LABTUI_LAB"] = str(paths.lab.root)
    os.chdir(paths.workplace)
    return Ranks(paths, attempt, toml.read(paths.recipe), 0).watch(asked)


def further(paths: RunPaths) -> bool:
    """Whether this is not the first machine of a run on several."""
    # A job of the user's own, in which a run was started, is none of the run's.
    return int(os.environ.get("SLURM_NODEID") or 0) > 0 and layout(toml.read(paths.recipe))[0] > 1


class Ranks:
    """The processes of a run on this machine, started and reaped by torch's own launcher.

    Args:
        tables: the recipe.
        pieces: instead of `train.accumulate`; 0: as that says.
    """

    def __init__(self, paths: RunPaths, attempt: int, tables: Mapping[str, Any], pieces: int) -> None:
        self.paths, self.attempt = paths, attempt
        nodes, each = layout(tables)
        self.alone, self.of = nodes == 1, nodes * each
        program = [sys.executable, "-P", "-m", "labtui.engine.rank"]
        program += [str(paths.root), str(attempt), str(os.getpid()), str(pieces)]
        self._arguments = [f"--nproc-per-node={each}", "--no-python", *program]
        self._arguments[:0] = _standalone() if self.alone else _meeting(nodes)
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, len(os.sched_getaffinity(0)) // each)))
        self._error: BaseException | None = None
        # Not in the main thread, where the launcher would take the signals.
        self._thread = threading.Thread(target=self._launch, daemon=True)
        self._fds: dict[int, int] = {}
        """Of those that live: pidfd to pid."""
        self._seen: set[int] = set()
        self._told: set[int] = set()
        """Those that were asked to stop."""

    def watch(self, asked: Callable[[], str | None]) -> int:
        """Start them, wait for their end, pass on what is asked of them; 0 if all went well."""
        self._thread.start()
        deadline = None
        while self._thread.is_alive():
            word = asked()
            if self._look() and deadline is None:
                deadline = time.monotonic() + GRACE
            if word == "kill" and deadline is None:
                deadline = time.monotonic() + AT_ONCE
            if word:
                self._stop()
            if deadline and time.monotonic() > deadline:
                self._kill()
        self._say()
        return int(self._error is not None)

    def _launch(self) -> None:
        logging.getLogger("torch.distributed.elastic").setLevel(logging.ERROR)
        try:
            from torch.distributed import run as launcher

            with tempfile.TemporaryDirectory(prefix="labtui-") as logs:
                arguments = [f"--log-dir={logs}", *self._arguments]
                launcher.run(launcher.parse_args(arguments))  # type: ignore[no-untyped-call]
        except (Exception, SystemExit) as error:
            self._error = error

    def _look(self) -> bool:
        """Wait a moment; whether one of them has failed meanwhile."""
        with suppress(OSError):
            children = f"/proc/self/task/{self._thread.native_id}/children"
            for pid in map(int, Path(children).read_text().split()):
                if pid not in self._seen:
                    self._seen.add(pid)
                    self._fds[os.pidfd_open(pid)] = pid
        poll = select.poll()
        for fd in self._fds:
            poll.register(fd, select.POLLIN)
        failed = False
        for fd, _ in poll.poll(LOOK * 1000):
            del self._fds[fd]
            with suppress(ChildProcessError):  # the launcher was quicker, and ends the others itself
                # It is left for the launcher to reap.
                ended = os.waitid(os.P_PIDFD, fd, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                failed |= ended is not None and ended.si_status != 0
            os.close(fd)
        return failed

    def _stop(self) -> None:
        """Ask them to stop: the first one tells the others when."""
        # Once only: at its very end Python listens no more.
        for fd, pid in self._fds.items():
            if pid in self._told:
                continue
            self._told.add(pid)
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(fd, signal.SIGTERM)

    def _kill(self) -> None:
        for pid in self._fds.values():
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)  # each leads a session

    def _say(self) -> None:
        """Say how they failed, unless one of them has said why."""
        failures = getattr(self._error, "failures", {})
        for rank, one in sorted(failures.items(), key=lambda item: item[1].exitcode):  # signals first
            if one.exitcode != LOST and not (one.exitcode < 0 and one.pid in self._told):
                how = f"ended with exit status {one.exitcode}"
                if one.exitcode < 0:
                    how = f"was killed by {signal.Signals(-one.exitcode).name}"
                message = f"process {rank} of {self.of} (pid {one.pid} on {host()}) {how}; see the log"
                more = {"signal": -one.exitcode} if one.exitcode < 0 else {}
                if failure.say(self.paths, self.attempt, "error", message, **more):
                    tell(f"labtui: {message}")
                return
        if self._error and not failures:
            message = f"the processes of the training cannot be started: {self._error}"
            failure.say(self.paths, self.attempt, "launch", message)


def _standalone() -> list[str]:
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # a machine may not know itself by name
    return ["--standalone", "--local-addr=localhost"]


def _meeting(nodes: int) -> list[str]:
    """Where the machines of a Slurm job find each other: on the one that runs `srun`, its first."""
    try:
        number, first, job = (
            os.environ[f"SLURM_{name}"] for name in ("NODEID", "LAUNCH_NODE_IPADDR", "JOB_ID")
        )
    except KeyError as error:
        raise TrainingError(
            "launch", f"resources.nodes = {nodes}, and {error} is not set: srun starts such a run"
        ) from None
    # Below the ports that the kernel gives to others.
    port = 15_000 + int(job) % 15_000
    return [
        "--rdzv-backend=static",
        f"--nnodes={nodes}",
        f"--node-rank={number}",
        f"--master-addr={first}",
        f"--master-port={port}",
    ]


def _end_by(number: int) -> None:
    """End as the process that was killed did."""
    with suppress(OSError, ValueError):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
