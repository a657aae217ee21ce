"""Where the model puts validation samples: pictures of its embedding, and what that is worth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from labtui.report.blocks import Block, Heading, Picture, Table
from labtui.report.document import NotRecorded
from labtui.report.run.document import Document
from labtui.report.scatter import Cloud, Clouds
from labtui.table import markdown

FILE = "embedding.png"
ARTIFACTS = {
    "embeddings_untrained": {"seen_tsne": "What the model sees", "tsne": "Before training"},
    "embeddings": {"tsne": "After training"},
    "embedding": {"tsne": "By t-SNE", "pca": "By principal components"},
}
"""Artifact to the pictures in it, with their titles."""
WORTH = {"knn_acc": "five nearest neighbours", "linear_acc": "logistic regression"}
"""Metric to the simple classifier that learnt from the embedded training samples."""


def section(doc: Document) -> Iterator[Block]:
    """Points in a plane, a colour a class; nothing where none were kept (`train.statistics = 0`, no classes)."""
    clouds = list(_clouds(doc))
    if not clouds:
        return
    yield Heading(3, "Embedding")
    names = _names(doc, max(int(cloud.classes.max()) for cloud in clouds) + 1)
    sheet = Clouds(clouds, names)
    what = "; ".join(cloud.title for cloud in clouds)
    count = len(clouds[-1].points)
    said = f"Embedding of {count:,} validation samples, a colour a class: {what}"

    def replaced() -> str:
        words = [f"{short} is {markdown(name)}" for name, short in sheet.fonts.replaced.items()]
        return f"*In the picture {'; '.join(words)}: no font here has its letters.*" if words else ""

    yield Picture(FILE, said, sheet.picture, remark=replaced)
    if rows := list(_worth(doc)):
        yield "How well classes lie apart: accuracy of simple classifiers that learn from the embedded training samples."
        yield Table(("classifier", "split", "before training", "after"), rows)


def _clouds(doc: Document) -> Iterator[Cloud]:
    for name, pictures in ARTIFACTS.items():
        try:
            found = doc.artifact(name)
        except NotRecorded:
            continue
        for key, title in pictures.items():
            if (cloud := _cloud(title, found, key)) is not None:
                yield cloud


def _cloud(title: str, found: Any, key: str) -> Cloud | None:
    """One picture; None where the artifact, which anybody may have written, does not hold it."""
    try:
        points = np.asarray(found[key]).astype(np.float32, casting="same_kind")
        classes = np.asarray(found["y"]).astype(np.int64, casting="same_kind")
    except (KeyError, TypeError, ValueError, IndexError):
        return None
    fits = points.ndim == 2 and points.shape[1] == 2 and classes.shape == points.shape[:1] and len(classes)
    if not fits or not np.isfinite(points).all() or classes.min() < 0 or classes.max() >= 10_000:
        return None
    return Cloud(title, points, classes)


def _names(doc: Document, count: int) -> list[str]:
    """Of the classes; their numbers where they are not known."""
    try:
        names = doc.artifact("data")["classes"]
        known = [str(name) for name in names] if isinstance(names, list) else []
    except (NotRecorded, KeyError, TypeError):
        known = []
    return known + [str(number) for number in range(len(known), count)]


def _worth(doc: Document) -> Iterator[tuple[Any, ...]]:
    """Accuracies of simple classifiers, before the training and after it."""
    for part, words in WORTH.items():
        for split in ("val", "test"):
            series = doc.series.get(f"{split}.{part}")
            if series is not None and len(series.values):
                order = np.argsort(series.steps, kind="stable")
                before = float(series.values[order[0]]) if series.steps[order[0]] == 0 else None
                yield words, split, before, float(series.values[order[-1]])
