"""Where we are going: what there is to do, by model; then what is done, and what was given up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from labtui.notes import Entry
from labtui.report import notes
from labtui.report.blocks import Block, Heading
from labtui.report.lab.document import Document

MOST = 100
"""To-dos of one model that are listed."""
FILES = ("todos.csv",)
AHEAD = ("open", "pending")
STATES = {"open": "open", "pending": "pending", "done": "done", "abort": "given up"}


def section(doc: Document) -> Iterator[Block]:
    """The lab's own to-dos, then those on each model's recipes, sweeps and runs."""
    yield Heading(2, "Where we are going")
    every = [entry for entry in doc.written if entry.kind == "todos" and entry.text.strip()]
    if not every:
        yield "*No to-dos: `labtui todo` writes them on a run, a sweep, a recipe or the lab.*"
        return
    counts = Counter(entry.state for entry in every)
    yield ", ".join(f"{counts[state]} {word}" for state, word in STATES.items() if counts[state]) + "."
    yield from _by_model(doc, [entry for entry in every if entry.state in AHEAD], "")
    yield from _by_model(doc, [entry for entry in every if entry.state not in AHEAD], "Done and given up")
    if len(every) > MOST:
        link = doc.beside.attach_csv(
            FILES[0], ("model", "state", "to-do", "reason", "of", "on"), _all(doc, every)
        )
        yield f"[All to-dos]({link})"


def _by_model(doc: Document, todos: Sequence[Entry], title: str) -> Iterator[Block]:
    """Those of the lab as a whole, then those of each model."""
    begun = False
    for family in (None, *doc.families):
        own = [entry for entry in todos if doc.whose(entry) is family]
        if not own:
            continue
        if title and not begun:
            yield Heading(3, title)
        begun = True
        yield Heading(
            4 if title else 3, "Model" if family else "In general", doc.title(family) if family else ""
        )
        yield from notes.todos(own[:MOST], doc.lab.paths)
        if len(own) > MOST:
            yield f"*And {len(own) - MOST} more.*"


def _all(doc: Document, todos: Sequence[Entry]) -> Iterator[Sequence[Any]]:
    for entry in todos:
        family = doc.whose(entry)
        name = doc.title(family) if family else ""
        yield name, entry.state, entry.text, entry.reason, entry.of.kind, entry.of.id
