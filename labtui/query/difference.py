"""Whether groups of runs are better than a baseline: which test is taken, and what may be said.

* **Pairs.** Runs of two groups pair when they share fold, split and repeat (or seed, where one of them
  has no repeat): a hard fold is hard for both. Differences of pairs are tested. Where no place is in both
  groups, fewer than half of the smaller one find a partner, or two runs of a group stand in one place,
  all runs of one group are tested against all of the other (Welch).
* **Folds** share most of their training data, so that figures of folds vary less than those of
  independent trainings would, and the usual t test finds differences that are none (Dietterich 1998). Over
  folds, or over splits drawn anew (`validate.seed`), the variance is widened by held-out over training data,
  1/(k − 1) for k folds: the corrected resampled t test (Nadeau and Bengio 2003, "Inference for the
  generalization error"; with repeats: Bouckaert and Frank 2004).
* **Seeds** on one split are independent trainings: the paired t test, and from MANY pairs on Wilcoxon's
  signed ranks, which ask for no normal distribution (Demšar 2006, "Statistical comparisons of classifiers
  over multiple data sets"; zero differences are split between the signs as there). With fewer pairs the
  ranks alone decide what can be found: five can never reach p < .0625.
* **Many groups** against one baseline find something by chance: p is adjusted by Holm's step-down rule over
  all groups of a table (Demšar 2006, section 3.2.2), and the word follows the adjusted p.
* Where the runs do not vary at all, p is that of the permutation test, 2 over the number of ways to
  exchange the labels: two equal differences are no proof.

The word: "better" or "worse" by the metric's goal, where the adjusted p is below LEVEL; "higher" or "lower"
(goal unknown) where nobody said which is better; otherwise "within the spread", which is not the same as
"equal". One run against one says nothing of spreads: "one run".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from labtui.query.spread import back, moments, unit

LEVEL = 0.05
"""Adjusted p below which a difference is called one."""
MANY = 10
"""Pairs of independent trainings from which on Wilcoxon's test is taken."""
_ROUNDING = 1e-12
"""A deviation below this part of the largest value is that of floating-point numbers."""


class Observation(NamedTuple):
    """One run's figure, and what it shares with others."""

    value: float
    repeat: int | None = None
    """Number of the repeat; None where there is none."""
    seed: Any = None
    """Seed of the training; can be looked up, as can what is in the split."""
    split: tuple[Any, ...] = ()
    """What names its training and held-out data: scheme, folds, seed of the split, fold."""
    overlap: float | None = None
    """Held-out over training data of such a split; None where it is not known."""


class Difference(NamedTuple):
    """A group beside the baseline, in one figure."""

    difference: float | None
    """Mean of the differences of pairs; without pairs, of the means. None where one has no figure."""
    p: float | None
    """Two-sided; None where nothing was tested."""
    adjusted: float | None
    """p by Holm's rule over all groups of the table."""
    test: str
    """The test's name; empty where nothing was tested."""
    n: int
    """Pairs; without pairs, runs of the smaller group."""
    word: str
    """better, worse, higher (goal unknown), lower (goal unknown), within the spread, one run, no run."""


def differences(
    groups: Sequence[Sequence[Observation]], baseline: Sequence[Observation], goal: str | None
) -> list[Difference]:
    """Each group's difference to the baseline.

    Args:
        groups: the finite figures of each group's runs; may be empty.
        baseline: those of the baseline's.
        goal: "min" or "max"; None when which is better is not known.
    """
    tested = [_tested(group, baseline) for group in groups]
    adjusted = holm([p for _, p, _, _ in tested])
    return [
        Difference(delta, p, one, test, n, _word(delta, one, goal))
        for (delta, p, test, n), one in zip(tested, adjusted, strict=True)
    ]


def holm(found: Sequence[float | None]) -> list[float | None]:
    """p values adjusted by Holm's step-down rule (1979); None stays None and counts for nothing."""
    order = sorted((p, place) for place, p in enumerate(found) if p is not None)
    adjusted: list[float | None] = [None] * len(found)
    highest = 0.0
    for done, (p, place) in enumerate(order):
        highest = max(highest, min(1.0, p * (len(order) - done)))
        adjusted[place] = highest
    return adjusted


def _word(delta: float | None, adjusted: float | None, goal: str | None) -> str:
    if delta is None:
        return "no run"
    if adjusted is None:
        return "one run"
    if adjusted >= LEVEL or delta == 0:
        return "within the spread"
    if goal is None:
        return f"{'higher' if delta > 0 else 'lower'} (goal unknown)"
    return "better" if (delta > 0) == (goal == "max") else "worse"


