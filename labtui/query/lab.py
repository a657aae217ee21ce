"""A lab as readers see it."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labtui import run as run_module
from labtui.errors import FilterError, RunNotFound
from labtui.expression import parse
from labtui.files.atomic import read_json
from labtui.files.paths import EDITED, LabPaths, RunPaths, find_lab
from labtui.notes import read_notes
from labtui.query.rows import Row, look_up, require
from labtui.store import Index

if TYPE_CHECKING:
    from labtui.query.aggregate import Aggregate
    from labtui.series import Series

Fields = dict[str, Any]


class Run:
    """One run as readers see it: its row, series, notes, artifacts and log."""

    def __init__(self, paths: RunPaths, fields: Fields) -> None:
        self.paths = paths
        self.row = Row(fields)

    @property
    def id(self) -> str:
        """The run's id."""
        return self.paths.id

    def status(self) -> run_module.Status:
        """The state, derived now."""
        return run_module.derive(self.paths)

    def wait(self, timeout: float | None = None) -> run_module.Status:
        """The state when the run has ended for good, or as it is after `timeout` seconds.

        An end that is not the last word (`resources.retries`, a verdict that is being written) is
        followed by another state within a moment.
        """
        end, over = math.inf if timeout is None else time.monotonic() + timeout, 0
        while (status := self.status()).state != "finished" and time.monotonic() < end:
            over = 0 if status.state in ("queued", "running") else over + 1
            if over > 10:
                break
            time.sleep(0.1)
        return status

    def recipe(self) -> dict[str, Any]:
        """The resolved recipe's tables."""
        return run_module.recipe_of(self.paths)

    def series(self, name: str) -> Series:
        """Steps, times and values of one metric."""
        from labtui import series

        return series.read(self.paths, name)

    def all_series(self) -> dict[str, Series]:
        """Steps, times and values of every metric by name."""
        from labtui import series

        return series.read_all(self.paths)

    def notes(self) -> dict[str, Any]:
        """Tags, notes and to-dos."""
        return read_notes(self.paths)

    def environment(self) -> dict[str, Any]:
        """Code, versions and hardware of the newest attempt."""
        return read_json(self.paths.environment) or {}

    def code(self) -> dict[str, Any]:
        """The lab's code as it was when the run was queued: commit, branch, whether it differed from the
        commit, what was left out; empty for a run that uses none."""
        return read_json(self.paths.snapshot) or {}

    def artifact(self, name: str) -> Any:
        """A JSON artifact, or a mapping of arrays for an NPZ one; None when there is none, or a broken one."""
        import json

        path = self.paths.artifacts / f"{name}.json"
        with suppress(OSError, ValueError, RecursionError):
            return json.loads(path.read_bytes())
        with suppress(OSError, ValueError, EOFError), open(path.with_suffix(".npz"), "rb") as file:
            import zipfile
            import zlib

            import numpy

            with suppress(zipfile.BadZipFile, zlib.error), numpy.load(file, allow_pickle=False) as arrays:
                return dict(arrays)
        return None

    def log_tail(self, size: int = 65536) -> str:
        """The end of the program's output, at most `size` bytes of it, from a line's start."""
        try:
            with open(self.paths.log, "rb") as file:
                end = file.seek(0, 2)
                start = file.seek(max(0, end - size))
                data = file.read(size)
        except OSError:
            return ""
        if start:
            data = data.partition(b"\n")[2]
        return data.decode("utf-8", "replace")


