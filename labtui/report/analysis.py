"""What made a sweep's cells good: which keys matter, how, and what the best have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from labtui.analysed import Findings, caption, in_words, top
from labtui.errors import LabtuiError
from labtui.query.analysis import Analysis, analyse, metrics_of
from labtui.query.slices import telling
from labtui.report.document import Beside
from labtui.report.text import heading, prose, table
from labtui.table import markdown

FROM = 4
"""Cells from which on there is something to say."""
FILES = ("parallel.png", "slices.png", "heat.png", "correlation.png")


def section(
    rows: Sequence[Mapping[str, Any]],
    beside: Beside | None = None,
    log: Collection[str] = (),
) -> Iterator[str]:
    """Importance, correlation, best and worst values; then the pictures. Nothing for fewer than FROM cells.

    Args:
        rows: of the index: a sweep's runs, or any.
        beside: where pictures lie; absent: there are none.
        log: keys that are seen on a logarithmic scale, whatever they span.
    """
    try:
        analysis = analyse(rows, log=log)
    except LabtuiError:
        return  # nothing has finished, or nothing is monitored: the tables above say so
    if len(analysis.groups) < FROM or not analysis.parameters:
        return
    found = Findings.of(analysis)
    yield heading(2, "What matters")
    yield table(*in_words(found))
    yield from (prose(sentence) for sentence in caption(found))
    if beside is not None:
        yield from _pictures(analysis, beside)


def _pictures(analysis: Analysis, beside: Beside) -> Iterator[str]:
    def drawn(file: str, kind: str, keys: Sequence[str] = ()) -> str:
        from labtui.report.drawing import picture

        return beside.attach(file, lambda: picture(analysis, kind, keys))

    words = markdown(" ".join(top(analysis)))
    said = f"Parallel coordinates, one line a cell, light lines the best. {words}"
    yield f"![{said}]({drawn('parallel.png', 'parallel')})"
    said = f"Slices: {markdown(analysis.metric)} by the values of each key"
    yield f"![{said}]({drawn('slices.png', 'slice')})"
    if len(pair := telling(analysis)[:2]) == 2:
        said = f"Mean {markdown(analysis.metric)} by {markdown(pair[0])} and {markdown(pair[1])}"
        yield f"![{said}]({drawn('heat.png', 'heat', pair)})"
    if len(metrics_of(analysis)) > 1:
        said = "Spearman's correlation of keys and metrics"
        yield f"![{said}]({drawn('correlation.png', 'correlation')})"
    if beside.draws and (replaced := _replaced(analysis)):
        names = "; ".join(f"{short} is {markdown(name)}" for name, short in replaced.items())
        yield f"*In the pictures {names}: no font here has its letters.*"


def _replaced(analysis: Analysis) -> dict[str, str]:
    """Names that no font can show, each with what stands for it."""
    from labtui.report.drawing import fonts_of

    return fonts_of(analysis).replaced
