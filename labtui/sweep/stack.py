"""Stacks: the trainings of a sweep that may be done together in one process, and what came of asking.

Whether a stack's models can be stacked, and whether that is faster, its first group finds out: it
writes `stack-<key>-<host>.json` beside the sweep's definition, before any of its runs begins.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

from labtui.files.atomic import read_json, write_json
from labtui.files.paths import SweepPaths
from labtui.recipe.stack import fixed, unfit

Together = bool | Literal["auto"]


@dataclass(frozen=True)
class Decision:
    """Whether trainings of a stack are done together on this machine."""

    together: bool
    why: str
    """In a sentence's clause; empty: nobody asked whether it is faster."""
    ratio: float = 0.0
    """How many times as fast together is; 0: it was not measured."""


def key(tables: Mapping[str, Any], together: Together) -> str:
    """What trainings of one stack have in common: 16 hexadecimal digits.

    Args:
        tables: a resolved recipe.
        together: `sweep.together`, since what was decided for "auto" does not hold for true.
    """
    text = json.dumps([together, fixed(tables)], sort_keys=True, default=str)
    return blake2b(text.encode(), digest_size=8).hexdigest()


def decided(paths: SweepPaths, stack: str) -> Decision | None:
    """What was decided of a stack; None: nothing, or what cannot be read."""
    found = read_json(paths.stack(stack)) or {}
    if not isinstance(found.get("together"), bool):
        return None
    ratio = found.get("ratio")
    return Decision(
        found["together"], str(found.get("why", "")), ratio if isinstance(ratio, float | int) else 0.0
    )


def refuse(paths: SweepPaths, recipes: Iterable[Mapping[str, Any]]) -> None:
    """Decide against the stacks of which the recipes say that they are none.

    Args:
        recipes: resolved.
    """
    known: set[str] = set()
    for tables in recipes:
        found = tables["origin"].get("stack")
        if found and found not in known:
            known.add(found)
            if (why := unfit(tables)) and decided(paths, found) is None:
                decide(paths, found, Decision(False, why))


def decide(paths: SweepPaths, stack: str, decision: Decision) -> None:
    """Keep what was decided of a stack; on a disk that is full it is found out again."""
    with suppress(OSError):
        write_json(paths.stack(stack), vars(decision))
