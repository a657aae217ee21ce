"""Inside the model: what each layer's weights and gradients did."""

from __future__ import annotations

import math
from collections.abc import Iterator

from labtui.report.blocks import Block, Heading, Picture, Table
from labtui.report.document import NotRecorded
from labtui.report.inside import Inside, ends, inside, middle, picture, text
from labtui.report.run.document import Document
from labtui.table import markdown, number

FILES = ("weights.png",)


def section(doc: Document) -> Iterator[Block]:
    """A row a layer: norms, by how much a step changes it, its gradient beside its weights; a picture of
    all over the training."""
    yield Heading(2, "Weights and gradients")
    if doc.options.get("train.statistics") == 0:
        raise NotRecorded("`train.statistics = 0` switched it off")
    found = inside(doc.artifact("weights"))
    if found is None:
        raise NotRecorded("`artifacts/weights.npz` has not the form that labtui writes")
    yield (
        f"Looked at {len(found.steps)} times, from step {found.steps[0]:g} to {found.steps[-1]:g}: norms of each layer's "
        "weights and of its gradient (before clipping); the update ratio is the norm of a step's change by that of the "
        "weights, usually about 0.001."
    )
    yield table(found)
    yield Picture(FILES[0], _said(found), lambda format: picture(found, format), lambda: text(found))


def table(of: Inside) -> Table:
    """One row a layer, in the model's order."""
    before, after = ends(of.weight)
    _, slope = ends(of.grad)
    update, relative = (
        [value if math.isfinite(value) else None for value in found.tolist()]
        for found in (middle(of.update), of.relative)
    )
    columns = (
        "layer", "weights at first", "at the end", "gradient at the end", "update ratio (median)",
        "gradient / weights (median)",
    )  # fmt: skip
    return Table(columns, list(zip(of.layers, before, after, slope, update, relative, strict=True)))


def _said(of: Inside) -> str:
    words = "Gradient, update and weight norms of each layer over the training"
    if not of.telling:
        return words
    order = sorted(of.telling, key=lambda at: float(of.relative[at]))
    low, high = order[0], order[-1]
    parts = [
        f"{word} gradient beside its weights: {markdown(of.layers[at])} ({number(float(of.relative[at]), 2)})"
        for word, at in (("smallest", low), ("largest", high))
    ]
    return f"{words}; {', '.join(parts)}"
