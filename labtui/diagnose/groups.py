"""Rules that look at several runs beside each other: a sweep's cells, its repeats and folds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from labtui.diagnose.case import by_chance, figure
from labtui.diagnose.rules import Diagnosis, Finding, Rule, ask, ruling
from labtui.files.goals import goal_of

SHOWN = 5


@dataclass(frozen=True)
class Member:
    """A run that has finished."""

    run: str
    """Its id."""
    place: str = ""
    """What tells it from the others of its cell, for people: "fold 2"; empty: nothing does."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """Of the validation split, by metric, in the epoch that was best by what is monitored."""
    constants: Mapping[str, float] = field(default_factory=dict)
    """What the best constant answer scores."""
    samples: int = 0
    """Of the validation split."""
    fold: int | None = None
    """Which part of the data that is; None: the same for all."""
    file: str = ""
    """Where the best weights lie, below the lab."""


@dataclass(frozen=True)
class Alike:
    """Runs of one recipe, apart from seeds and folds."""

    label: str
    """What tells it from the others, for people."""
    members: Sequence[Member]


class Rivals(NamedTuple):
    """The best of several recipes beside the one that it is to be better than."""

    best: str
    """Label of the one with the best mean."""
    other: str
    """Label of the baseline, or of the one with the worst mean."""
    difference: float
    """Of their means."""
    p: float
    """That there is none, adjusted for how many recipes there are."""
    word: str
    """As `labtui.query.difference` says it: "better", "within the spread", …"""
    test: str
    """The test's name."""
    figures: tuple[str, str]
    """Means with their deviations and numbers of runs, of the best and of the other."""
    baseline: bool
    """Whether the other is the baseline that was pinned."""


@dataclass(frozen=True)
class GroupCase:
    """Runs that stand in one table.

    Args:
        metric: by which they are compared.
        alike: the recipes, each with its runs.
        rivals: None where there are not two recipes with two runs each.
        goals: directions of metrics that labtui does not know.
    """

    metric: str
    alike: Sequence[Alike]
    rivals: Rivals | None = None
    goals: Mapping[str, str] = field(default_factory=dict)

    @property
    def members(self) -> list[Member]:
        """All runs."""
        return [member for group in self.alike for member in group.members]


GROUP_RULES: list[Rule[GroupCase]] = []
"""All that are asked of several runs."""
group_rule = ruling(GROUP_RULES)


def diagnose_group(case: GroupCase) -> Diagnosis:
    """Ask every rule of several runs."""
    return ask(GROUP_RULES, case)


@group_rule("difference within the spread", lambda case: case.rivals is not None)
def within(case: GroupCase) -> Finding | None:
    """The best recipe is ahead by less than its repeats differ among themselves."""
    rivals = case.rivals
    if rivals is None or rivals.word != "within the spread" or not rivals.difference:
        return None
    other = "the baseline" if rivals.baseline else "the worst"
    return Finding(
        f"the best is no farther from {other} than repeats are from each other",
        (
            f"{case.metric}: {rivals.best} {rivals.figures[0]}, {rivals.other} {rivals.figures[1]}",
            f"a difference of {figure(rivals.difference)} (p = {figure(rivals.p)}, {rivals.test})",
        ),
        "more repeats (sweep.repeats) with the same seeds for both, or call them alike",
    )


def _share(member: Member) -> str:
    """The score of which chance is known; empty: none."""
    names = ("val.uar", "val.acc")
    return next((n for n in names if n in member.scores and 0 < member.constants.get(n, 0) < 1), "")


def _repeated(case: GroupCase) -> list[tuple[Alike, str]]:
    """Recipes of several runs that have a score of which chance is known."""
    known = [(group, _share(group.members[0])) for group in case.alike if len(group.members) > 1]
    return [(group, name) for group, name in known if name]


@group_rule("some repeats stuck at chance", lambda case: bool(_repeated(case)))
def some_stuck(case: GroupCase) -> Finding | None:
    """Of the runs of one recipe some are at chance, and others are far from it."""
    evidence = []
    for group, name in _repeated(case):
        known = [
            one for one in group.members if name in one.scores and name in one.constants and one.samples >= 30
        ]
        low = [one for one in known if one.scores[name] <= one.constants[name] + _margin(one, name)]
        high = [one for one in known if one.scores[name] >= one.constants[name] + 4 * _margin(one, name)]
        if low and high and len({one.run for one in low}) < len(known):
            where = ", ".join(f"{one.place or one.run} ({figure(one.scores[name])})" for one in low[:SHOWN])
            more = f" and {len(low) - SHOWN} more" if len(low) > SHOWN else ""
            best = max(high, key=lambda one: one.scores[name])
            evidence.append(
                f"{group.label or 'all'}: {name} of {len(low)} of {len(known)} runs is at chance "
                f"({figure(low[0].constants[name])}): {where}{more}; {best.place or best.run} has "
                f"{figure(best.scores[name])}"
            )
    if not evidence:
        return None
    return Finding(
        "some runs are stuck at chance, and others of the same recipe are not",
        tuple(evidence[:SHOWN]),
        "a lower optimizer.lr, a warm-up (schedule.warmup_epochs) or train.clip_norm = 1.0; a mean over such runs says "
        "nothing of either kind",
    )


def _margin(member: Member, name: str) -> float:
    return by_chance(member.constants[name], member.samples)


def _others(case: GroupCase) -> list[str]:
    """Reported scores beside the metric by which runs are compared, that all runs have."""
    members = case.members
    names = [name for name in (members[0].scores if members else ()) if name != case.metric]
    known = [name for name in names if not name.endswith(".loss") and goal_of(name, case.goals)]
    return [name for name in known if all(name in one.scores for one in members)]


def _first(case: GroupCase, name: str) -> Member:
    better = max if goal_of(name, case.goals) == "max" else min
    return better(case.members, key=lambda one: one.scores[name])


@group_rule(
    "best file is not the best run",
    lambda case: (
        bool(goal_of(case.metric, case.goals))
        and len(case.members) > 1
        and len({one.fold for one in case.members})
        == 1  # figures of other data cannot be set beside each other
        and all(case.metric in one.scores for one in case.members)
        and bool(_others(case))
    ),
)
def wrong_run(case: GroupCase) -> Finding | None:
    """The run that is best by the metric by which they are compared is not the best by what is reported."""
    chosen = _first(case, case.metric)
    evidence = []
    for name in _others(case):
        best = _first(case, name)
        mine, theirs = chosen.scores[name], best.scores[name]
        spread = (
            math.sqrt(max(theirs * (1 - theirs), 0.01) / best.samples)
            if best.samples and 0 <= theirs <= 1
            else 0.0
        )
        if best.run != chosen.run and abs(theirs - mine) > max(2 * spread, 0.02 * abs(theirs)):
            evidence.append(
                f"best by {name}: {figure(theirs)} ({best.file or best.run}), which has {case.metric} "
                f"{figure(best.scores[case.metric])}; the other has {name} {figure(mine)}"
            )
    if 2 * len(evidence) < len(_others(case)) or not evidence:
        return None
    return Finding(
        f"the best run by {case.metric} is not the best by what is reported",
        (
            f"best by {case.metric}: {figure(chosen.scores[case.metric])} ({chosen.file or chosen.run})",
            *evidence[:SHOWN],
        ),
        "say by which metric the best is meant (validate.monitor), and take the file that holds it",
    )
