"""Any drawing of an analysis by its name; command line and screens share it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from labtui.errors import LabError
from labtui.plots.bars import importance_rows
from labtui.plots.grid import correlation_rows, heat_rows
from labtui.plots.parallel import parallel_rows
from labtui.plots.parts import Look
from labtui.plots.slices import HEIGHT, slices_rows
from labtui.query.analysis import Analysis, metrics_of
from labtui.query.correlation import correlations
from labtui.query.importance import importance
from labtui.query.slices import heat, telling
from labtui.rows import Row

Kind = Literal["importance", "parallel", "slice", "heat", "correlation"]


def drawing(
    found: Analysis, kind: Kind, look: Look, height: int, keys: Sequence[str] = ()
) -> tuple[list[Row], str]:
    """A drawing, and what to beware of (empty: nothing).

    Args:
        height: rows of parallel coordinates (>= 5).
        keys: of slices, those that are drawn (none: all); of a heat map its two (none: the most telling).

    Raises:
        LabError: the cells differ in nothing, or a heat map has not two keys.
        FilterError: the cells do not differ in one of the keys.
    """
    if kind == "importance":
        shares = importance(found)
        return importance_rows(shares, look), shares.remark
    if not found.parameters:
        raise LabError("analysis: the cells differ in nothing that could be drawn")
    if kind == "correlation":
        return correlation_rows(correlations(found.parameters, metrics_of(found)), look), ""
    if kind == "slice":
        return slices_rows(found, look, HEIGHT, keys), ""
    if kind == "heat":
        return heat_rows(heat(found, *pair(found, keys)), found.metric, found.goal, look), ""
    return parallel_rows(found, look, height), ""


def pair(found: Analysis, keys: Sequence[str] = ()) -> tuple[str, str]:
    """The two keys of a heat map; not named, those that tell most alone.

    Raises:
        LabError: there are not two.
    """
    chosen = list(keys) or telling(found)[:2]
    if len(chosen) != 2:
        raise LabError(f"analysis: a heat map has two keys, not {len(chosen)}; name them with --keys A,B")
    return chosen[0], chosen[1]
