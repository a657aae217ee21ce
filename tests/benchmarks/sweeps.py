"""Sweeps: expanding 100,000 cells, and whole processes that resume one of 10,000 finished cells.

The baseline of expanding is what no way round is about: the product of the lists, each cell as JSON,
hashed. That of resuming is listing the same runs, which reads the same index.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

from harness import Row, child, fresh, interleaved, labtui, median, whole
from lab import BEGIN, add, recipe

from labtui.files.paths import LabPaths
from labtui.files.toml import dumps
from labtui.recipe.read import load
from labtui.sweep import Plan, definition

SWEEP = "20250615-150000-grid-aa00"
BUILT_IN: dict[str, Any] = {
    "name": "grid", "data": {"name": "digits"}, "model": {"name": "digits_cnn"},
    "validate": {"monitor": "val.acc"},
}  # fmt: skip


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    cells, done = (10_000, 1_000) if quick else (100_000, 10_000)
    yield from _expand(cells, 3)
    yield from _resume(done, 3 if quick else 7)


def _space(cells: int) -> dict[str, list[Any]]:
    """Values of four keys in three tables."""
    lists = [[n / 1000 for n in range(1, 11)], [n / 100 for n in range(10)], list(range(1, 11))]
    keys = ("optimizer.lr", "model.dropout", "train.epochs", "train.seed")
    return dict(zip(keys, [*lists, list(range(cells // 1000))], strict=True))


def _expand(cells: int, times: int) -> Iterator[Row]:
    space, file = _space(cells), fresh("grid") / "grid.toml"
    file.write_bytes(dumps(BUILT_IN | {"sweep": {"space": space}}))
    spaces = file.with_name("space.json")
    spaces.write_text(json.dumps(space))
    bare, ours = interleaved(
        times, lambda: whole(child("cells.py", spaces)), lambda: whole(child("expand.py", file, cells))
    )
    work = f"expand {cells:,} cells, from process start; bare: product, JSON, hash"
    yield Row(work, median(ours), "s", median(bare), 4.0 if cells == 100_000 else None)


def _resume(cells: int, times: int) -> Iterator[Row]:
    lab = _done(cells)
    listing = labtui("--lab", lab.root, "ls", "--format", "json")
    resuming = labtui("--lab", lab.root, "resume", SWEEP)
    showing = labtui("--lab", lab.root, "show", SWEEP, "--format", "json")
    whole(listing)  # the index is fresh
    said = subprocess.run(resuming, check=True, capture_output=True, text=True)
    assert "nothing to resume" in said.stderr and not said.stdout, said
    found = json.loads(subprocess.run(showing, check=True, capture_output=True).stdout)
    assert found["counts"] == {"finished": cells, "to_come": 0} and len(found["cells"]) == cells
    listed, resumed, shown = interleaved(
        times, lambda: whole(listing), lambda: whole(resuming), lambda: whole(showing)
    )
    assert len(lab.run_ids()) == cells
    work = f"resume a sweep of {cells:,} finished cells; baseline: ls as JSON"
    yield Row(work, median(resumed), "s", median(listed), 1.0 if cells == 10_000 else None)
    yield Row("  show it, every cell, as JSON; baseline: ls as JSON", median(shown), "s", median(listed))


def _done(cells: int) -> LabPaths:
    """A lab with a sweep of so many cells, all of them finished."""
    lab = LabPaths(fresh("sweep"))
    lab.own.mkdir(parents=True)
    lab.recipes.mkdir()
    file = lab.recipes / "grid.toml"
    file.write_bytes(dumps(BUILT_IN | {"sweep": {"space": _space(cells)}}))
    plan = Plan(load(file), "recipes/grid.toml")
    definition.write(lab.sweep(SWEEP), plan, [])
    for number, training in enumerate(plan):
        paths = add(lab, number)
        cell = {"cell": training.cell.number, "title": training.cell.title, "key": training.key}
        origin = {"file": plan.source, "sweep": SWEEP} | cell
        paths.recipe.write_bytes(dumps(recipe(number) | {"origin": origin}))
        os.utime(paths.root, (BEGIN, BEGIN))
    os.utime(lab.runs, (BEGIN, BEGIN))
    return lab
