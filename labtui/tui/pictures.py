"""Which lines a chart shows, and the chart drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from labtui.tui.want import Eyes, Want

if TYPE_CHECKING:
    from labtui.chart import Limits, Line
    from labtui.rows import Row
    from labtui.series import Series

SPLITS = ("val", "test", "train")
"""Of several runs, the first of these splits that a run has is compared."""


@dataclass(frozen=True)
class View:
    """How the lines of a chart are looked at.

    Args:
        ylog: logarithmic y axis.
        window: part of the steps that is shown, (0, 1) all of them.
    """

    ylog: bool = False
    window: tuple[float, float] = (0.0, 1.0)


class Drawn(NamedTuple):
    """A chart as it was drawn."""

    rows: list[Row]
    same: object
    """Charts of which this is equal share their limits."""
    limits: Limits


@dataclass(frozen=True)
class Picture(Want):
    """A chart as a screen wants it: found is a `Drawn`.

    Args:
        runs: ids, in the order of their colours.
        width, height: cells.
        turn: 0 the losses; 1 the monitored metric, 2 and on the others.
        view: how the lines are looked at.
        colored: False tells lines apart without colour.
        ascii: for terminals without braille.
    """

    runs: tuple[str, ...]
    width: int
    height: int
    turn: int = 0
    view: View = field(default_factory=View)
    colored: bool = True
    ascii: bool = False

    @property
    def drawn_runs(self) -> Sequence[str]:
        """Its runs."""
        return self.runs

    def stamp(self, eyes: Eyes) -> object:
        """What the runs are called, and the sizes of their logs."""
        return [(eyes.snapshot.of(key, "name"), eyes.grown(key)) for key in self.runs]

    def look(self, eyes: Eyes, before: Drawn | None) -> Drawn:
        """Draw it."""
        from labtui import chart

        title, lines = self._lines(eyes)
        same = (self.runs, title, self.view.ylog)
        if not lines:
            some = any(eyes.series(key) for key in self.runs)
            text = (
                ("no other metric was logged" if self.turn else "no loss was logged")
                if some
                else ("nothing was logged yet" if self.runs else "")
            )
            return Drawn([[], [(" " + text, "dim")]], same, ((0.0, 1.0), (0.0, 1.0)))
        held = before.limits if before and before.same == same else None
        limits = chart.limits_of(lines, self.view.ylog, held)
        shown = limits
        if self.view.window != (0.0, 1.0):
            shown = _zoomed(lines, limits, self.view)
        rows = chart.rows(
            lines, self.width, self.height, title=title, xlabel="step",
            ylog=self.view.ylog, colored=self.colored, ascii=self.ascii, limits=shown,
        )  # fmt: skip
        return Drawn(rows, same, limits)

    def _lines(self, eyes: Eyes) -> tuple[str, list[Line]]:
        """Title and lines: all splits of one run, or one split of each of several."""
        from labtui.chart import Line
        from labtui.tui.widgets.lines import LINES

        found = {key: eyes.series(key) for key in self.runs}
        group = _group(found, [eyes.snapshot.of(k, "metric") for k in self.runs], self.turn)
        lines: list[Line] = []
        for key, series in found.items():
            mine = _members(series, group)
            for metric in mine if len(found) == 1 else mine[:1]:
                steps, _, values = series[metric]
                color = f"line-{len(lines) % LINES + 1}"
                name = metric if len(found) == 1 else f"{eyes.snapshot.of(key, 'name')} {key[-4:]}"
                lines.append(Line(name, steps, values, color))
        if len(found) == 1:
            return "", lines  # its name stands above or beside the chart already
        shown = {m for s in found.values() for m in _members(s, group)[:1]}
        return " ".join(sorted(shown)) or group, lines


def _members(series: dict[str, Series], group: str) -> list[str]:
    """The metrics of a group, validation first; single steps' losses if there are no others."""
    mine = [m for m in series if m.rpartition(".")[2] == group]
    if group == "loss" and not any(m.startswith("train.") for m in mine):
        mine += [m for m in series if m.rpartition(".")[2] == "step_loss"]
    rank = {split: number for number, split in enumerate(SPLITS)}
    return sorted(mine, key=lambda m: (rank.get(m.partition(".")[0], len(SPLITS)), m))


def _group(found: dict[str, dict[str, Series]], monitors: list[str | None], turn: int) -> str:
    """Which metric: "loss", then the monitored one or accuracy, then the others in turn."""
    if turn == 0:
        return "loss"
    groups = dict.fromkeys(name.rpartition(".")[2] for series in found.values() for name in series)
    others = [g for g in groups if g not in ("loss", "step_loss", "epoch")]
    first = [m.rpartition(".")[2] for m in monitors if m] + ["acc", "accuracy"]
    ranked = [g for g in dict.fromkeys(first) if g in others]
    ranked += [g for g in others if g not in ranked]
    return ranked[(turn - 1) % len(ranked)] if ranked else "acc"


def _zoomed(lines: list[Line], limits: Limits, view: View) -> Limits:
    """The limits of a part of the steps, y around what is in it."""
    import numpy as np

    from labtui import chart

    (low, high), _ = limits
    start, end = (low + part * (high - low) for part in view.window)
    inside = []
    for line in lines:
        x = np.asarray(line.x, np.float64)
        part = (x >= start) & (x <= end)
        inside.append(chart.Line(line.name, x[part], np.asarray(line.y)[part]))
    return (start, end), chart.limits_of(inside, view.ylog)[1]
