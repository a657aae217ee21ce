"""Rules that look at loss curves."""

from __future__ import annotations

import numpy as np

from labtui.diagnose.case import Case, Curve, figure
from labtui.diagnose.rules import Finding, rule

FEW = 8
"""Evaluations from which on a curve has a shape."""
MANY_STEPS = 200


def _losses(case: Case) -> list[str]:
    return [name for name in case.series if name.rpartition(".")[2].endswith("loss")]


@rule("no number", lambda case: bool(_losses(case)) or case.reason == "nan")
def no_number(case: Case) -> Finding | None:
    """A loss, or a weight, became NaN or infinite."""
    advice = (
        "a lower optimizer.lr, train.clip_norm = 1.0 or a warm-up; look at the range of the data, and at logarithms "
        "and divisions of your own"
    )
    found = []
    for name in _losses(case):
        one = case.series[name]
        lost = np.flatnonzero(~np.isfinite(one.values))
        if len(lost):
            found.append((int(one.steps[lost[0]]), name, float(one.values[lost[0]])))
    if not found:
        if case.reason != "nan":
            return None
        last = max((int(one.steps[-1]) for one in case.series.values() if len(one.steps)), default=0)
        return Finding(
            "a weight became NaN while the losses were still numbers",
            (f"the last record is of step {last} ({case.place(last)})",),
            advice,
        )
    step, name, value = min(found)
    known = case.curve(name)
    known = Curve(known.steps[known.steps < step], known.values[known.steps < step])
    evidence = [f"{name} is {value} at step {step} ({case.place(step)})"]
    if len(known):
        tail = ", ".join(figure(v) for v in known.values[-3:].tolist())
        evidence.append(f"before that {tail}")
    rate = case.curve("train.lr").at(step)
    if rate == rate:
        evidence.append(f"learning rate {figure(rate)}")
    return Finding(f"{name} became {value}", tuple(evidence), advice)


@rule("diverged", lambda case: case.evaluations("train.loss") >= 3)
def diverged(case: Case) -> Finding | None:
    """The training loss is larger than it was before the training."""
    train = case.curve("train.loss").trained()
    if len(train) < 3:
        return None
    val = case.curve("val.loss")
    constant = case.constant("train.loss")
    before = [
        *(val.values[val.steps == 0] if not case.sums else ()),
        *([] if constant is None else [constant]),
    ]
    start = float(max(before or train.values[:1]))
    if not start > 0:
        return None
    now = float(np.median(train.values[-3:]))
    if now <= 1.5 * start:
        return None
    high = train.values > start
    since = len(high) - int(np.argmin(high[::-1])) if not high.all() else 0
    return Finding(
        "the training loss is larger than before the training",
        (
            f"train.loss {figure(now)} in {case.place(int(train.steps[-1]))}, where it began with {figure(start)}",
            f"above that since {case.place(int(train.steps[min(since, len(train) - 1)]))}",
        ),
        "a lower optimizer.lr, train.clip_norm = 1.0 or a warm-up",
    )


