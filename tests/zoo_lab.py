"""What tests of models share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from labtui import zoo
from labtui.recipe.spec import ModelPart


def build(spec: ModelPart, shape: tuple[int, ...], outputs: int = 5) -> Any:
    """The model that a spec describes, from the same seed each time."""
    torch.manual_seed(0)
    return zoo.build(spec, shape, outputs, Path())


def parameters(model: nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())


def shapes(model: nn.Module, x: Tensor) -> list[tuple[str, tuple[int, ...]]]:
    """Kind and output shape (without the batch) of each innermost layer, in the order of their work."""
    found: list[tuple[str, tuple[int, ...]]] = []

    def see(layer: nn.Module, _: Any, output: Any) -> None:
        output = output[0] if isinstance(output, tuple) else output
        found.append((type(layer).__name__, tuple(output.shape[1:])))

    layers = [layer for layer in model.modules() if not any(layer.children())]
    hooks = [layer.register_forward_hook(see) for layer in layers]
    with torch.no_grad():
        model.eval()(x)
    for hook in hooks:
        hook.remove()
    return found


def learns(model: nn.Module, x: Tensor, y: Tensor, lr: float, steps: int, loss: nn.Module) -> float:
    """The loss on `x` after some steps of Adam on it, as a share of the loss before."""
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr)
    losses = []
    for _ in range(steps + 1):
        found = loss(model.train()(x), y)
        losses.append(float(found.detach()))
        optimizer.zero_grad()
        found.backward()
        optimizer.step()
    return losses[-1] / losses[0]
