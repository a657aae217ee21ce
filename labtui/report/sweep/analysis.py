"""What made a sweep's cells good: which keys matter, how, and what the best have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from labtui.analysed import Findings, caption, in_words, top
from labtui.errors import LabtuiError
from labtui.query.analysis import Analysis, analyse, metrics_of
from labtui.query.slices import telling
from labtui.report.blocks import Block, Heading, Picture, Table
from labtui.report.sweep.document import Document
from labtui.report.text import prose
from labtui.table import markdown

FROM = 4
"""Cells from which on there is something to say."""
FILES = ("parallel.png", "slices.png", "heat.png", "correlation.png")


def section(doc: Document) -> Iterator[Block]:
    """Importance, correlation, best and worst values; then the pictures. Nothing for fewer than FROM cells."""
    try:
        analysis = analyse(doc.rows, log=doc.log)
    except LabtuiError:
        return  # nothing has finished, or nothing is monitored: the tables above say so
    if len(analysis.groups) < FROM or not analysis.parameters:
        return
    found = Findings.of(analysis)
    yield Heading(2, "What matters")
    yield Table(*in_words(found))
    yield from (prose(sentence) for sentence in caption(found))
    yield from _pictures(analysis)


def _pictures(analysis: Analysis) -> Iterator[Picture]:
    def drawn(file: str, kind: str, said: str, keys: Sequence[str] = ()) -> Picture:
        def png() -> bytes:
            from labtui.report.drawing import picture

            return picture(analysis, kind, keys)

        return Picture(file, said, png, remark=lambda: _replaced(analysis))

    words = markdown(" ".join(top(analysis)))
    yield drawn(
        "parallel.png", "parallel", f"Parallel coordinates, one line a cell, light lines the best. {words}"
    )
    yield drawn("slices.png", "slice", f"Slices: {markdown(analysis.metric)} by the values of each key")
    if len(pair := telling(analysis)[:2]) == 2:
        said = f"Mean {markdown(analysis.metric)} by {markdown(pair[0])} and {markdown(pair[1])}"
        yield drawn("heat.png", "heat", said, pair)
    if len(metrics_of(analysis)) > 1:
        yield drawn("correlation.png", "correlation", "Spearman's correlation of keys and metrics")


def _replaced(analysis: Analysis) -> str:
    """Names that no font can show, each with what stands for it."""
    from labtui.report.drawing import fonts_of

    names = "; ".join(f"{short} is {markdown(name)}" for name, short in fonts_of(analysis).replaced.items())
    return f"*In the pictures {names}: no font here has its letters.*" if names else ""
