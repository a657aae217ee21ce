"""The layer table, in the form of torchsummary's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labtui.layers import layer_lines, layer_rows
from labtui.report.blocks import Block, Heading, Table
from labtui.report.document import NotRecorded, mapping
from labtui.report.run.document import Document, of_form


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
        rows = layer_rows(layers)
    yield Table(("layer (type)", "output shape", "parameters"), rows, printed="\n".join(lines))
    yield "*Shapes and sizes are those of one sample in single precision; -1 stands for the batch.*"


def _shape(doc: Document) -> Any:
    """Of a sample; None where it is not known."""
    try:
        return mapping(doc.artifact("data")).get("shape")
    except NotRecorded:
        return None
