"""What of many runs makes one figure good: the data of tables and pictures, the same for terminal and report.

Runs are put together into cells first (folds and repeats are averaged, see `aggregate`), whatever sweeps or
recipes they come from; each cell then counts once. Runs that have not finished, or have no such figure, are
left out and counted. Which keys there are, and on which scale they are seen, is said in `parameters`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labtui.errors import FilterError, LabError
from labtui.files import toml
from labtui.files.paths import LabPaths
from labtui.query.aggregate import Group, aggregate, figures, goal_of, hyperparameters
from labtui.query.parameters import (
    ENOUGH,
    MISSING,
    Floats,
    Parameter,
    differing,
    following,
    measured,
)  # fmt: skip
from labtui.query.rows import require
from labtui.query.spread import counted, figure

Fields = Mapping[str, Any]

TOP = 0.25
"""Part of the cells that is called the best."""
NOT_ANALYSED = ("validate.monitor", "goals.")
"""Keys that say how a run is judged; they do not make it better."""


@dataclass(frozen=True, eq=False)
class Analysis:
    """Cells, what they differ in, and how good they are."""

    metric: str
    goal: str | None
    """ "min" or "max"; None when which is better is not known: then the highest stands for the best."""
    groups: list[Group]
    """The n cells, in the order in which they were made."""
    values: Floats
    """(n,) the metric's mean of each."""
    parameters: list[Parameter]
    """What they differ in, in the order of the recipe."""
    follows: dict[str, str]
    """Keys left out of `parameters`, and the key that tells each; empty for one that is a name: a category
    that is another one in each cell."""
    runs: int
    """Runs in the cells."""
    left_out: dict[str, int]
    """Why runs are not in them (`unfinished`, `no figure`), and how many."""

    @cached_property
    def order(self) -> NDArray[np.intp]:
        """(n,) the cells from best to worst; equal ones in the order in which they were made."""
        return np.argsort(self.values if self.goal == "min" else -self.values, kind="stable")

    @cached_property
    def measured(self) -> Parameter:
        """The metric as a column."""
        return measured(self.metric, self.values)

    def parameter(self, name: str) -> Parameter:
        """The column of a key.

        Raises:
            FilterError: the cells do not differ in it.
        """
        for one in self.parameters:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self.parameters) or "nothing"
        raise FilterError(f"the cells do not differ in {name!r}; they differ in {known}")


def analyse(
    rows: Iterable[Fields], metric: str = "", keys: Sequence[str] = (), log: Collection[str] = ()
) -> Analysis:
    """Put runs together for an analysis.

    Args:
        rows: of the index, in any order.
        metric: a figure of the query language, such as `val.acc` or `test.acc.last`; empty: the first of
            the monitored metrics.
        keys: of the query language, to look at; none: all recipe keys in which the cells differ and that
            follow no other key. Cells differ in all recipe keys either way, and in these.
        log: keys that are seen on a logarithmic scale, whatever they span.

    Raises:
        FilterError: no run has such a key or such a figure.
        LabError: no run is left, or nobody said which figure.
    """
    rows = list(rows)
    if not rows:
        raise LabError("analysis: no run was chosen; `labtui ls` lists them")
    for key in (*keys, *([metric] if metric else [])):
        require(rows, key)
    metric = metric or _figure_of(rows)
    finished = [row for row in rows if counted(row)]
    chosen = [row for row in finished if figure(row, metric) is not None]
    left_out = {"unfinished": len(rows) - len(finished), "no figure": len(finished) - len(chosen)}
    if not chosen:
        raise LabError(_nothing(metric, len(rows), left_out))
    names = [key for key in hyperparameters(chosen) if not key.startswith(NOT_ANALYSED)]
    more = [key for key in keys if key not in names]
    groups = aggregate(chosen, [*names, *more] or ["name"], [metric]).groups
    columns = {key: [group.values.get(key) for group in groups] for key in (*names, *more)}
    found = differing([(key, columns[key]) for key in dict.fromkeys(keys or names)], log)
    follows = {} if keys else {**_naming(found), **following(found)}
    return Analysis(
        metric=metric,
        goal=goal_of(chosen, metric),
        groups=groups,
        values=np.array([group.spreads[metric].mean for group in groups], np.float64),
        parameters=[one for one in found if one.name not in follows],
        follows=follows,
        runs=len(chosen),
        left_out={why: n for why, n in left_out.items() if n},
    )


def _naming(found: Sequence[Parameter]) -> dict[str, str]:
    """Categories that tell each cell from all others, and so nothing about any."""
    return {
        one.name: ""
        for one in found
        if one.kind == "category" and ENOUGH <= one.column.size == one.distinct.size
    }


