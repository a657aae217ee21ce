"""Which process this is, and whether another one still lives (Linux).

A pid alone says little: it is reused, and it survives a reboot in a file. Pid, start time and boot
id together name one process for ever. Source: proc(5), pidfd_open(2).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import cache
from typing import Any

from labtui.errors import LaunchError

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


@cache
def boot_id() -> str:
    """Random id of this boot of the machine."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


@cache
def host() -> str:
    """Name of this machine."""
    return os.uname().nodename


def _stat(pid: int) -> tuple[str, int] | None:
    """State letter and start time (clock ticks since boot) of a process; None if there is none."""
    fields = _fields(pid)
    return (fields[0].decode(), int(fields[19])) if len(fields) > 19 else None


def _fields(pid: int) -> list[bytes]:
    """What the kernel says of a process, from its state on; empty if there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name in parentheses may hold spaces and parentheses itself.
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return []


def parent(pid: int) -> int:
    """The process that started another one, or took it over; 0 if there is none."""
    fields = _fields(pid)
    return int(fields[1]) if len(fields) > 1 else 0


def owner_and_name(pid: int) -> tuple[str, str] | None:
    """User and command name of a process; None where it cannot be seen."""
    import pwd

    try:
        user = os.stat(f"/proc/{pid}").st_uid
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            name = file.read().rstrip("\n")
    except OSError:
        return None
    try:
        return pwd.getpwuid(user).pw_name, name
    except KeyError:
        return str(user), name


def oom_kills() -> int:
    """Processes that the kernel has killed since boot because memory ran out (proc(5), vmstat)."""
    try:
        with open("/proc/vmstat") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("oom_kill ")), 0)
    except OSError:
        return 0


def identity(pid: int | None = None) -> dict[str, Any]:
    """What names a process for ever: pid, start time, boot id, host.

    For a process that has just ended the start time is -1, which fits no process.
    """
    pid = os.getpid() if pid is None else pid
    stat = _stat(pid)
    return {"pid": pid, "start": stat[1] if stat else -1, "boot": boot_id(), "host": host()}


def alive(process: dict[str, Any] | None) -> bool:
    """Whether the process of `identity` runs on this machine and is no zombie."""
    if not process or process.get("host") != host() or process.get("boot") != boot_id():
        return False
    pid = process.get("pid")
    stat = _stat(pid) if isinstance(pid, int) else None
    return stat is not None and stat[1] == process.get("start") and stat[0] not in "ZX"


def send(process: dict[str, Any], number: signal.Signals) -> bool:
    """Send a signal to exactly this process; False if it is gone.

    The pidfd is opened before the check, so the signal cannot reach a successor of the pid.

    Raises:
        LaunchError: it is another user's.
    """
    try:
        fd = os.pidfd_open(process["pid"])
    except (OSError, KeyError, TypeError):
        return False
    try:
        if not alive(process):
            return False
        signal.pidfd_send_signal(fd, number)
        return True
    except ProcessLookupError:
        return False
    except PermissionError:
        raise LaunchError(f"process {process['pid']} is another user's") from None
    finally:
        os.close(fd)


def kill_group(process: dict[str, Any]) -> bool:
    """Kill exactly this process, and its process group if it leads one; False if it is gone."""
    try:
        leads = alive(process) and os.getpgid(process["pid"]) == process["pid"]
        killed = send(process, signal.SIGKILL)
        if killed and leads:
            os.killpg(process["pid"], signal.SIGKILL)
    except ProcessLookupError:
        return False
    return killed


def tied() -> Callable[[], object]:
    """For a child between fork and exec (`preexec_fn`): the kernel kills it when this process ends.

    One system call takes no lock that another thread might have held at the fork.
    """
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def take_orphans() -> None:
    """From now on what this process's children leave behind becomes its own children, not those of
    process 1, which in many a container never asks how they ended."""
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def wait(process: dict[str, Any], timeout: float) -> bool:
    """Wait until the process has ended (a zombie has); False when it still lives after `timeout` s."""
    import select

    try:
        fd = os.pidfd_open(process["pid"])
    except (OSError, KeyError, TypeError):
        return True
    try:
        if not alive(process):
            return True
        return bool(select.select([fd], [], [], timeout)[0])
    finally:
        os.close(fd)
