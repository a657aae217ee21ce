"""An analysis as people and programs read it: tables, sentences, records; command line and reports share it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from labtui.files.goals import arrowed
from labtui.query.analysis import Analysis, best, metrics_of, parallel
from labtui.query.correlation import Correlation, correlations
from labtui.query.importance import Importance, importance
from labtui.query.parameters import short
from labtui.query.slices import heat, ranked, slices
from labtui.table import number

Table = tuple[list[str], list[list[Any]]]
"""Names of columns, and rows of as many values."""


@dataclass(frozen=True, eq=False)
class Findings:
    """All that is said of the keys of an analysis."""

    analysis: Analysis
    importance: Importance
    correlations: list[Correlation]
    """With the analysed figure, one a key."""

    @classmethod
    def of(cls, analysis: Analysis) -> Findings:
        """Find them; the importances take up to some seconds."""
        found = correlations(analysis.parameters, [analysis.measured])
        return cls(analysis, importance(analysis), found)

    @property
    def keys(self) -> list[str]:
        """The most important first; in the recipe's order where that cannot be said."""
        return list(self.importance.shares) or [one.name for one in self.analysis.parameters]


def good_and_bad(analysis: Analysis) -> tuple[str, str]:
    """What the two ends are called."""
    return ("best", "worst") if analysis.goal else ("highest", "lowest")


def in_words(found: Findings) -> Table:
    """One row a key: importance, correlation, and its best and worst value with their means."""
    by = {one.key: one for one in found.correlations}
    lines = []
    for key in found.keys:
        one, order = by[key], ranked(found.analysis, key)
        ends = [f"{end.label} ({number(end.mean, 3)})" for end in (order[0], order[-1])]
        share = found.importance.shares.get(key)
        p = None if one.p is None else number(one.p, 2)
        rho = None if one.spearman is None else f"{one.spearman:+.2f}"
        lines.append([key, None if share is None else round(share, 3), rho, p, *ends])
    return ["key", "importance", "spearman", "p", *good_and_bad(found.analysis)], lines


def in_numbers(found: Findings) -> Table:
    """One row a key with every number in full, for programs; without a goal the highest is the best."""
    columns = ["key", "kind", "log", "values", "missing", "importance", "spearman", "p", "pearson", "n"]
    columns += [f"{end}_{what}" for end in ("best", "worst") for what in ("value", "mean", "cells")]
    by = {one.key: one for one in found.correlations}
    lines = []
    for key in found.keys:
        column, one, order = found.analysis.parameter(key), by[key], ranked(found.analysis, key)
        line = [key, column.kind, column.log, column.distinct.size, column.missing]
        line += [found.importance.shares.get(key), one.spearman, one.p, one.pearson, one.n]
        lines.append(line + [part for end in (order[0], order[-1]) for part in (end.label, end.mean, end.n)])
    return columns, lines


def caption(found: Findings) -> list[str]:
    """What the tables are made of, and what to beware of; then the best and worst in words."""
    analysis = found.analysis
    said = [basis(analysis)]
    if found.importance.method:
        said.append(
            f"Importance: {found.importance.method} over {found.importance.cells} cells; a random forest "
            f"predicts unseen cells with R² {number(found.importance.r2, 2)}."
        )
    if found.importance.remark:
        said.append(f"Beware: {found.importance.remark}.")
    said += following(analysis)
    return [*said, *ends(analysis), *top(analysis)]


def basis(analysis: Analysis, name: str = "") -> str:
    """Cells, runs, who is left out, and the figure, perhaps by another name."""
    said = f"{_count(len(analysis.groups), 'cell')} of {_count(analysis.runs, 'run')}"
    if analysis.left_out:
        left = ", ".join(f"{n} {why}" for why, n in analysis.left_out.items())
        said += f" (left out: {left})"
    return f"{said}; {arrowed(name or analysis.metric, analysis.goal)}, mean of each cell's runs."


def following(analysis: Analysis) -> list[str]:
    """Which keys are not analysed, since others tell them."""
    by: dict[str, list[str]] = {}
    for key, leader in analysis.follows.items():
        by.setdefault(leader, []).append(key)
    return [
        f"{', '.join(keys)} follow{'s' if len(keys) == 1 else ''} {leader}."
        if leader
        else f"{', '.join(keys)}: another one in each cell, not analysed."
        for leader, keys in by.items()
    ]


