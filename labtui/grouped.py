"""A table of groups of runs as people read it; command line, screens and reports share it."""

from __future__ import annotations

import math
from typing import Any

from labtui.files.goals import arrowed
from labtui.query.aggregate import Aggregate, Column, Group
from labtui.query.difference import LEVEL, Difference
from labtui.query.spread import Spread
from labtui.table import NOTHING, number

Table = tuple[list[str], list[list[Any]]]
"""Names of columns, and rows of as many values."""


def in_words(table: Aggregate, stat: str = "mean") -> Table:
    """One row a group: what it is, its runs, its figures, and their differences to the baseline.

    Args:
        stat: the number of a figure: mean (with its deviation), median, min or max.
    """
    columns, lines = names(table)
    columns.append("runs")
    for line, group in zip(lines, table.groups, strict=True):
        line.append(members(group))
    for column in table.columns:
        columns.append(column_name(column))
        for line, group in zip(lines, table.groups, strict=True):
            line.append(spread_text(group.spreads[column.key], len(group.rows), stat))
        if table.baseline:
            columns.append(f"Δ {column.key}")
            for line, group in zip(lines, table.groups, strict=True):
                line.append(beside(group, column.key))
    return columns, lines


def names(table: Aggregate, short: bool = False) -> Table:
    """What each group is: its title, where that says more than its keys, and its keys.

    Args:
        short: no keys where each group has a title of its own.
    """
    titled = _titled(table)
    alone = short and titled and len({g.title for g in table.groups} - {""}) == len(table.groups)
    keys = [] if alone else table.keys
    lines = [
        [*([group.title or None] if titled else []), *(group.values[key] for key in keys)]
        for group in table.groups
    ]
    return [*(["title"] if titled else []), *keys], lines


def column_name(column: Column) -> str:
    """A figure's key, with an arrow the way it gets better."""
    return arrowed(column.key, column.goal)


def beside(group: Group, key: str) -> str:
    """The difference of a group to the baseline in a figure, in words."""
    return "baseline" if group.baseline else difference_text(group.differences[key])


def spare(table: Aggregate) -> list[str]:
    """Columns of `in_words` that a narrow terminal does without, the first to go first."""
    compared = [f"Δ {column.key}" for column in table.columns[:0:-1]] if table.baseline else []
    return compared + (table.keys[::-1] if _titled(table) else [])


def in_numbers(table: Aggregate) -> Table:
    """One row a group with every number in full, for programs that read tables."""
    comparison = Difference._fields if table.baseline else ()
    columns = ["title", *table.keys, "runs", "states"]
    for column in table.columns:
        columns += [f"{column.key} {name}" for name in (*Spread._fields, *_named(comparison))]
    lines = []
    for group in table.groups:
        line: list[Any] = [group.title, *group.values.values(), len(group.rows), group.states]
        for column in table.columns:
            found = group.differences.get(column.key)
            line += [*group.spreads[column.key], *(found or [None] * len(comparison))]
        lines.append(line)
    return columns, lines


def _named(comparison: tuple[str, ...]) -> list[str]:
    """A spread has an n already."""
    return ["pairs" if name == "n" else name for name in comparison]


def _titled(table: Aggregate) -> bool:
    """Whether titles say something that the keys do not."""
    return any(
        g.title and not (g.values and all(f"{key}=" in g.title for key in g.values)) for g in table.groups
    )


def members(group: Group) -> str:
    """How many runs a group has, and what those are that have not finished: `4 of 5, 1 failed`."""
    done = group.states.get("finished", 0)
    others = [f"{count} {state}" for state, count in group.states.items() if state != "finished"]
    return ", ".join([f"{done} of {len(group.rows)}" if others else str(done), *others])


def spread_text(found: Spread, total: int, stat: str = "mean") -> str:
    """A figure of a group: `0.912 ± 0.014 (5)`, or `(3 of 5, 1 NaN)` where members are not in it."""
    return counted(getattr(found, stat), found.std if stat == "mean" else None, found.n, total, found.nan)


def counted(value: float | None, std: float | None, n: int, total: int, nan: int) -> str:
    """A figure of `n` of `total` runs; `nan` of those that are left out have one that is no number."""
    count = (f"{n} of {total}" if n < total else str(n)) + (f", {nan} NaN" if nan else "")
    if value is None:
        return f"{NOTHING} ({count})"
    return f"{number(value) if std is None else plus_minus(value, std)} ({count})"


def plus_minus(mean: float, std: float) -> str:
    """A mean to the place of its deviation's second digit."""
    if not (std > 0 and math.isfinite(std) and math.isfinite(mean)):
        return f"{number(mean)} ± {number(std)}"
    places = 1 - math.floor(math.log10(std))
    if not 0 <= places <= 6 or abs(mean) >= 1e7:
        return f"{number(mean)} ± {number(std, 2)}"
    return f"{mean:z.{places}f} ± {std:.{places}f}"


def difference_text(found: Difference) -> str:
    """A difference to the baseline, with the adjusted p: `+0.021 better (p 0.012)`."""
    if found.difference is None:
        return found.word
    sign = "+" if found.difference > 0 else ""
    p = "" if found.adjusted is None else f" (p {number(found.adjusted, 2)})"
    return f"{sign}{number(found.difference, 2)} {found.word}{p}"


def caption(table: Aggregate) -> list[str]:
    """Sentences on what is not in the figures, and on how the differences were tested."""
    said = [table.trouble] if table.trouble else []
    left = sum(max((s.unfinished for s in group.spreads.values()), default=0) for group in table.groups)
    if left:
        said.append(f"{left} run{'s' if left > 1 else ''} not finished: not in the figures.")
    if table.baseline is None:
        return said
    found = [d for group in table.groups for d in group.differences.values()]
    tests: dict[str, set[int]] = {}
    for one in found:
        if one.test:
            tests.setdefault(one.test, set()).add(one.n)
    how = "; ".join(
        f"{test}, n = {min(counts)}" + (f" to {max(counts)}" if len(counts) > 1 else "")
        for test, counts in tests.items()
    )
    said.append(f"Δ: difference to the baseline ({table.baseline.label or 'all runs'}).")
    if how:
        others = len(table.groups) - 1
        holm = f", adjusted for {others} comparisons (Holm)" if others > 1 else ""
        said.append(f"Test: {how}; two-sided p{holm}; called a difference where p < {LEVEL}.")
    return said
