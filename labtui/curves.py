"""The series of runs as lines: which metrics make a chart, what x is, smoothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from labtui.axis import Ticks, clock, clock_ticks, elapsed, number_ticks, short, time_ticks
from labtui.canvas import MARKERS
from labtui.chart import Line
from labtui.points import Floats, ema, ordered
from labtui.series import Series

SPLITS = ("val", "test", "train")
"""Of several runs, the first of these splits that a run has is compared."""
_SPLIT_NAMES = (*SPLITS, "valid", "validation", "eval", "dev")
MACHINE = "sys."
"""Begins the names of the machine's metrics."""
_SYSTEM = ("gpu.use", "gpu.memory", "gpu.temperature", "cpu", "memory", "disk_free")
"""Their order."""
_UNITS = {"use": "%", "cpu": "%", "memory": "GB", "disk_free": "GB", "temperature": "°C"}
"""Their units, by the end of the name (`engine/machine.py`)."""


@dataclass(frozen=True, eq=False)
class Course:
    """What a run has logged.

    Args:
        key: its id.
        name: what people call it.
        color: number of its colour, from 0; the same wherever it is drawn.
        series: of each metric.
        monitor: the metric that says which step is best.
    """

    key: str
    name: str
    color: int
    series: Mapping[str, Series]
    monitor: str = ""

    @cached_property
    def start(self) -> float:
        """Unix seconds of its first record."""
        firsts = [float(one.times.min()) for one in self.series.values() if one.times.size]
        return min(firsts, default=0.0)

    @cached_property
    def epochs(self) -> tuple[Floats, Floats] | None:
        """Steps and the epochs done at them, from (0, 0) on; None where epochs were not logged."""
        one = self.series.get("epoch")
        if one is None:
            return None
        good = np.isfinite(one.values)
        if not good.any():
            return None
        steps, epochs = ordered(one.steps[good], one.values[good])
        if steps[0] > 0:
            steps, epochs = np.r_[0.0, steps], np.r_[0.0, epochs]
        return steps, epochs

    def epoch_at(self, steps: Floats) -> Floats:
        """Epochs at some steps; beyond the last one that was logged they go on as fast."""
        if self.epochs is None:
            return steps
        known, epochs = self.epochs
        found = np.interp(steps, known, epochs)
        if known.size > 1 and known[-1] > known[-2]:
            slope = (epochs[-1] - epochs[-2]) / (known[-1] - known[-2])
            found = np.where(steps > known[-1], epochs[-1] + (steps - known[-1]) * slope, found)
        return found


@dataclass(frozen=True, eq=False)
class Scale:
    """What x is, for some runs that are drawn together.

    Args:
        axis: one of `labtui.view.AXES`.
        courses: the runs.
    """

    axis: str
    courses: Sequence[Course] = field(default_factory=tuple)

    @cached_property
    def origin(self) -> float:
        """Unix seconds at which x is 0, where x is local time: the earliest start, whole."""
        return float(np.floor(min((course.start for course in self.courses), default=0.0)))

    @property
    def label(self) -> str:
        """For the end of the axis."""
        if self.axis == "epoch" and not any(course.epochs for course in self.courses):
            return "step"
        return {"clock": "local time"}.get(self.axis, self.axis)

    @property
    def ticks(self) -> Ticks:
        """Places and texts."""
        if self.axis == "clock":
            return clock_ticks(self.origin)
        return time_ticks if self.axis == "time" else number_ticks

    def x(self, course: Course, one: Series) -> Floats:
        """x of the points of a series."""
        if self.axis == "time":
            return np.asarray(one.times - course.start, np.float64)
        if self.axis == "clock":
            return np.asarray(one.times - self.origin, np.float64)
        steps = one.steps.astype(np.float64)
        return course.epoch_at(steps) if self.axis == "epoch" else steps

    def reading(self, x: float) -> str:
        """What a place on the axis is: of one run step, epoch and time, of several its own units."""
        own = {
            "step": lambda: f"step {x:.0f}",
            "epoch": lambda: f"{self.label} {_epoch(x)}",
            "time": lambda: elapsed(x),
            "clock": lambda: clock(self.origin + x),
        }[self.axis]()
        if len(self.courses) != 1:
            return own
        course = self.courses[0]
        longest = max(course.series.values(), key=lambda one: one.steps.size, default=None)
        if longest is None or not longest.steps.size:
            return own
        xs, steps, times = ordered(self.x(course, longest), longest.steps, longest.times)
        at = max(int(np.searchsorted(xs, x + 1e-9 * abs(x), "right")) - 1, 0)
        parts = [f"step {steps[at]:.0f}"]
        if course.epochs is not None:
            parts.append(f"epoch {_epoch(float(course.epoch_at(steps[at : at + 1])[0]))}")
        return " · ".join([*parts, elapsed(times[at] - course.start), clock(times[at])])

    def moved(self, x: float, to: Scale) -> float | None:
        """The place on another axis that is the same point of the first run."""
        for course in self.courses:
            longest = max(course.series.values(), key=lambda one: one.steps.size, default=None)
            if longest is not None and longest.steps.size:
                xs, others = ordered(self.x(course, longest), to.x(course, longest))
                return float(others[max(int(np.searchsorted(xs, x, "right")) - 1, 0)])
        return None


