"""The appendix: what the sweep was to go through, and each of its cells."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from labtui.errors import LabtuiError
from labtui.files.atomic import finite
from labtui.files.toml import short_keys
from labtui.query.progress import Line, Progress
from labtui.report.blocks import Block, Heading, Table
from labtui.report.document import NotRecorded
from labtui.report.sweep.document import Document
from labtui.report.text import code, exact

SHOWN = 100
"""Cells of the table; the file has all."""
SWEEPS = 12
FILES = tuple(f"grid-{n}.json" for n in range(1, SWEEPS + 1))


def section(doc: Document) -> Iterator[Block]:
    """Of each sweep its space, and the cells as a table and as a file that `labtui import` reads."""
    if doc.folds:
        return
    yield Heading(2, "Appendix: the grid")
    if not doc.progress:
        raise NotRecorded("these runs are of no sweep, and were chosen one by one" if not doc.sweeps else
                          "nothing is kept of the sweep but its runs")  # fmt: skip
    for number, (sweep, found) in enumerate(list(doc.progress.items())[:SWEEPS]):
        if len(doc.progress) > 1:
            yield Heading(3, "Grid", found.name)
        yield from _space(doc, sweep)
        yield from _cells(doc, found, FILES[number])
    if left := list(doc.progress)[SWEEPS:]:
        yield f"Left out: the grids of {len(left)} more sweeps; a report on each has it."


def _space(doc: Document, sweep: str) -> Iterator[Block]:
    """The method, and the values that each key takes."""
    from labtui.sweep import definition

    paths = doc.lab.paths.sweep(sweep)
    try:
        plan = definition.read(paths)
    except LabtuiError:
        why = (
            "cannot be read: see `labtui doctor`"
            if paths.recipe.exists()
            else "is gone: only its runs are left"
        )
        yield f"*The definition of {code(sweep)} {why}.*"
        return
    told = plan.sweep
    words = [f"Method {code(told.method)}"]
    words += [f"{told.repeats} repeats of each cell"] if told.repeats > 1 else []
    words += [f"{len(plan.folds)} folds"] if len(plan.folds) > 1 else []
    words += [f"a budget of {told.runs} runs"] if told.runs else []
    words += [f"a budget of {told.hours:g} hours"] if told.hours else []
    yield f"{', '.join(words)}; kept as {code(f'runs/.labtui/sweeps/{sweep}/recipe.toml')}."
    rows = [[key, _values(values), told.when.get(key)] for key, values in told.space.items()]
    if rows:
        used = 3 if told.when else 2
        yield Table(["option", "values", "only where"][:used], [row[:used] for row in rows])
    if told.constraints:
        yield "Constraints: " + "; ".join(map(code, told.constraints)) + "."


def _values(values: Any) -> str:
    """What a key takes: its list, or its range."""
    if isinstance(values, list):
        return ", ".join(map(exact, values))
    told = {name: value for name, value in values.model_dump().items() if value not in (None, False)}
    return ", ".join(f"{name} {exact(value)}" for name, value in told.items())


def _cells(doc: Document, found: Progress, file: str) -> Iterator[Block]:
    keys = list(dict.fromkeys(key for line in found.lines for key in line.values))
    if not keys:
        return  # the table of all runs says what they are
    titled = any(line.name for line in found.lines)
    rows = [
        [(line.name or None) if titled else line.number, *(_told(line.values, key) for key in keys),
         _stands(line)]
        for line in found.lines[:SHOWN]
    ]  # fmt: skip
    yield Table(["cell", *short_keys(keys), "runs"], rows)
    link = doc.beside.attach(file, lambda: _experiments(found))
    left = len(found.lines) - len(rows)
    shown = f"{left:,} of {len(found.lines):,} cells are left out here. " if left > 0 else ""
    yield f"{shown}As a file of experiments, which `labtui import` reads: [{file}]({link})."


def _told(values: Mapping[str, Any], key: str) -> Any:
    value = values.get(key)
    return exact(value) if isinstance(value, dict | list) else value


def _stands(line: Line) -> str:
    """How its trainings stand: `finished`, or `2 finished, 1 failed`."""
    states = Counter(place.state.replace("to_come", "not made") for place in line.places)
    if len(line.places) == 1:
        return next(iter(states))
    return ", ".join(f"{n} {state}" for state, n in states.items())


def _experiments(found: Progress) -> bytes:
    """`{"parameters": [...]}`, one object a cell."""
    cells = [{"title": line.title, **line.values} for line in found.lines]
    return (
        json.dumps({"parameters": finite(cells)}, indent=2, ensure_ascii=False, default=str) + "\n"
    ).encode("utf-8", "backslashreplace")
