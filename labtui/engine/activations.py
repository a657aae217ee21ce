"""What a model's layers give while it is trained, as the artifact `activations.npz`.

Seen are the outputs of activation modules and of recurrent layers, and what comes out of a ReLU that is no module,
in the batch that a step trains on; nothing is put through the model for it. Of s looks at l such places:

- `steps`, `samples` (s,): optimiser steps done, and samples in the batch;
- `layers` (l,): names of the modules, with `#2` at the second call; of a ReLU that is no module, the layer before it;
- `mean`, `std`, `zeros`, `saturated` (s, l): of all values; the share of exact zeros; the share within a hundredth of
  where sigmoid and tanh end, NaN for others;
- `silent` (s, l): units that gave the same for all samples of the look;
- `units` (l,), `alive` (sum of units,): all units, and the last step at which each was seen to differ; -1: never.

A unit is a channel of a convolution, an element of a linear or recurrent layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from labtui.engine.budget import Budget
from labtui.engine.looks import Array, Looks
from labtui.writer import Run

NAME = "activations"
MOST_LAYERS = 64
MOST_CALLS = 4
"""Calls of one module in one pass through the model; one that goes step by step makes more."""
MOST_VALUES = 2**20
"""Of a layer's output that are looked at, or one sample's."""
MOST_UNITS = 2**14
MANY = 8
"""Values of a unit from which on it is no chance that all are the same."""
NEAR = 0.01
MODULES = (
    *(nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Softplus),
    *(nn.Sigmoid, nn.Tanh, nn.Hardtanh, nn.Hardswish, nn.Hardsigmoid, nn.Threshold, nn.RNNBase),
)
BOUNDS: tuple[tuple[type[nn.Module], tuple[float, float]], ...] = (
    (nn.Sigmoid, (0.0, 1.0)),
    (nn.Tanh, (-1.0, 1.0)),
    (nn.RNNBase, (-1.0, 1.0)),
)
WEIGHTED = nn.Linear, _ConvNd
PASSED = ("Dropout", "Mul", "View", "Reshape", "Transpose", "Permute", "Pool", "Squeeze", "ToCopy", "Clone")
"""Of what autograd calls steps that leave a silent unit silent."""
FIGURES = "mean", "std", "zeros", "saturated", "silent"


class Activations:
    """The looks at one training.

    Args:
        model: has hooks only while it is `watched`.
        run: keeps them.
        budget: of the time they take.
    """

    def __init__(self, model: nn.Module, run: Run, budget: Budget) -> None:
        self.model, self.budget = model, budget
        self.looks = Looks(run, NAME)
        self.layers: list[str] = []
        self.units: list[int] = []
        self.alive: list[Array] = []
        self._names = {module: name for name, module in model.named_modules()}
        self._seen: dict[str, list[tuple[Tensor, Tensor]]] = {}
        self._calls: dict[str, int] = {}
        self._before = ""
        """The layer with weights whose output no module has met yet."""
        self._across = False
        """Units of what was given last are its last dimension, not its second."""

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look at what the layers give inside."""
        self._seen, self._calls, self._before = {}, {}, ""
        hooks = [self.model.register_forward_pre_hook(self._begin)]
        for module in self._names:
            if isinstance(module, MODULES):
                hooks.append(module.register_forward_hook(self._activation))
            elif isinstance(module, WEIGHTED):
                hooks.append(module.register_forward_pre_hook(self._functional))
                hooks.append(module.register_forward_hook(self._weighted))
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _begin(self, *_: Any) -> None:
        self._calls, self._before = {}, ""

    def _weighted(self, layer: nn.Module, _: Any, __: Any) -> None:
        self._before, self._across = self._names[layer], isinstance(layer, nn.Linear)

    def _activation(self, layer: nn.Module, _: Any, output: Any) -> None:
        if isinstance(layer, nn.RNNBase):
            self._across, output = True, output[0]
            output = getattr(output, "data", output)  # of a packed sequence its values
        self._before = ""
        bounds = next((ends for kind, ends in BOUNDS if isinstance(layer, kind)), None)
        self._look(self._names[layer], output, bounds)

    def _functional(self, _: nn.Module, args: tuple[Any, ...]) -> None:
        if self._before and args and isinstance(args[0], Tensor) and _rectified(args[0]):
            self._look(self._before, args[0], None)

    def _look(self, name: str, x: Any, bounds: tuple[float, float] | None) -> None:
        if not isinstance(x, Tensor) or not x.is_floating_point() or x.ndim < 2 or not x.numel():
            return
        call = self._calls[name] = self._calls.get(name, 0) + 1
        name = name if call == 1 else f"{name}#{call}"
        if call > MOST_CALLS or (self.layers and name not in self.layers):
            return
        with self.budget.spending(), torch.no_grad():
            self._seen.setdefault(name, []).append(
                figures(x.detach(), -1 if self._across and x.ndim > 2 else 1, bounds)
            )

    def look(self, step: int, samples: int) -> None:
        """Keep what was seen in the step that is done now, on so many samples."""
        seen, self._seen = self._seen, {}
        if not seen or step <= self.looks.last:
            return
        if not self.layers:
            names = list(seen)
            chosen = np.linspace(0, len(names) - 1, min(len(names), MOST_LAYERS)).round().astype(int)
            self.layers = [names[at] for at in chosen.tolist()]
            self.units = [len(seen[name][0][1]) for name in self.layers]
            self.alive = [np.full(units, -1, np.int64) for units in self.units]
        rows = np.full((len(FIGURES), len(self.layers)), np.nan, np.float32)
        for place, (name, units) in enumerate(zip(self.layers, self.units, strict=True)):
            parts = seen.get(name, [])
            if not parts or any(len(lives) != units for _, lives in parts):
                continue  # of another shape in this batch
            rows[:-1, place] = torch.stack([values for values, _ in parts]).mean(0).cpu().numpy()
            lives = torch.stack([lives for _, lives in parts]).any(0).cpu().numpy()
            rows[-1, place] = units - lives.sum()
            self.alive[place][lives] = step
        self.looks.add(
            {"steps": np.int64(step), "samples": np.int64(samples)} | dict(zip(FIGURES, rows, strict=True)),
            self._fixed(),
        )

    def _fixed(self) -> dict[str, Array]:
        return {
            "layers": np.array(self.layers),
            "units": np.array(self.units, np.int64),
            "alive": np.concatenate([np.zeros(0, np.int64), *self.alive]),
        }

    def save(self) -> None:
        """Keep what was seen, if it is not kept yet."""
        self.looks.save(self._fixed())

    def restore(self, step: int) -> None:
        """Go on from what was kept up to a step."""
        found = self.looks.read()
        if not found.keys() >= {"steps", "layers", "units", "alive", "samples", *FIGURES}:
            return
        kept, units = found["steps"] <= step, found["units"].tolist()
        if not kept.any() or sum(units) != len(found["alive"]) or len(units) != len(found["layers"]):
            return
        self.layers, self.units = found["layers"].tolist(), units
        self.looks.rows = {name: list(found[name][kept]) for name in ("steps", "samples", *FIGURES)}
        # When a unit that was seen alive later had been so before is not known.
        alive = np.minimum(found["alive"], self.looks.last)
        self.alive = np.split(alive, np.cumsum(units)[:-1])


