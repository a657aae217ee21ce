"""Inside the best models: what the weights and gradients of each family's best run did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from labtui.query.families import Family
from labtui.report.blocks import Block, Heading, Table
from labtui.report.inside import inside, middle
from labtui.report.lab.document import Document
from labtui.report.text import code
from labtui.table import number

MOST = 40
"""Models whose weights are read."""
RULES = ("vanishing gradients", "exploding gradients", "dead units", "no number")
"""Of the diagnosis, those that look inside."""
COLUMNS = (
    "model", "layers", "smallest gradient / weights", "largest gradient / weights", "update ratio", "weights grew",
    "said of it", "run",
)  # fmt: skip


def section(doc: Document) -> Iterator[Block]:
    """One row a family; the layers are in the runs' own reports."""
    yield Heading(2, "Weights and gradients of the best")
    known = [family for family in doc.families if family.best][:MOST]
    rows = [row for family in known if (row := _row(doc, family))]
    if not rows:
        yield (
            "*Not recorded of any model's best run: labtui keeps them of what it trains itself, unless "
            "`train.statistics = 0`.*"
        )
        return
    yield (
        "Of each model's best run, over matrices, kernels and scales: norm of the gradient by that of the weights (median over the training) in the "
        "layer where it is smallest and where it is largest, the update ratio (by how much a step changes the weights; "
        "usually about 0.001), and by what the weights' norms grew. Layer by layer: "
        f"{code('labtui report RUN --section weights')}."
    )
    said = COLUMNS.index("said of it")
    kept = [at for at in range(len(COLUMNS)) if at != said or any(row[at] for row in rows)]
    yield Table([COLUMNS[at] for at in kept], [[row[at] for at in kept] for row in rows])
    left = [doc.title(family) for family in known if not any(row[0] == doc.title(family) for row in rows)]
    if left:
        yield f"*Not recorded of {', '.join(map(code, left))}.*"


def _row(doc: Document, family: Family) -> Sequence[Any] | None:
    if family.best is None:
        return None
    row = family.run_of(family.best)
    found = inside(doc.run(row).artifact("weights") or {})
    if found is None or not found.telling:
        return None
    relative, telling = found.relative, list(found.telling)
    order = sorted(telling, key=lambda at: float(relative[at]))
    low, high = order[0], order[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        grown = found.weight[-1, telling] / found.weight[0, telling]
    asked = doc.diagnosed.get(row["id"])
    said = [one.rule for one in asked.findings if one.rule in RULES] if asked else []
    return (
        doc.title(family), len(found.layers), _layer(found.layers[low], relative[low]),
        _layer(found.layers[high], relative[high]), _median(middle(found.update)[telling]), _median(grown), ", ".join(said) or None, row["id"],
    )  # fmt: skip


def _layer(name: str, value: float) -> str:
    return f"{number(float(value), 2)} in {name}"


def _median(values: Any) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None
