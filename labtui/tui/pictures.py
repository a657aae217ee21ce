"""Which lines a chart shows, and the chart drawn; again only when its data changed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labtui.query import Lab
from labtui.query.lab import Run
from labtui.tui.snapshot import Snapshot

if TYPE_CHECKING:
    from labtui.chart import Limits, Line
    from labtui.rows import Row
    from labtui.series import Series

SPLITS = ("val", "test", "train")
"""Of several runs, the first of these splits that a run has is compared."""


@dataclass(frozen=True)
class Picture:
    """A chart as a screen wants it.

    Args:
        slot: names the place on the screen.
        runs: ids, in the order of their colours.
        width, height: cells.
        turn: 0 the losses; 1 the monitored metric, 2 and on the others.
        ylog: logarithmic y axis.
        window: part of the steps that is shown, (0, 1) all of them.
        colored: False tells lines apart without colour.
        ascii: for terminals without braille.
    """

    slot: str
    runs: tuple[str, ...]
    width: int
    height: int
    turn: int = 0
    ylog: bool = False
    window: tuple[float, float] = (0.0, 1.0)
    colored: bool = True
    ascii: bool = False


class Pictures:
    """Keeps the series of the runs that are shown, and what was drawn of them."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self._series: dict[str, tuple[int, dict[str, Series]]] = {}
        self._done: dict[str, tuple[object, tuple[object, Limits]]] = {}

    def drawn(self, pictures: Sequence[Picture], snapshot: Snapshot) -> dict[str, list[Row]]:
        """The pictures that differ from what was drawn last, by slot."""
        wanted = {key for picture in pictures for key in picture.runs}
        self._series = {k: v for k, v in self._series.items() if k in wanted}
        slots = {picture.slot for picture in pictures}
        self._done = {slot: done for slot, done in self._done.items() if slot in slots}
        for key in wanted:
            self._read(key)
        out: dict[str, list[Row]] = {}
        for picture in pictures:
            names = tuple(snapshot.of(key, "name") for key in picture.runs)
            stamp = (picture, names, tuple(self._series[key][0] for key in picture.runs))
            done = self._done.get(picture.slot)
            if done is None or done[0] != stamp:
                rows, limits = self._draw(picture, snapshot, done[1] if done else None)
                self._done[picture.slot] = (stamp, limits)
                out[picture.slot] = rows
        return out

    def _read(self, key: str) -> None:
        """The run's series, if its log grew."""
        paths = self.lab.paths.run(key)
        try:
            size = os.stat(paths.metrics).st_size
        except OSError:
            size = -1
        known = self._series.get(key)
        if known is None or known[0] != size:
            row = self.lab.index.row(key)
            found = Run(paths, row).all_series() if row and size > 0 else {}
            self._series[key] = (size, found)

    def _draw(
        self, picture: Picture, snapshot: Snapshot, before: tuple[object, Limits] | None
    ) -> tuple[list[Row], tuple[object, Limits]]:
        from labtui import chart

        title, lines = self._lines(picture, snapshot)
        same = (picture.runs, title, picture.ylog)
        if not lines:
            some = any(self._series[key][1] for key in picture.runs)
            text = (
                ("no other metric was logged" if picture.turn else "no loss was logged")
                if some
                else ("nothing was logged yet" if picture.runs else "")
            )
            return [[], [(" " + text, "dim")]], (same, ((0.0, 1.0), (0.0, 1.0)))
        held = before[1] if before and before[0] == same else None
        limits = chart.limits_of(lines, picture.ylog, held)
        shown = limits
        if picture.window != (0.0, 1.0):
            shown = _zoomed(lines, limits, picture)
        rows = chart.rows(
            lines, picture.width, picture.height, title=title, xlabel="step",
            ylog=picture.ylog, colored=picture.colored, ascii=picture.ascii, limits=shown,
        )  # fmt: skip
        return rows, (same, limits)

    def _lines(self, picture: Picture, snapshot: Snapshot) -> tuple[str, list[Line]]:
        """Title and lines: all splits of one run, or one split of each of several."""
        from labtui.chart import Line
        from labtui.tui.widgets.lines import LINES

        found = {key: self._series[key][1] for key in picture.runs}
        group = _group(found, [snapshot.of(k, "metric") for k in picture.runs], picture.turn)
        lines: list[Line] = []
        for key, series in found.items():
            mine = _members(series, group)
            for metric in mine if len(found) == 1 else mine[:1]:
                steps, _, values = series[metric]
                color = f"line-{len(lines) % LINES + 1}"
                name = metric if len(found) == 1 else f"{snapshot.of(key, 'name')} {key[-4:]}"
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


def _zoomed(lines: list[Line], limits: Limits, picture: Picture) -> Limits:
    """The limits of a part of the steps, y around what is in it."""
    import numpy as np

    from labtui import chart

    (low, high), _ = limits
    start, end = (low + part * (high - low) for part in picture.window)
    inside = []
    for line in lines:
        x = np.asarray(line.x, np.float64)
        part = (x >= start) & (x <= end)
        inside.append(chart.Line(line.name, x[part], np.asarray(line.y)[part]))
    return (start, end), chart.limits_of(inside, picture.ylog)[1]