def _epoch(value: float) -> str:
    """Epochs done; only parts of one have decimals."""
    return f"{value:.0f}" if abs(value - round(value)) < 1e-6 else short(value)


def of_machine(name: str) -> str:
    """What a metric is called in a chart: that of the machine with its unit."""
    own = name.removeprefix(MACHINE)
    if own == name:
        return name
    unit = next((unit for ending, unit in _UNITS.items() if own.endswith(ending)), "")
    return f"{own} {unit}".rstrip()


def group_of(name: str) -> str:
    """The chart that a metric belongs to: its name without the split, or without the GPU's number."""
    if name.startswith(MACHINE):
        if name == "sys.process_memory":
            return "sys.memory"
        return re.sub(r"(?<=gpu)\d+", "", name)
    split, dot, rest = name.partition(".")
    group = rest if dot and split in _SPLIT_NAMES else name
    return "loss" if group == "step_loss" else group


def groups(courses: Sequence[Course], machine: bool = False) -> list[str]:
    """The charts of some runs: losses first, then the monitored metric, then others as logged.

    Args:
        machine: those of the machine (`sys.*`) instead.
    """
    names = [name for course in courses for name in course.series if name != "epoch"]
    found = list(dict.fromkeys(group_of(name) for name in names if name.startswith(MACHINE) == machine))
    if machine:
        order = {MACHINE + name: number for number, name in enumerate(_SYSTEM)}
        return sorted(found, key=lambda group: (order.get(group, len(order)), group))
    monitors = [group_of(course.monitor) for course in courses if course.monitor]
    losses = [group for group in found if group.endswith("_loss")]
    first = [group for group in ("loss", *losses, *monitors, "acc", "accuracy") if group in found]
    return list(dict.fromkeys(first + found))


def members(series: Mapping[str, Series], group: str) -> list[str]:
    """The metrics of a group, validation first; single steps' losses if the training has no others."""
    mine = [name for name in series if group_of(name) == group]
    steps = [name for name in mine if name.endswith("step_loss")]
    if any(name.startswith("train.") and name not in steps for name in mine):
        mine = [name for name in mine if name not in steps]
    rank = {split: number for number, split in enumerate(SPLITS)}
    return sorted(mine, key=lambda name: (rank.get(name.partition(".")[0], len(SPLITS)), name))


def lines(
    courses: Sequence[Course], group: str, scale: Scale, smoothing: float, color: Callable[[int], str]
) -> tuple[str, list[Line]]:
    """Title and lines of a chart: all splits of one run, or one split of each of several.

    Args:
        color: the style of a colour's number.
    """
    chosen = [(course, members(course.series, group)) for course in courses]
    if len(courses) == 1:
        course, names = chosen[0]
        numbers = [_NUMBERS.get(name.partition(".")[0], -1) for name in names]
        spare = iter(number for number in range(len(names) + 3) if number not in numbers)
        colors = [next(spare) if number < 0 else number for number in numbers]
        found = [
            _line(course, name, of_machine(name), number, scale, smoothing, color)
            for name, number in zip(names, colors, strict=True)
        ]
        return "", found  # their names say it
    found = [
        _line(course, names[0], f"{course.name} {course.key[-4:]}", course.color, scale, smoothing, color)
        for course, names in chosen
        if names
    ]
    shown = sorted({of_machine(names[0]) for _, names in chosen if names})
    return " ".join(shown) or group, found


_NUMBERS = {"val": 0, "train": 1, "test": 2}
"""Colours of the splits: the same in every chart."""


def _line(
    course: Course, metric: str, name: str, number: int, scale: Scale, smoothing: float,
    color: Callable[[int], str],
) -> Line:  # fmt: skip
    one = course.series[metric]
    x, values = ordered(scale.x(course, one), one.values)
    mark = MARKERS[number % len(MARKERS)]
    if smoothing and not metric.startswith(MACHINE):
        return Line(name, x, ema(values, smoothing), color(number), raw=values, mark=mark)
    return Line(name, x, values, color(number), mark=mark)
