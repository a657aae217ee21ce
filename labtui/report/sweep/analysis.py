"""What made a sweep's cells good: which keys matter, how, and what the best have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labtui.analysed import Findings, caption, ends, in_words, top
from labtui.errors import LabtuiError
from labtui.query.analysis import Analysis, analyse, metrics_of
from labtui.query.slices import telling
from labtui.report.blocks import Block, Heading, Picture, Table
from labtui.report.sweep.document import Document
from labtui.report.sweep.judges import FAMILIES, families, judges
from labtui.report.text import prose
from labtui.table import markdown

if TYPE_CHECKING:
    from labtui.plots.drawing import Kind

Fields = Mapping[str, Any]
FROM = 4
"""Cells from which on there is something to say."""
FAMILY = tuple(f"parallel-{n}.png" for n in range(1, FAMILIES + 1))
FILES = ("parallel.png", "slices.png", "heat.png", "correlation.png", *FAMILY)
WIDTH, HEIGHT = 92, 22
"""Cells and rows of a drawing as text: what a page shows without scrolling."""


def section(doc: Document) -> Iterator[Block]:
    """Importance, correlation, best and worst values; then the pictures. Nothing for fewer than FROM cells."""
    if (analysis := _analysed(doc, doc.rows)) is None:
        return
    found = Findings.of(analysis)
    yield Heading(2, "What matters")
    yield Table(*in_words(found))
    yield from (prose(sentence) for sentence in caption(found))
    yield from _pictures(analysis)
    for (name, rows), file in zip(families(doc.rows).items(), FAMILY, strict=False):
        if own := _analysed(doc, rows):
            yield Heading(3, "Within one family", name)
            yield from (prose(sentence) for sentence in [*ends(own), *top(own)])
            yield _parallel(own, file)


def _analysed(doc: Document, rows: Sequence[Fields]) -> Analysis | None:
    """By the score, which means the same in all runs; by the loss where all cells have one score. None for too
    few cells."""
    for judge in reversed(judges(doc.rows)):
        try:
            analysis = analyse(rows, judge.metric, log=doc.log)
        except LabtuiError:
            continue  # nothing has finished with it: the tables say so
        if len(analysis.groups) >= FROM and analysis.parameters and analysis.measured.distinct.size > 1:
            return analysis
    return None


def _pictures(analysis: Analysis) -> Iterator[Picture]:
    yield _parallel(analysis, "parallel.png")
    said = f"Slices: {markdown(analysis.metric)} by the values of each key"
    yield _drawn(analysis, "slices.png", "slice", said)
    if len(pair := telling(analysis)[:2]) == 2:
        said = f"Mean {markdown(analysis.metric)} by {markdown(pair[0])} and {markdown(pair[1])}"
        yield _drawn(analysis, "heat.png", "heat", said, pair)
    if len(metrics_of(analysis)) > 1:
        yield _drawn(analysis, "correlation.png", "correlation", "Spearman's correlation of keys and metrics")


def _parallel(analysis: Analysis, file: str) -> Picture:
    words = markdown(" ".join(top(analysis))).rstrip(".")
    return _drawn(
        analysis, file, "parallel", f"Parallel coordinates, one line a cell, light lines the best. {words}"
    )


def _drawn(analysis: Analysis, file: str, kind: Kind, said: str, keys: Sequence[str] = ()) -> Picture:
    def draw(format: str) -> bytes:
        from labtui.report.drawing import picture

        return picture(analysis, kind, keys, format)

    def text() -> str:
        from labtui.plots import Look, drawing
        from labtui.rows import painted

        look = Look(WIDTH, colored=False, keys="the picture", whole="the picture")
        rows, _ = drawing(analysis, kind, look, HEIGHT, keys)
        return "\n".join(line.rstrip() for line in painted(rows, "none"))

    return Picture(file, said, draw, text, remark=lambda: _replaced(analysis))


def _replaced(analysis: Analysis) -> str:
    """Names that no font can show, each with what stands for it."""
    from labtui.report.drawing import fonts_of

    names = "; ".join(f"{short} is {markdown(name)}" for name, short in fonts_of(analysis).replaced.items())
    return f"*In the pictures {names}: no font here has its letters.*" if names else ""