class _Tested(NamedTuple):
    difference: float | None = None
    p: float | None = None
    test: str = ""
    n: int = 0


def _tested(group: Sequence[Observation], baseline: Sequence[Observation]) -> _Tested:
    if not group or not baseline:
        return _Tested()
    both = [*group, *baseline]
    values, shift = unit([one.value for one in both])
    ones = [Observation(value, *one[1:]) for one, value in zip(both, values, strict=True)]
    mine, theirs = ones[: len(group)], ones[len(group) :]
    pairs = paired(mine, theirs)
    found = _of_pairs(pairs) if pairs else _of_samples(mine, theirs)
    return found._replace(difference=back(found.difference or 0.0, shift))


def paired(
    group: Sequence[Observation], baseline: Sequence[Observation]
) -> list[tuple[Observation, Observation]]:
    """Runs of two groups in one place each; empty where they do not pair (see above)."""
    repeats = all(one.repeat is not None for one in (*group, *baseline))
    mine, theirs = (
        {(one.repeat if repeats else one.seed, one.split): one for one in ones} for ones in (group, baseline)
    )
    common = [place for place in mine if place in theirs]
    alone = len(mine) == len(group) and len(theirs) == len(baseline)
    if not alone or 2 * len(common) < min(len(group), len(baseline)):
        return []
    return [(mine[place], theirs[place]) for place in common]


def _of_pairs(pairs: Sequence[tuple[Observation, Observation]]) -> _Tested:
    """A t test of the differences, over folds widened, or Wilcoxon's; values are at most 1."""
    deltas = [mine.value - theirs.value for mine, theirs in pairs]
    n, (delta, std) = len(deltas), moments(deltas)
    if std is None:
        return _Tested(delta, n=n)
    if std <= _ROUNDING:
        same = abs(delta) <= _ROUNDING
        return _Tested(0.0 if same else delta, 1.0 if same else 2.0 ** (1 - n), "permutation", n)
    overlap = _overlap([mine for mine, _ in pairs])
    if not overlap and n >= MANY:
        return _Tested(delta, _wilcoxon(deltas), "Wilcoxon signed-rank", n)
    p = _t_test(delta / (std * math.sqrt(1 / n + overlap)), n - 1)
    return _Tested(delta, p, "corrected resampled t" if overlap else "paired t", n)


def _of_samples(group: Sequence[Observation], baseline: Sequence[Observation]) -> _Tested:
    """Welch's t test, its variances widened where they are those of folds; values are at most 1."""
    sizes = [len(group), len(baseline)]
    found = [moments([one.value for one in ones]) for ones in (group, baseline)]
    n, delta = min(sizes), found[0][0] - found[1][0]
    deviations = [std for _, std in found if std is not None]
    if len(deviations) < 2:
        return _Tested(delta, n=n)
    if max(deviations) <= _ROUNDING:
        same = abs(delta) <= _ROUNDING
        p = 1.0 if same else min(2 / math.comb(sum(sizes), n), 1.0)
        return _Tested(0.0 if same else delta, p, "permutation (unpaired)", n)
    overlaps = [_overlap(ones) for ones in (group, baseline)]
    terms = [
        std**2 * (1 / size + overlap) for std, size, overlap in zip(deviations, sizes, overlaps, strict=True)
    ]
    freedom = sum(terms) ** 2 / sum(term**2 / (size - 1) for term, size in zip(terms, sizes, strict=True))
    name = "corrected Welch t" if any(overlaps) else "Welch t"
    return _Tested(delta, _t_test(delta / math.sqrt(sum(terms)), freedom), f"{name} (unpaired)", n)


def _overlap(ones: Sequence[Observation]) -> float:
    """How much the variance of runs on several splits is to be widened; 0 on one split."""
    splits = len({one.split for one in ones})
    if splits < 2:
        return 0.0
    return math.fsum(1 / (splits - 1) if one.overlap is None else one.overlap for one in ones) / len(ones)


def _t_test(t: float, freedom: float) -> float:
    """Two-sided p of Student's distribution."""
    from scipy.special import stdtr

    return float(2 * stdtr(freedom, -abs(t)))


def _wilcoxon(deltas: Sequence[float]) -> float:
    """Two-sided p of Wilcoxon's signed-rank test, exact where ranks are clear, else by the normal
    distribution (scipy's own choice would permute for a quarter of a second)."""
    from scipy.stats import wilcoxon

    rounded = [round(delta, 12) for delta in deltas]
    clear = len({abs(delta) for delta in rounded} - {0.0}) == len(rounded) <= 50
    return float(wilcoxon(rounded, zero_method="zsplit", method="exact" if clear else "approx").pvalue)
