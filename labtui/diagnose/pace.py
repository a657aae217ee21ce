"""Rules that look at how quickly a training learns: the learning rate, the time for data, and whether it was over
too soon."""

from __future__ import annotations

import numpy as np

from labtui.diagnose.case import Case, Curve, figure
from labtui.diagnose.rules import Finding, rule

FEW = 12
"""Epochs from which on a loss curve has a shape."""
EARLY = 0.3
"""Part of a training before which its pace says little."""
WAITING = 0.5
"""Share of an epoch's time from which on the data is what takes it."""


def _start(case: Case) -> float:
    """Where the training loss came from: the untrained model's, or the best constant's."""
    val = case.curve("val.loss")
    known = [float(case.constant("train.loss") or 0.0)]
    if len(val) and val.steps[0] == 0 and not case.sums:
        known.append(float(val.values[0]))
    return max(known)


def _long(case: Case) -> Curve | None:
    """The training loss of enough epochs."""
    train = case.curve("train.loss").trained()
    return train if len(train) >= FEW and case.progress >= EARLY and _start(case) > 0 else None


@rule("learning rate too high", lambda case: _long(case) is not None)
def too_high(case: Case) -> Finding | None:
    """From epoch to epoch the training loss goes up as often as down, by much of what it began with."""
    train = _long(case)
    if train is None:
        return None
    start, later = _start(case), train.values[len(train) // 4 :]
    moves = np.diff(later)
    size, ups = float(np.median(np.abs(moves))), float((moves > 0).mean())
    level = float(np.median(later))
    if ups < 0.35 or size < 0.04 * start or level < 0.1 * start or _decays(case):
        return None
    rate = case.curve("train.lr").at(int(train.steps[-1]))
    said = (f"learning rate {figure(rate)}",) if rate == rate else ()
    return Finding(
        "the training loss goes up as often as down: the learning rate is too high",
        (
            f"train.loss rises in {ups:.0%} of the epochs since {case.place(int(train.steps[len(train) // 4]))}, by "
            f"{figure(size)} from one to the next, at a level of {figure(level)} (it began at {figure(start)})",
            *said,
        ),
        "a tenth of optimizer.lr, a schedule that lowers it (schedule.name), or larger batches",
    )


def _decays(case: Case) -> bool:
    """Whether the rate has become a small part of what it was."""
    rate = case.curve("train.lr")
    return bool(len(rate)) and float(rate.values[-1]) < 0.2 * float(rate.values.max())


@rule("learning rate too low", lambda case: _long(case) is not None)
def too_low(case: Case) -> Finding | None:
    """The training loss falls in a straight line, and has not come far."""
    train = _long(case)
    if train is None or _warms_up(case):
        return None
    start = max(_start(case), float(train.values[0]))
    thirds = np.array_split(train.values, 3)
    falls = [float(part[0] - part[-1]) / max(len(part) - 1, 1) for part in thirds]
    fallen = float(train.values[0] - np.median(train.values[-3:]))
    moves = np.diff(train.values)
    noise = float(np.median(np.abs(moves - np.median(moves))))
    if not 0 < fallen < 0.25 * start or falls[2] < 0.6 * falls[0] or falls[2] < 0.6 * falls[1]:
        return None
    if fallen <= 6 * noise or (moves > 0).mean() > 0.2:
        return None
    rate = case.curve("train.lr").at(int(train.steps[-1]))
    said = (f"learning rate {figure(rate)}",) if rate == rate else ()
    return Finding(
        "the training loss falls slowly and does not slow down: the learning rate is too low",
        (
            f"train.loss {figure(float(train.values[0]))} in {case.place(int(train.steps[0]))}, "
            f"{figure(float(train.values[-1]))} in {case.place(int(train.steps[-1]))}",
            f"by {figure(falls[0])} an epoch in the first third, by {figure(falls[2])} in the last",
            *said,
        ),
        "ten times optimizer.lr",
    )


def _warms_up(case: Case) -> bool:
    """Whether the rate still grows."""
    rate = case.curve("train.lr")
    return len(rate) > 2 and float(rate.values[-1]) > 1.01 * float(np.median(rate.values))


@rule(
    "under-fitting", lambda case: case.over and _long(case) is not None and len(case.curve("val.loss")) >= FEW
)
def under_fitting(case: Case) -> Finding | None:
    """The training ended while both losses were far from good and still falling."""
    train = _long(case)
    val, constant = case.curve("val.loss").trained(), case.constant("val.loss")
    if train is None or constant is None or len(val) < FEW or _stopped_early(case, train):
        return None
    start = _start(case)
    now, valid = float(np.median(train.values[-3:])), float(np.median(val.values[-3:]))
    if now < 0.4 * start or valid < 0.4 * constant:
        return None
    falls = [_still_falls(curve) for curve in (train, val)]
    if min(falls) < 0.05:
        return None
    return Finding(
        "the training ended while it still learnt",
        (
            f"train.loss {figure(now)}, val.loss {figure(valid)} at the end, where a constant answer has "
            f"{figure(constant)} (validation)",
            f"in the last quarter they fell by {falls[0]:.0%} and {falls[1]:.0%} of all that they fell",
        ),
        "more train.epochs, a higher optimizer.lr, or a schedule that lowers it later; then a larger model",
    )


def _stopped_early(case: Case, train: Curve) -> bool:
    epochs = case.options.get("train.epochs")
    done = case.curve("epoch")
    return isinstance(epochs, int) and bool(len(done)) and float(done.values[-1]) < epochs


def _still_falls(curve: Curve) -> float:
    """What the last quarter has of a curve's whole fall; 0 where that is noise."""
    values, quarter = curve.values, max(len(curve) // 4, 3)
    before, after = values[-2 * quarter : -quarter], values[-quarter:]
    fall = float(np.median(before) - np.median(after))
    noise = float(np.median(np.abs(np.diff(values[-2 * quarter :])))) / quarter**0.5
    whole = float(values[0] - values.min())
    return fall / whole if whole > 0 and fall > 3 * noise else 0.0


def _shares(case: Case) -> Curve:
    return case.curve("train.data_share").trained()


@rule("slow input pipeline", lambda case: len(_shares(case)) >= 2)
def starved(case: Case) -> Finding | None:
    """Most of the time goes into making batches, and the model waits."""
    shares = _shares(case)
    later = shares.values[len(shares) // 3 :]
    if len(later) < 2 or float(np.median(later)) < WAITING:
        return None
    evidence = [
        f"{np.median(later):.0%} of an epoch's time is spent on making batches (median since "
        f"{case.place(int(shares.steps[len(shares) // 3]))})"
    ]
    if len(speed := case.curve("train.samples_per_s")):
        evidence.append(f"{figure(float(np.median(speed.values)))} samples a second")
    for name in case.series:
        if name.startswith("sys.gpu") and name.endswith(("util", "use")) and len(used := case.curve(name)):
            usual = float(np.median(used.values))
            if usual > 50:
                return None
            evidence.append(f"{name} is {figure(usual)} % (median)")
    return Finding(
        "the model waits for its data",
        tuple(evidence),
        "compute features once instead of in each epoch, less augmentation (data.augment), a smaller window; or more "
        "resources.threads",
    )
