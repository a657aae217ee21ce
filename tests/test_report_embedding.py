"""Pictures of an embedding in a run's report: what there is, in the classes' names, and what is no embedding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import report_lab

from labtui.report.subject import of_run


def embedded(lab: Path, name: str, **arrays: Any) -> str:
    """The section of a finished run that kept them; pictures lie beside `r.md`."""
    run = report_lab.finished(lab)
    np.savez(run.paths.artifacts / f"{name}.npz", **arrays)
    return of_run(run).write(lab / "r.md", sections=["embedding"]).read_text()


def points(n: int = 30) -> dict[str, Any]:
    """Three classes that lie apart."""
    y = np.arange(n) % 3
    plane = np.c_[y, np.arange(n) / n].astype(np.float32)
    return {"y": y, "pca": plane, "tsne": plane[:, ::-1].copy()}


def test_a_classifiers_embedding_is_drawn_twice(lab: Path) -> None:
    text = embedded(lab, "embedding", **points())
    assert (
        "### Embedding" in text
        and "of 30 validation samples, a colour a class: By t-SNE; By principal" in text
    )
    picture = (lab / "r_files" / "embedding.png").read_bytes()
    assert picture.startswith(b"\x89PNG") and len(picture) > 5_000


def test_metric_learning_is_drawn_before_and_after(lab: Path) -> None:
    run = report_lab.finished(lab)
    found = points()
    np.savez(run.paths.artifacts / "embeddings_untrained.npz", seen_tsne=found["pca"], **found)
    np.savez(run.paths.artifacts / "embeddings.npz", **found)
    report_lab.write_metrics(run.paths.root, {"val.knn_acc": [(0, 0.4), (150, 0.55)]})
    text = of_run(run).text(["embedding"])
    assert "What the model sees; Before training; After training" in text
    assert "| five nearest neighbours | val | 0.4 | 0.55 |" in text


@pytest.mark.parametrize(
    "arrays",
    [
        {"y": np.zeros(3), "pca": np.zeros((4, 2))},
        {"y": np.zeros(3), "tsne": np.full((3, 2), np.nan)},
        {"y": np.array([-1, 0, 1]), "pca": np.zeros((3, 2))},
        {"y": np.array(["a", "b"]), "pca": np.zeros((2, 2))},
        {"pca": np.zeros((2, 2))},
        {"y": np.zeros(0), "pca": np.zeros((0, 2))},
    ],
)
def test_what_is_no_embedding_is_not_drawn(lab: Path, arrays: dict[str, Any]) -> None:
    assert "Embedding" not in embedded(lab, "embedding", **arrays)
