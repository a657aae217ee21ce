"""Drawings of a sweep's analysis for the screen, made in a worker: what `labtui analysis` draws."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING

from labtui.cells import clean
from labtui.errors import LabtuiError
from labtui.files.paths import LabPaths
from labtui.rows import Row
from labtui.tui.sweep_rows import SweepRows

if TYPE_CHECKING:
    from labtui.plots import Look
    from labtui.query.analysis import Analysis

LEAST = 8
"""Rows of parallel coordinates, however low the screen is."""


@dataclass(frozen=True)
class Asked:
    """A drawing as the screen wants it.

    Args:
        kind: parallel, importance (with the correlations), slice or heat.
        metric: a figure of the query language; empty: the monitored one.
        keys: what is drawn; none: all, or of a heat map the most telling two.
        width, height: cells that there are.
    """

    kind: str
    metric: str
    keys: tuple[str, ...]
    width: int
    height: int
    colored: bool = True
    ascii: bool = False


@dataclass(frozen=True)
class Drawn:
    """A drawing, and what one may choose for another."""

    rows: list[Row] = field(default_factory=list)
    keys: tuple[str, ...] = ()
    """All that can be drawn, the most telling first."""
    shown: tuple[str, ...] = ()
    """Those that are."""
    metric: str = ""


class Analyst:
    """Draws what is asked for; an analysis is made once for all drawings of the same runs and figure."""

    def __init__(self, paths: LabPaths) -> None:
        self.paths = paths
        self._known: tuple[object, Analysis] | None = None

    def draw(self, sweep: SweepRows, asked: Asked) -> Drawn:
        """A drawing with what there is to say of it.

        Raises:
            LabtuiError: there is nothing to draw, or no such figure.
        """
        from labtui.plots import Look
        from labtui.query.slices import telling

        found = self._analysis(sweep, asked.metric)
        known = tuple(telling(found))
        look = Look(asked.width, asked.colored, asked.ascii, keys="v chooses", whole="a wider terminal")
        keys = tuple(key for key in asked.keys if key in known) or known
        if asked.kind == "heat":
            keys = _two(keys, known)
        rows, said = _DRAW[asked.kind](found, look, asked.height, keys)
        below = [line for text in said for line in wrapped(text, asked.width)]
        return Drawn([*rows, [], *([(line, "dim")] for line in below)], known, keys, found.metric)

    def _analysis(self, sweep: SweepRows, metric: str) -> Analysis:
        from labtui.query.analysis import analyse, logarithmic

        key = (sweep.sweep, sweep.finished, metric)
        if self._known is None or self._known[0] != key:
            log = logarithmic(self.paths, sweep.rows[:1])
            self._known = key, analyse(sweep.rows, metric, (), log)
        return self._known[1]


def wrapped(text: str, width: int) -> list[str]:
    """A sentence as lines."""
    return textwrap.wrap(clean(text), max(width, 20))


def pairs(keys: Sequence[str]) -> list[tuple[str, str]]:
    """All heat maps there are, those of the most telling keys first."""
    return list(combinations(keys, 2))


def _two(keys: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    if len(keys) < 2:
        few = f"the cells differ in {clean(known[0])} alone" if known else "the cells differ in nothing"
        raise LabtuiError(f"a heat map has two keys; {few}")
    return keys[:2]


def _parallel(found: Analysis, look: Look, height: int, keys: Sequence[str]) -> tuple[list[Row], list[str]]:
    from labtui import analysed
    from labtui.plots import drawing

    said = [analysed.basis(found), *analysed.following(found)]
    words = 1 + sum(len(wrapped(text, look.width)) for text in said)
    some = replace(found, parameters=[one for one in found.parameters if one.name in keys])
    return drawing(some, "parallel", look, max(height - words, LEAST))[0], said


def _importance(found: Analysis, look: Look, height: int, keys: Sequence[str]) -> tuple[list[Row], list[str]]:
    """Importances, correlations, and all that is said of them."""
    from labtui.analysed import Findings, caption
    from labtui.plots import drawing

    bars = drawing(found, "importance", look, height)[0]
    rows: list[Row] = [[("importance", "head")], *bars, []] if bars else []
    if found.parameters:
        rows += drawing(found, "correlation", look, height)[0]
    return rows, caption(Findings.of(found))


def _slices(found: Analysis, look: Look, height: int, keys: Sequence[str]) -> tuple[list[Row], list[str]]:
    from labtui import analysed
    from labtui.plots import drawing

    return drawing(found, "slice", look, height, keys)[0], [analysed.basis(found)]


def _heat(found: Analysis, look: Look, height: int, keys: Sequence[str]) -> tuple[list[Row], list[str]]:
    from labtui import analysed
    from labtui.plots import drawing

    return drawing(found, "heat", look, height, keys)[0], [analysed.basis(found)]


_DRAW = {"parallel": _parallel, "importance": _importance, "slice": _slices, "heat": _heat}
