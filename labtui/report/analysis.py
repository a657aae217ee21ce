"""What made a sweep's cells good: which keys matter, how, and what the best have in common."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from labtui.analysed import Findings, caption, in_words, top
from labtui.errors import LabtuiError
from labtui.query.analysis import Analysis, analyse, metrics_of
from labtui.query.slices import telling
from labtui.report.text import heading, prose, table
from labtui.table import markdown

FROM = 4
"""Cells from which on there is something to say."""
FILES = ("parallel.png", "slices.png", "heat.png", "correlation.png")


def section(
    rows: Sequence[Mapping[str, Any]],
    attach: Callable[[str, bytes], str] | None = None,
    log: Collection[str] = (),
) -> Iterator[str]:
    """Importance, correlation, best and worst values; then the pictures. Nothing for fewer than FROM cells.

    Args:
        rows: of the index: a sweep's runs, or any.
        attach: lets a file of such a name and content lie beside the report, and gives its address in
            markdown; absent: no pictures.
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
    if attach is not None:
        yield from _pictures(analysis, attach)


def _pictures(analysis: Analysis, attach: Callable[[str, bytes], str]) -> Iterator[str]:
    from labtui.report.drawing import fonts_of, picture

    words = markdown(" ".join(top(analysis)))
    said = f"Parallel coordinates, one line a cell, light lines the best. {words}"
    yield f"![{said}]({attach('parallel.png', picture(analysis, 'parallel'))})"
    said = f"Slices: {markdown(analysis.metric)} by the values of each key"
    yield f"![{said}]({attach('slices.png', picture(analysis, 'slice'))})"
    if len(pair := telling(analysis)[:2]) == 2:
        said = f"Mean {markdown(analysis.metric)} by {markdown(pair[0])} and {markdown(pair[1])}"
        yield f"![{said}]({attach('heat.png', picture(analysis, 'heat', pair))})"
    if len(metrics_of(analysis)) > 1:
        said = "Spearman's correlation of keys and metrics"
        yield f"![{said}]({attach('correlation.png', picture(analysis, 'correlation'))})"
    if replaced := fonts_of(analysis).replaced:
        names = "; ".join(f"{short} is {markdown(name)}" for name, short in replaced.items())
        yield f"*In the pictures {names}: no font here has its letters.*"
