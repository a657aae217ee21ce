"""What a run ran in: code, versions, hardware, command line. No environment variables."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from labtui.files.atomic import read_json, write_json
from labtui.files.paths import RunPaths
from labtui.files.tell import tell

PACKAGES = ("labtui", "torch", "numpy", "scipy", "scikit-learn")


def record(path: Path, folder: Path) -> None:
    """Write `environment.json`; a failure is told on stderr only.

    Args:
        folder: whose git commit is the run's code, unless the run has a snapshot that says so.
    """
    try:
        snapshot = read_json(RunPaths(path.parent).snapshot)
        write_json(path, gather(folder, snapshot), fsync=False)
    except Exception as error:
        tell(f"labtui: {path} could not be written: {error}")


def gather(folder: Path, snapshot: dict[str, Any] | None = None) -> dict[str, Any]:
    """Code (of the folder, or of the snapshot), versions, hardware and command line of this process."""
    known = {key: snapshot.get(key) for key in ("commit", "dirty")} if snapshot else None
    return {
        "code": known | {"snapshot": True} if known else code(folder),
        "versions": {"python": platform.python_version()} | _versions(),
        "hardware": {
            "host": platform.node(),
            "system": platform.platform(),
            "cpu": _field("/proc/cpuinfo", "model name") or platform.machine(),
            "cores": len(os.sched_getaffinity(0)),
            "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "gpus": gpus(),
        },
        "argv": [sys.executable, *sys.argv],
    }


def code(folder: Path) -> dict[str, Any] | None:
    """Git commit of a folder and whether tracked files differ from it; None if there is no git."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return None
    return {"commit": commit, "dirty": bool(_git(folder, "status", "--porcelain", "-uno"))}


def _git(folder: Path, *words: str) -> str | None:
    # Without optional locks a status never stands in the way of the user's own git.
    command = ["git", "--no-optional-locks", "-C", str(folder), *words]
    with suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(command, capture_output=True, timeout=10, check=False)
        if done.returncode == 0:
            return done.stdout.decode("utf-8", "replace").strip()
    return None


def gpus() -> list[str]:
    """Names of the machine's NVIDIA GPUs, from the driver's own table."""
    tables = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    return [name for table in tables if (name := _field(str(table), "Model"))]


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _field(path: str, name: str) -> str:
    """The value of the first `name : value` line in one of the kernel's files; else empty."""
    with suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key.strip() == name:
                return value.strip()
    return ""
