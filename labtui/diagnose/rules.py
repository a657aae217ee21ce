"""What rules are, and asking them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from labtui.diagnose.case import Case


@dataclass(frozen=True)
class Finding:
    """What a rule has to say."""

    text: str
    """What is seen, in a sentence."""
    evidence: tuple[str, ...]
    """The figures, and the epochs, that it rests on."""
    advice: str
    """What helps."""
    rule: str = ""
    """Its name."""


C = TypeVar("C")
"""What a rule is asked of: a `Case`, or a `GroupCase`."""
Look = Callable[[C], Finding | None]


class Rule(NamedTuple, Generic[C]):
    """One question."""

    name: str
    applies: Callable[[C], bool]
    """Whether a case has what it needs."""
    look: Callable[[C], Finding | None]
    """What is wrong; None: nothing."""


@dataclass(frozen=True)
class Diagnosis:
    """What came of asking all rules."""

    findings: tuple[Finding, ...] = ()
    asked: tuple[str, ...] = ()
    """Names of the rules that the case had enough for."""
    unasked: tuple[str, ...] = ()
    """Names of the others."""


RULES: list[Rule[Case]] = []
"""All that are asked of one training, the gravest first within a module."""


def ruling(rules: list[Rule[C]]) -> Callable[[str, Callable[[C], bool]], Callable[[Look[C]], Look[C]]]:
    """What makes a function one of these rules: `rule(name, applies)`, a decorator."""

    def rule(name: str, applies: Callable[[C], bool]) -> Callable[[Look[C]], Look[C]]:
        def register(look: Look[C]) -> Look[C]:
            rules.append(Rule(name, applies, look))
            return look

        return register

    return rule


rule = ruling(RULES)


def diagnose(case: Case) -> Diagnosis:
    """Ask every rule of a training."""
    return ask(RULES, case)


def ask(rules: Sequence[Rule[C]], case: C) -> Diagnosis:
    """Ask all of these rules."""
    findings: list[Finding] = []
    asked: list[str] = []
    unasked: list[str] = []
    for one in rules:
        if not one.applies(case):
            unasked.append(one.name)
            continue
        asked.append(one.name)
        if found := one.look(case):
            findings.append(Finding(found.text, found.evidence, found.advice, one.name))
    return Diagnosis(tuple(findings), tuple(asked), tuple(unasked))
