"""Building, claiming and removing run directories, so that each step is whole or did not happen."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import time
from typing import Any

from labtui.errors import LabError
from labtui.files import process
from labtui.files.atomic import dumps, sync_folder
from labtui.files.paths import LabPaths, RunPaths, new_run_id
from labtui.files.toml import dumps as toml_dumps


def directory(root: Path) -> list[int]:
    """Device and inode of a run directory: a copy has others."""
    status = os.stat(root)
    return [status.st_dev, status.st_ino]


def create(
    lab: LabPaths,
    name: str,
    recipe: Mapping[str, Any],
    *,
    queued: bool,
    fill: Callable[[Path], None] | None = None,
    **asked: Any,
) -> RunPaths:
    """Build a run directory in `runs/.new-*` and rename it into place.

    Args:
        recipe: the resolved recipe's tables.
        queued: with a request to start (attempt 1); without, the caller is the worker.
        fill: puts more into the directory before anybody sees it.
        asked: more of the request, as `request` takes it.

    Raises:
        LabError: the lab cannot be written.
    """
    temporary = lab.runs / f".new-{os.getpid()}-{os.urandom(4).hex()}"
    try:
        lab.own.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary.mkdir(mode=0o700)
        _write(temporary / "recipe.toml", toml_dumps(recipe))
        if fill:
            fill(temporary)
        if queued:
            _write(temporary / "queue.json", dumps(request(temporary, 1, **asked)))
        for _ in range(100):
            paths = lab.run(new_run_id(name))
            # A directory takes the place of an empty one only, so no run is ever overwritten.
            if not paths.root.exists() and _renamed(temporary, paths.root):
                try:
                    sync_folder(lab.runs)
                except BaseException:
                    remove(lab, paths.id)
                    raise
                return paths
    except OSError as error:
        raise LabError(
            f"{lab.runs}: a run cannot be made here ({error.strerror}); check rights and free space"
        ) from error
    finally:
        if temporary.exists():
            _remove(temporary, ignore_errors=True)
    raise LabError(f"{lab.runs}: no free run id for {name!r}")


def request(
    root: Path,
    attempt: int,
    *,
    priority: int = 0,
    after: Sequence[str] = (),
    held: bool = False,
    retry: int = 0,
    python: str = "",
) -> dict[str, Any]:
    """The content of `queue.json`: a request to start this directory, not a copy of it.

    Args:
        priority: higher ones start first.
        after: ids of the runs that must have finished.
        held: not to be started until it is released.
        retry: how many automatic attempts came before this one.
        python: the interpreter that works on it; absent: this one.

    Of equal priority the smallest `order` starts first; it is the time unless somebody reordered.
    """
    now = time()
    return {
        "attempt": attempt,
        "priority": priority,
        "order": now,
        "after": list(after),
        "held": held,
        "retry": retry,
        "python": python or sys.executable,
        "host": process.host(),
        "directory": directory(root),
        "time": now,
    }


def claim(paths: RunPaths, attempt: int, **given: Any) -> bool:
    """Make `claim-<attempt>`; True for the one caller that may start the attempt.

    The first line names the process that starts it and what it gives to the attempt (`gpus`,
    `gpu_memory`, `cores`, `references`, `submission`, `together`: the ids of all runs that its worker works
    on); `claimed_for` adds the worker, `claimed_by` the job.
    """
    try:
        fd = os.open(paths.claim(attempt), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return False
    try:
        with open(fd, "wb") as file:
            file.write(dumps(given | process.identity()) + b"\n")
    except OSError:
        paths.claim(attempt).unlink()  # on a full disk the attempt is not spent
        raise
    return True


def claimed_for(paths: RunPaths, attempt: int, pid: int) -> None:
    """Add the worker's identity to the claim, so that a starting worker is seen to live."""
    with open(paths.claim(attempt), "ab") as file:
        file.write(dumps(process.identity(pid)) + b"\n")


def claimed_by(paths: RunPaths, attempt: int, job: str) -> None:
    """Add to the claim which job of a cluster was submitted for it."""
    with open(paths.claim(attempt), "ab") as file:
        file.write(dumps({"job": job}) + b"\n")


def job_of(paths: RunPaths, attempt: int) -> str:
    """The job of a cluster that an attempt belongs to; empty: none, or not known yet."""
    return next((str(line["job"]) for line in claimed(paths, attempt) if "job" in line), "")


def together(paths: RunPaths, attempt: int) -> list[str]:
    """Ids of all runs that the worker of a claimed attempt was started for; empty: of this one alone."""
    found = claimed(paths, attempt)[0].get("together")
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def claims(paths: RunPaths) -> list[int]:
    """Numbers of all claims, those of a copied directory included."""
    endings = (path.name.removeprefix("claim-") for path in paths.root.glob("claim-*"))
    return [int(ending) for ending in endings if ending.isdigit()]


def claimed(paths: RunPaths, attempt: int) -> list[dict[str, Any]]:
    """The lines of a claim, starter first; at least one, empty when nobody claimed or it is broken."""
    found = []
    with suppress(OSError):
        for line in paths.claim(attempt).read_bytes().splitlines():
            with suppress(ValueError, RecursionError):
                found.append(json.loads(line))
    return [one for one in found if isinstance(one, dict)] or [{}]


def remove(lab: LabPaths, run_id: str) -> None:
    """Remove a run: renamed to `.trash-*` first, so that no half of it is ever listed.

    Raises:
        LabError: it cannot be removed.
    """
    trash = lab.runs / f".trash-{os.urandom(4).hex()}-{run_id}"[:250]
    try:
        os.rename(lab.runs / run_id, trash)
        _remove(trash)
    except OSError as error:
        raise LabError(f"{lab.runs / run_id}: cannot be removed ({error.strerror})") from error


def _renamed(folder: Path, target: Path) -> bool:
    try:
        os.rename(folder, target)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            return False
        raise
    return True


def _remove(folder: Path, ignore_errors: bool = False) -> None:
    import shutil  # not needed by a script that only writes

    shutil.rmtree(folder, ignore_errors=ignore_errors)


def _write(path: Path, data: bytes) -> None:
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
