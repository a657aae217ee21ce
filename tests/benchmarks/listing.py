"""Listing: whole processes, from start to exit, that list and sort a lab as JSON.

The index is fresh: all runs are finished, and their directories older than the index. The baseline
reads the same rows from a file of JSON lines, sorts them by the same value and prints them.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

from harness import Row, child, fresh, interleaved, labtui, median, whole
from lab import lab_of

METRIC = "val.acc"


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    for runs, target in ((1_000, 0.25), (10_000, 0.7)):
        if quick and runs > 1_000:
            continue
        yield from _list(runs, target, 5 if quick else 9)


def _list(runs: int, target: float, times: int) -> Iterator[Row]:
    lab = lab_of(runs)
    command = labtui("--lab", lab.root, "ls", "--format", "json", "--sort", f"-{METRIC}")

    def rebuild() -> float:
        lab.store.unlink(missing_ok=True)
        return whole(command)

    built = [rebuild() for _ in range(1 if runs > 1_000 else 3)]
    lines = fresh("lines") / "rows.jsonl"
    _lines(command, lines, runs)
    stamp = lab.store.stat().st_mtime_ns
    bare, listed = interleaved(
        times, lambda: whole(child("json_lines.py", lines, METRIC)), lambda: whole(command)
    )
    assert lab.store.stat().st_mtime_ns == stamp, "the index was written again: it was not fresh"
    work = f"list and sort {runs:,} runs of 45 parameters and 6 metrics"
    yield Row(f"{work}; bare: JSON lines", median(listed), "s", median(bare), target)
    yield Row(f"  rebuild the index of {runs:,}", median(built), "s", None, 8.0 if runs == 10_000 else None)


def _lines(command: list[str], lines: object, runs: int) -> None:
    """The rows that labtui lists, as JSON lines in the order of their making."""
    import orjson

    found = orjson.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    assert len(found) == runs and len(found[0]["params"]) == 45 and len(found[0]["metrics"]) == 6
    figures = [row["metrics"][METRIC]["at_best"] for row in found]
    assert figures == sorted(figures, reverse=True)
    found.sort(key=lambda row: row["id"])
    with open(str(lines), "wb") as file:
        file.writelines(orjson.dumps(row) + b"\n" for row in found)
