"""Where everything lies: recipes, the sweep's definition, run directories, the files of weights."""

from __future__ import annotations

from collections.abc import Iterator

from labtui.query.checkpoints import kept
from labtui.report.blocks import Block, Heading
from labtui.report.sweep.best import models
from labtui.report.sweep.document import Document
from labtui.report.text import fence

FILES_SHOWN = 6
"""Files of weights of one run."""


def section(doc: Document) -> Iterator[Block]:
    """The lab as a tree: the best runs with their weights, the others counted."""
    yield Heading(2, "Where it lies")
    yield fence("\n".join(_tree(doc)))
    yield (
        "Every run directory has its resolved recipe, all metrics, its log and its weights; "
        "the best models' are opened here, the others are alike."
    )


def _tree(doc: Document) -> Iterator[str]:
    yield "lab"
    sources = dict.fromkeys(str(row["recipe"]) for row in doc.rows if row["recipe"])
    for source in sources:
        yield f"├── {source}"
    yield "└── runs"
    for sweep in doc.sweeps:
        yield f"    ├── .labtui/sweeps/{sweep}"
        yield "    │   └── recipe.toml             the sweep as it was launched"
    opened = dict.fromkeys(one.run.id for one in models(doc))
    for run_id in opened:
        yield f"    ├── {run_id}"
        yield "    │   ├── recipe.toml  result.json  metrics.bin  log.txt  artifacts"
        yield "    │   └── checkpoints"
        cut = _cut([one.file for one in kept(doc.run(run_id))])
        for number, name in enumerate(cut or ["(empty)"], 1):
            yield f"    │       {'└' if number == max(len(cut), 1) else '├'}── {name}"
    others = len(doc.rows) - len(opened)
    yield f"    └── {others} more run director{'y' if others == 1 else 'ies'}"


def _cut(files: list[str]) -> list[str]:
    """The first two names and the last ones: the newest of those that count up."""
    left = len(files) - FILES_SHOWN
    return files if left <= 0 else [*files[:2], f"({left} more)", *files[2 + left :]]
