"""What people write into a report: it stays when labtui writes the report anew.

Text between a pair of marks, `<!-- notes -->` and `<!-- /notes -->`, is theirs; all else is labtui's. A pair stays
under its heading: at its top where nothing stood between, else at the end of what is below it. A pair whose heading
is gone stands at the end, under "Notes" and the heading's name, and goes back when the heading does.

The first line of a report says what it is of, and a checksum of all that is labtui's: a report that was changed
outside of the marks is known by it.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from labtui.cells import clean
from labtui.errors import LabError

NOTES = "Notes"
"""The heading of what lost its own."""
_BELOW = " › "


class Marks(NamedTuple):
    """How a format says what is whose."""

    first: str
    """How the first line of a report begins, …"""
    last: str
    """… and ends."""
    opening: str
    closing: str
    pattern: re.Pattern[str]
    """Either mark; group 1 is not empty in a closing one."""
    heading: re.Pattern[str]
    """A heading, with groups `level` (its signs, or a digit) and `title`; or what only looks like one, without."""
    titled: Callable[[int, str], str]
    """A heading of a level; the title is in the format already."""
    end: str = ""
    """What closes the file."""


class Pair(NamedTuple):
    """Two marks, and what somebody wrote between them."""

    text: str
    """With the marks."""
    place: tuple[str, int] | None
    """Name of the heading that it is below, and how many of that name came before; None: the report's end."""
    top: bool
    """Nothing is between the heading and it."""
    empty: bool


@dataclass(frozen=True)
class Place:
    """A heading in a text, from `start` to `end`, and where that ends which is below it."""

    key: tuple[str, int]
    start: int
    end: int
    bottom: int


def first_line(marks: Marks, name: str, text: str) -> str:
    """The mark by which labtui knows its reports.

    Args:
        name: of what the report is of.
        text: all below that line.
    """
    shown = clean(name).replace("--", "-").replace(">", "")
    return f"{marks.first}{shown} sha256:{_checksum(marks, text)}{marks.last}"


def changed(marks: Marks, line: str, text: str) -> bool:
    """Whether somebody changed what is labtui's: all but what is between marks, and blank lines.

    Args:
        line: the report's first.
        text: all below it.
    """
    found = re.search(r" sha256:([0-9a-f]+)", line)
    return found is None or found[1] != _checksum(marks, text)


def _checksum(marks: Marks, text: str) -> str:
    lines = (line.strip() for line in _without(text, _spans(marks, text, Path())).splitlines())
    whole = "\n".join(line for line in lines if line)
    return hashlib.sha256(whole.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def pairs(marks: Marks, text: str, file: Path) -> list[Pair]:
    """What people wrote into a report.

    Args:
        text: all below the first line.
        file: for messages.

    Raises:
        LabError: a mark has no other half.
    """
    spans = _spans(marks, text, file)
    bare = _without(text, spans)
    places = _places(marks, bare)
    found = []
    for number, (begin, end) in enumerate(spans):
        inside = marks.pattern.sub("", text[begin:end])
        above = [place for place in places if place.end <= begin]
        at: tuple[str, int] | None = above[-1].key if above else ("", 0)
        top = bool(above) and not bare[above[-1].end : begin].strip()
        if number == len(spans) - 1 and bare[end:].split() == marks.end.split():
            at = None
        found.append(Pair(text[begin:end], at, top, not inside.strip()))
    return found


def merged(marks: Marks, text: str, kept: Iterable[Pair] = ()) -> str:
    """A new report with what people wrote into the one before, and with two empty pairs to write in.

    Args:
        text: the new report, without first line.
    """
    # What looks like a mark here was said by somebody's program.
    text = marks.pattern.sub(lambda found: found[0].replace("<", "‹"), text)
    places = _places(marks, text)
    known = {place.key: place for place in places}
    end = len(text) - len(marks.end)
    inserts: list[tuple[int, str]] = []
    last: list[str] = []
    lost: dict[str, list[str]] = {}
    titled = False
    for pair in kept:
        if pair.place is None:
            last.append(pair.text)
            continue
        name, number = pair.place
        was = name.removeprefix(NOTES + _BELOW)
        found = next(
            (known[key] for key in ((name, number), (was, number), (name, 0), (was, 0)) if key in known), None
        )
        if found:
            titled = titled or name == ""
            inserts.append((found.end if pair.top else found.bottom, pair.text))
        elif name == "" and not pair.empty:
            inserts.append((0, pair.text))
        elif not pair.empty:
            lost.setdefault(was, []).append(pair.text)
    offered = f"{marks.opening}\n\n{marks.closing}"
    if ("", 0) in known and not titled:
        inserts.append((known["", 0].bottom, offered))
    whole = _inserted(text, inserts, end)
    ending = [whole.rstrip()]
    if lost:
        ending.append(marks.titled(2, NOTES))
    for name, texts in lost.items():
        ending += [marks.titled(3, name), *texts]
    return "\n\n".join([*ending, *(last or [offered])]) + (marks.end or "\n")


def _inserted(text: str, inserts: list[tuple[int, str]], end: int) -> str:
    """A text up to `end` with others put in, in their order; each stands by itself."""
    parts, done = [], 0
    for at, one in sorted(inserts, key=lambda insert: insert[0]):
        at = max(min(at, end), done)
        parts += [text[done:at], "\n\n" if at else "", one, "" if at else "\n\n"]
        done = at
    return "".join([*parts, text[done:end]])


def _places(marks: Marks, bare: str) -> list[Place]:
    """The headings of a text, by the names of those that they are below."""
    found = [one for one in marks.heading.finditer(bare) if one["level"]]
    path: dict[int, str] = {}
    seen: Counter[str] = Counter()
    places = []
    for number, one in enumerate(found):
        sign = one["level"]
        level = int(sign) if sign.isdigit() else len(sign)
        path = {above: title for above, title in path.items() if above < level} | {
            level: one["title"].strip()
        }
        name = _BELOW.join(title for above, title in path.items() if above > 1)
        after = found[number + 1].start() if number + 1 < len(found) else len(bare) - len(marks.end)
        bottom = one.end() + len(bare[one.end() : after].rstrip())
        places.append(Place((name, seen[name]), one.start(), one.end(), bottom))
        seen[name] += 1
    return places


def _spans(marks: Marks, text: str, file: Path) -> list[tuple[int, int]]:
    spans = []
    begin: int | None = None
    where = 0
    for mark in marks.pattern.finditer(text):
        where = mark.start() if begin is None or not mark[1] else where
        if bool(mark[1]) == (begin is None):
            raise _unbalanced(marks, text, mark.start(), file)
        if begin is None:
            begin = mark.start()
        else:
            spans.append((begin, mark.end()))
            begin = None
    if begin is not None:
        raise _unbalanced(marks, text, begin, file)
    return spans


def _unbalanced(marks: Marks, text: str, at: int, file: Path) -> LabError:
    line = text.count("\n", 0, at) + 2  # the first line is not in it
    return LabError(
        f"{file}:{line}: a mark of notes without its other half, so that what is yours cannot be told; put "
        f"{marks.opening} before your text and {marks.closing} after it, or give another name (-o FILE)"
    )


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Blanks where pairs are: all else stays at its place."""
    for begin, end in spans:
        text = text[:begin] + " " * (end - begin) + text[end:]
    return text
