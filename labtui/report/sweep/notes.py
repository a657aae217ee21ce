"""What the user wrote on the sweep, its recipe and its runs: a dated journal, and to-dos."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from labtui.files.paths import Noted
from labtui.notes import read_notes
from labtui.report import journal
from labtui.report.blocks import Block, Heading
from labtui.report.sweep.document import Document
from labtui.report.text import code, moment, prose


def observations(doc: Document) -> Iterator[Block]:
    """Notes under their dates, each with what it was written on."""
    yield Heading(2, "Observations")
    known = [
        (moment(note.get("time")), where, str(note.get("text", "")).strip())
        for where, notes in _sources(doc)
        for note in notes["notes"]
    ]
    known = sorted((one for one in known if one[2]), key=lambda one: (not one[0], one[0]))
    if not known:
        yield "*None.*"
    for day, entries in groupby(known, key=lambda one: one[0].partition(" ")[0]):
        yield Heading(3, day or "Undated")
        yield "\n".join(f"- {_time(when)}{prose(text)} *({where})*" for when, where, text in entries)


def _time(when: str) -> str:
    return f"**{when.partition(' ')[2].removesuffix(' UTC')}** " if when else ""


def todos(doc: Document) -> Iterator[Block]:
    """Boxes, marked with how each stands, and why."""
    yield Heading(2, "To do")
    found = [(where, journal.todos(notes["todos"])) for where, notes in _sources(doc)]
    found = [(where, lines) for where, lines in found if lines]
    if not found:
        yield "*None.*"
    for where, lines in found:
        yield f"On {where}:"
        yield lines


def _sources(doc: Document) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What is written on, as markdown, and what stands there."""
    lab = doc.lab.paths
    places: list[tuple[str, Noted]] = [
        (f"the recipe {code(one)}", lab.recipe_notes(one.removeprefix(f"{lab.recipes.name}/")))
        for one in doc.recipes
    ]
    places += [(f"the sweep {code(one)}", lab.sweep(one)) for one in doc.sweeps]
    places += [(f"the run {code(run.id)}", run.paths) for run in doc.runs]
    for where, paths in places:
        notes = read_notes(paths)
        if any(notes.values()):
            yield where, notes
