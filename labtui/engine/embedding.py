"""Where a model puts samples: pictures of its embedding, and what that is worth.

A classifier's embedding is what its last linear layer sees (`keep`). Of a model whose outputs are compared with
each other only, it is the outputs themselves (`look`), and two simple classifiers tell how well classes lie apart in it,
learnt from the embedded training split and scored on the others: the five nearest neighbours, and logistic
regression. t-SNE (van der Maaten and Hinton 2008) shows it in two dimensions, before the training and after it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from labtui.engine.features import MOST, Features
from labtui.engine.features import evenly as _evenly
from labtui.engine.loop import Loop
from labtui.files.tell import tell

NEIGHBOURS = 5
MOST_LEARNT = 20_000
"""Training samples that the classifiers learn from, evenly drawn."""
MOST_SHOWN, LEAST_SHOWN = MOST, 16
"""Points of a picture."""
MOST_VALUES = 2**18
"""Of the embedded points that are kept."""
TSNE_START, TSNE_POINT = 2.0, 6e-3
"""Seconds that t-SNE takes, and each point more, on a slow CPU."""

WRITTEN, PER_WRITTEN, PER_VALUE, PER_PRODUCT = 4e-3, 3e-7, 2e-8, 3e-10
"""Seconds that writing takes, and each value of the points more; that principal components take for each, and for
each product; on a slow CPU."""

Array = NDArray[Any]


def look(loop: Loop, step: int, name: str, untrained: bool = False) -> dict[str, float]:
    """Embed all splits with the model as it is.

    Logs `val.knn_acc`, `val.linear_acc` (and those of test, unless the training has yet to begin:
    `untrained`) at a step, and keeps an artifact: `index`, `y` (n,), `points` (n, d), `tsne` and `pca`
    (n, 2) of held-out samples; before the training also `seen_tsne`, of what the model sees. Where an output is no
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
    arrays["pca"] = principal(arrays["points"])
    if untrained:
        seen = (
            loop.parts.samples["val"].batch(torch.from_numpy(arrays["index"]).to(loop.train.index.device)).x
        )
        arrays["seen_tsne"] = _flat(seen.flatten(1).cpu().numpy(), loop.recipe.train.seed)
    loop.run.artifact(name, arrays)
    return found


def keep(loop: Loop, features: Features | None) -> None:
    """Keep where a classifier, as it is, puts validation samples, as the artifact `embedding.npz`.

    Of n <= MOST_SHOWN samples, evenly drawn: `index`, `y`, `prediction` (n,), `pca` (n, 2); `tsne` (n, 2) if the
    training took so long that there is time for it (`budget`); `points` (n, d), what the model's last linear
    layer sees (of sequences the mean over time; of a model without one, the outputs), if they are few values. They
    are as many as there is time for; where there is none for LEAST_SHOWN, nothing is kept.

    A model of the user's own may be of another kind than is looked for here: then nothing is kept, and the log says
    why. Its training is over and well.

    Args:
        features: of the validation split, whose pass is done; None: there are none.
    """
    if features is None:
        return
    try:
        with loop.watch.budget.spending():
            points, outputs = features.gathered()
            if loop.world.rank == 0:
                _keep(loop, features.rows, points, outputs)
    except OSError:  # a full disk has a name of its own
        raise
    except Exception as error:
        if loop.world.rank == 0:
            tell(f"no picture of the embedding: {type(error).__name__}: {error}")


def features(loop: Loop) -> Features | None:
    """What takes the points that `keep` keeps, in a pass over the validation split; None: none are to be kept."""
    dataset = loop.train.shelf.dataset
    if not loop.recipe.train.statistics or dataset.task != "classes":
        return None
    return Features(
        loop.parts.model, len(loop.parts.samples["val"]), dataset.outputs, loop.world, loop.watch.budget
    )


def _keep(loop: Loop, rows: Array, points: Array, outputs: Array) -> None:
    samples, budget = loop.parts.samples["val"], loop.watch.budget
    shown = _evenly(len(rows), fitting(len(points), points[0].size, budget.left()))
    if not len(shown) or not np.isfinite(points).all():
        return
    rows, points, outputs = rows[shown], points[shown], outputs[shown]
    at = torch.from_numpy(rows)
    arrays = {
        "index": samples.index[at.to(samples.index.device)].cpu().numpy(),
        "y": samples.targets[at.to(samples.device)].cpu().numpy(),
        "prediction": outputs.argmax(1),
        "pca": principal(points),
    }
    if TSNE_START + TSNE_POINT * len(points) <= budget.left():
        arrays["tsne"] = _flat(points, loop.recipe.train.seed)
    if points.size <= min(MOST_VALUES, (budget.left() - WRITTEN) / PER_WRITTEN):
        arrays["points"] = points
    loop.run.artifact("embedding", arrays)


def fitting(n: int, d: int, seconds: float) -> int:
    """How many of n points (n, d) can be shown in so many seconds, about; 0: too few to show."""
    few = min(n, LEAST_SHOWN)
    while n >= few:
        least = min(n, d)
        if WRITTEN + PER_VALUE * n * d + PER_PRODUCT * (n * d * least + 10 * least**3) <= seconds:
            return n
        n //= 2
    return 0


def principal(points: Array) -> Array:
    """(n, 2): the two directions of points (n, d) in which they vary most."""
    centred = (points - points.mean(axis=0)).astype(np.float64)
    n, d = centred.shape
    if d <= n:
        _, axes = np.linalg.eigh(centred.T @ centred)
        flat = centred @ axes[:, :-3:-1]
    else:
        power, axes = np.linalg.eigh(centred @ centred.T)
        flat = axes[:, :-3:-1] * np.sqrt(power[:-3:-1].clip(0))
    return np.pad(flat, ((0, 0), (0, 2 - flat.shape[1]))).astype(np.float32)


def _embedded(loop: Loop, split: str, most: int | None = None) -> tuple[Array, Array]:
    """(n, d) outputs and (n,) classes of a split."""
    _, outputs = loop.predict(split, keep=True)
    points = torch.cat(outputs).flatten(1).float().cpu().numpy()
    classes = loop.parts.samples[split].targets.cpu().numpy()
    rows = _evenly(len(points), most or len(points))
    return points[rows], classes[rows]


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
