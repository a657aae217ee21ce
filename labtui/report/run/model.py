"""The layer table, in the form of torchsummary's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labtui.layers import layer_lines
from labtui.report.blocks import Block, Heading
from labtui.report.document import NotRecorded, mapping
from labtui.report.run.document import Document, of_form
from labtui.report.text import fence


def section(doc: Document) -> Iterator[Block]:
    """Layers, output shapes, parameters; totals and sizes."""
    name = doc.options.get("model.name") or doc.options.get("model.factory") or ""
    yield Heading(2, "Model", str(name))
    try:
        layers = doc.artifact("layers")
    except NotRecorded:
        if isinstance(doc.facts.get("parameters"), int):
            yield f"{doc.facts['parameters']:,} parameters."
        raise
    with of_form("layers"):
        lines = layer_lines(layers, _shape(doc))
    yield fence("\n".join(lines))
    yield "*Output shapes are those of one sample; -1 stands for the batch.*"


def _shape(doc: Document) -> Any:
    """Of a sample; None where it is not known."""
    try:
        return mapping(doc.artifact("data")).get("shape")
    except NotRecorded:
        return None
