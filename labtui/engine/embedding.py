"""What an embedding is worth, for a model whose outputs are compared with each other only.

Two simple classifiers tell how well classes lie apart in it, learnt from the embedded training split and
scored on the others: the five nearest neighbours, and logistic regression. t-SNE (van der Maaten and Hinton
2008) shows it in two dimensions, before the training and after it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from labtui.engine.loop import Loop

NEIGHBOURS = 5
MOST_LEARNT = 20_000
"""Training samples that the classifiers learn from, evenly drawn."""
MOST_SHOWN = 1_000
"""Points of a picture."""

Array = NDArray[Any]


def look(loop: Loop, step: int, name: str, untrained: bool = False) -> dict[str, float]:
    """Embed all splits with the model as it is.

    Logs `val.knn_acc`, `val.linear_acc` (and those of test, unless the training has yet to begin:
    `untrained`) at a step, and keeps an artifact: `index`, `y` (n,), `points` (n, d) and `tsne` (n, 2) of
    held-out samples; before the training also `seen_tsne`, of what the model sees. Where an output is no
    number there is nothing to look at, and nothing is logged.

    Returns:
        What was logged.
    """
    splits = [split for split in ("val", "test")[: 1 if untrained else 2] if split in loop.parts.samples]
    x, y = _embedded(loop, "train", MOST_LEARNT)
    held_out = {split: _embedded(loop, split) for split in splits}
    if not all(np.isfinite(points).all() for points in (x, *(points for points, _ in held_out.values()))):
        return {}
    found: dict[str, float] = {}
    shown: dict[str, list[Array]] = {"index": [], "y": [], "points": []}
    for split, (points, classes) in held_out.items():
        found |= {f"{split}.{key}": value for key, value in _classified(x, y, points, classes).items()}
        rows = _evenly(len(points), MOST_SHOWN // len(splits))
        index = loop.parts.samples[split].index.cpu().numpy()
        for key, value in (("index", index), ("y", classes), ("points", points)):
            shown[key].append(value[rows])
    loop.run.log(found, step)
    arrays = {key: np.concatenate(parts) for key, parts in shown.items()}
    arrays["tsne"] = _flat(arrays["points"], loop.recipe.train.seed)
    if untrained:
        seen = (
            loop.parts.samples["val"].batch(torch.from_numpy(arrays["index"]).to(loop.train.index.device)).x
        )
        arrays["seen_tsne"] = _flat(seen.flatten(1).cpu().numpy(), loop.recipe.train.seed)
    loop.run.artifact(name, arrays)
    return found


def _embedded(loop: Loop, split: str, most: int | None = None) -> tuple[Array, Array]:
    """(n, d) outputs and (n,) classes of a split."""
    _, outputs = loop.predict(split, keep=True)
    points = torch.cat(outputs).flatten(1).float().cpu().numpy()
    classes = loop.parts.samples[split].targets.cpu().numpy()
    rows = _evenly(len(points), most or len(points))
    return points[rows], classes[rows]


def _evenly(of: int, most: int) -> NDArray[np.int64]:
    return np.arange(of) if of <= most else np.linspace(0, of - 1, most).astype(np.int64)


def _classified(x: Array, y: Array, points: Array, classes: Array) -> dict[str, float]:
    """Accuracies on `points` of what was learnt from `x`."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    near = KNeighborsClassifier(min(NEIGHBOURS, len(x))).fit(x, y)
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(x, y)
    return {
        "knn_acc": float((near.predict(points) == classes).mean()),
        "linear_acc": float((linear.predict(points) == classes).mean()),
    }


def _flat(points: Array, seed: int) -> Array:
    """(n, 2) by t-SNE; two principal components of so few points that it has no neighbourhoods."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    # Points that differ by rounding alone are one.
    spread = points.std(axis=0).max() > 1e-6 * np.abs(points).max()
    if len(points) < 10 or not spread:
        flat = (
            PCA(min(2, *points.shape)).fit_transform(points) if spread and len(points) > 1 else points[:, :2]
        )
        return np.pad(flat, ((0, 0), (0, 2 - flat.shape[1]))).astype(np.float32)
    perplexity = min(30.0, (len(points) - 1) / 3)
    start = "pca" if points.shape[1] > 1 else "random"
    drawn = TSNE(2, perplexity=perplexity, init=start, random_state=seed % 2**32).fit_transform(points)
    return np.asarray(drawn, np.float32)