def logarithmic(paths: LabPaths, rows: Iterable[Fields]) -> set[str]:
    """Keys that the definitions of these runs' sweeps search on a logarithmic scale (`log = true`)."""
    found: set[str] = set()
    for sweep in {row["sweep"] for row in rows} - {""}:
        with suppress(
            OSError, ValueError, KeyError, TypeError, AttributeError, LabError
        ):  # broken or gone: values say enough
            space = toml.read(paths.sweep(sweep).recipe)["sweep"]["space"]
            found |= {key for key, values in space.items() if isinstance(values, dict) and values.get("log")}
    return found


def _figure_of(rows: Sequence[Fields]) -> str:
    found = figures(row for row in rows if counted(row)) or figures(rows)
    if found:
        return found[0]
    known = sorted({name for row in rows for name in row["metrics"]})[:8]
    some = f"; they logged {', '.join(known)}" if known else ""
    raise LabError(f"analysis: these {len(rows)} runs monitor no metric; give one with --metric{some}")


def _nothing(metric: str, runs: int, left_out: Mapping[str, int]) -> str:
    why = ", ".join(f"{n} {'with no ' + metric if w == 'no figure' else w}" for w, n in left_out.items() if n)
    return f"analysis: of {runs} runs none has finished with a value of {metric} ({why})"


@dataclass(frozen=True, eq=False)
class Parallel:
    """Each cell as a line across one axis a key, the metric's last."""

    axes: list[Parameter]
    """k + 1 of them."""
    lines: Floats
    """(n, k + 1) places on the axes, 0 to 1, the best cell last; NaN where a cell has no such key."""
    standing: Floats
    """(n,) 0 for the worst to 1 for the best, by rank."""
    cells: NDArray[np.intp]
    """(n,) which cell each line is."""


def parallel(analysis: Analysis, most: int | None = None) -> Parallel:
    """Parallel coordinates (Inselberg 1985).

    Args:
        most: of more cells, only so many (>= 2), from the best to the worst at even distances.
    """
    axes = [*analysis.parameters, analysis.measured]
    order = analysis.order[::-1]
    standing = np.linspace(0, 1, order.size) if order.size > 1 else np.ones(order.size)
    if most is not None and order.size > most:
        picked = np.linspace(0, order.size - 1, most).round().astype(np.intp)
        order, standing = order[picked], standing[picked]
    places = np.stack([axis.place(axis.scaled)[order] for axis in axes], axis=1)
    return Parallel(axes, places, standing, order)


class Top(NamedTuple):
    """What the best cells have in common in one key."""

    key: str
    common: bool
    """Whether all of them have one value of it."""
    words: str


def best(analysis: Analysis) -> tuple[int, list[Top]]:
    """How many cells are called the best (the first quarter, at least one), and what they are like: of each
    value how often, of many numbers from where to where."""
    count = max(1, round(TOP * len(analysis.groups)))
    chosen = analysis.order[:count]
    return count, [_top(one, chosen) for one in analysis.parameters]


def _top(one: Parameter, chosen: NDArray[np.intp]) -> Top:
    column = one.column[chosen]
    known = column[~np.isnan(column)]
    if one.kind == "number" and one.distinct.size > len(chosen) + 1 and known.size:
        low, high = one.label(float(known.min())), one.label(float(known.max()))
        words = low if low == high else f"{low} to {high}"
        return Top(
            one.name,
            low == high,
            words + (f", {MISSING} ×{column.size - known.size}" * (known.size < column.size)),
        )
    counts = Counter(one.label(value) for value in column.tolist()).most_common()
    if len(counts) == 1:
        return Top(one.name, True, counts[0][0])
    shown = ", ".join(f"{label} ×{n}" for label, n in counts[:4])
    rest = sum(n for _, n in counts[4:])
    return Top(one.name, False, shown + (f", others ×{rest}" if rest else ""))


def metrics_of(analysis: Analysis) -> list[Parameter]:
    """The analysed figure, and every metric of these runs that has a direction, as columns of the cells'
    means (of their runs' values at the best epoch); NaN where a cell has none."""
    rows = [row for group in analysis.groups for row in group.rows]
    goals = {name: entry["goal"] for row in rows for name, entry in row["metrics"].items()}
    names = [name for name, goal in goals.items() if goal and name != analysis.metric]
    found = [analysis.measured]
    for name in names:
        means = []
        for group in analysis.groups:
            values = [v for row in group.rows if (v := figure(row, name)) is not None]
            means.append(math.fsum(values) / len(values) if values else math.nan)
        found.append(measured(name, np.array(means, np.float64)))
    return [one for one in found if one.distinct.size > 1]
