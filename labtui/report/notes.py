"""What people wrote on a run, a sweep, a recipe or the lab: a dated journal, and what is to be done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from labtui.files.paths import Noted
from labtui.notes import Entry
from labtui.query.notebook import dated
from labtui.report.blocks import Block
from labtui.report.passage import begins_with_words, below, passage
from labtui.report.text import code, moment, words

_ORDER = ("open", "pending", "done", "abort")


def journal(entries: Iterable[Entry], of: Noted | None = None) -> Iterator[Block]:
    """Notes as a numbered list, each under its date (UTC), the oldest first; the undated last.

    Args:
        entries: what is written on any number of runs, sweeps, recipes and labs; to-dos are left out.
        of: what the report is about; what is written on something else says on what.
    """
    notes = dated(entry for entry in entries if entry.kind == "notes" and entry.text.strip())
    if notes:
        yield "\n".join(_note(number, entry, of) for number, entry in enumerate(notes, 1))


def todos(entries: Iterable[Entry], of: Noted | None = None) -> Iterator[Block]:
    """To-dos as boxes: what is open, what waits, what is done, what was given up, each but the open ones
    marked [PENDING], [DONE] or [ABORT], with the reason, and when it was written and marked.

    Args:
        entries: as in `journal`; notes are left out.
        of: as in `journal`.
    """
    ones = [entry for entry in entries if entry.kind == "todos" and entry.text.strip()]
    ones.sort(key=lambda entry: (_ORDER.index(entry.state), entry.time or 0.0))
    if ones:
        yield "\n".join(_todo(entry, of) for entry in ones)


def _note(number: int, entry: Entry, of: Noted | None) -> str:
    when = moment(entry.time)
    head = " · ".join(part for part in (f"**{when}**" if when else "", _place(entry, of)) if part)
    return below(f"{number}. ", _headed(head and f"{head}:", passage(entry.text)))


def _todo(entry: Entry, of: Noted | None) -> str:
    mark = "" if entry.state == "open" else f"**\\[{entry.state.upper()}\\]**"
    place = _place(entry, of)
    first, *rest = _headed(" ".join(filter(None, (mark, place and f"{place}:"))), passage(entry.text))
    reason = f" — {words(entry.reason)}" if entry.reason else ""
    when = " – ".join(dict.fromkeys(filter(None, (moment(entry.time), moment(entry.marked)))))
    box = "[x]" if entry.state == "done" else "[ ]"
    return below("- ", [f"{box} {first}{reason}" + (f" *({when})*" if when else ""), *rest])


def _headed(head: str, blocks: list[str]) -> list[str]:
    """Blocks of which the first is a line of words, after the head, if there is one."""
    if not begins_with_words(blocks):
        return [head or "…", *blocks]
    return [f"{head} {blocks[0]}".lstrip(), *blocks[1:]]


def _place(entry: Entry, of: Noted | None) -> str:
    """On what it is written, unless the reader knows."""
    if entry.of == of:
        return ""
    return "the lab" if entry.of.kind == "lab" else f"{entry.of.kind} {code(entry.of.id)}"
