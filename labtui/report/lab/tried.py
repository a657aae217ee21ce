"""Each model family for itself: its best, what was varied and what never was, recipe by recipe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from labtui.files.goals import arrowed
from labtui.query.families import Family, Option, source
from labtui.query.spread import spread_of
from labtui.report.blocks import Block, Heading, Mean, Table
from labtui.report.lab.document import Document, beaten
from labtui.report.lab.overview import count, noted, states
from labtui.report.passage import passage
from labtui.report.text import code, exact
from labtui.table import markdown, number

MOST = 12
"""Recipes, and options, of a family that are listed here."""
FILES = ("recipes.csv",)
METHODS = {"grid": "a grid", "list": "a list of cells", "random": "a random search", "tpe": "a search by TPE"}


def section(doc: Document) -> Iterator[Block]:
    """A part for each family."""
    if not doc.families:
        return
    yield Heading(2, "What was tried")
    for family in doc.families:
        yield Heading(3, "Model", doc.title(family))
        if family.about:
            yield "\n\n".join(passage(family.about))
        yield _best(family)
        if family.metric.endswith("loss") and any(one.key.startswith("loss.") for one in family.options):
            yield f"**Its losses are of several kinds:** {markdown(family.metric)} does not compare them."
        yield from _options(doc, family)
        yield from _recipes(family)
        yield from noted(doc, family)
    if any(len(family.recipes) > MOST for family in doc.families):
        link = doc.beside.attach_csv(FILES[0], ("model", *_COLUMNS), _all(doc))
        yield f"[All recipes of all models]({link})"


def _best(family: Family) -> str:
    runs = f"{count(len(family.rows), 'run')}: {states(family.states)}."
    best = family.best
    if best is None:
        why = "nothing is monitored" if not family.metric else "none has finished with a figure"
        if family.metric and family.goal is None:
            why = f"nobody said which way {markdown(family.metric)} is better (`[goals]`)"
        return f"{runs} Best: not known, since {why}."
    figures = []
    for metric in (family.metric, family.test):
        if metric and (found := best.spreads[metric]).mean is not None:
            of = f" over {found.n} of {len(best.rows)} runs" if len(best.rows) > 1 else ""
            shown = str(Mean(found.mean, found.std, found.n, len(best.rows))).rpartition(" (")[0]
            figures.append(f"{markdown(arrowed(metric, family.goal))} **{shown}**{of}")
    word, constant = beaten(family)
    said = {
        "yes": f"better than chance ({number(constant)})",
        "NO": f"**no better than chance ({number(constant)})**",
        "within chance": f"**by less than chance alone explains better than chance ({number(constant)})**",
    }.get(word, "chance is not recorded")
    row = family.run_of(best)
    return f"{runs} Best: {', '.join(figures)}, {said}; {code(str(row['id']))}, from {code(source(row))}."


def _options(doc: Document, family: Family) -> Iterator[Block]:
    """What was varied, then what has always been the same."""
    found = family.options
    if found:
        metric = arrowed(family.metric, family.goal)
        columns = ["tried", f"values: best {metric} (runs)" if family.best else "values (runs)", "best has"]
        yield Table(columns, [[one.key, _listed(one), one.best or None] for one in found[:MOST]])
    if left := found[MOST:]:
        yield f"{count(len(left), 'more option')} varied: {', '.join(code(one.key) for one in left)}."
    yield from _lacking(doc, family)


def _listed(option: Option) -> str:
    return ", ".join(
        f"{value.label}{'' if value.best is None else f': {number(value.best, 3)}'} ({value.runs})"
        for value in option.values
    )


def _lacking(doc: Document, family: Family) -> Iterator[str]:
    """What nobody has tried yet, as a notebook notes it: only clips of 6 s, no augmentation, no search."""
    if same := family.settled:
        listed = ", ".join(f"{markdown(key)} = {markdown(exact(value))}" for key, value in same.items())
        yield f"Always the same: {listed}."
    if unused := family.unused:
        yield f"Never used: {', '.join(map(markdown, unused))}."
    found = Counter(doc.methods[row["sweep"]] for row in family.rows if row["sweep"] in doc.methods)
    said = [f"{count(n, 'run')} of {METHODS[method]}" for method, n in found.items() if method in METHODS]
    said = said or ["no grid and no search"]
    if len(family.table.groups) == 1:
        said.append("one configuration")
    if max(len(group.rows) for group in family.table.groups) == 1:
        said.append("no repeats or folds, so that nothing is known of the spread")
    yield f"So far: {'; '.join(said)}."


_COLUMNS = ("recipe", "runs", "states", "metric", "best", "run")


def _recipes(family: Family) -> Iterator[Block]:
    """The recipes that its runs came from, the best first; nothing where there is one."""
    if len(family.recipes) < 2:
        return
    rows = list(_by_recipe(family))
    shown = [[row[0], row[1], row[2], row[4], row[5]] for row in rows[:MOST]]
    metric = arrowed(family.metric, family.goal) if family.metric else "best"
    goals: Any = [(metric, family.goal)] if family.goal else []
    yield Table(["recipe", "runs", "states", metric, "run"], shown, goals)
    if len(rows) > MOST:
        yield f"*And {len(rows) - MOST} more recipes, none of them better.*"


def _by_recipe(family: Family) -> Iterator[tuple[Any, ...]]:
    by: dict[str, list[Any]] = {}
    for row in family.rows:
        by.setdefault(source(row), []).append(row)
    found = []
    for recipe, rows in by.items():
        places = {id(row) for row in rows}
        group = next((g for g in family.ranked if any(id(row) in places for row in g.rows)), None)
        spread = spread_of(group.rows, family.metric) if group else None
        best: Any = None
        if group and spread:
            best = (
                spread.mean
                if len(group.rows) == 1
                else Mean(spread.mean, spread.std, spread.n, len(group.rows))
            )
        rank = family.ranked.index(group) if group else len(family.ranked)
        said = states(Counter(str(row["state"]) for row in rows))
        run = family.run_of(group)["id"] if group else None
        found.append((rank, (recipe, len(rows), said, family.metric, best, run)))
    yield from (line for _, line in sorted(found, key=lambda pair: pair[0]))


def _all(doc: Document) -> Iterator[tuple[Any, ...]]:
    for family in doc.families:
        for line in _by_recipe(family):
            yield (doc.title(family), *line)
