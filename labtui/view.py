"""How charts are looked at: what keys change. Plain values, which screens hold and compare."""

from __future__ import annotations

from dataclasses import dataclass

AXES = ("step", "epoch", "time", "clock")
"""What x is: optimiser steps, epochs, seconds since the run's start, local time."""
SMOOTHING = (0.0, 0.3, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)
"""Weights of an exponential moving average, one after another."""


@dataclass(frozen=True)
class View:
    """How charts are looked at.

    Args:
        axis: what x is, one of AXES.
        units: the axis in whose units `window` and `cursor` are.
        smoothing: weight of the moving average; 0: none.
        logs: charts with a logarithmic y axis.
        window: part of x that is shown; None: all of it.
        follow: the window keeps its size and moves with the newest point.
        cursor: x at which the legends read the lines; None: at the end of each.
        columns, rows: places of the grid; 0: as suits the room.
        focus: number of the chart that keys are about; the grid shows the page that it is on.
        full: show that one only.
    """

    axis: str = "step"
    units: str = "step"
    smoothing: float = 0.0
    logs: frozenset[str] = frozenset()
    window: tuple[float, float] | None = None
    follow: bool = False
    cursor: float | None = None
    columns: int = 0
    rows: int = 0
    focus: int = 0
    full: bool = False
