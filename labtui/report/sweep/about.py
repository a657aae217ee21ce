"""What was tried: the recipes in the user's words, and the options that the runs went through."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from labtui.files.toml import short_keys
from labtui.report.blocks import Block, Heading, Table
from labtui.report.passage import passage
from labtui.report.sweep.document import Document
from labtui.report.text import exact
from labtui.table import markdown

VALUES = 8
"""Values of an option that are listed."""


def section(doc: Document) -> Iterator[Block]:
    """Each recipe with what it says of itself, and the options that its runs went through."""
    if doc.folds:
        return
    options = list(_options(doc))
    by: dict[str, list[Mapping[str, Any]]] = {}
    for row in doc.rows:
        by.setdefault(str(row["name"]), []).append(row)
    if options or len(by) > 1:
        yield Heading(2, "What was tried")
    if len(by) > 1:
        rows = [[name, own[0]["params"].get("model.name"), len(own),
                 sum(row["state"] == "finished" for row in own), own[0]["recipe"] or None]
                for name, own in by.items()]  # fmt: skip
        yield Table(["recipe", "model", "runs", "finished", "file"], rows)
    for name, own in by.items() if len(by) > 1 else ():  # of a single one the head says it
        if said := str(doc.run(own[0]["id"]).recipe().get("description") or "").strip():
            yield f"**{markdown(name)}**"
            yield from passage(said)
    if options:
        yield Table(["option", "key", "values (runs)"], options)


def _options(doc: Document) -> Iterator[list[Any]]:
    """The parameters that are considered, each with its values."""
    keys = doc.found.keys
    for short, key in zip(short_keys(keys), keys, strict=True):
        counts = Counter(
            exact(row["params"][key]) if row["params"].get(key) is not None else "–" for row in doc.rows
        )
        told = [f"{value} ({n})" for value, n in list(counts.items())[:VALUES]]
        left = len(counts) - len(told)
        yield [short, key, ", ".join(told) + (f", and {left} more values" if left else "")]
