"""Loss and metric curves as pictures beside the report."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from labtui.files.goals import arrowed
from labtui.report.blocks import Block, Heading, Picture
from labtui.report.document import NotRecorded
from labtui.report.picture import Curve, Floats, Panel, Sheet
from labtui.report.run.document import Document
from labtui.report.run.results import baselines
from labtui.scores import PACES, split_of
from labtui.series import Series
from labtui.table import markdown, number

MOST = 8
"""Panels of the picture of further metrics."""
COLOUR = {"train": 0, "val": 1, "valid": 1, "validation": 1, "test": 2}


def section(doc: Document) -> Iterator[Block]:
    """Loss; the monitored metric, or the score where that is a loss; the others on one sheet."""
    yield Heading(3, "Curves")
    groups = _groups(doc)
    if not groups:
        raise NotRecorded("no metric has two values" + ("" if doc.status.over else " yet"))
    axis = Axis(doc)
    score = split_of(doc.monitor)[1]
    if score in ("", "loss") and doc.held_out:
        score = split_of(doc.held_out[0])[1]
    first = dict.fromkeys(("loss", score))
    for part in (part for part in first if part in groups):
        file = "loss.png" if part == "loss" else "score.png"
        yield _picture(doc, file, {part: groups[part]}, axis)
    others = {part: names for part, names in groups.items() if part not in first}
    drawn = dict(list(others.items())[:MOST])
    if drawn:
        yield _picture(doc, "others.png", drawn, axis)
    if left := list(others)[MOST:]:
        yield f"Not drawn: {', '.join(markdown(part) for part in left)}; the log has them."


class Axis:
    """From steps to what stands on the axis: epochs where they count up, else steps."""

    def __init__(self, doc: Document) -> None:
        self.label = "step"
        logged = doc.series.get("epoch")
        if logged is None or len(logged.steps) < 2:
            return
        steps, epochs = logged.steps, logged.values
        if np.isfinite(epochs).all() and (np.diff(steps) > 0).all() and (np.diff(epochs) > 0).all():
            self.label = "epoch"
            self._steps, self._epochs = steps.astype(float), epochs

    def __call__(self, steps: Floats) -> Floats:
        """(n,) steps to places on the axis; the epoch under way goes on at the last one's pace."""
        if self.label == "step":
            return steps
        s, e = self._steps, self._epochs
        ahead = (steps - s[-1]) * (e[-1] - e[-2]) / (s[-1] - s[-2])
        return np.asarray(np.interp(steps, s, e) + np.maximum(ahead, 0))


def _groups(doc: Document) -> dict[str, list[str]]:
    """Metrics that belong on one pair of axes, by the part of their name after the split.

    A metric with one value is no curve, nor is a rate that never changes; what tells of the machine is no result.
    """
    found: dict[str, list[str]] = {}
    for name, series in doc.series.items():
        values = series.values[np.isfinite(series.values)]
        if name not in ("epoch", *PACES) and len(values) > 1 and (name != "train.lr" or np.ptp(values) > 0):
            part = "loss" if name == "train.step_loss" else split_of(name)[1]
            found.setdefault(part, []).append(name)
    return {part: sorted(names, key=_place) for part, names in found.items()}


def _place(name: str) -> int:
    return COLOUR.get(split_of(name)[0], len(COLOUR))


def _picture(doc: Document, file: str, groups: dict[str, list[str]], axis: Axis) -> Picture:
    sheet = Sheet([_panel(doc, part, names, axis) for part, names in groups.items()])

    def replaced() -> str:
        words = [f"{short} is {markdown(name)}" for name, short in sheet.fonts.replaced.items()]
        return f"*In the picture {'; '.join(words)}: no font here has its letters.*" if words else ""

    return Picture(file, _alternative(doc, groups), sheet.picture, sheet.drawn, replaced)


def _panel(doc: Document, part: str, names: list[str], axis: Axis) -> Panel:
    curves = []
    for place, name in enumerate(names):
        colour = COLOUR.get(split_of(name)[0], 3 + place)
        curves.append(_curve(name, doc.series[name], axis, colour, _samples(doc, name)))
    followed = part == "loss" or any(name in names for name in (doc.monitor, *doc.held_out[:1]))
    best = doc.best_step if followed else None
    constants = {split_of(n)[0]: v / _samples(doc, n) for n, v in baselines(doc).items() if n in names}
    per = " per sample" if any(_samples(doc, name) > 1 for name in names) else ""
    return Panel(
        title=arrowed(part + per, doc.goal(names[0])),
        curves=curves,
        xlabel=axis.label,
        best=None if best is None else float(axis(np.array([float(best)]))[0]),
        constant=next(iter(constants.items()), None),
    )


def _samples(doc: Document, name: str) -> int:
    """What a sum over samples is divided by, to stand beside that of another split; 1: it is none."""
    split, part = split_of(name)
    return doc.sums.get(split, 1) if part == "loss" else 1


def _curve(name: str, series: Series, axis: Axis, colour: int, samples: int) -> Curve:
    order = np.argsort(series.steps, kind="stable")
    x = axis(series.steps[order].astype(float))
    return Curve(name, x, series.values[order] / samples, colour, faint=name == "train.step_loss")


def _alternative(doc: Document, groups: dict[str, list[str]]) -> str:
    """The picture in words."""
    if len(groups) > 1:
        return f"Curves of {', '.join(map(markdown, groups))}"
    (names,) = groups.values()
    parts = []
    for name in names:
        values = doc.series[name].values
        finite = values[np.isfinite(values)].tolist()
        parts.append(f"{markdown(name)} from {number(finite[0])} to {number(finite[-1])}")
    words = f"Curves: {', '.join(parts)}"
    if doc.best_step is not None and doc.monitor in names:
        words += f"; best at {doc.place(doc.best_step)}"
    return words
