"""Where we are: the best of each model family beside chance, in a table and a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from labtui.files.goals import Goal, arrowed
from labtui.query.families import Family
from labtui.report.blocks import Block, Heading, Picture, Table
from labtui.report.lab.bars import Bar, Bars
from labtui.report.lab.document import Document, beaten, mean
from labtui.report.lab.going import AHEAD
from labtui.table import markdown, number

FILES = tuple(f"families-{place}.png" for place in range(1, 9))
PROGRAM = "a program's own"
MOST = 40
"""Bars of a picture."""


def section(doc: Document) -> Iterator[Block]:
    """One table for each data set and monitored metric: only what is measured alike stands side by side."""
    yield Heading(2, "Where we are")
    if not doc.families:
        yield "*Nothing yet.*"
        return
    yield (
        "The best configuration of each model, by what its runs monitor; folds and repeats are put together (mean ± "
        "deviation of the sample, number of runs). The figure on test data is of the same epoch. Chance is what the "
        "best constant answer has, on test data where there are any; it is beaten by more than 2.5 standard errors of "
        "a share of so many samples (else *within chance*). The rules are those of the diagnosis, asked of the best "
        "run; to do counts what is open or pending."
    )
    groups: dict[tuple[str, str], list[Family]] = {}
    for family in doc.families:
        groups.setdefault((family.data, family.metric), []).append(family)
    pictures = iter(FILES)
    for (data, metric), own in groups.items():
        if len(groups) > 1:
            by = f"by {metric}" if metric else "nothing monitored"
            yield Heading(3, "Data", f"{data or PROGRAM}, {by}")
        yield table(doc, own)
        if any(family.best for family in own) and (file := next(pictures, "")):
            yield picture(doc, own, file)


def table(doc: Document, own: Sequence[Family]) -> Table:
    """One row a family, the best first."""
    first = own[0]
    tested = next((family.test for family in own if family.test), "")
    columns = ["model", "runs"]
    goals: list[tuple[str, Goal]] = []
    for metric in (first.metric, tested):
        if metric:
            columns.append(arrowed(metric, first.goal))
            goals += [(columns[-1], "min" if first.goal == "min" else "max")] if first.goal else []
    columns += ["chance", "beaten", "parameters", "the rules say", "to do", "best run"]
    rows = [_row(doc, family, [m for m in (first.metric, tested) if m]) for family in ordered(own)]
    empty = [columns.index(name) for name in ("the rules say", "to do")]
    kept = [at for at in range(len(columns)) if at not in empty or any(row[at] is not None for row in rows)]
    return Table([columns[at] for at in kept], [[row[at] for at in kept] for row in rows], goals)


def ordered(own: Sequence[Family]) -> list[Family]:
    """The best first; then those without a figure."""
    sign = 1.0 if own[0].goal == "min" else -1.0

    def rank(family: Family) -> tuple[bool, float]:
        value = family.best.spreads[family.metric].mean if family.best else None
        return value is None, sign * (value or 0.0)

    return sorted(own, key=rank)


def _row(doc: Document, family: Family, metrics: Sequence[str]) -> list[Any]:
    best = family.best
    word, constant = beaten(family)
    finished = family.states["finished"]
    runs = str(finished) if finished == len(family.rows) else f"{finished} of {len(family.rows)}"
    figures = [mean(best, metric) if best else None for metric in metrics]
    row = family.run_of(best) if best else family.rows[-1]
    size = row["facts"].get("parameters")
    asked = doc.diagnosed.get(row["id"]) if best else None
    said = ", ".join(one.rule for one in asked.findings) if asked else ""
    ahead = sum(
        entry.kind == "todos" and entry.state in AHEAD and doc.whose(entry) is family for entry in doc.written
    )
    return [
        doc.title(family), runs, *figures, constant, word, size, said or None, ahead or None,
        row["id"] if best else None,
    ]  # fmt: skip


def picture(doc: Document, own: Sequence[Family], file: str) -> Picture:
    """The best figures as bars, on test data where all have such; chance across them."""
    known = [family for family in ordered(own) if family.best]
    test = all(mean(family.best, family.test) is not None for family in known if family.best)
    bars = []
    for family in known[:MOST]:
        metric = family.test if test else family.metric
        found = family.best.spreads[metric] if family.best else None
        if found is not None and found.mean is not None:
            bars.append(Bar(doc.title(family), found.mean, found.std, family.chance.get(metric)))
    bars.sort(key=lambda bar: bar.value if known[0].goal == "min" else -bar.value)
    metric = arrowed(known[0].test if test else known[0].metric, known[0].goal)
    sheet = Bars(metric, bars)
    said = f"{markdown(metric)} of the best of each model: " + "; ".join(
        f"{markdown(bar.name)} {number(bar.value, 3)}"
        + (f" (chance {number(bar.chance, 3)})" if bar.chance is not None else "")
        for bar in bars
    )

    def replaced() -> str:
        words = [f"{short} is {markdown(name)}" for name, short in sheet.fonts.replaced.items()]
        return f"*In the picture {'; '.join(words)}: no font here has its letters.*" if words else ""

    return Picture(file, said, sheet.picture, sheet.text, replaced)