def figures(x: Tensor, axis: int, bounds: tuple[float, float] | None) -> tuple[Tensor, Tensor]:
    """Mean, standard deviation, share of zeros and of saturated values (4,) of what a layer gives (n, …); and which
    of the units along an axis (units,) are not the same for all samples."""
    if x.numel() > MOST_VALUES:
        x = x[:: -(-x.numel() // MOST_VALUES)]
    x = x.float()
    variance, mean = torch.var_mean(x, correction=0)
    zeros = 1 - torch.count_nonzero(x) / x.numel()
    saturated = torch.full_like(mean, torch.nan)
    if bounds is not None:
        low, high = bounds
        near = NEAR * (high - low)
        saturated = ((x < low + near) | (x > high - near)).float().mean()
    others = [at for at in range(x.ndim) if at != axis % x.ndim]
    least, most = x.amin(others), x.amax(others)
    alive = most > least if x.numel() >= MANY * len(most) else (most != 0) | (least != 0)
    return torch.stack([mean, variance.sqrt(), zeros, saturated]), alive[:: len(alive) // MOST_UNITS | 1]


def _rectified(x: Tensor) -> bool:
    """Whether values come from a ReLU, maybe by way of dropout or pooling, as autograd knows."""
    node = x.grad_fn
    for _ in range(6):
        if node is None:
            return False
        name = node.name()
        if "Relu" in name:
            return True
        if not any(word in name for word in PASSED) or not node.next_functions:
            return False
        node = node.next_functions[0][0]
    return False
