"""Columns and cells of the runs table and the recipes table."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from labtui.cells import clean
from labtui.table import age, number
from labtui.tui.snapshot import Snapshot
from labtui.tui.widgets.table import Cells, Column

SIGNS = {
    "running": ("▶", "accent"), "queued": ("○", "warn"), "finished": ("✓", "good"),
    "failed": ("✗", "bad"), "stopped": ("■", "warn"), "preempted": ("■", "warn"),
    "lost": ("?", "bad"), "idle": ("·", "dim"),
}  # fmt: skip
"""Sign and style of each state."""

RUN_COLUMNS = (
    Column(" ", 1),
    Column("state", 11),
    Column("name", 0),
    Column("tags", 16, least=120),
    Column("recipe", 24, least=140),
    Column("train.loss", 10, "right", least=100),
    Column("monitor", 10, "right"),
    Column("at best", 8, "right"),
    Column("epoch", 9, "right"),
    Column("age", 4, "right"),
    Column("id", 4),
)
SORTS = (
    ("created", 9, True), ("name", 2, False), ("state", 1, False), ("value", 7, True),
    ("epoch", 8, True), ("loss", 5, False), ("recipe", 4, False),
)  # fmt: skip
"""Column of the snapshot, number of the column in the table, largest first."""
RECIPE_COLUMNS = (Column("recipe", 38), Column("description", 0, least=60))


def run_cells(snapshot: Snapshot, key: str, mark: int, now: float) -> Cells:
    """The cells of a run; `mark` is the number of its line in the charts, 0 for none."""
    get = partial(snapshot.of, key)
    sign, style = SIGNS.get(get("state"), ("·", "dim"))
    state = (get("reason") if get("state") == "failed" else "") or get("state")
    epoch, epochs = get("epoch"), get("epochs")
    progress = "" if epoch is None else f"{epoch:.0f}" + (f"/{epochs}" if epochs else "")
    return [
        ("●" if mark else " ", f"line-{mark}" if mark else ""),
        (clean(f"{sign} {state}"), style),
        (clean(get("name")), ""),
        (clean(get("tags")), "dim"),
        (clean(get("recipe")), "dim"),
        (_number(get("loss")), "dim"),
        (clean(get("metric") or ""), "dim"),
        (_number(get("value")), ""),
        (progress, "dim"),
        (_age(now - get("created")), "dim"),
        (clean(key[-4:]), "dim"),
    ]


def recipe_cells(recipe: Mapping[str, Any]) -> Cells:
    """The cells of a recipe."""
    if recipe["error"]:
        return [(clean(recipe["path"]), ""), (clean(recipe["error"]), "bad")]
    return [
        (clean(recipe["path"].removesuffix(".toml")), ""),
        (clean(recipe["description"]), "dim"),
    ]


def _number(value: float | None) -> str:
    """With four decimals where that says enough, so that a column reads well."""
    if value is None:
        return ""
    return f"{value:.4f}" if 1e-2 <= abs(value) < 100 else number(value)


def _age(seconds: float) -> str:
    """In minutes at least: a table whose ages count seconds would never rest."""
    return "now" if seconds < 60 else age(seconds)