def ends(analysis: Analysis) -> list[str]:
    """The best and the worst cell, by what they are."""
    if len(analysis.groups) < 2:
        return []
    picked = zip(good_and_bad(analysis), (analysis.order[0], analysis.order[-1]), strict=True)
    return [f"The {word}: {short(analysis.values[i])}: {described(analysis, int(i))}." for word, i in picked]


def described(analysis: Analysis, cell: int) -> str:
    """What a cell is: its keys where they differ, or its title."""
    parts = [f"{one.name}={one.label(float(one.column[cell]))}" for one in analysis.parameters]
    return ", ".join(parts) or analysis.groups[cell].title or "the only cell"


def top(analysis: Analysis) -> list[str]:
    """What the best quarter has in common."""
    if len(analysis.groups) < 4 or not analysis.parameters:
        return []
    count, keys = best(analysis)
    common = [f"{one.key} {one.words} in all" for one in keys if one.common and count > 1]
    others = [f"{one.key} {one.words}" for one in keys if not (one.common and count > 1)]
    word = good_and_bad(analysis)[0]
    return [f"The {word} {count} of {len(analysis.groups)} cells: {'; '.join(common + others)}."]


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def record(found: Findings) -> dict[str, Any]:
    """All of it for programs; the names are public. Without a goal the highest is the best."""
    analysis = found.analysis
    columns, lines = in_numbers(found)
    return {
        "metric": analysis.metric,
        "goal": analysis.goal,
        "runs": analysis.runs,
        "cells": len(analysis.groups),
        "left_out": analysis.left_out,
        "follows": analysis.follows,
        "importance": {k: v for k, v in found.importance._asdict().items() if k != "shares"},
        "keys": [dict(zip(columns, line, strict=True)) for line in lines],
        "best": _cell(analysis, int(analysis.order[0])),
        "worst": _cell(analysis, int(analysis.order[-1])),
        "top": {one.key: one.words for one in best(analysis)[1]},
    }


def _cell(analysis: Analysis, cell: int) -> dict[str, Any]:
    group = analysis.groups[cell]
    return {
        "title": group.title,
        "values": group.values,
        "metric": float(analysis.values[cell]),
        "runs": [row["id"] for row in group.rows],
    }


def importance_table(found: Importance) -> Table:
    """One row a key."""
    return ["key", "importance"], [[key, share] for key, share in found.shares.items()]


def correlation_table(analysis: Analysis) -> Table:
    """One row a key and metric."""
    found = correlations(analysis.parameters, metrics_of(analysis))
    return list(Correlation._fields), [list(one) for one in found]


def slice_table(analysis: Analysis, keys: Sequence[str]) -> Table:
    """One row a key and value, or bin of values."""
    names = keys or [one.name for one in analysis.parameters]
    lines = [[key, one.label, one.mean, one.std, one.n] for key in names for one in slices(analysis, key)]
    return ["key", "value", "mean", "deviation", "cells"], lines


def slice_points(analysis: Analysis, keys: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Key to one point a cell: its value, its figure, and its runs."""
    runs = [[row["id"] for row in group.rows] for group in analysis.groups]
    found = {}
    for key in keys or [one.name for one in analysis.parameters]:
        cells = zip(analysis.parameter(key).told(), analysis.values.tolist(), runs, strict=True)
        found[key] = [{"value": value, "metric": figure, "runs": ids} for value, figure, ids in cells]
    return found


def heat_table(analysis: Analysis, x: str, y: str) -> Table:
    """One row a pair of values that a cell has."""
    found = heat(analysis, x, y)
    lines = []
    for i, down in enumerate(found.rows):
        for j, across in enumerate(found.columns):
            if found.n[i, j]:
                std = float(found.std[i, j])
                spread = None if math.isnan(std) else std
                lines.append([across, down, float(found.mean[i, j]), spread, int(found.n[i, j])])
    return [x, y, "mean", "deviation", "cells"], lines


def parallel_table(analysis: Analysis) -> Table:
    """One row a cell, the best last: its value of each key, its figure, and where it stands from 0 to 1."""
    found = parallel(analysis)
    told = [one.told() for one in found.axes]
    lines = [
        [*(column[cell] for column in told), standing]
        for cell, standing in zip(found.cells.tolist(), found.standing.tolist(), strict=True)
    ]
    return [*(one.name for one in found.axes), "standing"], lines