class Lab:
    """A lab: its runs and recipes, always as the disk has them now.

    Args:
        paths: its folders.
    """

    def __init__(self, paths: LabPaths) -> None:
        self.paths = paths
        self.index = Index(paths)

    def runs(
        self,
        filter: str = "",
        sort: str = "-created",
        limit: int | None = None,
    ) -> list[Row]:
        """Rows that fit a filter, sorted.

        Args:
            filter: an expression of the filter language; empty: all.
            sort: a key, `-key` for the largest first. Missing and NaN come last either way.
            limit: at most so many.

        Raises:
            FilterError: the expression cannot be read, or names a key that no run has.
        """
        self.index.refresh()
        return [Row(fields) for fields in select(self.index.rows, filter, sort)[:limit]]

    def run(self, reference: str) -> Run:
        """The run a reference means: an id, a unique prefix or part of it, `@last`, `@best:KEY`, or
        `@best:KEY where FILTER`, the best of those that fit a filter expression.

        Raises:
            RunNotFound: none fits, or more than one.
        """
        self.index.refresh()
        fields = resolve(self.index.rows, reference)
        return Run(self.paths.run(fields["id"]), fields)

    def sweep(self, reference: str) -> str:
        """The id of the sweep that a reference means: an id, or a unique prefix or part of one that fits
        no single run; empty: it means a run, or nothing."""
        self.index.refresh()
        known: set[str] = {fields["sweep"] for fields in self.index.rows} - {""}
        with suppress(OSError):
            known |= {path.name for path in self.paths.sweeps.iterdir()}
        if reference not in known and sum(reference in fields["id"] for fields in self.index.rows) == 1:
            return ""
        found = named(known, reference)
        return found[0] if len(found) == 1 else ""

    def group(self, reference: str) -> list[Run]:
        """The runs of the sweep, or the one run, that a reference means."""
        sweep = self.sweep(reference)
        rows = [fields for fields in self.index.rows if fields["sweep"] == sweep != ""]
        if not sweep:
            rows = [resolve(self.index.rows, reference)]
        return [Run(self.paths.run(fields["id"]), fields) for fields in rows]

    def of_recipe(self, reference: str) -> tuple[str, list[Run]]:
        """The runs that were launched from a recipe's file, also by way of the editor.

        Args:
            reference: a path as `recipes()` has it, with or without `.toml`, or of any other file; the file
                may be gone.

        Returns:
            How runs name the file, and the runs, oldest first; empty: none does.
        """
        self.index.refresh()
        sources = {row["recipe"].removesuffix(EDITED) for row in self.index.rows} - {""}
        recipes, root = self.paths.recipes.name, str(self.paths.root)
        typed = os.path.relpath(os.path.abspath(os.path.expanduser(reference)), root)
        given = [reference, f"{recipes}/{reference}", os.path.abspath(reference), typed]
        source = next((name for one in given for name in (one, f"{one}.toml") if name in sources), "")
        rows = [row for row in self.index.rows if source and row["recipe"].removesuffix(EDITED) == source]
        return source, [Run(self.paths.run(row["id"]), row) for row in rows]

    def aggregate(
        self, filter: str = "", keys: Sequence[str] = (), metrics: Sequence[str] = (), baseline: str = "",
        unfinished: bool = False,
    ) -> Aggregate:  # fmt: skip
        """Runs that fit a filter, grouped; see `labtui.query.aggregate`.

        Args:
            filter: an expression of the filter language; empty: all.
            keys: by which to group; none: all recipe keys in which the runs differ, but seeds and folds.
            metrics: figures; none: the monitored metrics, and the same on test data.
            baseline: the run whose group the others are compared with; empty: the pinned one, if all are of
                one sweep that has one.
            unfinished: count the figures of runs, too, that have not finished.

        Raises:
            FilterError: no run has such a key, or the baseline is not among them.
            RunNotFound: there is no such baseline.
        """
        from labtui.query.aggregate import aggregate
        from labtui.query.baseline import beside_pinned

        self.index.refresh()
        rows = select(self.index.rows, filter)
        how: dict[str, Any] = {"keys": keys, "metrics": metrics, "unfinished": unfinished}
        if baseline:
            return aggregate(rows, baseline=[resolve(self.index.rows, baseline)["id"]], **how)
        return beside_pinned(self.paths, self.index.rows, rows, **how)

    def recipes(self) -> list[Fields]:
        """Recipe files: path (below `recipes/`), name, description, tags, error."""
        return list(self.index.recipes().values())


