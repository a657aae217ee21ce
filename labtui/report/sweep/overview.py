"""The head of a sweep's report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labtui.files.goals import ARROWS
from labtui.files.paths import EDITED
from labtui.grouped import members
from labtui.query.aggregate import Group
from labtui.query.repeats import fold_of
from labtui.report.blocks import Block, Heading, Mean
from labtui.report.passage import passage
from labtui.report.splits import caveat
from labtui.report.sweep.document import Document, column, over
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
    """The figure of the only configuration, or of the best."""
    if not doc.metric:
        return
    one = column(doc.rows, doc.metric)
    name = markdown(one.key + ARROWS.get(one.goal or "", ""))
    if len(doc.found.groups) == 1:
        yield f"{name} **{_plain(over(doc.rows, one.key))}** at the best epochs."
        return
    known = [
        (found, group) for group in doc.found.groups if (found := group.spreads[one.key]).mean is not None
    ]
    if one.goal and len(known) > 1:
        best, group = (max if one.goal == "max" else min)(known, key=lambda pair: pair[0].mean or 0.0)
        figure = Mean(best.mean, best.std, best.n, len(group.rows), best.nan)
        yield f"Best {name} **{_plain(figure)}**: {prose(group.label)}."


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
