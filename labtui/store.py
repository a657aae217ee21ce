"""The index of a lab: one row a run, kept in a TinyDB so that 10,000 runs are listed at once.

The index says nothing that the run directories do not say. It is refreshed by readers only; delete
it, corrupt it or kill its writer, and the next reader builds the same table again.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
from tinydb import TinyDB
from tinydb.middlewares import CachingMiddleware
from tinydb.storages import Storage

from labtui import run
from labtui.errors import LabtuiError
from labtui.files.atomic import locked, write_atomic
from labtui.files.packed import Packed
from labtui.files.paths import LabPaths, RunPaths
from labtui.notes import read_notes

VERSION = 4
"""Of the index's own form; another one is rebuilt."""
_RACY = 2_000_000_000
"""Nanoseconds within which a directory's mtime may hide a second change."""
_WORTH_WRITING = 1_000_000
"""Bytes of new metrics of a live run after which its summary is kept."""

_ENTRY = {"row": dict, "over": bool, "mtime": int, "offset": int, "step": int, "saved": int}
_ROW = {
    "facts": dict, "tags": list, "note": str, "todo": list,
    "id": str, "state": str, "name": str, "metrics": str, "params": str,
}  # fmt: skip
_ENTRY_KINDS, _ROW_KINDS = [*_ENTRY.values()], [*_ROW.values()]
_PACKED = ("metrics", "params")
"""What of a row is kept as JSON text, on the disk too, until somebody reads it."""

Row = dict[str, Any]