@rule("over-fitting", lambda case: min(map(case.evaluations, ("train.loss", "val.loss"))) >= FEW)
def over_fitting(case: Case) -> Finding | None:
    """The validation loss rises while the training loss falls, and what is monitored gains nothing by it."""
    train, whole = case.curve("train.loss").trained(), case.curve("val.loss")
    val = whole.trained()
    if len(val) < FEW or len(train) < FEW:
        return None
    k = int(val.values.argmin())
    best, end = float(val.values[k]), float(np.median(val.values[-3:]))
    low = float(np.median(val.values[max(k - 1, 0) : k + 2]))  # one good epoch is no sign
    noise = float(np.median(np.abs(np.diff(val.values))))
    rise, learnt = end - low, float(whole.values[0]) - low
    since, after = int(val.steps[k]), len(val) - 1 - k
    if after < max(5, len(val) // 5) or rise <= max(0.1 * abs(low), 0.05 * learnt, 4 * noise):
        return None
    seen, sees = train.at(since), float(np.median(train.values[-3:]))
    if not sees < 0.95 * seen or _gains(case, since):
        return None
    return Finding(
        f"over-fitting since {case.place(since)}",
        (
            f"val.loss {figure(best)} in {case.place(since)}, {figure(end)} at the end",
            f"train.loss {figure(seen)} then, {figure(sees)} at the end",
        ),
        "stop there (validate.patience; the best epoch's weights are kept anyway), or more of what holds a model "
        "back: dropout, optimizer.weight_decay, augmentation, fewer parameters, more data",
    )


def _gains(case: Case, since: int) -> bool:
    """Whether the monitored metric is better after a step than before, by more than a trifle."""
    goal = case.goal(case.monitor)
    curve = case.curve(case.monitor).trained()
    before, after = curve.values[curve.steps <= since], curve.values[curve.steps > since]
    if goal is None or not len(before) or not len(after):
        return False
    sign = 1.0 if goal == "max" else -1.0
    gain = float((sign * after).max() - (sign * before).max())
    span = float(curve.values.max() - curve.values.min())
    return gain > 0.02 * span


@rule("unstable", lambda case: case.evaluations("train.step_loss") >= MANY_STEPS)
def unstable(case: Case) -> Finding | None:
    """The loss was down, and jumps back up to where it came from, again and again."""
    steps = case.curve("train.step_loss")
    if len(steps) < MANY_STEPS:
        return None
    window = min(max(len(steps) // 200, 5), 50)
    total = np.concatenate([[0.0], steps.values.cumsum()])
    smooth = (total[window:] - total[:-window]) / window
    start, floor = float(smooth[0]), float(np.quantile(smooth, 0.1))
    noise = float(np.median(np.abs(smooth[window:] - smooth[:-window])))
    fall = start - floor
    if fall <= max(0.3 * abs(start), 8 * noise):
        return None
    level = np.where(smooth < floor + 0.25 * fall, -1, np.where(smooth > floor + 0.6 * fall, 1, 0))
    places = np.flatnonzero(level)
    up = places[1:][(level[places[1:]] == 1) & (level[places[:-1]] == -1)]
    if len(up) < 3:
        return None
    where = list(dict.fromkeys(case.place(int(steps.steps[at + window - 1])) for at in up.tolist()))
    more = f" and {len(where) - 5} more" if len(where) > 5 else ""
    return Finding(
        f"the loss jumps up {len(up)} times",
        (
            f"train.step_loss, mean of {window} steps: it began at {figure(start)}, was down to {figure(floor)}, and "
            f"jumped above {figure(floor + 0.6 * fall)} in {', '.join(where[:5])}{more}",
        ),
        "a lower optimizer.lr, train.clip_norm = 1.0, larger batches, or a schedule that lowers the rate",
    )


@rule("plateau", lambda case: case.evaluations("train.loss") >= 24 and "val.loss" in case.baseline)
def plateau(case: Case) -> Finding | None:
    """The training loss has stood still for two thirds of the training, far from nothing."""
    train = case.curve("train.loss").trained()
    constant = case.constant("train.loss") or 0.0
    start = max(constant, float(train.values[0]) if len(train) else 0.0)
    if len(train) < 24 or not start > 0:
        return None
    later = np.array_split(train.values[len(train) // 3 :], 4)
    levels = [float(np.median(part)) for part in later]
    since = int(train.steps[len(train) // 3])
    if max(levels) - min(levels) > 0.005 * start or levels[-1] < 0.5 * start or _gains(case, since):
        return None
    return Finding(
        f"the training loss stands still since {case.place(since)} or before",
        (
            f"train.loss between {figure(min(levels))} and {figure(max(levels))} since then",
            f"the best constant answer has {figure(constant)}",
        ),
        "another optimizer.lr (ten times as large, a tenth), a larger model, other features; or stop earlier",
    )
