"""The head of a sweep's report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labtui.files.paths import EDITED
from labtui.grouped import column_name, members
from labtui.query.aggregate import Column, Group
from labtui.query.repeats import fold_of
from labtui.report.blocks import Block, Heading, Mean
from labtui.report.passage import passage
from labtui.report.splits import caveat
from labtui.report.sweep.document import Document, column, figures, over
from labtui.report.text import code, moment, prose
from labtui.table import markdown


def section(doc: Document) -> Iterator[Block]:
    """Name, how many configurations and runs, the best, where all came from, description, tags."""
    rows = doc.rows
    title = "Recipe" if doc.recipe else "Folds" if doc.folds else "Sweep" if doc.sweep else "Runs"
    yield Heading(1, title, ", ".join(dict.fromkeys(str(row["name"]) for row in rows)))
    yield " ".join([f"{_counted(doc)}, runs finished: {members(Group({}, rows))}.", *_best(doc)])
    yield _from(doc)
    if rule := next(filter(None, (caveat(row["params"]) for row in rows)), ""):
        yield f"**Optimistic:** {rule}"
    if len({row["name"] for row in rows}) == 1 and (said := _description(doc.runs[0].recipe())):
        yield from passage(said)
    tags = dict.fromkeys(str(tag) for row in rows for tag in row["tags"])
    if tags:
        yield "Tags: " + ", ".join(map(code, tags))


def _counted(doc: Document) -> str:
    count = len(doc.found.groups)
    if doc.folds:
        return f"One configuration in {len({repr(fold_of(row)) for row in doc.rows})} folds"
    return f"{count} cell{'s' if count != 1 else ''}"


def _best(doc: Document) -> Iterator[str]:
    """The figure of the only configuration, or of the one that is best by what is monitored: whoever picks by test
    data reports too much."""
    if not doc.metric:
        return
    monitored, shown = doc.found.columns[0], column(doc.rows, doc.metric)
    if len(doc.found.groups) == 1:
        yield f"{_named(shown)} **{_plain(over(doc.rows, shown.key))}** at the best epochs."
        return
    known = [group for group in doc.found.groups if group.spreads[monitored.key].mean is not None]
    if not monitored.goal or len(known) < 2:
        return
    choose = max if monitored.goal == "max" else min
    best = choose(known, key=lambda group: group.spreads[monitored.key].mean or 0.0)
    (figure,) = figures(best, [monitored])
    tested = "" if shown.key == monitored.key else f", {_named(shown)} **{_plain(*figures(best, [shown]))}**"
    yield f"Best {_named(monitored)} **{_plain(figure)}**{tested}: {prose(best.label)}."


def _named(one: Column) -> str:
    return markdown(column_name(one))


def _plain(figure: Mean) -> str:
    return prose(str(figure))


def _from(doc: Document) -> str:
    """Sweeps, files, and when."""
    sweeps = [code(one) for one in doc.sweeps]
    alone = sum(1 for row in doc.rows if not row["sweep"])
    parts = [f"Sweep{'s' if len(sweeps) > 1 else ''} {', '.join(sweeps)}"] if sweeps else []
    parts += [f"{alone} run{'s' if alone > 1 else ''} launched alone"] if alone and doc.sweeps else []
    parts += [f"from {', '.join(map(code, doc.recipes))}"] if doc.recipes else []
    days = [moment(row["created"]) for row in doc.rows]
    edited = sum(1 for row in doc.rows if str(row["recipe"]).endswith(EDITED))
    parts += [f"edited before the launch of {edited} of the runs"] if edited else []
    parts += [f"launched {_span(sorted(days))}"] if all(days) else []
    said = ", ".join(parts)
    return said[:1].upper() + said[1:] + "."


def _span(times: list[str]) -> str:
    first, last = times[0], times[-1]
    return first if first == last else f"{first} to {last}"


def _description(recipe: Mapping[str, Any]) -> str:
    return str(recipe.get("description") or "").strip()
