"""What came of a run, as rows: its scores beside a constant's, and beside those of its fold and repeats. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labtui.cells import clean, pad, width
from labtui.files.goals import arrowed
from labtui.grouped import spread_text
from labtui.query.aggregate import Group, aggregate, protocols
from labtui.query.rows import look_up
from labtui.rows import Row
from labtui.scores import beats, scores
from labtui.table import cell, number
from labtui.tui.tables import SIGNS

LEAST = 10
"""Cells of a figure."""


def monitor_of(row: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """The metric that says which epoch is best; empty where none was named."""
    best = result.get("best")
    named = row["params"].get("validate.monitor") or row["params"].get("monitor")
    return str(named or (best.get("metric") if isinstance(best, Mapping) else "") or "")


def best_row(row: Mapping[str, Any], result: Mapping[str, Any]) -> Row:
    """Where the run was best, in one line; empty where nothing is monitored."""
    monitor, best = monitor_of(row, result), result.get("best")
    entry = row["metrics"].get(monitor)
    if not entry or entry["best"] is None:
        return []
    where = f"step {entry['best_step']}"
    if isinstance(best, Mapping) and best.get("step") == entry["best_step"] and best.get("epoch") is not None:
        where = f"epoch {cell(best['epoch'])}, {where}"
    name = arrowed(clean(monitor), entry["goal"])
    return [("best ", "dim"), (f"{name} ", ""), (number(entry["best"]), "good"), (f"  at {where}", "dim")]


def score_rows(row: Mapping[str, Any], result: Mapping[str, Any], most: int | None = None) -> list[Row]:
    """One row a score: at the monitored metric's best step, last, the best constant answer's.

    Args:
        most: rows at most; those that come first say most.
    """
    names = scores(row["metrics"], monitor_of(row, result))
    if not names:
        return []
    constants = row["facts"].get("baseline")
    constants = constants if isinstance(constants, Mapping) else {}
    last = row["facts"].get("last_epoch")
    last = last if isinstance(last, Mapping) else {}
    wide = min(max(width(clean(name)) for name in names) + 2, 24)
    heads = ["at best", "last", *(["constant"] if constants else [])]
    rows: list[Row] = [[(" " * wide, ""), ("".join(f"{head:>{LEAST}}" for head in heads), "head")]]
    for name in names[:most]:
        entry, constant = row["metrics"][name], constants.get(name)
        constant = constant if isinstance(constant, int | float) else None
        newest = last.get(name, entry["last"])
        figures = [entry["at_best"], newest if isinstance(newest, int | float) else None]
        figures += [constant] if constants else []
        texts = "".join(f"{'' if value is None else number(value):>{LEAST}}" for value in figures)
        line: Row = [(pad(arrowed(clean(name), entry["goal"]), wide), "dim"), (texts, "")]
        if beats(entry["at_best"], constant, entry["goal"]) is False:
            line.append(("  no better than a constant", "warn"))
        if entry.get("nonfinite"):
            line.append((f"  {entry['nonfinite']} NaN", "bad"))
        rows.append(line)
    if most is not None and len(names) > most:
        rows.append([(f"and {len(names) - most} more", "dim")])
    return rows


def siblings(rows: Sequence[dict[str, Any]], row: Mapping[str, Any]) -> Group | None:
    """The runs that differ from a run only by fold, repeat or seed, with their figures; None where it is alone.

    Args:
        rows: those of its sweep.
    """
    own = [one for one in rows if one.get("cell") == row.get("cell")]
    table = aggregate(own, metrics=protocols(own)) if len(own) > 1 else None
    groups = table.groups if table else []
    found = next((group for group in groups if any(one["id"] == row["id"] for one in group.rows)), None)
    return found if found and len(found.rows) > 1 else None


def sibling_rows(group: Group, run: str) -> list[Row]:
    """One row a fold or repeat, early stopping and last epoch side by side; mean and deviation below."""
    keys = list(group.spreads)
    metrics = list(dict.fromkeys(key.removesuffix(".last") for key in keys))
    means = [spread_text(group.spreads[key], len(group.rows)) for key in keys]
    wide = [max(LEAST, width(mean) + 2, width(clean(m)) + 2) for mean, m in zip(means, keys, strict=True)]
    parts = [name for name in ("repeat", "fold") if len({one.get(name) for one in group.rows}) > 1]
    labels = [" ".join(f"{name} {one[name]}" for name in parts) or one["id"][-4:] for one in group.rows]
    first = max(map(len, [*labels, "mean ± std"])) + 4
    top: Row = [(" " * first, "")]
    names: Row = [(" " * first, "")]
    for number_, metric in enumerate(metrics):
        top += [(pad(clean(metric), sum(wide[2 * number_ : 2 * number_ + 2]), "center"), "head")]
        for head, cells in zip(("early stopping", "last epoch"), wide[2 * number_ :], strict=False):
            names.append((pad(head if cells >= 15 else head.split()[0], cells, "right"), "dim"))
    out: list[Row] = [top, names]
    for one, label in zip(group.rows, labels, strict=True):
        sign, style = SIGNS.get(one["state"], ("·", "dim"))
        mark = "▸" if one["id"] == run else " "
        row: Row = [
            (mark, "accent"),
            (f"{sign} ", style),
            (pad(label, first - 3), "bold" if mark == "▸" else ""),
        ]
        for key, cells in zip(keys, wide, strict=True):
            value = look_up(one, key)
            row.append((pad(number(value) if isinstance(value, int | float) else "–", cells, "right"), ""))
        out.append(row)
    out.append(
        [
            (pad("   mean ± std", first), "dim"),
            *[(pad(m, w, "right"), "bold") for m, w in zip(means, wide, strict=True)],
        ]
    )
    return out
