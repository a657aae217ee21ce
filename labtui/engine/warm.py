"""The warm parent of workers: `python -P -m labtui.engine.warm`, its stdin a socket to the supervisor.

Starting Python and importing torch takes longer than many a small training. This process does both
once, then forks a worker for each request, which finds everything loaded. (multiprocessing's own
fork server loads only what it was told at its start, and is made for functions, not for programs.)
What is on disk may change meanwhile: children run the code that was loaded.

Messages are JSON in a sequenced-packet socket. A request holds its number `request`, `run`
(directory), `attempt`, `environment` (variables to set), `folder` (to work in), `log`, and what is to
be loaded: the recipe's `data`, `model` and `scheme`. Answers hold the number and one of

    pid             the worker is at work; it says so itself, so that nothing works unannounced
    error           it could not begin, and nothing works
    pid, status     it has ended: exit status, negative for a signal

When the supervisor closes its end this process leaves at once, and the workers go on without it.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import io
import json
import os
import random
import select
import signal
import socket
import sys
from contextlib import suppress
from typing import Any

from labtui.engine.load import load, load_parts

_MOST = 1 << 16


def serve(channel: socket.socket) -> dict[str, Any] | None:
    """Fork a child for each request, and say how children end.

    Returns:
        In a child the request that it is to work on; in the parent None, when nobody asks any more.
    """
    children: dict[int, tuple[int, int]] = {}
    """Request and pid, by pidfd."""
    events = select.poll()
    events.register(channel, select.POLLIN)
    while True:
        for fd, event in events.poll():
            if fd in children:
                number, pid = children.pop(fd)
                events.unregister(fd)
                os.close(fd)
                status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                say(channel, request=number, pid=pid, status=status)
            elif event & ~select.POLLIN:
                channel.close()
                return None
            else:
                request: dict[str, Any] = json.loads(channel.recv(_MOST))
                load_parts(request["data"], request["model"], request["scheme"])
                try:
                    pid = os.fork()
                except OSError as error:
                    say(channel, request=request["request"], error=f"cannot fork: {error.strerror}")
                    continue
                if pid == 0:
                    for fd in children:
                        os.close(fd)
                    return request
                fd = os.pidfd_open(pid)
                children[fd] = (request["request"], pid)
                events.register(fd, select.POLLIN)


def holds_gpu() -> bool:
    """Whether this process has a GPU open: no child could use one then (CUDA forbids it)."""
    files = []
    for fd in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the list's own
            files.append(os.readlink(f"/proc/self/fd/{fd}"))
    return any(file.startswith("/dev/nvidia") for file in files)


def say(channel: socket.socket, **answer: Any) -> bool:
    """Send an answer; False when nobody is there to hear it."""
    with suppress(OSError):
        channel.send(json.dumps(answer).encode())
        return True
    return False


def begin(request: dict[str, Any], channel: socket.socket) -> bool:
    """Make of a forked child what it would be had it been started for this request.

    Returns:
        False when it cannot work, or nobody would know that it does.
    """
    gc.enable()
    os.setsid()
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        os.chdir(request["folder"])
        with open(request["log"], "ab") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
    except OSError as error:
        say(channel, request=request["request"], error=f"{error.filename}: {error.strerror}")
        return False
    os.environ.update(request["environment"])
    disperse()
    limit_threads()
    heard = say(channel, request=request["request"], pid=os.getpid())
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), channel.detach())
    return heard


def disperse() -> None:
    """Give each random generator a seed of this process's own."""
    import numpy
    import torch

    random.seed()
    numpy.random.seed()
    torch.seed()


def limit_threads() -> None:
    """Do what `OMP_NUM_THREADS` does for a process that is started with it."""
    import torch
    from threadpoolctl import threadpool_limits

    if (threads := os.environ.get("OMP_NUM_THREADS", "")).isdigit():
        torch.set_num_threads(int(threads))
        threadpool_limits(int(threads))


def end(status: int) -> None:
    """End this process without taking apart all that was loaded, which takes 0.3 s.

    Meant to be the last of the exit handlers, when threads have been waited for. As at the end of
    any process open files are written; objects are not torn down (as in multiprocessing's children).
    """
    files = [thing for thing in gc.get_objects() if issubclass(type(thing), io.IOBase)]
    for file in (*files, sys.stdout, sys.stderr):
        with suppress(Exception):
            file.flush()
    ctypes.CDLL(None).fflush(None)  # what parts written in C have printed
    os._exit(status)


def main() -> int:
    """Serve until nobody asks any more, or work on a run in a child; the exit status."""
    status = 1
    # Registered first, it runs last.
    atexit.register(lambda: end(status))
    gc.disable()
    load()
    if holds_gpu():
        sys.exit("labtui: torch takes hold of a GPU while it is imported: no worker can be forked")
    channel = socket.socket(fileno=sys.stdin.fileno())
    request = serve(channel)
    if request is None:
        status = 0
    elif begin(request, channel):
        from labtui.engine import __main__ as worker

        sys.argv = [worker.__file__, request["run"], str(request["attempt"])]
        status = worker.main(sys.argv[1:])
    return status


if __name__ == "__main__":
    sys.exit(main())
