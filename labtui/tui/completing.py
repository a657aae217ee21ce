"""What can stand next in a filter: keys, signs, values that runs have, `and`. Pure, but for the want of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from labtui.query.rows import ASPECTS, FIELDS, look_up
from labtui.tui.columns import bare
from labtui.tui.want import Eyes, Want

MOST = 200
"""Values of a key that are offered."""
LOOKED_AT = 1_000
"""Runs of a larger lab that are gone through, evenly spread: a key waits for the filter, not for its words."""
_SPREAD = 20
"""Numbers of which only the least, the middle and the largest are offered if there are more."""
_TOKEN = re.compile(r"""[<>!=]=|!~|[=<>~()]|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s=<>~()!"']+""")
_SIGNS = ("=", "==", "!=", "<", "<=", ">", ">=", "~", "!~")
_JOINTS = ("and", "or", "not", "(")
_WORD = re.compile(r"""[^\s=<>~()!"']+""")


class Words(NamedTuple):
    """What there is to choose from."""

    keys: Sequence[str] = ()
    """Fields, metrics with their aspects, options and facts that some run has."""
    metrics: Sequence[str] = ()
    """Those of the keys that are metrics."""
    differing: Sequence[str] = ()
    """Options in which runs differ."""
    values: Sequence[str] = ()
    """What runs have of the key that was asked for, the most frequent first; as a filter spells it."""


@dataclass(frozen=True)
class WantWords(Want):
    """Keys of runs, and the values of one: found is `Words`.

    Args:
        key: of which values are wanted; empty: of none.
    """

    key: str = ""

    def stamp(self, eyes: Eyes) -> object:
        """The number of runs: keys are as old as runs."""
        return len(eyes.snapshot.place)

    def look(self, eyes: Eyes, before: Words | None) -> Words:
        """Go through the rows, or enough of them."""
        rows = eyes.lab.index.rows
        return words(rows[-1 :: -max(1, -(-len(rows) // LOOKED_AT))], self.key)


def words(rows: Sequence[Mapping[str, Any]], key: str = "") -> Words:
    """What rows have to offer."""
    metrics: dict[str, None] = {}
    options: dict[str, Any] = {}
    facts: dict[str, None] = {}
    differing: dict[str, None] = {}
    counts: Counter[Any] = Counter()
    for row in map(bare, rows):
        metrics |= dict.fromkeys(row["metrics"])
        facts |= dict.fromkeys(f"facts.{name}" for name in row["facts"])
        for name, value in row["params"].items():
            if options.setdefault(name, value) != value:
                differing[name] = None
        if key and key != "note":  # a whole text is no word to choose
            counts.update(_values(look_up(row, key)))
    aspects = [f"{name}.{aspect}" for name in metrics for aspect in ASPECTS if aspect != "at_best"]
    keys = [*FIELDS, *metrics, *options, *facts, *aspects]
    return Words(keys, list(metrics), [k for k in options if k in differing], offered(counts))


def _values(value: Any) -> list[Any]:
    """What can be compared with: of a list its parts, neither NaN nor nothing."""
    parts = value if isinstance(value, list) else [value]
    return [one for one in parts if isinstance(one, str | int | float) and one == one and one != ""]


def offered(counts: Counter[Any]) -> list[str]:
    """Values as a filter spells them, the most frequent first; of many numbers the least, the middle one
    and the largest."""
    if len(counts) > _SPREAD and all(isinstance(one, int | float) for one in counts):
        ordered = sorted(counts)
        return [spelled(ordered[at]) for at in (0, len(ordered) // 2, -1)]
    return list(dict.fromkeys(spelled(one) for one, _ in counts.most_common(MOST)))


def spelled(value: Any) -> str:
    """A value as a filter has to have it: in quotes where it is no word."""
    if isinstance(value, bool):
        return str(value).lower()
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    if _WORD.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Place(NamedTuple):
    """What is being written at the cursor."""

    start: int
    """Where it begins."""
    prefix: str
    """As much of it as stands there."""
    key: str
    """Whose value it is; empty: it is no value."""
    expects: str
    """key, value, or joint: `and`, `or` after a whole comparison."""


def place(text: str, cursor: int) -> Place:
    """What is being written at a cursor.

    Args:
        cursor: 0 to the length of the text.
    """
    tokens = [(found.group(), found.start()) for found in _TOKEN.finditer(text[:cursor])]
    prefix, start = "", cursor
    if tokens and tokens[-1][1] + len(tokens[-1][0]) == cursor and tokens[-1][0] not in (*_SIGNS, "(", ")"):
        prefix, start = tokens.pop()
    before = [token for token, _ in tokens]
    if len(before) > 1 and before[-1] in _SIGNS:
        return Place(start, prefix, _bare(before[-2]), "value")
    if before and before[-1] != "(" and before[-1].lower() not in _JOINTS:
        return Place(start, prefix, "", "joint")
    return Place(start, prefix, "", "key")


def _bare(token: str) -> str:
    """A key without the quotes that it may stand in."""
    return re.sub(r"\\(.)", r"\1", token[1:].rstrip(token[0])) if token[0] in "\"'" else token


def candidates(at: Place, known: Words) -> list[str]:
    """What can stand there, the likeliest first: what begins so, then what holds it."""
    if at.expects == "joint":
        pool: Sequence[str] = ("and", "or")
    else:
        pool = known.values if at.expects == "value" else [spelled(key) for key in known.keys]
    if at.expects == "key" and at.prefix in pool:
        return [at.prefix + sign for sign in ("=", ">", "<", "!=", "~")]
    word = at.prefix.strip("\"'").casefold()
    begin = [one for one in pool if one.lstrip('"').casefold().startswith(word)]
    hold = [one for one in pool if word and word in one.casefold() and one not in begin]
    return [one for one in (*begin, *hold) if one != at.prefix]


def taken(text: str, at: Place, choice: str) -> tuple[str, int]:
    """The text with a choice in place of what was begun, and where the cursor is then."""
    space = " " if at.expects == "joint" else ""
    gap = " " if at.start and not at.prefix and text[at.start - 1] not in " (=<>~" else ""
    new = text[: at.start] + gap + choice + space
    return new + text[at.start + len(at.prefix) :], len(new)