def named(sweeps: Iterable[str], reference: str) -> list[str]:
    """The sweeps that a reference may mean: the one of that id, or that begins so; else all that hold it."""
    known = list(sweeps)
    if not reference or reference in known:
        return [reference] if reference else []
    begin = [sweep for sweep in known if sweep.startswith(reference)]
    return begin if len(begin) == 1 else [sweep for sweep in known if reference in sweep]


def open_lab(folder: str | Path | None = None) -> Lab:
    """Open a lab for reading.

    Args:
        folder: the lab; absent: `$LABTUI_LAB`, the nearest parent that is a lab, or here.

    Raises:
        LabError: no such folder.
    """
    return Lab(find_lab(folder))


def select(rows: Sequence[Fields], expression: str = "", sort: str = "") -> list[Fields]:
    """Rows that fit a filter expression, sorted by `key` or `-key`; missing and NaN last."""
    test, keys = parse(expression, look_up)
    for key in keys:
        require(rows, key)
    chosen = [row for row in rows if test(row)]
    if sort:
        descending, key = sort.startswith("-"), sort.removeprefix("-")
        if not key:
            raise FilterError("sort: expected a key, or -key for the largest first")
        require(rows, key)
        chosen = ordered(chosen, key, descending)
    return chosen


def ordered(rows: Iterable[Fields], key: str, descending: bool = False) -> list[Fields]:
    """Rows by a key, numbers before words; missing and NaN last either way; otherwise stable."""
    present, missing = [], []
    for row in rows:
        value = look_up(row, key)
        if value is None or (isinstance(value, float) and math.isnan(value)):
            missing.append(row)
        else:
            number = isinstance(value, int | float)
            present.append(((not number, value if number else str(value)), row))
    if descending:
        present.reverse()  # among equals too, the last comes first
    present.sort(key=lambda pair: pair[0], reverse=descending)
    return [row for _, row in present] + missing


def resolve(rows: Sequence[Fields], reference: str) -> Fields:
    """The row a reference means; see `Lab.run`."""
    if not rows:
        raise RunNotFound(f"run {reference!r}: this lab has no runs; start one with `labtui run RECIPE`")
    if reference == "@last":
        return rows[-1]
    if reference.startswith("@best:"):
        key, _, expression = reference.removeprefix("@best:").partition(" where ")
        if not (fit := select(rows, expression)):
            raise RunNotFound(f"run {reference!r}: no run fits {expression!r}; see `labtui ls --filter`")
        return _best(fit, key)
    for fits in (str.__eq__, str.startswith, str.__contains__):
        found = [row for row in rows if reference and fits(row["id"], reference)]
        if len(found) == 1:
            return found[0]
        if found:
            shown = "\n  ".join(f"{row['id']}  {row['state']}" for row in found[:8])
            more = f"\n  … and {len(found) - 8} more" if len(found) > 8 else ""
            raise RunNotFound(
                f"run {reference!r} fits {len(found)} runs; give more of the id:\n  {shown}{more}"
            )
    raise RunNotFound(f"run {reference!r}: no such run; `labtui ls` lists them")


def _best(rows: Sequence[Fields], key: str) -> Fields:
    require(rows, key)
    goals = {row["metrics"][key]["goal"] for row in rows if key in row["metrics"]}
    goal = goals.pop() if len(goals) == 1 else None
    if goal is None:
        known = "several directions" if goals else "no known direction (give it in the recipe's [goals])"
        raise FilterError(f"@best:{key}: it is no metric with one direction: {known}")
    best = ordered(rows, key, descending=goal == "max")[0]
    if look_up(best, key) is None:
        raise RunNotFound(f"@best:{key}: no run has a value of it yet")
    return best


def differing(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Recipe keys in which runs differ, in the order of the recipe."""
    keys = dict.fromkeys(key for row in rows for key in row["params"])
    return [key for key in keys if len({repr(row["params"].get(key)) for row in rows}) > 1]