class AtomicStorage(Storage):
    """TinyDB storage that replaces its file whole; a broken file reads as empty."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def read(self) -> dict[str, dict[str, Any]] | None:
        """All tables; None when there is no readable file."""
        try:
            tables = orjson.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return None
        return tables if isinstance(tables, dict) else None

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        """Replace the file."""
        write_atomic(self._path, orjson.dumps(data, default=_text, option=orjson.OPT_NON_STR_KEYS))


class Index:
    """The rows of one lab, kept in memory and on disk.

    Args:
        lab: its folders.
    """

    def __init__(self, lab: LabPaths) -> None:
        self.lab = lab
        self._loaded = False
        self._entries: dict[str, dict[str, Any]] = {}
        self._unfinished: set[str] = set()
        self._recipes: dict[str, Row] = {}
        self._runs = str(lab.runs)
        self._place = str(lab.root).encode("utf-8", "backslashreplace").decode()
        self._runs_mtime = -1

    @property
    def rows(self) -> list[Row]:
        """All rows, oldest first."""
        return [entry["row"] for entry in self._entries.values()]

    def row(self, run_id: str) -> Row | None:
        """One row, without copying the table."""
        entry = self._entries.get(run_id)
        return entry["row"] if entry else None

    def refresh(self, *, every: bool = True, visible: Iterable[str] = ()) -> set[str]:
        """Bring the rows up to what the disk and the process table say.

        Args:
            every: look at all directories; otherwise at new ones, unfinished ones and `visible`.

        Returns:
            The ids whose row is new, changed or gone.
        """
        every = self.load() or every
        mtime = _mtime(self.lab.runs)
        gone: set[str] = set()
        new: list[str] = []
        if every or mtime != self._runs_mtime:
            present = self.lab.run_ids()
            gone = self._entries.keys() - set(present)
            new = [run_id for run_id in present if run_id not in self._entries]
            self._runs_mtime = mtime if time.time_ns() - mtime > _RACY else -1
        for run_id in gone:
            self._forget(run_id)
        known = list(self._entries) if every else [*sorted(self._unfinished), *visible]
        save = bool(gone)
        changed = set(gone)
        for run_id in dict.fromkeys([*known, *new]):
            differs, worth_saving = self._look(run_id)
            save |= worth_saving
            if differs:
                changed.add(run_id)
        if new:
            self._entries = dict(sorted(self._entries.items()))
        if save:
            self._save()
        return changed

    def recipes(self) -> dict[str, Row]:
        """Recipe files of the lab by path below `recipes/`, read again when they changed."""
        self.load()
        found: dict[str, Row] = {}
        for path in sorted(self.lab.recipes.rglob("*.toml")):
            name = path.relative_to(self.lab.recipes).as_posix()
            stamp = _mtime(path)
            known = self._recipes.get(name)
            found[name] = known if known and known["mtime"] == stamp else _recipe_row(path, name, stamp)
        if found != self._recipes:
            self._recipes = found
            self._save()
        return found

    def _forget(self, run_id: str) -> bool:
        """Whether there was such a run."""
        self._unfinished.discard(run_id)
        return self._entries.pop(run_id, None) is not None

    def _look(self, run_id: str) -> tuple[bool, bool]:
        """Derive one row anew unless its directory has not changed.

        Returns:
            Whether the row differs, and whether the index on disk should learn of it.
        """
        known = self._entries.get(run_id)
        # Text, not paths: this is done for each of 10,000 runs.
        mtime = _mtime(f"{self._runs}/{run_id}")
        if known and known["over"] and known["mtime"] == mtime:
            return False, False
        entry = _entry(self.lab.run(run_id), mtime, known)
        if entry is None:
            gone = self._forget(run_id)
            return gone, gone
        self._entries[run_id] = entry
        (self._unfinished.discard if entry["over"] else self._unfinished.add)(run_id)
        save = entry["over"] or known is None or entry["offset"] - known["saved"] > _WORTH_WRITING
        if save:
            entry["saved"] = entry["offset"]
        return known is None or entry["row"] != known["row"], save

    def load(self) -> bool:
        """Read the index once; True the first time. Who has called it may refresh without `every`, and
        look at the directories of finished runs later."""
        if self._loaded:
            return False
        self._loaded = True
        # Many new objects, none of them garbage: the collector would look at them ten times.
        collecting = gc.isenabled()
        gc.disable()
        try:
            self._read()
        finally:
            gc.freeze()  # nor later on
            if collecting:
                gc.enable()
        return True

    def _read(self) -> None:
        # A file of another version, another lab or another hand is as good as none.
        with suppress(KeyError, TypeError, ValueError, AttributeError, IndexError):
            # As they are read: a TinyDB table would copy each of ten thousand documents.
            tables = _open(self.lab.store).storage.read() or {}
            (meta,) = tables["meta"].values()
            if meta["version"] == VERSION and meta["lab"] == self._place:
                entries = {doc["row"]["id"]: doc for doc in tables.get("runs", {}).values() if _whole(doc)}
                for entry in entries.values():
                    _pack(entry["row"])
                self._recipes = {doc["path"]: doc for doc in tables.get("recipes", {}).values()}
                self._entries = entries
                self._unfinished = {run_id for run_id, entry in entries.items() if not entry["over"]}

    def _save(self) -> None:
        """Write the index; a lab without write rights, or without runs yet, lives in memory."""
        if not self.lab.own.is_dir() and not self._entries:
            return
        with suppress(OSError, LabtuiError):
            self.lab.own.mkdir(parents=True, exist_ok=True, mode=0o700)
            with locked(self.lab.own):
                db = _open(self.lab.store)
                db.drop_tables()
                for name, docs in (
                    ("meta", [{"version": VERSION, "lab": self._place}]),
                    ("recipes", self._recipes.values()),
                    ("runs", self._entries.values()),
                ):
                    db.table(name).insert_multiple(docs)
                db.close()


def _whole(entry: Mapping[str, Any]) -> bool:
    """Whether an entry has what the reader counts on; another is derived anew."""
    row: Row = entry.get("row", {})
    return (
        [*map(type, map(entry.get, _ENTRY))] == _ENTRY_KINDS
        and [*map(type, map(row.get, _ROW))] == _ROW_KINDS
        and all(row[key][:1] == "{" and row[key][-1:] == "}" for key in _PACKED)
    )


def _pack(row: Row) -> None:
    """Texts of the index as the mappings that they stand for."""
    for key in _PACKED:
        row[key] = Packed(row[key])


def _text(value: Any) -> str:
    """What the index has of a mapping that is kept as text."""
    if isinstance(value, Packed):
        return value.text
    raise TypeError(f"{type(value).__name__} has no place in the index")


def _open(path: Path) -> TinyDB:
    return TinyDB(str(path), storage=CachingMiddleware(AtomicStorage))  # type: ignore[no-untyped-call]


def _mtime(path: Path | str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return -1


def _entry(paths: RunPaths, mtime: int, known: dict[str, Any] | None) -> dict[str, Any] | None:
    """The index's entry of a run; None when it is no run (no recipe) or gone."""
    try:
        status = run.derive(paths)
        if not paths.recipe.exists():
            return None
    except OSError:
        return None
    from labtui import series  # numpy: not needed when all rows are fresh

    tables = run.recipe_of(paths)
    monitor = str(tables.get("validate", {}).get("monitor", ""))
    before = series.EMPTY
    if known:
        before = series.Summary(known["row"]["metrics"], known["offset"], known["step"])
    summary = series.summarise(paths, monitor, tables.get("goals"), before)
    row = run.describe(paths, status, tables, read_notes(paths))
    row |= {"metrics": Packed.of(summary.metrics), "params": Packed.of(row["params"])}
    # A change in the same tick of the clock as this look would not show in the mtime.
    settled = status.over and status.state != "running" and time.time_ns() - mtime > _RACY
    return {
        "row": row,
        "over": settled,
        "mtime": mtime,
        "offset": summary.offset,
        "step": summary.step,
        "saved": known["saved"] if known else 0,
    }


def _recipe_row(path: Path, name: str, stamp: int) -> Row:
    """What a listing shows of a recipe file; `error` when it is not even TOML."""
    row: Row = {"path": name, "name": path.stem, "description": "", "tags": [], "error": "", "mtime": stamp}
    try:
        from labtui.files.toml import read

        tables = read(path)
    except (OSError, ValueError, RecursionError) as error:
        return row | {"error": str(error)}
    tags = tables.get("tags")
    return row | {
        "name": str(tables.get("name", path.stem)),
        "description": str(tables.get("description", "")),
        "tags": tags if isinstance(tags, list) else [],
    }
