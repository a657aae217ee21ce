"""Rules that look at which epoch was chosen, and by what."""

from __future__ import annotations

import numpy as np

from labtui.diagnose.case import Case, Curve, Floats, figure
from labtui.diagnose.rules import Finding, rule

FEW = 8
"""Evaluations from which on epochs are told apart."""


def _reported(case: Case) -> list[str]:
    """Scores of the validation split that say what a model is worth, beside what is monitored."""
    if not case.monitor.startswith("val."):
        return []
    return [
        name
        for name in case.series
        if name.startswith("val.")
        and name != case.monitor
        and not name.endswith(".loss")
        and case.goal(name)
        and case.evaluations(name) >= FEW
    ]


@rule(
    "monitored and reported disagree",
    lambda case: case.evaluations(case.monitor) >= FEW and bool(_reported(case)),
)
def disagree(case: Case) -> Finding | None:
    """The epoch that is best by the monitored metric is far from the best by what is reported."""
    goal = case.goal(case.monitor)
    chosen = case.curve(case.monitor).trained()
    if goal is None or len(chosen) < FEW:
        return None
    at = int(chosen.values.argmax() if goal == "max" else chosen.values.argmin())
    step = int(chosen.steps[at])
    found: list[tuple[float, str]] = []
    for name in _reported(case):
        if (lost := _lost(case, name, step)) is not None:
            found.append(lost)
    if not found or len(found) * 2 < len(_reported(case)):
        return None
    _, said = max(found)
    metric = said.partition(" ")[0]
    return Finding(
        f"the best epoch by {case.monitor} is far from the best by {metric}",
        (f"{case.monitor} is best in {case.place(step)} ({figure(float(chosen.values[at]))})", said),
        f'validate.monitor = "{metric}" if that is what is reported, or checkpoints.also_best = ["{metric}"]; and '
        "validate.patience that waits longer",
    )


def _lost(case: Case, name: str, step: int) -> tuple[float, str] | None:
    """How much of a score's rise the chosen epoch leaves behind, and the figures; None: no more than noise."""
    curve = case.curve(name).trained()
    if len(curve) < FEW:
        return None
    sign = 1.0 if case.goal(name) == "max" else -1.0
    # The best of many epochs is better by chance: neighbours have a say.
    smooth = _middles(sign * curve.values)
    place = min(max(int(np.searchsorted(curve.steps, step, "right")) - 1, 0), len(curve) - 1)
    best = int(smooth.argmax())
    begun = case.constant(name)
    gain = float(smooth[best]) - (sign * begun if begun is not None else float(smooth.min()))
    lost = float(smooth[best]) - max(float(smooth[place]), float(sign * curve.values[place]))
    noise = float(np.median(np.abs(np.diff(curve.values))))
    least = max(0.15 * gain, 3 * noise, _chance(case, name, float(curve.values[best])))
    if gain <= 0 or lost <= least:
        return None
    said = (
        f"{name} is {figure(float(curve.values[place]))} there, and {figure(float(curve.values[best]))} in "
        f"{case.place(int(curve.steps[best]))}"
    )
    return lost / gain, said


def _chance(case: Case, name: str, value: float) -> float:
    """By how much two scores of one split may differ by chance, where they are shares."""
    samples = case.samples.get("val", 0)
    if not samples or not 0 <= value <= 1:
        return 0.0
    return 2.5 * float(np.sqrt(max(value * (1 - value), 0.01) / samples))


def _middles(values: Floats) -> Floats:
    """Each value's median with its neighbours."""
    wide = np.pad(values, 1, mode="edge")
    found: Floats = np.median(np.stack([wide[:-2], wide[1:-1], wide[2:]]), axis=0)
    return found


def _kept(case: Case) -> tuple[Curve, int] | None:
    """The metric by which the best weights are kept, and the step they are of."""
    metric, step = case.best.get("metric"), case.best.get("step")
    if not isinstance(metric, str) or not isinstance(step, int):
        return None
    return (curve, step) if len(curve := case.whole(case.monitor)) >= 2 else None


@rule("best file is not the best epoch", lambda case: _kept(case) is not None)
def wrong_file(case: Case) -> Finding | None:
    """The weights that are kept as the best are of another epoch than the monitored metric's best."""
    kept, goal = _kept(case), case.goal(case.monitor)
    if kept is None or goal is None:
        return None
    curve, step = kept
    place = int(curve.values.argmax() if goal == "max" else curve.values.argmin())
    best, there = float(curve.values[place]), curve.at(step)
    span = float(curve.values.max() - curve.values.min())
    lost = (best - there) if goal == "max" else (there - best)
    if there != there or lost <= 1e-9 * max(abs(best), span):
        return None
    metric = case.best["metric"]
    by = "" if metric == case.monitor else f", and was chosen by {metric}"
    return Finding(
        "the best file is not the best epoch's",
        (
            f"the weights kept as the best are of {case.place(step)} ({case.monitor} {figure(there)}){by}",
            f"{case.monitor} is best in {case.place(int(curve.steps[place]))}: {figure(best)}",
        ),
        f'keep the weights by {case.monitor} (validate.monitor, `labtui.init(monitor="{case.monitor}")`), or report '
        "the figures of the epoch that is kept",
    )
