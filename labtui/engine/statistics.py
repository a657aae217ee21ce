"""What goes on inside a model while it is trained: norms and histograms of its weights and gradients.

A run looks a few dozen times, evenly over its steps, and keeps what it saw as the artifact `weights.npz`, of s
looks at l layers (tensors of trained parameters):

- `steps` (s,): optimiser steps done; 0 is the untrained model, and has no gradient;
- `layers` (l,): names of the parameters, in the model's order;
- `weight_norm`, `grad_norm` (s, l): Euclidean norms, of the weights after the step and of the gradient that it
  was made of, before clipping and without the loss's scale; NaN where there is none;
- `update_ratio` (s, l): norm of the step's change of the weights by that of the weights before;
- `weight_range`, `grad_range` (s, l, 2), `weight_counts`, `grad_counts` (s, l, 40): histograms, of as many equal
  bins between the least and the largest value.

Norms are of all elements; histograms and update ratios of at most 32,768 of each layer, evenly drawn. Nothing here
draws from a random generator or changes a tensor, so that a training is the same with it and without. A look that
the training's time so far does not pay for (`budget`) is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from labtui.engine.activations import Activations
from labtui.engine.budget import SHARE, WHILE, Budget
from labtui.engine.looks import Array, Looks
from labtui.engine.objective import is_weight
from labtui.writer import Run

NAME = "weights"
MOST_LAYERS = 64
BINS = 40
SAMPLED = 2**14
"""Elements of a tensor up to which all are counted in histograms; of more, at least half as many."""
APART = 100
"""Optimiser steps between two looks within an epoch, at least."""
TINY = 1e-30
SERIES = (
    *("steps", "weight_norm", "grad_norm", "update_ratio"),
    *("weight_range", "weight_counts", "grad_range", "grad_counts"),
)
"""Arrays with a row a look."""


def spacing(looks: int, steps: int, epochs: int) -> int:
    """Optimiser steps between two looks, so that there are at most `looks` (>= 1), or two.

    Args:
        steps: of one epoch.

    Returns:
        Whole epochs of steps; where there are few epochs, fewer steps than one has.
    """
    every = -(-steps * epochs // max(1, looks - 1))
    if every >= steps:
        return max(1, -(-every // steps) * steps)
    return max(every, min(APART, steps))


class Statistics:
    """The looks at one training.

    Args:
        run: keeps them.
        looks: at most so many.
        steps: optimiser steps of one epoch.
        budget: of the time they take.
    """

    def __init__(
        self, model: nn.Module, run: Run, looks: int, steps: int, epochs: int, budget: Budget | None = None
    ) -> None:
        chosen = layers(model)
        self.names, self.weights = list(chosen), list(chosen.values())
        self.every, self.last = spacing(looks, steps, epochs), steps * epochs
        self.budget = budget or Budget()
        self.looks = Looks(run, NAME)
        self.activations = Activations(model, run, self.budget)
        sizes = [_sample(weight).numel() for weight in self.weights]
        self._layer = np.repeat(np.arange(len(sizes)), sizes)
        self._starts = np.cumsum([0, *sizes[:-1]])
        self._gradient: tuple[Tensor, Tensor, Tensor] | None = None
        self._asked, self._cost = -1, 0.0

    def due(self, step: int) -> bool:
        """Whether to look when so many steps are done: asked once, since time goes by."""
        if (step % self.every and step != self.last) or step == self._asked:
            return False
        self._asked = step
        return not step or self.budget.left(SHARE if step == self.last else WHILE) >= self._cost

    def gradient(self, scale: float) -> None:
        """See the gradient that the next step is made of, before it is cut.

        Args:
            scale: by which the loss was multiplied.
        """
        with self.budget.spending():
            slopes = [_none(weight) if weight.grad is None else weight.grad for weight in self.weights]
            slopes = [slope.to_dense() if slope.is_sparse else slope for slope in slopes]
            if slopes:
                self._gradient = _norms(slopes) / scale, _samples(slopes) / scale, _samples(self.weights)

    def look(self, step: int, samples: int = 0) -> None:
        """See the weights, and the gradient if one was seen for this step. A step is looked at once.

        Args:
            samples: that the step was done on.
        """
        before = self.budget.spent
        with self.budget.spending():
            self._look(step)
            if samples:
                self.activations.look(step, samples)
        self._cost = self.budget.spent - before

    def _look(self, step: int) -> None:
        gradient, self._gradient = self._gradient, None
        if not self.weights or self.looks.last >= step:
            return
        after = _samples(self.weights)
        none = torch.full((len(self.weights),), torch.nan), torch.full_like(after, torch.nan), after
        norms, slopes, before = gradient or none
        moved = self._lengths(after - before) / np.maximum(self._lengths(before), TINY)
        row = (
            np.int64(step),
            _norms(self.weights).cpu().numpy(),
            norms.cpu().numpy(),
            (moved if gradient and moved.any() else np.full_like(moved, np.nan)).astype(np.float32),
            *self._histograms(after),
            *self._histograms(slopes),
        )
        self.looks.add(dict(zip(SERIES, row, strict=True)), self._fixed())

    def _fixed(self) -> dict[str, Array]:
        return {"layers": np.array(self.names)}

    def save(self) -> None:
        """Keep what was seen, if it is not kept yet. On a full disk it is tried again."""
        with self.budget.spending():
            self.looks.save(self._fixed())
            self.activations.save()

    def restore(self, step: int) -> None:
        """Go on from what was kept up to a step; what cannot be read was not."""
        found = self.looks.read()
        if found.keys() >= {*SERIES, "layers"} and found["layers"].tolist() == self.names:
            kept = found["steps"] <= step
            self.looks.rows = {name: list(found[name][kept]) for name in SERIES}
        self.activations.restore(step)

    def _lengths(self, x: Tensor) -> Array:
        """(l,) norms of the samples (n,) of all layers."""
        return np.sqrt(np.add.reduceat(np.square(x.double().cpu().numpy()), self._starts))

    def _histograms(self, x: Tensor) -> tuple[Array, Array]:
        """Ranges (l, 2) and counts (l, BINS) of the samples (n,) of all layers; only numbers count."""
        values = x.double().cpu().numpy()
        known = np.isfinite(values)
        low = np.minimum.reduceat(np.where(known, values, np.inf), self._starts)
        high = np.maximum.reduceat(np.where(known, values, -np.inf), self._starts)
        wide = high > low
        per_value = np.where(wide, BINS / np.where(wide, high - low, 1.0), 0.0)
        layer, values = self._layer[known], values[known]
        place = np.minimum((values - low[layer]) * per_value[layer], BINS - 1).astype(np.int64)
        counts = np.bincount(layer * BINS + place, minlength=len(low) * BINS).reshape(-1, BINS)
        ends = np.stack([low, high], axis=1).astype(np.float32)
        ends[~(low <= high)] = np.nan
        return ends, counts.astype(np.uint16)


def layers(model: nn.Module) -> dict[str, nn.Parameter]:
    """The trained parameters by name: of more than MOST_LAYERS the matrices and kernels; of more than that of
    them some, evenly drawn."""
    found = {
        name: weight
        for name, weight in model.named_parameters()
        if weight.requires_grad and weight.numel() and weight.is_floating_point()
    }
    if len(found) > MOST_LAYERS:
        found = {name: weight for name, weight in found.items() if is_weight(name, weight)} or found
    names = list(found)
    if len(names) > MOST_LAYERS:
        names = [names[at] for at in np.linspace(0, len(names) - 1, MOST_LAYERS).round().astype(int)]
    return {name: found[name] for name in names}


def _none(weight: Tensor) -> Tensor:
    return torch.full_like(weight, torch.nan)


def _norms(values: Sequence[Tensor]) -> Tensor:
    """(l,) on the values' device."""
    return torch.stack([torch.linalg.vector_norm(value.detach(), dtype=torch.float32) for value in values])


def _samples(values: Sequence[Tensor]) -> Tensor:
    """(n,): of each tensor all elements, or as many, on the device."""
    return torch.cat([_sample(value.detach()).float() for value in values])


def _sample(value: Tensor) -> Tensor:
    flat = value.reshape(-1)
    # An odd stride: an even one would come back to the same columns of most matrices.
    return flat[:: flat.numel() // SAMPLED | 1]
