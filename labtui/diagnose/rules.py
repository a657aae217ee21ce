"""What rules are, and asking them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

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


class Rule(NamedTuple):
    """One question."""

    name: str
    applies: Callable[[Case], bool]
    """Whether a case has what it needs."""
    look: Callable[[Case], Finding | None]
    """What is wrong; None: nothing."""


@dataclass(frozen=True)
class Diagnosis:
    """What came of asking all rules."""

    findings: tuple[Finding, ...] = ()
    asked: tuple[str, ...] = ()
    """Names of the rules that the case had enough for."""
    unasked: tuple[str, ...] = ()
    """Names of the others."""


RULES: list[Rule] = []
"""All of them, the gravest first within a module."""


def rule(
    name: str, applies: Callable[[Case], bool]
) -> Callable[[Callable[[Case], Finding | None]], Callable[[Case], Finding | None]]:
    """Make a function one of the rules."""

    def register(look: Callable[[Case], Finding | None]) -> Callable[[Case], Finding | None]:
        RULES.append(Rule(name, applies, look))
        return look

    return register


def diagnose(case: Case) -> Diagnosis:
    """Ask every rule."""
    findings: list[Finding] = []
    asked: list[str] = []
    unasked: list[str] = []
    for one in RULES:
        if not one.applies(case):
            unasked.append(one.name)
            continue
        asked.append(one.name)
        if found := one.look(case):
            findings.append(Finding(found.text, found.evidence, found.advice, one.name))
    return Diagnosis(tuple(findings), tuple(asked), tuple(unasked))
