"""What all runs share: the resolved recipe as a dictionary, to be copied."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from labtui.query.aggregate import FOLDS
from labtui.query.lab import differing
from labtui.query.repeats import fold_of
from labtui.report.blocks import Block, Heading
from labtui.report.document import NotRecorded
from labtui.report.sweep.document import Document
from labtui.report.text import fence, prose

_WIDEST = 8
"""Values of an option that are listed, of those in which runs differ."""


def section(doc: Document) -> Iterator[Block]:
    """`params = {…}` in Python, then what differs."""
    yield Heading(2, "Parameters")
    rows = doc.rows
    if not any(row["params"] for row in rows):
        raise NotRecorded("no run has a recipe that can be read")
    others = differing(rows)
    shared = {key: value for key, value in rows[0]["params"].items() if key not in others}
    if len(rows) > 1:
        yield "What all runs share:"
    yield fence(dictionary(shared), "python")
    if others:
        yield "\n".join(["Runs differ in:", "", *(f"- {line}" for line in _differences(rows, others))])


def dictionary(options: Mapping[str, Any]) -> str:
    """Options as Python writes them."""
    lines = [f"    {_literal(str(key))}: {_literal(value)}," for key, value in options.items()]
    return "\n".join(["params = {", *lines, "}"])


def _literal(value: Any) -> str:
    """A value in Python's notation; text in double quotes, with nothing but itself between them."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\x7f")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_literal(str(k))}: {_literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_literal, value)) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return repr(value)


def _differences(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> Iterator[str]:
    for key in keys:
        known = {_literal(row["params"].get(key)): row["params"].get(key) for row in rows}
        if key in FOLDS:
            known = {repr(fold_of(row)): fold_of(row) for row in rows}
        texts = [text if known[text] is not None else "not set" for text in known]
        more = f", … ({len(texts)} values)" if len(texts) > _WIDEST else ""
        yield prose(f"{key}: {', '.join(texts[:_WIDEST])}{more}")
