"""The lab day by day: runs, new bests, and what people noted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from labtui.files.goals import arrowed
from labtui.notes import Entry
from labtui.query.spread import counted, figure
from labtui.report import notes
from labtui.report.blocks import Block, Heading
from labtui.report.lab.document import Document
from labtui.report.lab.overview import count
from labtui.report.text import code, moment
from labtui.table import markdown, number

MOST = 60
"""Days that are shown, the newest."""
FILES = ("journal.csv",)
UNDATED = "undated"


def section(doc: Document) -> Iterator[Block]:
    """One part a day on which something was noted or run; the oldest first."""
    yield Heading(2, "Journal")
    days: dict[str, list[str]] = {}
    for day, line in (*_runs(doc), *_bests(doc)):
        days.setdefault(day, []).append(line)
    written: dict[str, list[Entry]] = {}
    for entry in doc.written:
        if entry.kind == "notes" and entry.text.strip():
            written.setdefault(_day(entry.time), []).append(entry)
            days.setdefault(_day(entry.time), [])
    if not days:
        yield "*Nothing yet.*"
    known = sorted(day for day in days if day != UNDATED)
    if len(known) > MOST:
        link = doc.beside.attach_csv(FILES[0], ("time", "of", "on", "note"), _all(written))
        yield f"The newest {MOST} of {len(known)} days; [all notes]({link})."
    for day in [*known[-MOST:], *([UNDATED] if UNDATED in days else [])]:
        yield Heading(3, day.capitalize())
        if days[day]:
            yield "\n".join(f"- {line}" for line in days[day])
        yield from notes.journal(written.get(day, ()), doc.lab.paths)


def _runs(doc: Document) -> Iterator[tuple[str, str]]:
    """How many runs were made of which model."""
    by: dict[str, Counter[str]] = {}
    for row in doc.rows:
        by.setdefault(_day(row["created"]), Counter())[doc.title(doc.of_run[row["id"]])] += 1
    for day, models in by.items():
        listed = ", ".join(f"{markdown(name)} {n}" for name, n in models.most_common())
        yield day, f"{count(models.total(), 'run')}: {listed}."


def _bests(doc: Document) -> Iterator[tuple[str, str]]:
    """Each day's last run that was better than all of its model before it."""
    for family in doc.families:
        if family.goal is None:
            continue
        best: float | None = None
        last: dict[str, str] = {}
        ended = [row for row in family.rows if counted(row) and row["ended"] is not None]
        for row in sorted(ended, key=lambda row: float(row["ended"])):
            value = figure(row, family.metric)
            if value is None or (
                best is not None and (value <= best if family.goal == "max" else value >= best)
            ):
                continue
            best = value
            title = f"{markdown(doc.title(family))} {markdown(arrowed(family.metric, family.goal))}"
            last[_day(row["ended"])] = f"New best of {title} **{number(value)}**: {code(str(row['id']))}."
        yield from last.items()


def _all(written: Mapping[str, Sequence[Entry]]) -> Iterator[Sequence[Any]]:
    for day in sorted(written):
        for entry in written[day]:
            yield moment(entry.time), entry.of.kind, entry.of.id, entry.text


def _day(seconds: Any) -> str:
    return moment(seconds).partition(" ")[0] or UNDATED
