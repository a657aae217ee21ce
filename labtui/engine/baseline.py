"""What the best constant answer scores on a split: the figure that a model has to beat."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from labtui.data import Dataset
from labtui.engine.loop import Parts
from labtui.engine.losses import Criterion
from labtui.engine.samples import Samples
from labtui.engine.tally import Tally
from labtui.files.goals import goal_of

TINY = 1e-12
MEAN_BATCH = 256


def of(parts: Parts, dataset: Dataset) -> dict[str, float]:
    """The best constant's `val.*` and `test.*` (of those splits that there are)."""
    found: dict[str, float] = {}
    for split in ("val", "test"):
        if split not in parts.samples:
            continue
        if parts.objective.kept == "predictions":
            scores = _supervised(parts, dataset, parts.samples[split])
        elif parts.objective.kept == "reconstructions":
            scores = _mean(parts, parts.samples[split])
        else:  # what is embedded in one place is no farther from its fellows than from strangers
            continue
        if parts.objective.l2:  # a constant has no weights, whose squares are part of the loss
            scores.pop("loss", None)
        found |= {f"{split}.{name}": value for name, value in scores.items()}
    return found


def _supervised(parts: Parts, dataset: Dataset, samples: Samples) -> dict[str, float]:
    aim = parts.objective
    if not aim.terms:
        return baseline(samples.targets, dataset.task, dataset.outputs, aim.criterion, parts.tally)
    # A constant has no hidden layers for the loss to look at, but it can be right.
    scores = baseline(
        samples.targets,
        dataset.task,
        dataset.outputs,
        aim.criterion,
        lambda: Tally(aim.counts().to(samples.device)),
    )
    return {name: value for name, value in scores.items() if name != "loss"}


def _mean(parts: Parts, samples: Samples) -> dict[str, float]:
    """Scores of each element's mean over the split."""
    total, number = torch.zeros((), dtype=torch.float64), torch.zeros(())
    total, number = total.to(samples.device), number.to(samples.device)
    for batch in samples.batches(MEAN_BATCH):
        total = total + batch.y.nan_to_num().double().sum(0)
        number = number + (~batch.y.isnan()).sum(0)
    guess = (total / number.clamp(min=1)).float()
    tally = parts.tally()
    for batch in samples.batches(MEAN_BATCH):
        output = guess.expand_as(batch.y)
        tally.add(parts.objective.criterion(output, batch.y), output, batch.y)
    return tally.scores()


def baseline(
    targets: Tensor, task: str, outputs: int, criterion: Criterion, tally: Callable[[], Tally]
) -> dict[str, float]:
    """The best value of each score that any of a few constant outputs reaches on these targets.

    Each score has its own best constant (the commonest class for accuracy, the class frequencies
    for cross-entropy, mean for squared and median for absolute errors, …), and it is chosen knowing
    the targets that it is scored on.

    Args:
        targets: (n, …) of one split.
        task: classes, multilabel or regression.
        outputs: of the model.
    """
    found: dict[str, float] = {}
    threshold = getattr(tally().counts, "threshold", 0.0)
    for row in _constants(targets, task, outputs, criterion, threshold):
        guess = row.expand(len(targets), *row.shape)
        one = tally()
        one.add(criterion(guess, targets), guess, targets)
        for name, value in one.scores().items():
            better = max if goal_of(name) == "max" else min
            found[name] = better(found.get(name, value), value)
    return found


def _constants(
    y: Tensor, task: str, outputs: int, criterion: Criterion, threshold: float
) -> Iterator[Tensor]:
    if task == "classes":
        share = torch.bincount(y, minlength=outputs) / len(y)
        smoothing = getattr(criterion, "label_smoothing", 0.0)
        smooth = share * (1 - smoothing) + smoothing / outputs
        yield smooth.clamp(min=TINY).log()
        if (weight := getattr(criterion, "weight", None)) is not None:
            weighted = smooth * weight
            yield (weighted / weighted.sum()).clamp(min=TINY).log()
    elif task == "multilabel":
        share = y.double().mean(0)
        rows, counts = torch.unique(y, dim=0, return_counts=True)
        off = torch.zeros_like(y[0])
        for on in (off, off + 1, share > 0.5, rows[counts.argmax()]):
            yield on.float() + threshold - 0.5
        if isinstance(criterion, nn.MSELoss):
            yield share.float()
        else:
            logits = share.clamp(TINY, 1 - TINY).logit().float()
            # A threshold of 0.5 says that outputs are probabilities: a constant is one too.
            yield logits if threshold == 0 else logits.clamp(0, 1)
    else:
        yield y.mean(0)
        yield y.median(0).values
        if isinstance(criterion, nn.HuberLoss):
            yield _huber_centre(y, criterion.delta)


def _huber_centre(y: Tensor, delta: float) -> Tensor:
    """The constant of least Huber loss: where the clipped residuals sum to zero, by bisection."""
    low, high = y.min(0).values, y.max(0).values
    for _ in range(60):
        middle = (low + high) / 2
        above = (y - middle).clamp(-delta, delta).sum(0) > 0
        low, high = torch.where(above, middle, low), torch.where(above, high, middle)
    return (low + high) / 2
