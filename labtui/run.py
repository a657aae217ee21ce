"""What one run directory says: its state, derived anew each time, and its describing facts.

Nobody writes a state. It follows from the files and the process table, in the order of `derive`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labtui.files import process, rundir
from labtui.files.atomic import read_json
from labtui.files.paths import RunPaths, created
from labtui.files.toml import flatten, read
from labtui.notes import todo_state

ENDED = ("finished", "failed", "stopped", "preempted")
FRESH = 60.0
"""Seconds after which a heartbeat on another host no longer counts as alive."""
_TABLES = ("origin", "validate", "train", "data", "model", "goals", "params")
_PLACE = {"cell": int, "title": str, "repeat": int, "fold": int, "key": str}
"""What of a run's origin is in its row: its place in the sweep."""
_NOT_PARAMS = ("format", "name", "description", "tags", "origin", "goals", "command")


@dataclass(frozen=True)
class Status:
    """Where the newest attempt of a run stands."""

    state: str
    """running, queued, finished, failed, stopped, preempted, lost or idle."""
    attempt: int
    """Number of the newest attempt; 0 for an idle directory."""
    reason: str = ""
    """Why it failed: error, oom, disk-full, nan, timeout, hang, launch."""
    message: str = ""
    """What happened, for people."""
    started: float | None = None
    """Unix time at which the attempt's process began."""
    ended: float | None = None
    """Unix time of the end; for a lost run, of its last heartbeat."""
    result: Mapping[str, Any] = field(default_factory=dict)
    """The result or verdict of the attempt, if there is one."""
    process: Mapping[str, Any] = field(default_factory=dict)
    """The attempt's `process.json`."""

    @property
    def over(self) -> bool:
        """Whether the attempt has a result that nothing will change."""
        return bool(self.result)


def derive(paths: RunPaths) -> Status:
    """The state of a run, from its files and the process table.

    Asked in this order, for the newest attempt only: alive → running; a result or verdict → its
    outcome; a stop was asked → stopped; claimed → lost; requested → queued; none of these → idle.
    Files that were copied with the directory (device and inode differ) count only if they are results.

    Raises:
        OSError: the directory is gone.
    """
    here = rundir.directory(paths.root)
    records = {
        name: read_json(getattr(paths, name)) or {} for name in ("queue", "process", "result", "verdict")
    }
    for name in ("queue", "process"):
        if records[name].get("directory") != here:
            records[name] = {}
    attempt = max(_attempt(record) for record in records.values())
    current = {name: r if _attempt(r) == attempt else {} for name, r in records.items()}
    worker = current["process"]
    started = _number(worker.get("time"))
    ending = current["result"] or current["verdict"]

    def status(state: str, **more: Any) -> Status:
        return Status(state, attempt, started=started, process=worker, **more)

    # Between the claim and process.json the claim says who is at work.
    claimants = rundir.claimed(paths, attempt)[1:] if current["queue"] and not worker else []
    if _alive(paths, worker) or any(process.alive(one) for one in claimants):
        return status("running")
    if ending:
        started = _number(ending.get("started", started))
        outcome = str(ending.get("outcome"))
        return status(
            outcome if outcome in ENDED else "failed",
            reason=str(ending.get("reason", "")),
            message=str(ending.get("message", "")),
            ended=_number(ending.get("ended")),
            result=ending,
        )
    if not worker and not current["queue"]:
        return Status("idle", 0)
    control = read_json(paths.control) or {}
    if _attempt(control) == attempt and control.get("outcome", "stopped") == "stopped":
        why = {key: str(control.get(key, "")) for key in ("reason", "message")}
        return status("stopped", ended=_number(control.get("time")), **why)
    if worker:
        return status("lost", ended=_touched(paths.heartbeat))
    # Claimed and not yet begun counts as queued: who finds its starter gone asks anew.
    return status("queued")


def _attempt(record: Mapping[str, Any]) -> int:
    attempt = record.get("attempt")
    return attempt if isinstance(attempt, int) and 0 < attempt < 2**31 else 0


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _alive(paths: RunPaths, worker: Mapping[str, Any]) -> bool:
    if not worker or worker.get("released"):
        return False
    if worker.get("host") != process.host():
        touched = _touched(paths.heartbeat)
        # A clock that was set back puts heartbeats into the future, which says as little.
        return touched is not None and abs(time.time() - touched) < FRESH
    return process.alive(dict(worker))


def _touched(path: Path) -> float | None:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return None


def recipe_of(paths: RunPaths) -> dict[str, Any]:
    """The resolved recipe's tables; empty when the file is broken.

    What other hands wrote cannot break a reader: what has to be a table is one.
    """
    try:
        tables = read(paths.recipe)
    except (OSError, ValueError, RecursionError):
        return {}
    wrong = [key for key in _TABLES if not isinstance(tables.get(key, {}), dict)]
    return {key: value for key, value in tables.items() if key not in wrong}


def params_of(tables: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe's options as flat dotted keys, without what only names and describes the run."""
    flat = flatten({k: v for k, v in tables.items() if k not in _NOT_PARAMS})
    return {key: _exact(value) for key, value in flat.items()}


def _exact(value: Any) -> Any:
    """A value that the index has too: whole numbers beyond 64 bits as text, dates as text."""
    if isinstance(value, Mapping):
        return {key: _exact(v) for key, v in value.items()}
    if isinstance(value, list):
        return [_exact(v) for v in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _of(origin: Mapping[str, Any], name: str, kind: type) -> Any:
    """A value of the origin, which other hands may have written."""
    value = origin.get(name)
    return value if isinstance(value, kind) else "" if kind is str else None


def describe(
    paths: RunPaths, status: Status, tables: Mapping[str, Any], notes: Mapping[str, Any]
) -> dict[str, Any]:
    """The row of a run without its metrics; the names are public (see `ls --format json`).

    Args:
        notes: what is written on it, as `read_notes` has it.
    """
    origin, own, facts = tables.get("origin") or {}, tables.get("tags"), status.result.get("facts")
    duration = None
    if status.started is not None:
        end = time.time() if status.state == "running" else status.ended
        duration = max(0.0, end - status.started) if end is not None else None
    return {
        "id": paths.id,
        "name": str(tables.get("name", paths.id)),
        "recipe": str(origin.get("file") or origin.get("script") or ""),
        "sweep": str(origin.get("sweep", "")),
        **{name: _of(origin, name, kind) for name, kind in _PLACE.items()},
        "state": status.state,
        "reason": status.reason,
        "created": created(paths.id),
        "started": status.started,
        "ended": status.ended,
        "duration": duration,
        "attempt": status.attempt,
        "tags": list(dict.fromkeys(map(str, [*(own if isinstance(own, list) else []), *notes["tags"]]))),
        "note": "\n".join(entry["text"] for entry in (*notes["notes"], *notes["todos"])),
        "todo": [todo_state(todo) for todo in notes["todos"]],
        "facts": _exact(facts) if isinstance(facts, dict) else {},
        "params": params_of(tables),
    }
